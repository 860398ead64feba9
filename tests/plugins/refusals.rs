//! Files that are no plugins for this host: each is refused with one line that says which plugin, what is wrong and
//! what to do, before any of its code has run (but for the last kind, which only loading can tell).

use std::fmt::Write as _;

use usher_abi::preamble::TARGET;

use crate::{
    files::{library, put, with_preamble, without_header},
    support::{Bench, Said},
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

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    bench.write("people.csv", "email\nada@example.com\n");
    bench
}

/// Takes out what depends on the compiler: the target, and where a preamble that names the compiler breaks off.
fn stable(text: &str) -> String {
    let text = text.replace(TARGET, "[target triple]");
    match (text.find(" at line 1 column "), text.find("; rebuild")) {
        (Some(from), Some(to)) => format!("{}{}", &text[..from], &text[to..]),
        _ => text,
    }
}

/// The one line that a command says.
#[track_caller]
fn line(said: &Said, code: i32) -> String {
    assert_eq!(said.code, Some(code), "{}{}", said.out, said.err);
    assert_eq!(said.out, "");
    assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    stable(said.err.trim_end())
}

/// A file is refused when it is looked at and when it is to be loaded, each time in the same line; answers the line.
#[track_caller]
fn refused(bench: &Bench, name: &str) -> String {
    let shown = bench.usher(&["plugins", "show", &format!("./{name}")]).expect(1);
    let line = refused_on_loading(bench, name);
    assert_eq!(stable(shown.err.trim_end()), line);
    line
}

/// A file is refused on the command line, and for the same reason in a manifest; answers the line.
#[track_caller]
fn refused_on_loading(bench: &Bench, name: &str) -> String {
    let path = format!("./{name}");
    let described = line(&bench.usher(&["plugins", "describe", &path]), 1);
    let set = format!("connectors.people.plugin={path}");
    let run = bench.usher(&["run", "--quiet", "--set", &set]);
    let listed = line(&run, 2);
    let reason = described.split_once(": ").expect("a message").1;
    assert!(listed.ends_with(reason), "the manifest's message is the same:\n{listed}\n{described}");
    assert!(!bench.path("out/people/latest").exists(), "nothing is published");
    described
}

/// Refuses one file after the other; answers the lines.
#[track_caller]
fn refusals<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> String {
    let bench = bench();
    let mut lines = String::new();
    for (name, bytes) in files {
        put(&bench, name, bytes);
        let _ = writeln!(lines, "{}", refused(&bench, name));
    }
    lines
}

#[test]
fn built_for_another_host() {
    let target = format!("\"target\":\"{TARGET}\"");
    // A short one, so that it fits wherever this is built.
    let other = "\"target\":\"wasm32-wasip1\"";
    insta::assert_snapshot!(refusals([
        ("newer.so", with_preamble("csv", "\"abi\":[1,0]", "\"abi\":[2,1]")),
        ("older.so", with_preamble("csv", "\"abi\":[1,0]", "\"abi\":[0,2]")),
        (
            "needs.so",
            with_preamble(
                "auth0",
                "\"hosts\":[\"*.auth0.com\",\"*.amazonaws.com\"]",
                "\"needs\":[\"second-sight\"]"
            )
        ),
        ("target.so", with_preamble("csv", &target, other)),
        ("abort.so", with_preamble("csv", "\"panic\":\"unwind\"", "\"panic\":\"abort\"")),
    ]));
}

#[test]
fn preambles_that_cannot_be_read() {
    insta::assert_snapshot!(refusals([
        ("comma.so", with_preamble("csv", "\"name\":\"csv\"", "\"name\":\"csv,")),
        ("magic.so", with_preamble("csv", "\"usher\":\"plugin\"", "\"usher\":\"puppet\"")),
        ("key.so", with_preamble("csv", "\"version\":", "\"vers\":")),
    ]));
}

/// A copy that broke off, wherever it did.
#[test]
fn cut_short() {
    let whole = library("csv");
    let last = whole.len() - 1;
    for length in [52, 64, 1_000, 4_096, 100_000, whole.len() / 4, whole.len() / 2, last] {
        let bench = bench();
        put(&bench, "cut.so", &whole[..length]);
        let said = refused(&bench, "cut.so");
        let beginning =
            format!("error: ./cut.so: is not a shared library, or not a whole one ({length} bytes: ");
        assert!(said.starts_with(&beginning) && said.ends_with("; build or copy the plugin again"), "{said}");
    }
    insta::assert_snapshot!(refusals([("hundred.so", whole[..100].to_vec())]));
}

#[test]
fn no_libraries_at_all() {
    let mut lines = refusals([("empty.so", Vec::new()), ("text.so", b"not a library\n".to_vec())]);
    let bench = bench();
    std::fs::create_dir(bench.path("folder.so")).expect("a folder");
    let huge = std::fs::File::create(bench.path("huge.so")).expect("a file");
    huge.set_len((1 << 30) + 1).expect("a file of no blocks");
    let pipe = std::process::Command::new("mkfifo").arg(bench.path("pipe.so")).status();
    assert!(pipe.expect("mkfifo").success());
    for name in ["folder.so", "nowhere.so", "huge.so", "pipe.so"] {
        let _ = writeln!(lines, "{}", refused(&bench, name));
    }
    insta::assert_snapshot!(lines);
}

