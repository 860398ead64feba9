//! `usher plugins abi` on real files: what changed between two builds of a plugin.

use serde_json::Value;

use crate::{
    files::{library, put, with_preamble},
    support::Bench,
};

/// A build of `misbehaving` that wants less and spells a value of its option otherwise.
fn changed() -> Vec<u8> {
    let mut bytes =
        with_preamble("misbehaving", "\"wants\":[\"input\",\"output\"]", "\"wants\":[\"output\"]");
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, "panic-in-open-split").collect();
    assert!(!places.is_empty(), "the value stands in the file");
    for place in places {
        bytes[place..place + 19].copy_from_slice(b"panic-in-open-spilt");
    }
    bytes
}

#[test]
fn what_changed_is_told_and_what_breaks_fails() {
    let bench = Bench::new();
    put(&bench, "old.so", library("misbehaving"));
    put(&bench, "new.so", changed());
    let said = bench.usher(&["plugins", "abi", "old.so", "new.so"]).expect(1);
    insta::assert_snapshot!(said.shown());
    let said = bench.usher(&["plugins", "abi", "old.so", "new.so", "--json"]).expect(1);
    let compared: Value = serde_json::from_str(&said.out).expect("an object");
    let changes = compared["changes"].as_array().expect("changes");
    assert_eq!(changes.iter().filter(|change| change["breaking"] == true).count(), 3, "{changes:?}");
    let said = bench.usher(&["plugins", "abi", "old.so", "old.so"]).expect(0);
    assert!(said.out.ends_with("changes: 0, breaking: 0\n"), "{}", said.out);
}

#[test]
fn a_file_that_cannot_be_loaded_is_compared_as_far_as_it_goes() {
    let bench = Bench::new();
    put(&bench, "old.so", library("other-layout"));
    put(&bench, "new.so", with_preamble("csv", "\"abi\":[1,0]", "\"abi\":[0,3]"));
    put(&bench, "text.so", "no library\n");
    let compared = bench.usher(&["plugins", "abi", "old.so", "new.so"]).expect(1);
    let refused = bench.usher(&["plugins", "abi", "old.so", "text.so"]).expect(1);
    insta::assert_snapshot!(format!("{}\n{}", compared.shown(), refused.shown()));
}
