//! `usher plugins list` and `show` read files and run nothing.

use serde_json::Value;

use crate::{
    files::{deadly, library, of_any_build, put, with_preamble},
    support::{Bench, Said, plugin_file},
};

/// Lists one folder only.
fn list(bench: &Bench, arguments: &[&str]) -> Said {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_usher"));
    command.current_dir(bench.path("")).args(["plugins", "list", "--plugin-dir", "mine"]).args(arguments);
    command.env_remove("USHER_PLUGIN_PATH").env("XDG_DATA_HOME", bench.path("no-data")).env("NO_COLOR", "1");
    bench.said(command.output().expect("usher runs"))
}

/// A plugin whose code kills whoever runs it is listed like any other.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn listing_runs_no_code_of_a_plugin() {
    let bench = Bench::new();
    put(&bench, "mine/deadly.so", deadly("zendesk"));
    let said = list(&bench, &["--json"]).expect(0);
    let listed: Value = serde_json::from_str(&said.out).expect("a list");
    let plugin = listed["plugins"].as_array().expect("plugins").iter().find(|p| p["name"] == "zendesk");
    let plugin = plugin.expect("it is listed");
    assert!(plugin["path"].as_str().expect("a path").ends_with("mine/deadly.so"), "{plugin}");
    bench.usher(&["plugins", "show", "./mine/deadly.so"]).expect(0);
    // The same file is deadly indeed: loading it ends the process with a signal.
    let describe =
        |isolation| bench.usher(&["plugins", "describe", "./mine/deadly.so", "--isolation", isolation]);
    assert_eq!(describe("none").code, None);
    let said = describe("process").expect(1);
    assert!(said.err.contains("its process was ended by signal"), "{}", said.err);
}

#[test]
fn what_a_file_says_is_shown() {
    let bench = Bench::new();
    let said = bench.usher(&["plugins", "show", "constant-contact"]).expect(0);
    let size = std::fs::metadata(plugin_file("constant-contact")).expect("the file").len();
    let name = plugin_file("constant-contact").file_name().expect("a name").to_string_lossy().into_owned();
    let text = of_any_build(&said.out).replace(&format!("{size} bytes"), "[size] bytes");
    // Where it runs is another matter (`jail.rs`).
    let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("runs ")).collect();
    insta::assert_snapshot!(text.join("\n").replace(&name, "[file]"));
    let said = bench.usher(&["plugins", "show", "constant-contact", "--json"]).expect(0);
    let shown: Value = serde_json::from_str(&said.out).expect("an object");
    assert_eq!(shown["wants"], serde_json::json!(["output", "clock", "state", "ledger", "http"]));
    assert_eq!(shown["bytes"], size);
    assert_eq!(shown["refused"], Value::Null);
}

/// What a list says of names is what a manifest gets for them.
#[test]
fn files_of_one_name_are_told_apart() {
    let bench = Bench::new();
    let named = |name: &str| with_preamble("json", "\"name\":\"json\"", &format!("\"name\":\"{name}\""));
    put(&bench, "mine/one.so", named("twin"));
    put(&bench, "mine/two.so", named("twin"));
    put(&bench, "mine/sole.so", named("sole"));
    put(&bench, "plugins/sole.so", named("sole"));
    let said = list(&bench, &[]).expect(0);
    let listed: Vec<&str> = said.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(listed.contains(&"sole") && !listed.contains(&"twin"), "{}", said.out);
    let told: Vec<&str> =
        said.err.lines().filter(|line| line.contains("mine/") || line.contains("plugins/")).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_refused_are_listed_with_their_reason() {
    let bench = Bench::new();
    put(&bench, "mine/abort.so", with_preamble("csv", "\"panic\":\"unwind\"", "\"panic\":\"abort\""));
    put(&bench, "mine/libusher_cut.so", &library("csv")[..2_000]);
    put(&bench, "mine/good.so", with_preamble("json", "\"name\":\"json\"", "\"name\":\"jsom\""));
    put(&bench, "mine/notes.so", "neither a library nor named like a plugin\n");
    let said = list(&bench, &[]).expect(0);
    assert!(
        said.out
            .lines()
            .any(|line| line.starts_with("jsom") && line.contains("source records, sink records")),
        "{}",
        said.out
    );
    let refused: String = said.err.lines().filter(|l| l.contains("mine/")).flat_map(|l| [l, "\n"]).collect();
    insta::assert_snapshot!(refused);
    let listed: Value = serde_json::from_str(&list(&bench, &["--json"]).expect(0).out).expect("a list");
    let refused = listed["refused"].as_array().expect("refused");
    assert!(refused.iter().any(|r| r.to_string().contains("abort.so")), "{refused:?}");
}
