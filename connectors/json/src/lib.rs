//! JSON files: `records` reads NDJSON and JSON arrays of objects, and `records` writes them.

mod columns;
mod guide;
mod keys;
mod layout;
mod options;
mod sink;
mod source;
mod values;

usher_sdk::export! {
    name = "json",
    summary = "JSON and NDJSON files",
    sources = { "records" => source::JsonRecords },
    sinks = { "records" => sink::RecordsFile },
    wants = ["input", "output"],
}
