//! Options of the three components.

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::Secret;

/// Of the source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// JSON records, one a line.
    pub(crate) input: String,
}

/// Of the transform.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changing {
    /// Rows whose `email` is this are rejected.
    #[serde(default)]
    pub(crate) refuse: Option<String>,
}

/// Of the sink.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Writing {
    /// It must never be seen, only how long it is.
    #[serde(default)]
    pub(crate) token: Option<Secret>,
}
