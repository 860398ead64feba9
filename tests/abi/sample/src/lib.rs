//! A plugin that goes through every function of every table, every type that a column may have and every service, so
//! that its stored files (`tests/abi/plugins`) hold the whole boundary to what it was when they were built.

mod options;
mod sink;
mod source;
mod transform;

usher_sdk::export! {
    name = "sample",
    summary = "Every function, type and service of the boundary",
    sources = { "rows" => source::Rows },
    transforms = { "rows" => transform::Rows },
    sinks = { "rows" => sink::Rows },
    wants = ["input", "output", "clock", "state", "ledger"],
    hosts = ["sample.example.com"],
}
