//! Records in JSON: lines, or the items of an array.

use serde_json::json;

pub(crate) fn run(input: &[u8]) {
    super::reading::alike(crate::module("json"), "records", &json!({ "input": "input" }), input);
}
