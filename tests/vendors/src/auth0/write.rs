//! Users as lines of JSON, or as CSV with the vendor's guard against formulas.

use serde_json::{Map, Value, json};

use super::{
    jobs::{Field, Job},
    settings::Settings,
};

/// Dates that the vendor itself makes, which are not escaped.
const DATES: [&str; 5] =
    ["created_at", "updated_at", "last_login", "last_password_reset", "multifactor_last_modified"];
/// Attributes that no export holds.
const NEVER: [&str; 3] = ["blocked_for", "guardian_authenticators", "tenant"];

/// The whole file.
pub(crate) fn file(settings: &Settings, job: &Job) -> Vec<u8> {
    let chosen = |name: &String| Field { name: name.clone(), export_as: None };
    let fields = job.fields.clone().unwrap_or_else(|| settings.default_fields.iter().map(chosen).collect());
    let connection = job.connection_id.as_ref().and_then(|wanted| {
        settings.connections.iter().find(|(id, _)| id == wanted).map(|(_, name)| name.as_str())
    });
    let is_asked_for = |user: &&Value| {
        let identities = user["identities"].as_array().into_iter().flatten();
        connection.is_none_or(|name| identities.into_iter().any(|identity| identity["connection"] == name))
    };
    let users = settings.users.iter().filter(is_asked_for).take(job.limit.unwrap_or(usize::MAX));
    let text =
        if job.format == "csv" { csv(settings, &fields, users) } else { ndjson(settings, &fields, users) };
    text.into_bytes()
}

fn ndjson<'a>(settings: &Settings, fields: &[Field], users: impl Iterator<Item = &'a Value>) -> String {
    let mut text = String::new();
    for user in users {
        let mut line = Map::new();
        for field in fields {
            let value = match at(user, &field.name) {
                Some(value) => value.clone(),
                None if settings.absent_as_null => Value::Null,
                None => continue,
            };
            match &field.export_as {
                Some(name) => drop(line.insert(name.clone(), value)),
                None if settings.nests_paths => nest(&mut line, &field.name, value),
                None => drop(line.insert(field.name.clone(), value)),
            }
        }
        text.push_str(&Value::Object(line).to_string());
        text.push('\n');
    }
    text
}

/// Puts a value where its path says; a path with an index stays flat.
fn nest(line: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        Some((first, rest)) if !first.contains('[') => {
            let inner = line.entry(first).or_insert_with(|| json!({}));
            if let Some(inner) = inner.as_object_mut() {
                nest(inner, rest, value);
            }
        }
        _ => drop(line.insert(path.to_owned(), value)),
    }
}

fn csv<'a>(settings: &Settings, fields: &[Field], users: impl Iterator<Item = &'a Value>) -> String {
    let mut text = String::from(if settings.byte_order_mark { "\u{feff}" } else { "" });
    let headings = fields.iter().map(|field| quoted(field.export_as.as_ref().unwrap_or(&field.name)));
    text.push_str(&headings.collect::<Vec<String>>().join(","));
    text.push_str(&settings.line_end);
    for user in users {
        let cells = fields.iter().map(|field| cell(settings, &field.name, at(user, &field.name)));
        text.push_str(&cells.collect::<Vec<String>>().join(","));
        text.push_str(&settings.line_end);
    }
    text
}

/// A heading, quoted where it must be.
fn quoted(heading: &str) -> String {
    match heading.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", heading.replace('"', "\"\"")),
        false => heading.to_owned(),
    }
}

fn cell(settings: &Settings, path: &str, value: Option<&Value>) -> String {
    match value {
        // Whole metadata is not in CSV: each leaf is to be asked for.
        _ if matches!(path, "user_metadata" | "app_metadata") => String::new(),
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(value)) => {
            let text = &settings.booleans[usize::from(!value)];
            if settings.escapes_booleans { escaped(text) } else { text.clone() }
        }
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) if DATES.contains(&path) => text.clone(),
        Some(Value::String(text)) => escaped(text),
        Some(other) => escaped(&other.to_string()),
    }
}

/// A `'` in front, every `"` doubled, `"` around.
fn escaped(text: &str) -> String {
    format!("\"'{}\"", text.replace('"', "\"\""))
}

/// The value of a path such as `identities[0].connection`.
fn at<'a>(user: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = user;
    for segment in path.split('.') {
        let (name, indexes) = segment.split_once('[').map_or((segment, ""), |(name, rest)| (name, rest));
        value = value.get(name)?;
        for index in indexes.split('[').filter(|index| !index.is_empty()) {
            value = value.get(index.trim_end_matches(']').parse::<usize>().ok()?)?;
        }
    }
    let is_secret = path.contains("access_token") || path.contains("refresh_token");
    Some(value).filter(|_| !is_secret && !NEVER.contains(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let user = json!({ "identities": [{ "connection": "x", "access_token": "hush" }], "a": { "b": 1 } });
        assert_eq!(at(&user, "identities[0].connection"), Some(&json!("x")));
        assert_eq!(at(&user, "a.b"), Some(&json!(1)));
        assert_eq!(at(&user, "identities[1].connection"), None);
        assert_eq!(at(&user, "identities[0].access_token"), None);
    }

    #[test]
    fn cells_are_guarded_against_formulas() {
        let settings = Settings::default();
        let of = |path: &str, value: Value| cell(&settings, path, Some(&value));
        assert_eq!(of("name", json!("say \"=1\"")), "\"'say \"\"=1\"\"\"");
        assert_eq!(of("name", json!("'t Hooft")), "\"''t Hooft\"");
        assert_eq!(of("created_at", json!("2023-05-01T10:20:30.456Z")), "2023-05-01T10:20:30.456Z");
        assert_eq!([of("n", json!(3)), of("b", json!(true)), of("x", Value::Null)], ["3", "true", ""]);
    }
}
