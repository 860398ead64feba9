//! What every connector must do.

use serde_json::json;
use usher_testkit::{Case, conformance};

use usher_brevo::plugin;

#[test]
fn conforms() {
    let contacts = Case::sink("contacts", json!({}))
        .column("EMAIL", ["ada{n}@example.com", "zoë{n}@example.com"])
        .column("LASTNAME", ["Lovelace; Countess", ""])
        .column("FIRSTNAME", ["Ada", "Zoë"])
        .column("SMS", ["+442079460000", "+1 202 555 0100"])
        .column("PLAN", ["pro", "free"])
        .refuses(json!({ "delimiter": "," }), "");
    conformance(plugin(), &[contacts]).assert();
}
