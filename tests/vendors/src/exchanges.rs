//! Requests kept for another judge: `prism.py` sends them to a server that was made from the vendor's description alone.
//!
//! Nothing is kept unless `USHER_EXCHANGES` names a folder. Who is asked for must be made up, and is in tests.

use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::Path,
    sync::OnceLock,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{contract::Contract, message::Asked};

/// How many requests of one shape are kept: the first ones.
const OF_A_SHAPE: usize = 5;

/// Keeps a request that its vendor's description speaks of.
pub(crate) fn keep(contract: &Contract, asked: &Asked) {
    static FOLDER: OnceLock<Option<String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| std::env::var("USHER_EXCHANGES").ok().filter(|text| !text.is_empty()));
    if let Some(folder) = folder {
        keep_in(Path::new(folder), contract, asked).expect("the folder of USHER_EXCHANGES can be written to");
    }
}

fn keep_in(folder: &Path, contract: &Contract, asked: &Asked) -> std::io::Result<()> {
    let Some((description, template, path)) = contract.place(asked) else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let stem: String = template.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let shape = shape(asked, template);
    for number in 0..OF_A_SHAPE {
        let name = format!("{description}-{}{stem}-{shape:016x}-{number}.json", asked.method.to_lowercase());
        // Tests run side by side: whoever makes the file writes it.
        let file = OpenOptions::new().write(true).create_new(true).open(folder.join(name));
        match file {
            Ok(mut file) => {
                return file.write_all(format!("{:#}\n", written(description, path, asked)).as_bytes());
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn written(description: &str, path: &str, asked: &Asked) -> Value {
    // A scheme is enough: the judge knows nobody.
    let scheme = asked.header("authorization").and_then(|text| text.split(' ').next());
    let body = match std::str::from_utf8(&asked.body) {
        Ok(text) => json!({ "text": text }),
        Err(_) => json!({ "base64": STANDARD.encode(&asked.body) }),
    };
    json!({
        "description": description,
        "method": asked.method,
        "path": path,
        "query": asked.query,
        "accept": asked.header("accept"),
        "authorization": scheme,
        "content_type": asked.header("content-type"),
        "body": body,
    })
}

/// What makes requests alike: call, names of the URL's parameters, content type, names in the body.
fn shape(asked: &Asked, template: &str) -> u64 {
    let kind = asked.header("content-type").and_then(|kind| kind.split(';').next());
    let mut names: BTreeSet<String> = asked.query.iter().map(|(name, _)| format!("?{name}")).collect();
    match (asked.json(), kind) {
        (Some(body), _) => members(&body, "", &mut names),
        (None, Some("application/x-www-form-urlencoded")) => {
            names.extend(asked.form().into_iter().map(|(name, _)| name));
        }
        _ => {}
    }
    let mut hasher = DefaultHasher::new();
    (&asked.method, template, kind, names).hash(&mut hasher);
    hasher.finish()
}

fn members(value: &Value, at: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let place = format!("{at}/{name}");
                members(inner, &place, names);
                names.insert(place);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, at, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Vendor;

    fn asked(query: &str, email: &str) -> Asked {
        Asked {
            method: "POST".to_owned(),
            path: "/api/v2/users/create_many".to_owned(),
            query: crate::text::pairs(query),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("authorization".to_owned(), "Bearer hush-oauth".to_owned()),
            ],
            body: json!({ "users": [{ "email": email }] }).to_string().into_bytes(),
        }
    }

    #[test]
    fn a_few_requests_of_each_shape_are_kept_without_credentials() {
        let folder = std::env::temp_dir().join(format!("usher-exchanges-{:x}", fastrand::u64(..)));
        let contract = crate::zendesk::Account::contract().expect("Zendesk has one");
        for number in 0..OF_A_SHAPE + 2 {
            keep_in(&folder, contract, &asked("", &format!("{number}@example.com"))).unwrap();
        }
        keep_in(&folder, contract, &asked("async=true", "ada@example.com")).unwrap();
        keep_in(&folder, contract, &Asked { path: "/nowhere".to_owned(), ..asked("", "") }).unwrap();
        let texts: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(texts.len(), OF_A_SHAPE + 1);
        assert!(texts.iter().all(|text| text.contains("\"Bearer\"") && !text.contains("hush")), "{texts:?}");
    }
}
