//! `examples/manifests`: each vendor alone.

use crate::support::{Bench, python};

/// Runs a manifest where it stands, and holds what it wrote against the checkers.
fn run(vendor: &str) -> String {
    let bench = Bench::shipped();
    let manifest = format!("examples/manifests/{vendor}.toml");
    let said = bench.usher(&["run", "--manifest", &manifest, "--run-id", "one"]).expect(0);
    let latest = format!("out/{vendor}/latest");
    python("audit.py", &bench.path(""), &[&latest]);
    python("vendor_check.py", &bench.path(""), &[&latest]);
    said.shown()
}

#[test]
fn zendesk() {
    insta::assert_snapshot!(run("zendesk"));
}

#[test]
fn carrot_quest() {
    insta::assert_snapshot!(run("carrot-quest"));
}

#[test]
fn constant_contact() {
    insta::assert_snapshot!(run("constant-contact"));
}

#[test]
fn cohort() {
    insta::assert_snapshot!(run("cohort"));
}
