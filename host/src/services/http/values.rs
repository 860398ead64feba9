//! Values of people, taken out of records unless they are to be kept (`usher run --record DIR --with-values`). What is left is the form: which
//! members and fields there are, so that a replay still compares requests; and all that makes no person.

use std::collections::BTreeSet;

use serde_json::Value;

/// What stands in place of a value.
pub(super) const HIDDEN: &str = "[masked]";

/// Members of replies whose values are of people, beside those that the request had.
const PERSONAL: [&str; 16] = [
    "address",
    "birthday",
    "city",
    "company_name",
    "email",
    "family_name",
    "first_name",
    "full_name",
    "given_name",
    "job_title",
    "last_name",
    "name",
    "nickname",
    "phone",
    "phone_number",
    "street",
];

/// A URL, a header, or any other text that is no body: without addresses.
pub(super) fn text(text: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || c.is_control() || "\"'<>(),;:&?=/|\\[]{}".contains(c);
    let is_address = |word: &str| {
        let lower = word.to_ascii_lowercase();
        let at = lower.find('@').or_else(|| lower.find("%40"));
        at.is_some_and(|at| at > 0 && at + 1 < lower.len())
    };
    text.split_inclusive(is_end)
        .map(|piece| {
            let end = piece.chars().next_back().filter(|c| is_end(*c));
            let word = end.map_or(piece, |end| &piece[..piece.len() - end.len_utf8()]);
            if is_address(word) {
                format!("{HIDDEN}{}", end.map(String::from).unwrap_or_default())
            } else {
                piece.to_owned()
            }
        })
        .collect()
}

/// The body of a request: every value of JSON and of a form; anything else (a file, say) whole.
pub(super) fn request(body: &str) -> String {
    if let Ok(mut value) = serde_json::from_str::<Value>(body) {
        hide_all(&mut value);
        return value.to_string();
    }
    match body {
        "" => String::new(),
        form if form.contains('=') && !form.contains(['\n', ' ', '<']) => {
            let pairs = form.split('&').map(|pair| match pair.split_once('=') {
                Some((name, _)) => format!("{name}={HIDDEN}"),
                None => pair.to_owned(),
            });
            pairs.collect::<Vec<_>>().join("&")
        }
        _ => HIDDEN.to_owned(),
    }
}

/// The body of the reply to a request: of JSON the members that are named as in the request, those that name people, and
/// every address; line by line, where each line is an object. Anything else whole.
pub(super) fn reply(body: &str, request: &str) -> String {
    let mut names: BTreeSet<String> = PERSONAL.iter().map(|name| (*name).to_owned()).collect();
    if let Ok(value) = serde_json::from_str::<Value>(request) {
        collect(&value, &mut names);
    }
    let line = |line: &str| {
        let mut value: Value = serde_json::from_str(line).ok()?;
        hide_named(&mut value, &names);
        Some(value.to_string())
    };
    if body.is_empty() {
        return String::new();
    }
    line(body)
        .or_else(|| body.lines().map(line).collect::<Option<Vec<_>>>().map(|lines| lines.join("\n") + "\n"))
        .unwrap_or_else(|| HIDDEN.to_owned())
}

fn hide_all(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide_all),
        Value::Array(items) => items.iter_mut().for_each(hide_all),
        Value::String(_) | Value::Number(_) => *value = Value::from(HIDDEN),
        Value::Bool(_) | Value::Null => {}
    }
}

fn hide_named(value: &mut Value, names: &BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if names.contains(&name.to_lowercase()) && (value.is_string() || value.is_number()) {
                    *value = Value::from(HIDDEN);
                } else {
                    hide_named(value, names);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_named(item, names)),
        Value::String(said) => *said = text(said),
        _ => {}
    }
}

/// The names of members that hold texts or numbers.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                if value.is_string() || value.is_number() {
                    names.insert(name.to_lowercase());
                }
                collect(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_go_from_any_text() {
        for (given, expected) in [
            (
                "https://a.example/u?email=ada%40example.com&page=2",
                "https://a.example/u?email=[masked]&page=2",
            ),
            ("Ada <ada@example.com>, taken", "Ada <[masked]>, taken"),
            ("user@", "user@"),
            ("a@b", "[masked]"),
            ("", ""),
        ] {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn requests_keep_their_form_alone() {
        for (given, expected) in [
            (
                r#"{"users":[{"email":"a@example.com","tags":["x"],"age":7,"verified":true,"note":null}]}"#,
                r#"{"users":[{"email":"[masked]","tags":["[masked]"],"age":"[masked]","verified":true,"note":null}]}"#,
            ),
            ("op=update&value=Ada", "op=[masked]&value=[masked]"),
            ("email,name\na@example.com,Ada\n", "[masked]"),
            ("", ""),
        ] {
            assert_eq!(request(given), expected);
        }
    }

    #[test]
    fn replies_keep_what_makes_no_person() {
        let asked = r#"{"users":[{"plan":"pro"}]}"#;
        for (given, expected) in [
            (
                r#"{"job":"j1","results":[{"index":0,"email":"a@example.com","plan":"pro","error":"a@example.com is taken"}]}"#,
                r#"{"job":"j1","results":[{"index":0,"email":"[masked]","plan":"[masked]","error":"[masked] is taken"}]}"#,
            ),
            (
                "{\"name\":\"Ada\"}\n{\"name\":\"Bob\"}\n",
                "{\"name\":\"[masked]\"}\n{\"name\":\"[masked]\"}\n",
            ),
            ("email\na@example.com\n", "[masked]"),
            ("", ""),
        ] {
            assert_eq!(reply(given, asked), expected);
        }
    }
}
