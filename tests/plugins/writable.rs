//! Plugins that everybody may write are not loaded.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    files::{library, put, with_preamble},
    support::Bench,
};

fn allow(bench: &Bench, name: &str, mode: u32) {
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn what_everybody_may_write_is_refused() {
    let bench = Bench::new();
    put(&bench, "plugins/libusher_mine.so", library("csv"));
    let path = "./plugins/libusher_mine.so";
    allow(&bench, "plugins", 0o755);
    bench.usher(&["plugins", "describe", path]).expect(0);
    let mut text = String::new();
    for (folder, file) in [(0o777, 0o755), (0o1777, 0o755), (0o755, 0o666)] {
        allow(&bench, "plugins", folder);
        allow(&bench, "plugins/libusher_mine.so", file);
        let described = bench.usher(&["plugins", "describe", path]).expect(1);
        let shown = bench.usher(&["plugins", "show", path]).expect(1);
        assert_eq!(shown.err, described.err);
        let listed = bench.usher(&["plugins", "list"]).expect(0);
        assert!(listed.err.contains("everybody may write"), "{}", listed.err);
        text += &described.err;
    }
    insta::assert_snapshot!(text);
    // What the messages say helps; a group may write.
    allow(&bench, "plugins", 0o775);
    allow(&bench, "plugins/libusher_mine.so", 0o775);
    bench.usher(&["plugins", "describe", path]).expect(0);
}

/// The plugin of that name is there, so that it is refused is the answer, whatever the file is called.
#[test]
fn a_name_that_leads_there_is_refused() {
    let bench = Bench::new();
    put(&bench, "plugins/any.so", with_preamble("csv", "\"name\":\"csv\"", "\"name\":\"dsv\""));
    bench.usher(&["plugins", "show", "dsv"]).expect(0);
    allow(&bench, "plugins", 0o777);
    let said = bench.usher(&["plugins", "show", "dsv"]).expect(1);
    assert!(said.err.contains("everybody may write its folder"), "{}", said.err);
}

/// A link from a good folder does not make the folder behind it any better.
#[test]
fn links_are_followed() {
    let bench = Bench::new();
    put(&bench, "open/csv.so", library("csv"));
    allow(&bench, "open", 0o777);
    std::os::unix::fs::symlink(bench.path("open/csv.so"), bench.path("csv.so")).expect("a link");
    let said = bench.usher(&["plugins", "describe", "./csv.so"]).expect(1);
    assert!(said.err.contains("run `chmod o-w [folder]/open`"), "{}", said.err);
}
