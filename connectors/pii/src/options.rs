//! The options of the transform `columns`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{Secret, abi::Problem, options::problem};

/// Options of `columns`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// What happens to which column, by attribute or claim: `hash`, `mask`, `drop` or `{ truncate = 4 }`. What stands
    /// below an attribute is meant, too
    pub(crate) columns: BTreeMap<String, Action>,
    /// Key of the hashes, wanted where a column is hashed; from the environment (`${env:PII_KEY}`), never in the manifest
    #[serde(default)]
    pub(crate) key: Option<Secret>,
}

/// What happens to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// HMAC-SHA-256 of each text with the key, as 64 hexadecimal digits: the same text gives the same hash, and nobody
    /// without the key can try texts out
    Hash,
    /// `a**@example.com`, `+**********`: the first character and, of an address, the domain stay
    Mask,
    /// The column does not come out: nothing after this transform can use it
    Drop,
    /// The first so many characters
    Truncate(u16),
}

impl Action {
    /// The name of the rule, as reports have it.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Mask => "mask",
            Self::Drop => "drop",
            Self::Truncate(_) => "truncate",
        }
    }
}

/// The shortest key, in bytes: half the size of the hash, as RFC 2104 §3 wants it for full strength.
const SHORTEST_KEY: usize = 16;

impl Options {
    /// What a schema cannot say.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.columns.is_empty() {
            problems.push(problem(
                "/columns",
                "option.invalid",
                "no column is named, so nothing would be hidden",
            ));
        }
        let hashed = self.columns.iter().find(|(_, action)| **action == Action::Hash);
        match (hashed, &self.key) {
            (Some((column, _)), None) => {
                let message = format!("`{column}` is to be hashed: give a key, `key = \"${{env:PII_KEY}}\"`");
                problems.push(problem("/key", "option.missing", message));
            }
            (_, Some(key)) if key.reveal().len() < SHORTEST_KEY => {
                let message = format!("the key is shorter than {SHORTEST_KEY} bytes");
                problems.push(problem("/key", "option.invalid", message));
            }
            _ => {}
        }
        problems
    }
}
