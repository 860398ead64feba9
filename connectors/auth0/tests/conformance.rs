//! What every connector must do, with the cases of `conformance.toml`.

use serde_json::Value;
use usher_auth0::plugin;
use usher_testkit::{Case, conformance};

#[test]
fn conforms() {
    let cases = Case::load(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance.toml")).expect("cases");
    conformance(plugin(), &cases).assert();
}

#[test]
fn the_options_have_no_surprises() {
    let description = usher_testkit::description(plugin());
    let options: &Value = &description.components[0].options;
    let mut names: Vec<&String> =
        options["properties"].as_object().map(|p| p.keys().collect()).unwrap_or_default();
    names.sort();
    assert_eq!(names, ["delimiter", "escape", "format", "headings", "input", "max_record_bytes", "tenant"]);
}
