//! What every connector must do, with the cases of `conformance.toml`.

use usher_carrot_quest::plugin;
use usher_testkit::{Case, conformance};

#[test]
fn conforms() {
    let cases = Case::load(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance.toml")).expect("cases");
    conformance(plugin(), &cases).assert();
}
