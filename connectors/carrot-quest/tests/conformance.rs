//! What every connector must do.

use serde_json::json;
use usher_carrot_quest::plugin;
use usher_testkit::{Case, conformance};

fn case(options: serde_json::Value) -> Case {
    Case::sink("users", options)
        .column("$user_id", ["auth0|{n}"])
        .column("$email", ["ada{n}@example.com", "Анна{n}@example.com"])
        .column("$name", ["Ada Lovelace", "Аннушка"])
        .column("$phone", ["+7 912 000-00-00", "79120000000"])
        .column("Действие", ["пролила масло", "00123"])
        .column("seats", ["1", "-5"])
        .refuses(json!({ "merge_field": "phone" }), "")
        .refuses(json!({ "delimiter": "#" }), "")
        .refuses(json!({ "app": "a b" }), "/app")
        .refuses(json!({ "api_base": "http://api.carrotquest.io" }), "/api_base")
        .refuses(json!({ "max_bytes": 30_000_000 }), "/max_bytes")
        .refuses(json!({ "max_rows": 4001 }), "/max_rows")
        .refuses(json!({ "tags": ["a", ""] }), "/tags/1")
        .refuses(json!({ "consent": 1 }), "/consent")
        .refuses(json!({ "on_invalid": { "$phon": "leave_out" } }), "/on_invalid/$phon")
        .refuses(json!({ "on_invalid": { "$user_id": "leave_out" } }), "/on_invalid/$user_id")
        .refuses(json!({ "on_invalid": { "$email": "truncate" } }), "/on_invalid/$email")
        .refuses(json!({ "property_types": { "seat": "integer" } }), "/property_types/seat")
        .refuses(json!({ "property_types": { "$email": "integer" } }), "/property_types/$email")
}

#[test]
fn conformance_by_user_id() {
    let options = json!({ "property_types": { "seats": "integer" }, "phone": "digits" });
    conformance(plugin(), &[case(options)]).assert();
}

#[test]
fn conformance_by_email() {
    let options = json!({ "merge_field": "$email", "deliver": "api-file", "delimiter": " ", "tags": ["a"] });
    conformance(plugin(), &[case(options)]).assert();
}
