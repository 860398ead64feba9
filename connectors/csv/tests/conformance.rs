//! What every connector must do.

use serde_json::json;
use usher_csv::plugin;
use usher_testkit::{Case, Sample, conformance};

fn source() -> Case {
    let sample =
        Sample::csv("email,name\nada{n}@example.com,\"Lovelace, Ada\"\nbob{n}@example.com,\"Bob\nB\"\n");
    let sample = sample.with_text("name", |text| format!("a@example.com,\"{}\"", text.replace('"', "\"\"")));
    Case::source("rows", json!({ "input": "people.csv" }))
        .input("people.csv", sample)
        .refuses(json!({ "input": "people.csv", "delimiter": "::" }), "")
        .refuses(json!({ "input": "people.csv", "quote": "''" }), "/quote")
}

fn sink(options: serde_json::Value) -> Case {
    Case::sink("rows", options)
        .column("email", ["ada{n}@example.com", " Bob{n}@Example.com "])
        .column("name", ["Lovelace, Ada", "Bob \"B\"", "two\nlines"])
        .column("note", ["=1+1", "", "é"])
        .refuses(json!({ "delimiter": "::" }), "/delimiter")
        .refuses(json!({ "delimiter": "\"" }), "/delimiter")
        .refuses(json!({ "list_separator": "" }), "/list_separator")
        .refuses(json!({ "quoting": "some" }), "")
        .refuses(json!({ "max_rows": 0 }), "/max_rows")
        .refuses(json!({ "max_bytes": 5 }), "/max_bytes")
        .refuses(json!({ "headings": { "emial": "E" } }), "/headings/emial")
        .refuses(json!({ "headings": { "name": "email" } }), "/fields/name")
        .refuses(json!({ "on_invalid": { "emial": "leave_out" } }), "/on_invalid/emial")
        .refuses(json!({ "on_invalid": { "email": "truncate" } }), "/on_invalid/email")
        .refuses(json!({ "consent": 1 }), "/consent")
}

#[test]
fn conforms() {
    conformance(plugin(), &[source(), sink(json!({}))]).assert();
}

#[test]
fn conforms_in_another_dialect() {
    let options = json!({
        "delimiter": "tab", "quoting": "all", "line_end": "crlf", "bom": true, "formula_guard": true, "max_rows": 7,
        "max_bytes": 400,
    });
    conformance(plugin(), &[source(), sink(options)]).assert();
}
