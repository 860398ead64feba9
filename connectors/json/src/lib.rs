//! JSON files: `records` reads NDJSON and JSON arrays of objects.

mod keys;
mod source;

usher_sdk::export! {
    name = "json",
    summary = "JSON and NDJSON files",
    sources = { "records" => source::JsonRecords },
}
