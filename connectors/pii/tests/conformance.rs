//! What every connector must do.

use serde_json::json;
use usher_pii::plugin;
use usher_testkit::{Case, conformance};

const KEY: &str = "0123456789abcdef";

#[test]
fn conforms() {
    let columns = json!({
        "email": "hash", "phone_number": "mask", "birthdate": "drop", "user_metadata": { "truncate": 3 },
    });
    let case = Case::transform("columns", json!({ "columns": columns, "key": KEY }))
        .column("sub", ["auth0|{n}"])
        .column("email", ["ada{n}@example.com"])
        .column("phone_number", ["+33612345678"])
        .column("birthdate", ["1815-12-10"])
        .column("user_metadata.note", ["likes engines"])
        .refuses(json!({ "columns": {} }), "/columns")
        .refuses(json!({ "columns": { "email": "hash" } }), "/key")
        .refuses(json!({ "columns": { "email": "mask" }, "key": "short" }), "/key")
        .refuses(json!({ "columns": { "email": "encrypt" } }), "")
        .refuses(json!({ "columns": { "email": { "truncate": -1 } } }), "");
    conformance(plugin(), &[case]).assert();
}
