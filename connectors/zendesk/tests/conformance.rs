//! What every connector must do.

use serde_json::{Value, json};
use usher_testkit::{Case, conformance};
use usher_zendesk::plugin;

fn case(options: Value) -> Case {
    Case::sink("users", options)
        .column("custom_fields.plan", ["pro", "free"])
        .column("name", ["Ada Lovelace", "Ève O'Neil"])
        .column("emails", ["ada{n}@example.com", "eve{n}@example.com"])
        .column("external_id", ["auth0|{n}"])
        .column("phone", ["+15550100123", "+442071838750"])
        .column("time_zone", ["Europe/Paris", "London"])
        .column("locale", ["en_US", "fr"])
        .column("organizations", ["Acme", "Globex"])
        .column("tags", ["vip", "[\"vip\",\"beta\"]"])
        .column("notes", ["First line\nsecond line", "a \"quote\""])
}

#[test]
fn conformance_creating() {
    let users = case(json!({ "plan": "professional", "custom_field_types": { "plan": "dropdown" } }))
        .refuses(json!({ "plan": "gold" }), "")
        .refuses(json!({ "deliver": "api" }), "")
        .refuses(json!({ "import_type": "replace" }), "")
        .refuses(json!({ "default_region": "Europe" }), "/default_region")
        .refuses(json!({ "max_rows": 500_000 }), "/max_rows")
        .refuses(json!({ "max_bytes": 1_000_000_001 }), "/max_bytes")
        .refuses(json!({ "ticket_restriction": "assigned" }), "/ticket_restriction")
        .refuses(json!({ "template": "nowhere.csv" }), "/template")
        .refuses(json!({ "consent": 1 }), "/consent")
        .refuses(json!({ "on_invalid": { "phon": "leave_out" } }), "/on_invalid/phon")
        .refuses(json!({ "on_invalid": { "name": "leave_out" } }), "/on_invalid/name")
        .refuses(json!({ "on_invalid": { "notes": "truncate" } }), "/on_invalid/notes");
    conformance(plugin(), &[users]).assert();
}

#[test]
fn conformance_updating() {
    let options = json!({ "import_type": "update", "on_duplicate": "reject", "shared_phones": "leave_out" });
    conformance(plugin(), &[case(options)]).assert();
}

#[test]
fn conformance_with_both() {
    let options = json!({ "import_type": "create_and_update", "on_blank": "erase_stored", "max_rows": 3, "plan": "team" });
    conformance(plugin(), &[case(options)]).assert();
}
