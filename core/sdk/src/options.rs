//! JSON text to typed options and back.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use usher_abi::{Error, Problem, RString};

/// Options of a component. The host has held them against the schema already; what still fails (a range that only the
/// type knows) is one [`Problem`].
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    let json = if json.trim().is_empty() { "{}" } else { json };
    serde_json::from_str(json).map_err(|e| invalid("", e.to_string()))
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
