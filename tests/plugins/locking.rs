//! `connectors.lock`: written, completed, verified; and what differs from it is not loaded.

use std::path::PathBuf;

use usher_abi::preamble::TARGET;

use crate::{
    files::{library, of_any_build, put, with_preamble},
    support::{Bench, Said},
};

const MANIFEST: &str = r#"
version = 1

[connectors.rows]
plugin = "misbehaving"
options = { input = "people.csv" }

[connectors.lines]
plugin = "json"

[chains.rows]
from = "rows"
to = ["lines"]
"#;

/// A manifest, and its plugins in a folder of their own.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    bench.write("people.csv", "email,name\nada@example.com,Ada\n");
    put(&bench, "mine/one.so", library("misbehaving"));
    put(&bench, "mine/two.so", library("json"));
    bench
}

/// Where the constructor of `misbehaving` leaves its mark.
fn mark(bench: &Bench) -> PathBuf {
    bench.path("constructed")
}

/// Runs a command with that folder of plugins before all others.
fn usher(bench: &Bench, arguments: &[&str]) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_usher"));
    command.current_dir(bench.path("")).args(arguments).args(["--plugin-dir", "mine"]);
    command.env_remove("USHER_PLUGIN_PATH").env("XDG_DATA_HOME", bench.path("no-data")).env("NO_COLOR", "1");
    // Its mark is a file, which a plugin in a jail does not write.
    command.env("USHER_CONSTRUCTED", mark(bench)).env("USHER_ISOLATION", "none");
    bench.said(command.output().expect("usher runs"))
}

/// Whether the plugin's constructor ran since this was last asked.
fn loaded(bench: &Bench) -> bool {
    std::fs::remove_file(mark(bench)).is_ok()
}

/// Changes a text in a file; it must be there.
fn edit(bench: &Bench, name: &str, from: &str, to: &str) {
    let bytes = std::fs::read(bench.path(name)).expect("a file");
    let place = memchr::memmem::find(&bytes, from.as_bytes()).expect("the text");
    bench.write(name, [&bytes[..place], to.as_bytes(), &bytes[place + from.len()..]].concat());
}

#[test]
fn a_lock_is_written_verified_and_kept_to() {
    let bench = bench();
    let locked = usher(&bench, &["plugins", "lock"]).expect(0);
    insta::assert_snapshot!(of_any_build(&format!("{}\n{}", locked.shown(), bench.read("connectors.lock"))));
    usher(&bench, &["plugins", "verify"]).expect(0);
    usher(&bench, &["run", "--quiet"]).expect(0);
    let before = bench.read("connectors.lock");
    let again = usher(&bench, &["plugins", "lock"]).expect(0);
    assert_eq!(again.out.lines().count(), 1, "nothing has changed: {}", again.out);
    assert_eq!(bench.read("connectors.lock"), before);
}

#[test]
fn looking_runs_no_code() {
    let bench = bench();
    for command in
        [&["list"][..], &["show", "misbehaving"], &["lock"], &["verify"], &["show", "./mine/one.so"]]
    {
        usher(&bench, &[&["plugins"], command].concat()).expect(0);
        assert!(!loaded(&bench), "{command:?} has loaded the plugin");
    }
    usher(&bench, &["plugins", "describe", "misbehaving"]).expect(0);
    assert!(loaded(&bench), "the mark is left when the plugin is loaded");
}

#[test]
fn a_byte_that_differs_is_found_before_anything_runs() {
    let bench = bench();
    usher(&bench, &["plugins", "lock"]).expect(0);
    edit(&bench, "mine/one.so", "A file with a number a row", "a file with a number a row");
    let commands = [
        &["run", "--quiet"][..],
        &["check", "--quiet"],
        &["preview", "--quiet"],
        &["plan", "--quiet"],
        &["plugins", "verify"],
        &["plugins", "describe", "misbehaving"],
        &["schema"],
    ];
    let mut text = String::new();
    for command in commands {
        let said = usher(&bench, command);
        assert!(!loaded(&bench), "{command:?} has loaded the plugin");
        let refused: Vec<&str> = said.err.lines().filter(|line| line.contains("misbehaving")).collect();
        let [refused] = refused[..] else { panic!("{command:?}: one line: {}", said.err) };
        text += &format!("{}, exit code {:?}:\n{refused}\n", command.join(" "), said.code.expect("a code"));
    }
    assert!(!bench.path("out/rows/latest").exists());
    insta::assert_snapshot!(of_any_build(&text));
    // All that loading would refuse is told without loading.
    let shown = usher(&bench, &["plugins", "show", "misbehaving"]).expect(1);
    assert!(shown.out.contains("\nloads     no\n"), "{}", shown.out);
    assert!(shown.out.contains("is not the one in `connectors.lock`: file for"), "{}", shown.out);
    // The changed file would have run, had there been no lock.
    std::fs::remove_file(bench.path("connectors.lock")).expect("a lock");
    usher(&bench, &["run", "--quiet"]).expect(0);
    assert!(loaded(&bench));
}

