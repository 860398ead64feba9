//! JSON as Carrot quest's manual prints it: keys that are whole numbers without quotes, and comments (IMPORT). Whether the
//! server really answers so is not known; what is proper JSON is read as that.

use serde_json::Value;

/// The value of a text; `None` when it is not even such JSON.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{FEFF}');
    serde_json::from_str(text)
        .ok()
        .or_else(|| serde_json::from_str(&with_quoted_keys(&without_comments(text))).ok())
}

/// Takes `// …`, `# …` and `/* … */` out, where they stand outside of texts.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '"' => end_of_text(rest),
            '#' => 0,
            '/' if rest.starts_with("//") => 0,
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |at| &rest[at + 2..]);
                out.push(' ');
                continue;
            }
            _ => c.len_utf8(),
        };
        if end == 0 {
            rest = rest.find('\n').map_or("", |at| &rest[at..]);
            continue;
        }
        out.push_str(&rest[..end]);
        rest = &rest[end..];
    }
    out
}

/// Puts quotes around whole numbers that stand where a key stands.
fn with_quoted_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut rest, mut before) = (text, ' ');
    while let Some(c) = rest.chars().next() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let end = match c {
            '"' => end_of_text(rest),
            _ if digits > 0 => digits,
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        let is_key = digits > 0 && matches!(before, '{' | ',') && after.trim_start().starts_with(':');
        if is_key {
            out.extend(["\"", token, "\""]);
        } else {
            out.push_str(token);
        }
        if !c.is_whitespace() {
            before = c;
        }
        rest = after;
    }
    out
}

/// The length of the text that begins here with its quote, the closing one counted.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::parse;

    #[test]
    fn keys_without_quotes_and_comments() {
        let expected = json!({ "row_errors": { "1": "a", "33": "b, 4: c // no \" comment" }, "n": [1, 2] });
        for text in [
            r#"{"row_errors": {1: "a", 33: "b, 4: c // no \" comment"}, "n": [1, 2]}"#,
            "{\"row_errors\": {1 : \"a\", // the first\n33\t: \"b, 4: c // no \\\" comment\" # the last\n}, /* : */ \"n\": [1, 2]}",
            r#"{"row_errors": {"1": "a", 33: "b, 4: c // no \" comment"}, "n": [1,2]} // end"#,
            "\u{FEFF}{\"row_errors\": {\"1\": \"a\", \"33\": \"b, 4: c // no \\\" comment\"}, \"n\": [1,2]}",
        ] {
            assert_eq!(parse(text), Some(expected.clone()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_json() {
        for text in ["", "<html>", "{a: 1}", "{1.5: 1}", "{1: 2", "{1: \"a}", "/*", "{1: ...}"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in r#"[\{\}\[\]"\\:,/*# \n1a-]{0,24}"#) {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_json_stays_as_it_is(keys in prop::collection::vec("[0-9a/#*\"\\\\: {,]{0,6}", 0..5), value in "[/#*\":{,0-9 ]{0,8}") {
            let map: serde_json::Map<String, Value> =
                keys.into_iter().map(|key| (key, Value::from(value.as_str()))).collect();
            let (value, text) = (Value::Object(map.clone()), Value::Object(map).to_string());
            prop_assert_eq!(parse(&text), Some(value.clone()));
            let tidied = super::with_quoted_keys(&super::without_comments(&text));
            prop_assert_eq!(serde_json::from_str::<Value>(&tidied).ok(), Some(value));
        }
    }
}