#[cfg(target_os = "linux")]
#[test]
fn a_library_of_something_else() {
    insta::assert_snapshot!(refusals([("stranger.so", crate::files::stranger())]));
}

/// The preamble is in order; what the library exports is not what it should be.
#[test]
fn without_a_root_module() {
    insta::assert_snapshot!(refusals([("headless.so", without_header("csv"))]));
}

/// A preamble in order, a root module with one field too many.
#[test]
fn with_tables_laid_out_differently() {
    let bench = bench();
    put(&bench, "layout.so", library("other-layout"));
    // Only loading it tells, and looking does not load.
    bench.usher(&["plugins", "show", "./layout.so"]).expect(0);
    insta::assert_snapshot!(refused_on_loading(&bench, "layout.so"));
}

#[test]
fn the_difference_between_layouts_is_for_those_who_ask() {
    let bench = bench();
    put(&bench, "layout.so", library("other-layout"));
    let short = bench.usher(&["plugins", "describe", "other-layout"]).expect(1);
    assert_eq!(short.err.lines().count(), 1, "{}", short.err);
    let set = ["--set", "connectors.people.plugin=./layout.so"];
    let commands = [
        bench.usher(&["-v", "plugins", "describe", "./layout.so"]).expect(1),
        bench.usher(&["-v", "run", set[0], set[1]]).expect(2),
    ];
    for long in commands {
        assert!(long.err.contains("its tables are laid out differently from this host's"), "{}", long.err);
        // One field and nothing else.
        let errors: Vec<&str> = long.err.lines().filter(|l| l.starts_with("Error:")).collect();
        assert_eq!(errors, ["Error:prefix-types have a different prefix", "Error:unexpected field"]);
        assert!(long.err.contains("Expected:\n    3\nFound:\n    4\n"), "{}", long.err);
        assert!(long.err.contains("Found:\n    field_name:version\n"), "{}", long.err);
    }
    let said = bench.usher(&["run", set[0], set[1]]).expect(2);
    assert!(said.err.contains("(-v shows the difference)"), "{}", said.err);
    assert!(!said.err.contains("Type Layout"), "{}", said.err);
}

#[test]
fn two_of_one_name_in_one_folder() {
    let bench = bench();
    for name in ["plugins/one.so", "plugins/two.so"] {
        put(&bench, name, with_preamble("csv", "\"name\":\"csv\"", "\"name\":\"dsv\""));
    }
    let shown = line(&bench.usher(&["plugins", "show", "dsv"]), 1);
    let run = bench.usher(&["run", "--quiet", "--set", "connectors.people.plugin=dsv"]);
    insta::assert_snapshot!(format!("{shown}\n{}\n", line(&run, 2)));
}

/// Every folder that was looked into, why it was not there, and what may have been meant.
#[test]
fn not_found() {
    let bench = bench();
    std::fs::create_dir(bench.path("plugins")).expect("a folder");
    let shown = line(&bench.usher(&["plugins", "show", "zendsek", "--plugin-dir", "nowhere"]), 1);
    let run = bench.usher(&["run", "--quiet", "--set", "connectors.people.plugin=salesforce"]);
    insta::assert_snapshot!(format!("{shown}\n{}\n", line(&run, 2)));
}

/// A file that bears the plugin's name but was refused is the answer, not "not found".
#[test]
fn found_by_name_but_refused() {
    let bench = bench();
    put(&bench, "mine/libusher_csv.so", &library("csv")[..5_000]);
    let said = bench.command(&["plugins", "show", "csv"]).env("USHER_PLUGIN_PATH", "mine").output();
    // The folder of this build comes first and has a good one.
    assert_eq!(bench.said(said.expect("usher runs")).code, Some(0));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_usher"));
    command.current_dir(bench.path("")).args(["plugins", "show", "csv", "--plugin-dir", "mine"]);
    let said = bench.said(command.env_remove("USHER_PLUGIN_PATH").output().expect("usher runs"));
    insta::assert_snapshot!(line(&said, 1));
}

/// `plugin = "lib/x.so"` starts where the manifest is, wherever the command is given.
#[test]
fn a_path_is_relative_to_the_manifest() {
    let bench = Bench::new();
    let manifest = MANIFEST.replace("plugin = \"csv\"", "plugin = \"../libraries/mine.so\"");
    bench.write("project/connectors.toml", manifest);
    bench.write("project/people.csv", "email\nada@example.com\n");
    put(&bench, "libraries/mine.so", library("csv"));
    bench.usher(&["run", "--manifest", "project/connectors.toml"]).expect(0);
    assert!(bench.path("project/out/people/latest").exists());
}
