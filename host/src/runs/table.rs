//! Tables that people bring from a vendor's page.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use usher_abi::{Error, nearest};

use crate::report::list;

/// The keys, folded, that stand in a table below `heading`; or else below the one that says what `expected` does, or the
/// only one that speaks of an email address.
pub fn keys_in_table(
    path: &Path,
    heading: Option<&str>,
    expected: Option<&str>,
) -> Result<HashSet<String>, Error> {
    let fault = |message: String| Error::config("run.table", format!("`{}`: {message}", path.display()));
    let file = File::open(path).map_err(|error| fault(format!("cannot be read ({error})")))?;
    let mut file = BufReader::new(file);
    let delimiter = delimiter(file.fill_buf().map_err(|error| fault(format!("cannot be read ({error})")))?);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(file);
    let headings = reader.headers().map_err(|error| fault(format!("is no table ({error})")))?.clone();
    let names: Vec<&str> = headings.iter().map(|name| name.trim_start_matches('\u{FEFF}').trim()).collect();
    let column = column(&names, heading, expected).map_err(fault)?;
    let (mut keys, mut folded) = (HashSet::new(), String::new());
    for row in reader.records() {
        let row = row.map_err(|error| fault(format!("cannot be read ({error})")))?;
        usher_keys::fold(row.get(column).unwrap_or_default(), &mut folded);
        if !folded.is_empty() {
            keys.insert(folded.clone());
        }
    }
    Ok(keys)
}

/// What stands most often between the headings.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    // The last of several that stand equally often.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

fn column(names: &[&str], heading: Option<&str>, expected: Option<&str>) -> Result<usize, String> {
    let has = |name: &str| names.iter().position(|other| other.eq_ignore_ascii_case(name));
    if let Some(heading) = heading {
        let near = nearest(heading, names.iter().copied());
        return has(heading)
            .ok_or_else(|| format!("has no heading `{heading}`{near}; there are {}", list(names)));
    }
    if let Some(found) = expected.and_then(has) {
        return Ok(found);
    }
    let speaks_of_email =
        |name: &&str| name.to_ascii_lowercase().replace(['-', ' ', '_'], "").contains("email");
    let mut of_email = names.iter().enumerate().filter(|(_, name)| speaks_of_email(name));
    match (of_email.next(), of_email.next()) {
        (Some((index, _)), None) => Ok(index),
        _ => Err(format!(
            "below which heading do people's keys stand? Say `--key HEADING`; there are {}",
            list(names)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str, heading: Option<&str>, expected: Option<&str>) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.csv");
        std::fs::write(&path, text).unwrap();
        let mut keys: Vec<String> = keys_in_table(&path, heading, expected)
            .map_err(|error| error.message.to_string())?
            .into_iter()
            .collect();
        keys.sort();
        Ok(keys)
    }

    #[test]
    fn keys_stand_where_they_are_said_to_or_can_be_found() {
        let table = "\u{FEFF}Row,E-Mail,Id\n1, Ada@Example.com ,7\n2,,8\n3,b@example.com\n";
        assert_eq!(keys(table, None, Some("email")).unwrap(), ["ada@example.com", "b@example.com"]);
        assert_eq!(keys(table, Some("id"), None).unwrap(), ["7", "8"]);
        assert_eq!(keys("Row;Email;Error\n1;a@b.org;no, never\n", None, None).unwrap(), ["a@b.org"]);
        assert_eq!(keys("Email\n a@b.org \n", None, None).unwrap(), ["a@b.org"]);
        assert_eq!(keys(table, None, Some("row")).unwrap(), ["1", "2", "3"]);
    }

    #[test]
    fn where_they_cannot_be_found_it_is_asked() {
        assert!(
            keys("a,b\n1,2\n", None, None).unwrap_err().contains("Say `--key HEADING`; there are `a`, `b`")
        );
        assert!(keys("email,work email\n", None, None).unwrap_err().contains("--key"));
        assert!(keys("email\n", Some("emial"), None).unwrap_err().contains("did you mean `email`"));
    }
}
