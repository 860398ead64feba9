//! What every connector must do.

use serde_json::json;
use usher_cohort::plugin;
use usher_testkit::{Case, Sample, conformance};

fn users() -> Case {
    let sample =
        Sample::csv("Email,First Name\nada{n}@example.com,\"Lovelace, Ada\"\nbob{n}@example.com,Bob\n");
    let sample =
        sample.with_text("First Name", |text| format!("a@example.com,\"{}\"", text.replace('"', "\"\"")));
    Case::source("users", json!({ "input": "users.csv" }))
        .input("users.csv", sample)
        .refuses(json!({ "input": "users.csv", "delimiter": "::" }), "")
}

fn events() -> Case {
    let sample = Sample::csv(
        "User email,Event\nada{n}@example.com,Badge gained\nbob{n}@example.com,Challenge completed\n",
    );
    let sample = sample.with_text("Event", |text| format!("a@example.com,\"{}\"", text.replace('"', "\"\"")));
    Case::source("events", json!({ "input": "events.csv" }))
        .input("events.csv", sample)
        .refuses(json!({ "input": "events.csv", "delimiter": "::" }), "")
}

fn sink() -> Case {
    let properties = json!({ "plan": "text", "score": "number", "vip": "boolean", "since": "date" });
    Case::sink("users", json!({ "properties": properties }))
        .column("email", ["ada{n}@example.com", "éloïse{n}@example.com"])
        .column("First Name", ["Ada", "Éloïse"])
        .column("Last Name", ["Lovelace, Countess", ""])
        .column("plan", ["pro", "free"])
        .column("score", ["1", "-0.5"])
        .column("vip", ["true", "False"])
        .column("since", ["2024-02-29"])
        .refuses(json!({ "properties": { "plan": "list" } }), "")
        .refuses(json!({ "properties": { "Email": "text" } }), "/properties/Email")
        .refuses(json!({ "properties": { " plan": "text" } }), "/properties/ plan")
        .refuses(json!({ "on_invalid": { "emial": "reject_row" } }), "/on_invalid/emial")
        .refuses(json!({ "on_invalid": { "email": "leave_out" } }), "/on_invalid/email")
        .refuses(json!({ "on_invalid": { "plan": "truncate" } }), "/on_invalid/plan")
        .refuses(json!({ "max_rows": 0 }), "/max_rows")
        .refuses(json!({ "max_bytes": 10_000_000 }), "/max_bytes")
        .refuses(json!({ "consent": 1 }), "/consent")
}

#[test]
fn conforms() {
    conformance(plugin(), &[users(), events(), sink()]).assert();
}
