//! A plugin that goes over the network: its source downloads lines of JSON, its sink says how many rows it had.

mod batches;
mod sink;
mod source;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Secret,
    abi::{Component, RateLimit},
};

/// Options of both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Where to ask
    url: String,
    /// What opens the door there
    token: Secret,
}

/// A component that asks four times a second at most.
fn limited(component: Component) -> Component {
    let limit =
        RateLimit { name: "api".to_owned(), requests: 4, per_seconds: 1, source: "made up".to_owned() };
    Component { rate_limits: vec![limit], ..component }
}

usher_sdk::export! {
    name = "fetching",
    summary = "Rows over the network",
    sources = { "users" => source::Users },
    sinks = { "users" => sink::Users, "batches" => batches::Batches },
    wants = ["input", "output", "http", "clock", "ledger"],
    hosts = ["*.fetching.example"],
}
