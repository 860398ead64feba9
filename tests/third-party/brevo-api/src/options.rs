//! The options of `contacts`. Their comments are what `usher plugins describe` and editors print.

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::Secret;

/// How contacts reach Brevo.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// An API key of the account, from its settings
    pub(crate) api_key: Secret,
    /// Ids of the lists that contacts are put into
    #[schemars(length(min = 1))]
    pub(crate) lists: Vec<u64>,
    /// Whether contacts that Brevo has already are changed
    #[serde(default = "yes")]
    pub(crate) update_existing: bool,
    /// The most rows of one import
    #[serde(default = "fifty_thousand")]
    #[schemars(range(min = 1))]
    pub(crate) rows: u64,
    /// So many rows are sent first, and nothing else unless they come back clean; 0: none
    #[serde(default)]
    pub(crate) canary: u64,
    /// Minutes after which an import is not waited for any more; the same command asks again
    #[serde(default = "sixty")]
    pub(crate) wait_minutes: u64,
    /// Where the API is, for a stand-in on this machine
    #[serde(default = "brevo")]
    pub(crate) api_base: String,
}

fn yes() -> bool {
    true
}

fn fifty_thousand() -> u64 {
    50_000
}

fn sixty() -> u64 {
    60
}

fn brevo() -> String {
    "https://api.brevo.com/v3".to_owned()
}
