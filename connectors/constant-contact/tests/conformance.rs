//! What every connector must do.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use serde_json::{Value, json};
use usher_constant_contact::plugin;
use usher_testkit::{Case, conformance};

fn options(more: Value) -> Value {
    let mut options = json!({ "consent": "consent" });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

fn case(good: Value) -> Case {
    let refused = |more: Value, pointer: &'static str| (options(more), pointer);
    let mut case = Case::sink("contacts", options(good))
        .column("email", ["ada{n}@example.com", "Grace{n}@Example.com"])
        .column("first_name", ["Ada", "Grace"])
        .column("anniversary", ["2001-02-03"])
        .column("phone", ["+1 415 555 0101"])
        .column("street", ["1 Main St\nFloor 2", "2 Main St"])
        .column("country", ["US", "France"])
        .column("sms_number", ["123-123-1234"])
        .column("sms_consent_date", ["2024-01-02"])
        .column("cf:plan", ["free", "pro"])
        .refuses(json!({}), "/consent");
    for (options, pointer) in [
        refused(json!({ "consent": { "not_needed": "" } }), "/consent"),
        refused(json!({ "deliver": "file" }), ""),
        refused(json!({ "list_ids": ["newsletter"] }), "/list_ids/0"),
        refused(json!({ "list_ids": vec!["00000000-0000-0000-0000-000000000000"; 51] }), "/list_ids"),
        refused(json!({ "api_base": "http://api.cc.email/v3" }), "/api_base"),
        refused(json!({ "max_rows": 0 }), "/max_rows"),
        refused(json!({ "deliver": "api-file", "max_rows": 40_000 }), "/max_rows"),
        refused(json!({ "deliver": "api-file", "max_bytes": 4_000_000 }), "/max_bytes"),
        refused(json!({ "on_invalid": { "emial": "leave_out" } }), "/on_invalid/emial"),
        refused(json!({ "on_invalid": { "email": "truncate" } }), "/on_invalid/email"),
    ] {
        case = case.refuses(options, pointer);
    }
    case
}

#[test]
fn conformance_for_the_upload_page() {
    let case = case(json!({})).column("birthday_month", ["2", "12"]).column("birthday_day", ["29", "31"]);
    conformance(plugin(), &[case]).assert();
}

#[test]
fn conformance_for_the_api() {
    let good =
        json!({ "deliver": "api-file", "sms_permission_to_send": "explicit", "role_addresses": "reject" });
    conformance(plugin(), &[case(good).column("birthday", ["1815-12-10"])]).assert();
}
