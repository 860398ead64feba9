//! What every connector must do.

use serde_json::json;
use usher_json::plugin;
use usher_testkit::{Case, Sample, conformance};

fn source() -> Case {
    let lines = "{\"email\":\"ada{n}@example.com\",\"name\":\"Ada\"}\n{\"email\":\"bob{n}@example.com\",\"name\":null}\n";
    let sample = Sample::lines(lines).with_text("name", |text| json!({ "name": text }).to_string());
    Case::source("records", json!({ "input": "people.ndjson" }))
        .input("people.ndjson", sample)
        .refuses(json!({ "input": 1 }), "")
}

fn sink(options: serde_json::Value) -> Case {
    Case::sink("records", options)
        .column("email", ["ada{n}@example.com", " Bob{n}@Example.com "])
        .column("user_metadata.plan", ["pro", "\"free\"", "two\nlines"])
        .column("user_metadata.note", ["[1]", "", "é"])
        .refuses(json!({ "format": "csv" }), "")
        .refuses(json!({ "nulls": "keep" }), "")
        .refuses(json!({ "max_rows": 0 }), "/max_rows")
        .refuses(json!({ "max_bytes": 0 }), "/max_bytes")
        .refuses(json!({ "on_invalid": { "emial": "leave_out" } }), "/on_invalid/emial")
        .refuses(json!({ "on_invalid": { "email": "truncate" } }), "/on_invalid/email")
        .refuses(json!({ "consent": 1 }), "/consent")
}

#[test]
fn conforms() {
    conformance(plugin(), &[source(), sink(json!({}))]).assert();
}

#[test]
fn conforms_as_nested_arrays() {
    let options =
        json!({ "format": "array", "nested": true, "nulls": "omit", "max_rows": 7, "max_bytes": 400 });
    conformance(plugin(), &[source(), sink(options)]).assert();
}
