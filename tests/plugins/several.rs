//! Several plugins in one process. `abi_stable`'s own way of loading answers the first plugin for every later path, so
//! that every connector would be the first one.

use serde_json::Value;

use crate::support::{Bench, root};

const MANIFEST: &str = r#"
version = 1

[connectors.users]
plugin = "auth0"
options = { input = "users.ndjson" }

[connectors.support]
plugin = "zendesk"
options = { plan = "professional", default_region = "GB" }

[connectors.table]
plugin = "csv"
fields = { mail = "email" }

[chains.both]
from = "users"
to = ["support", "table"]
"#;

#[test]
fn each_connector_of_a_run_is_its_own_plugin() {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    let users = std::fs::read(root().join("examples/auth0/users.ndjson")).expect("the example");
    let users: Vec<&[u8]> = users.split_inclusive(|byte| *byte == b'\n').take(20).collect();
    bench.write("users.ndjson", users.concat());
    bench.usher(&["run"]).expect(0);
    let support = bench.part("both", "support", "users");
    assert!(support.starts_with("name,emails,"), "zendesk's headings: {support}");
    let table = bench.part("both", "table", "rows");
    assert_eq!(table.lines().next(), Some("mail"), "the table's heading");
    assert_eq!(table.lines().count(), 21, "a heading and every user");
    let report: Value = serde_json::from_str(&bench.read("out/both/latest/report.json")).expect("a report");
    let plugins: Vec<&Value> =
        report["connectors"].as_array().expect("connectors").iter().map(|c| &c["plugin"]).collect();
    assert_eq!(plugins, ["zendesk", "csv"]);
}

#[test]
fn each_plugin_describes_itself() {
    let bench = Bench::new();
    for name in [
        "auth0",
        "carrot-quest",
        "cohort",
        "constant-contact",
        "csv",
        "json",
        "misbehaving",
        "pii",
        "zendesk",
    ] {
        let said = bench.usher(&["plugins", "describe", name, "--json"]).expect(0);
        let description: Value = serde_json::from_str(&said.out).expect("a description");
        assert_eq!(description["name"], name);
        let said = bench.usher(&["plugins", "describe", name]).expect(0);
        assert!(said.out.starts_with(&format!("{name} 0.1.0: ")), "{}", said.out);
    }
}

/// `usher schema` loads every plugin it finds into one process; each must give its own options.
#[test]
fn all_plugins_at_once_describe_themselves() {
    let bench = Bench::new();
    let said = bench.usher(&["schema"]).expect(0);
    for option in ["skip_verify_email", "formula_guard", "panic-in-open-split"] {
        assert!(said.out.contains(option), "`{option}` is in the schema");
    }
    // The one that cannot be loaded is named, in one line, and stops nobody.
    let refused: Vec<&str> = said.err.lines().filter(|line| line.contains("laid out differently")).collect();
    assert!(refused.len() == 1 && refused[0].contains("`other-layout` 1.0.0"), "{}", said.err);
}
