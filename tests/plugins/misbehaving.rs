//! The plugin `misbehaving`: whatever it does, its chain fails in plain words, nothing of it is published, and the next
//! chain of the manifest runs.

use std::{fmt::Write as _, fs};

use crate::support::{Bench, Said};

const MANIFEST: &str = r#"
version = 1

[connectors.bad_rows]
plugin = "misbehaving"

[connectors.bad_file]
plugin = "misbehaving"

[connectors.people]
plugin = "csv"
options = { input = "people.csv" }

[connectors.lines]
plugin = "json"

[chains.bad-source]
from = "bad_rows"
to = ["lines"]

[chains.bad-sink]
from = "people"
to = ["bad_file", "lines"]

[chains.good]
from = "people"
to = ["lines"]
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    bench.write("people.csv", "email,name\nada@example.com,Ada\nbob@example.com,Bob\neve@example.com,Eve\n");
    bench
}

/// Which of the two components goes wrong.
#[derive(Clone, Copy)]
enum Role {
    Source,
    Sink,
}

impl Role {
    fn chain(self) -> &'static str {
        match self {
            Self::Source => "bad-source",
            Self::Sink => "bad-sink",
        }
    }

    fn connector(self) -> &'static str {
        match self {
            Self::Source => "bad_rows",
            Self::Sink => "bad_file",
        }
    }
}

/// Runs the chain with a fault and, after it, the good chain.
fn run(bench: &Bench, role: Role, fault: &str) -> Said {
    let set = format!("connectors.{}.options.fault={fault}", role.connector());
    let mut command = bench.command(&["run", "--quiet", "--set", &set, role.chain(), "good"]);
    bench.said(command.env("RUST_BACKTRACE", "0").output().expect("usher runs"))
}

/// Everything in the folder of a chain's runs, hidden files as well, and where `latest` points.
fn published(bench: &Bench, chain: &str) -> Vec<String> {
    let folder = bench.path(&format!("out/{chain}"));
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let latest = fs::read_link(folder.join("latest")).expect("a good run");
    names.push(latest.display().to_string());
    names
}

/// Runs each fault after one good run and holds what must always be true; answers what was said, for a snapshot.
fn contained(role: Role, faults: &[&str]) -> String {
    let bench = bench();
    run(&bench, role, "none").expect(0);
    let before = published(&bench, role.chain());
    let mut said = String::new();
    for fault in faults {
        let good = published(&bench, "good");
        let Said { code, out, err } = run(&bench, role, fault);
        assert_eq!(code, Some(1), "{fault}: {out}{err}");
        assert_eq!(published(&bench, role.chain()), before, "{fault}: nothing is published, nothing is left");
        assert_eq!(published(&bench, "good").len(), good.len() + 1, "{fault}: the other chain runs: {err}");
        assert!(
            err.contains(&format!("error: chain `{}`: misbehaving 0.1.0: ", role.chain())),
            "{fault}: {err}"
        );
        assert!(err.ends_with("nothing was published\n"), "{fault}: {err}");
        let _ = writeln!(said, "{fault}:\n{}", placeless(&err));
    }
    said
}

/// A panic's place without the line, which changes with every edit of the plugin, and without the thread's number.
fn placeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let line = match (line.find("thread '<unnamed>' ("), line.find(" panicked at ")) {
            (Some(_), Some(at)) => format!("thread{}", &line[at..]),
            _ => line.to_owned(),
        };
        match line.split_once(".rs:") {
            Some((before, after)) => {
                let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | ' '));
                let _ = writeln!(out, "{}", format!("  {before}.rs:[line]: {rest}").trim_end());
            }
            None => {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    out
}

/// The message names the entry, the panic's own words and where it happened.
fn panics(role: Role, file: &str, entries: &[&str]) -> String {
    let faults: Vec<String> =
        entries.iter().map(|entry| format!("panic-in-{}", entry.replace('_', "-"))).collect();
    let said = contained(role, &faults.iter().map(String::as_str).collect::<Vec<_>>());
    for entry in entries {
        let place = format!(
            "misbehaving 0.1.0: panicked in `{entry}` at tests/plugins/misbehaving/src/{file}:[line]: PanicIn"
        );
        assert!(said.contains(&place), "{entry}: {said}");
    }
    said
}

#[test]
fn a_source_may_panic_in_any_entry() {
    let entries = ["open", "check", "catalog", "plan", "open_split", "next"];
    insta::assert_snapshot!(panics(Role::Source, "source.rs", &entries));
}

#[test]
fn a_sink_may_panic_in_any_entry() {
    let entries = ["open", "check", "begin", "write", "flush", "finish"];
    insta::assert_snapshot!(panics(Role::Sink, "sink.rs", &entries));
}

#[test]
fn a_thread_of_a_plugin_may_panic() {
    let source = contained(Role::Source, &["panic-in-thread"]);
    let sink = contained(Role::Sink, &["panic-in-thread"]);
    insta::assert_snapshot!(format!("{source}\n{sink}"));
}

/// When an instance is closed its chain is over, so there is nothing left to fail; the host must outlive it.
#[test]
fn a_panic_while_closing_is_told_and_harms_nothing() {
    for role in [Role::Source, Role::Sink] {
        let bench = bench();
        let said = run(&bench, role, "panic-in-close").expect(0);
        assert!(
            said.err.contains("a connector panicked in `close` at tests/plugins/misbehaving/src/"),
            "{}",
            said.err
        );
        assert!(said.err.contains(": PanicInClose was asked for"), "{}", said.err);
        assert_eq!(published(&bench, role.chain()).len(), 3, "a run, `latest` and where it points");
        assert_eq!(published(&bench, "good").len(), 3);
    }
}

#[test]
fn batches_are_looked_at_before_they_are_used() {
    insta::assert_snapshot!(contained(Role::Source, &["invalid-utf8", "offsets-beyond", "foreign-type"]));
}

#[test]
fn a_source_that_sends_other_columns_is_found_out() {
    insta::assert_snapshot!(contained(Role::Source, &["column-missing", "origins-missing"]));
}

#[test]
fn books_that_do_not_balance_are_not_published() {
    insta::assert_snapshot!(contained(Role::Sink, &["reject-strangers", "swallow", "boast", "miscount"]));
}

/// The host knows whose part it is by the connector's name.
#[test]
fn an_unfinished_part_is_not_published() {
    let bench = bench();
    run(&bench, Role::Sink, "none").expect(0);
    let before = published(&bench, "bad-sink");
    let said = run(&bench, Role::Sink, "unfinished").expect(1);
    assert_eq!(published(&bench, "bad-sink"), before);
    insta::assert_snapshot!(said.err);
}

/// A plugin in the host's process shares its standard output; what it says there does not stop the run.
#[test]
fn a_plugin_that_prints_harms_nothing() {
    for role in [Role::Source, Role::Sink] {
        let bench = bench();
        let said = run(&bench, role, "print").expect(0);
        assert!(format!("{}{}", said.out, said.err).contains("misbehaving was here"));
        assert_eq!(published(&bench, role.chain()).len(), 3);
    }
}

/// The same plugin without a fault: the tests above change nothing else.
#[test]
fn without_a_fault_it_behaves() {
    let bench = bench();
    bench.usher(&["run", "--quiet"]).expect(0);
    assert_eq!(bench.part("bad-source", "lines", "records").lines().count(), 3);
    assert_eq!(bench.part("bad-sink", "bad_file", "rows"), "0\n1\n2\n");
}
