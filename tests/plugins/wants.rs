//! A plugin gets the services that its file asks for, and no other.

use crate::{
    files::{put, with_preamble},
    support::Bench,
};

const MANIFEST: &str = r#"
version = 1

[connectors.people]
plugin = "csv"
options = { input = "people.csv" }

[connectors.lines]
plugin = "json"

[chains.people]
from = "people"
to = ["lines"]
"#;

#[test]
fn what_a_file_does_not_ask_for_it_does_not_get() {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    bench.write("people.csv", "email\nada@example.com\n");
    bench.usher(&["run", "--quiet"]).expect(0);
    let wants = "\"wants\":[\"input\",\"output\"]";
    put(&bench, "no-input.so", with_preamble("csv", wants, "\"wants\":[\"output\"]"));
    put(&bench, "no-output.so", with_preamble("json", wants, "\"wants\":[\"input\"]"));
    let source = bench.usher(&["run", "--quiet", "--set", "connectors.people.plugin=./no-input.so"]);
    let sink = bench.usher(&["run", "--quiet", "--set", "connectors.lines.plugin=./no-output.so"]);
    insta::assert_snapshot!(format!("{}\n{}", source.shown(), sink.shown()));
}