#[test]
fn a_lock_of_another_platform_is_completed() {
    let bench = bench();
    usher(&bench, &["plugins", "lock"]).expect(0);
    let here = bench.read("connectors.lock");
    bench.write("connectors.lock", here.replace(TARGET, "another-platform"));
    let verified = usher(&bench, &["plugins", "verify"]).expect(1);
    let run = usher(&bench, &["run", "--quiet"]).expect(2);
    assert!(!loaded(&bench));
    let locked = usher(&bench, &["plugins", "lock"]).expect(0);
    insta::assert_snapshot!(of_any_build(&format!(
        "{}\n{}\n{}\n{}",
        verified.shown(),
        run.shown(),
        locked.shown(),
        bench.read("connectors.lock")
    )));
    usher(&bench, &["plugins", "verify"]).expect(0);
}

#[test]
fn another_release_replaces_the_entry() {
    let bench = bench();
    usher(&bench, &["plugins", "lock"]).expect(0);
    let other = bench
        .read("connectors.lock")
        .replace(TARGET, "another-platform")
        .replacen("version = \"0.1.0\"", "version = \"0.0.9\"", 1)
        .replacen("wants = [\"input\", \"output\"]", "wants = [\"input\"]", 1)
        + "\n[[plugin]]\nname = \"gone\"\nversion = \"1.0.0\"\nabi = \"0.1\"\ndescription = \"\"\nwants = []\nhosts = []\nfiles = {}\n";
    bench.write("connectors.lock", other);
    let verified = usher(&bench, &["plugins", "verify"]).expect(1);
    let locked = usher(&bench, &["plugins", "lock"]).expect(0);
    insta::assert_snapshot!(of_any_build(&format!("{}\n{}", verified.shown(), locked.shown())));
    assert!(!bench.read("connectors.lock").contains("gone"));
    usher(&bench, &["plugins", "verify"]).expect(0);
}

#[test]
fn what_is_not_in_the_lock_is_not_loaded() {
    let bench = bench();
    usher(&bench, &["plugins", "lock", "--set", "connectors.rows.plugin=json"]).expect(0);
    let said = usher(&bench, &["run", "--quiet"]).expect(2);
    assert!(!loaded(&bench));
    insta::assert_snapshot!(of_any_build(&said.shown()));
}

#[test]
fn locks_that_cannot_be_used() {
    let bench = bench();
    let mut text = usher(&bench, &["plugins", "verify"]).expect(1).shown();
    for lock in ["version = 1\nplugins = []\n", "version = 2\n"] {
        bench.write("connectors.lock", lock);
        for command in [&["run"][..], &["plugins", "show", "json"], &["schema"], &["plugins", "lock"]] {
            let said = usher(&bench, command).expect(2);
            assert!(said.out.is_empty() && said.err.lines().count() == 1, "{}{}", said.out, said.err);
        }
        text += &usher(&bench, &["run"]).shown();
    }
    std::fs::remove_file(bench.path("connectors.lock")).expect("a lock");
    put(&bench, "mine/other/json.so", with_preamble("json", "\"sdk\":\"0.1.0\"", "\"sdk\":\"0.1.1\""));
    text += &usher(&bench, &["plugins", "lock", "--set", "connectors.rows.plugin=./mine/other/json.so"])
        .expect(1)
        .shown();
    assert!(!bench.path("connectors.lock").exists());
    insta::assert_snapshot!(of_any_build(&text));
}

/// Which plugins are used does not hang on a secret that only the machine of the run has.
#[test]
fn a_lock_needs_no_secrets() {
    let bench = bench();
    bench.write(
        "connectors.toml",
        MANIFEST.replacen(
            "plugin = \"json\"",
            "plugin = \"json\"\noptions = { layout = \"${env:NOWHERE_TO_BE_FOUND}\" }",
            1,
        ),
    );
    usher(&bench, &["run", "--quiet"]).expect(2);
    usher(&bench, &["plugins", "lock"]).expect(0);
    usher(&bench, &["plugins", "verify"]).expect(0);
}
