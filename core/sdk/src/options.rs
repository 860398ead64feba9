//! JSON text to typed options and back.

use std::{collections::BTreeMap, hash::Hasher};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use siphasher::sip128::{Hasher128, SipHasher13};
use usher_abi::{Error, Problem, RString};

use crate::source::pointer;

/// Options of a component. The host has held them against the schema already; what still fails (a range that only the
/// type knows) is one [`Problem`].
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    let json = if json.trim().is_empty() { "{}" } else { json };
    serde_json::from_str(json).map_err(|e| refused(json, &e))
}

/// Names the option that was refused: the line and the column of a text that nobody wrote say nothing to anybody.
#[cold]
fn refused(json: &str, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(&place).unwrap_or(&text);
    let before: usize = json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = before + error.column();
    let options: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
    let start = |value: &RawValue| value.get().as_ptr().addr() - json.as_ptr().addr();
    // Reading stops behind the value that it refuses. A missing or an unknown key is no value, and is named already.
    let of_value = !message.starts_with("missing field") && !message.starts_with("unknown field");
    let begun = options.iter().filter(|(_, value)| of_value && start(value) < at);
    match begun.max_by_key(|(_, value)| start(value)) {
        Some((key, _)) => invalid(&pointer(&[key]), message),
        None => invalid("", message),
    }
}

/// An error about one option.
///
/// `pointer` is a JSON pointer into the options (`/delimiter`), `message` says what is wrong and what to do.
pub fn invalid(pointer: &str, message: impl Into<String>) -> Error {
    let message = message.into();
    let problem = problem(pointer, "option.invalid", message.clone());
    Error::config("option.invalid", message).details(serde_json::json!([problem]).to_string())
}

/// A [`Problem`] for `check`.
pub fn problem(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem { pointer: pointer.into(), code: code.into(), message: message.into(), warning: false }
}

/// A [`Problem`] that does not stop a run.
pub fn warning(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem { warning: true, ..problem(pointer, code, message) }
}

pub(crate) fn from_json<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json)
        .map_err(|e| Error::bug("abi.json", format!("the host sent unreadable JSON: {e}")))
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<RString, Error> {
    let json = serde_json::to_string(value).map_err(|e| Error::bug("abi.json", e.to_string()))?;
    Ok(json.into())
}

/// What the option `consent` says, for a sink's receipt: `not needed: reason` or `asked for: condition`; `None` when it
/// is not given. The host evaluates the condition and keeps back everybody without consent.
pub fn consent(option: &Option<serde_json::Value>) -> Result<Option<String>, Problem> {
    use serde_json::Value;
    let wrong = || {
        problem(
            "/consent",
            "option.invalid",
            "`consent` is a condition in quotes or { not_needed = \"reason\" }",
        )
    };
    match option {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(condition)) if !condition.trim().is_empty() => {
            Ok(Some(format!("asked for: {condition}")))
        }
        Some(Value::Object(table)) => match (table.len(), table.get("not_needed").and_then(Value::as_str)) {
            (1, Some(reason)) if !reason.trim().is_empty() => Ok(Some(format!("not needed: {reason}"))),
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

/// A text that is never printed: `Debug` shows stars, the schema says `writeOnly`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret that is not from the options: a token that was fetched.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// 32 hexadecimal digits by which to tell, in another run, whether this is the secret that it was: SipHash, the same
    /// everywhere. Only for secrets that a machine made; one that a person chose could be guessed from it.
    pub fn fingerprint(&self) -> String {
        let mut hasher = SipHasher13::new();
        hasher.write(self.0.as_bytes());
        hasher.finish128().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use usher_abi::Problem;

    use super::{Secret, parse};
    use crate::source::Delimiter;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the refusals matter")]
    struct Options {
        input: String,
        #[serde(default)]
        delimiter: Delimiter,
        #[serde(default)]
        rows: Vec<u8>,
    }

    #[test]
    fn a_secret_is_known_again_by_its_fingerprint() {
        let print = Secret::new("a token").fingerprint();
        assert_eq!(print, "6f714a9c8727e484c955c2a5be540f79");
        assert_ne!(print, Secret::new("a token ").fingerprint());
    }

    #[test]
    fn a_refused_option_is_named() {
        for (json, pointer, message) in [
            (
                r#"{"input":"a","delimiter":"::","rows":[]}"#,
                "/delimiter",
                "the delimiter `::` is neither `auto`, `tab` nor one ASCII character",
            ),
            ("{\"input\":\"a\",\n\"rows\":[1,\n300]}", "/rows", "invalid value: integer `300`, expected u8"),
            (
                r#"{"input":"a","delimiter":"::"}"#,
                "/delimiter",
                "the delimiter `::` is neither `auto`, `tab` nor one ASCII character",
            ),
            (r#"{"input":"a","x":1}"#, "", "unknown field `x`, expected one of `input`, `delimiter`, `rows`"),
            (r#"{"delimiter":"tab"}"#, "", "missing field `input`"),
        ] {
            let error = parse::<Options>(json).unwrap_err();
            let problems: Vec<Problem> = serde_json::from_str(error.details.as_str()).unwrap();
            assert_eq!((problems[0].pointer.as_str(), problems[0].message.as_str()), (pointer, message));
        }
    }
}
