//! The targets, for the programs in `bins`: each runs the one of its name.

#[path = "../targets/mod.rs"]
mod targets;

use std::{collections::HashMap, sync::LazyLock};

use usher_abi::ModuleRef;

/// Runs the target of this name with an input.
pub fn run(name: &str, input: &[u8]) {
    let (_, run, _) =
        targets::ALL.iter().find(|(target, ..)| *target == name).expect("a target of this name");
    run(input);
}

/// The root module of a connector, which is linked in: so the fuzzer sees which of its code ran.
pub(crate) fn module(connector: &str) -> ModuleRef {
    // Each is made once, as when a library is loaded.
    static MODULES: LazyLock<HashMap<&str, ModuleRef>> = LazyLock::new(|| {
        HashMap::from([
            ("auth0", usher_auth0::plugin()),
            ("carrot-quest", usher_carrot_quest::plugin()),
            ("constant-contact", usher_constant_contact::plugin()),
            ("csv", usher_csv::plugin()),
            ("json", usher_json::plugin()),
            ("zendesk", usher_zendesk::plugin()),
        ])
    });
    MODULES[connector]
}
