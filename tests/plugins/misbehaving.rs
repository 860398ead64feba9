//! The plugin `misbehaving`, fault by fault: what the host does about it, and that `usher test` finds it and names it.
//!
//! The host always says so in plain words, publishes nothing of that chain and runs the next one, unless the fault took
//! the process with it.

use std::{
    collections::BTreeSet,
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{Bench, Said, plugin_file};

/// A way to misbehave, what the host does, and the check that finds it.
struct Fault {
    name: &'static str,
    place: Place,
    host: Host,
    /// The check that fails, and a piece of what it says.
    check: (&'static str, &'static str),
}

/// Where it goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Source,
    Transform,
    Sink,
    /// In what the plugin says of itself, which the environment spoils.
    Words,
}

/// What the host does.
#[derive(Clone, Copy)]
enum Host {
    /// The chain fails with these words behind the plugin's name, the next one runs.
    Fails(&'static str),
    /// The manifest cannot be used, which these words say.
    Refuses(&'static str),
    /// The run is good; these words may be somewhere in the output.
    Runs(&'static str),
    /// The process ends with this code (none: by a signal) and these words.
    Ends(Option<i32>, &'static str),
    /// Only Ctrl-C ends it.
    Hangs,
}

use Host::{Ends, Fails, Hangs, Refuses, Runs};
use Place::{Sink, Source, Transform, Words};

const fn fault(
    name: &'static str,
    place: Place,
    host: Host,
    check: &'static str,
    says: &'static str,
) -> Fault {
    Fault { name, place, host, check: (check, says) }
}

const GOOD: &str = "good options are taken";
const READ: &str = "the sample is read";
const PASSED: &str = "every row comes out, is rejected or is merged, once";
const WRITTEN: &str = "the sample is written and the books balance";
const FLAT: &str = "memory is flat from 10,000 to 1,000,000 rows";
const PANICS: &str = "nothing panics where nobody answers for it";

/// Each fault of each role.
#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    fault("panic-in-open", Source, Fails("panicked in `open` at source.rs: PanicInOpen was asked for"), GOOD, "panicked in `open`"),
    fault("panic-in-check", Source, Fails("panicked in `check` at source.rs: PanicInCheck was asked for"), GOOD, "panicked in `check`"),
    fault("panic-in-catalog", Source, Fails("panicked in `catalog` at source.rs: PanicInCatalog was asked for"), READ, "panicked in `catalog`"),
    fault("panic-in-plan", Source, Fails("panicked in `plan` at source.rs: PanicInPlan was asked for"), READ, "panicked in `plan`"),
    fault("panic-in-open-split", Source, Fails("panicked in `open_split` at source.rs: PanicInOpenSplit was asked for"), READ, "panicked in `open_split`"),
    fault("panic-in-next", Source, Fails("panicked in `next` at source.rs: PanicInNext was asked for"), READ, "panicked in `next`"),
    fault("panic-in-close", Source, Runs("a connector panicked in `close` at source.rs: PanicInClose was asked for"), PANICS, "panicked in `close`"),
    fault("panic-in-thread", Source, Fails("panicked in `next` at fault.rs: the thread ended well: Any { .. }"), PANICS, "a thread of the plugin panics"),
    fault("invalid-utf8", Source, Fails("an invalid batch crossed the boundary: column `email`: Invalid argument error: Invalid UTF8"), READ, "invalid utf-8 sequence of 1 bytes from index 3"),
    fault("offsets-beyond", Source, Fails("an invalid batch crossed the boundary: buffer 2 of `u` has 45 bytes, 4000000 are needed"), READ, "4000000 are needed"),
    fault("foreign-type", Source, Fails("an invalid batch crossed the boundary: the type `i` of `email` is not of Usher's subset"), READ, "the type `i` of `email` is not of Usher's subset"),
    fault("other-kind", Source, Runs(""), READ, "the catalog says that `email` is of the kind `any`, but it comes as Int64"),
    fault("column-missing", Source, Fails("the source did not send `email`, which it had agreed to"), READ, "the columns are"),
    fault("origins-missing", Source, Fails("a batch came without `_offset` and `_length`; sources must add them, transforms keep them"), READ, "the columns are"),
    fault("unknown-class", Source, Fails("an error of a class of its own"), READ, "unknown error `misbehaving.class`"),
    fault("never-return", Source, Hangs, READ, "it did not return within 3 s"),
    fault("exit", Source, Ends(Some(1), "error: a plugin ended the process; the chain that ran published nothing"), READ, "it ended the process (exit status: 0)"),
    fault("abort", Source, Ends(None, ""), READ, "it ended the process (signal: 6 (SIGABRT)"),
    fault("print", Source, Runs("misbehaving was here"), "nothing goes to standard output", "`misbehaving was here"),
    fault("leak-memory", Source, Runs(""), "closed instances leave no memory behind", "KiB each"),
    fault("leak-rows", Source, Runs(""), "memory is flat from 10,000 to 1,000,000 records", "MiB more than after row 10000"),
    fault("leak-thread", Source, Runs(""), "no thread is left behind", "more than before are left"),

    fault("panic-in-open", Transform, Fails("panicked in `open` at transform.rs: PanicInOpen was asked for"), GOOD, "panicked in `open`"),
    fault("panic-in-check", Transform, Fails("panicked in `check` at transform.rs: PanicInCheck was asked for"), GOOD, "panicked in `check`"),
    fault("panic-in-output-schema", Transform, Fails("panicked in `output_schema` at transform.rs: PanicInOutputSchema was asked for"), PASSED, "panicked in `output_schema`"),
    fault("panic-in-apply", Transform, Fails("panicked in `apply` at transform.rs: PanicInApply was asked for"), PASSED, "panicked in `apply`"),
    fault("panic-in-flush", Transform, Fails("panicked in `flush` at transform.rs: PanicInFlush was asked for"), PASSED, "panicked in `flush`"),
    fault("panic-in-close", Transform, Runs("a connector panicked in `close` at transform.rs: PanicInClose was asked for"), PANICS, "panicked in `close`"),
    fault("panic-in-thread", Transform, Fails("panicked in `apply` at fault.rs: the thread ended well: Any { .. }"), PANICS, "a thread of the plugin panics"),
    fault("promise-column", Transform, Fails("`promised` does not come out, which it had announced; report this to its author"), PASSED, "comes where Field { \"promised\": nullable Utf8, metadata: {\"usher.from\": \"[]\"} } was announced"),
    fault("invent-column", Transform, Fails("it announces `invented`, made from `invented`, which does not go in; new columns say with `usher.from` what they are made from; report this to its author"), PASSED, "`invented` is announced, made from `invented`, which does not go in"),
    fault("other-order", Transform, Runs(""), PASSED, "was announced"),
    fault("other-kind", Transform, Runs(""), PASSED, "was announced"),
    fault("column-missing", Transform, Fails("`email` does not come out, which it had announced; report this to its author"), PASSED, "was announced"),
    fault("origins-missing", Transform, Fails("`_offset` does not come out, which it had announced; report this to its author"), PASSED, "no column `_offset`"),
    fault("other-origins", Transform, Fails("its books do not balance: 3 records went in, but other records (3) are accounted for (3 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "comes out, but was never given"),
    fault("other-input", Transform, Fails("its books do not balance: 3 records went in, but other records (3) are accounted for (3 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "comes out, but was never given"),
    fault("invalid-utf8", Transform, Fails("an invalid batch crossed the boundary: column `email`: Invalid argument error: Invalid UTF8"), PASSED, "invalid utf-8 sequence of 1 bytes from index 4"),
    fault("offsets-beyond", Transform, Fails("an invalid batch crossed the boundary: buffer 2 of `u` has 45 bytes, 4000000 are needed"), PASSED, "4000000 are needed"),
    fault("foreign-type", Transform, Fails("an invalid batch crossed the boundary: the type `i` of `email` is not of Usher's subset"), PASSED, "the type `i` of `email` is not of Usher's subset"),
    fault("swallow", Transform, Fails("its books do not balance: 3 records went in, but another number of records (2) are accounted for (2 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "1 of 1 rows are lost"),
    fault("double", Transform, Fails("its books do not balance: 3 records went in, but another number of records (4) are accounted for (4 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "comes out, and then comes out"),
    fault("keep-back", Transform, Fails("its books do not balance: 3 records went in, but another number of records (0) are accounted for (0 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "1 of 1 rows are lost"),
    fault("endless-rows", Transform, Fails("its books do not balance: 3 records went in, but another number of records (6) are accounted for (6 came out, 0 rejected, 0 merged); report this to its author"), PASSED, "`flush` does not end: it hands on more rows than went in"),
    fault("endless-nothing", Transform, Fails("`flush` does not end: it handed on nothing 1000 times; report this to its author"), PASSED, "`flush` does not end: it hands on nothing, again and again"),
    fault("reject-strangers", Transform, Fails("its books do not balance: 3 records went in, but other records (3) are accounted for (2 came out, 1 rejected, 0 merged); report this to its author"), PASSED, "is rejected, but was never given"),
    fault("merge-into-strangers", Transform, Fails("a record is merged into one that never went in (input 7, offset 1234); report this to its author"), PASSED, "is a survivor, but was never given"),
    fault("boast", Transform, Fails("a transform delivers nothing: it can only reject, merge and change; report this to its author"), PASSED, "it reports rows as delivered"),
    fault("unknown-class", Transform, Fails("an error of a class of its own"), PASSED, "unknown error `misbehaving.class`"),
    fault("never-return", Transform, Hangs, PASSED, "it did not return within 3 s"),
    fault("exit", Transform, Ends(Some(1), "error: a plugin ended the process; the chain that ran published nothing"), PASSED, "it ended the process (exit status: 0)"),
    fault("abort", Transform, Ends(None, ""), PASSED, "it ended the process (signal: 6 (SIGABRT)"),
    fault("exit-late", Transform, Runs(""), FLAT, "it ended the process (exit status: 0)"),
    fault("abort-late", Transform, Runs(""), FLAT, "it ended the process (signal: 6 (SIGABRT)"),
    fault("print", Transform, Runs("misbehaving was here"), "nothing goes to standard output", "`misbehaving was here"),
    fault("leak-memory", Transform, Runs(""), "closed instances leave no memory behind", "KiB each"),
    fault("leak-rows", Transform, Runs(""), FLAT, "MiB more than after row 10000"),
    fault("leak-thread", Transform, Runs(""), "no thread is left behind", "more than before are left"),

    fault("panic-in-open", Sink, Fails("panicked in `open` at sink.rs: PanicInOpen was asked for"), GOOD, "panicked in `open`"),
    fault("panic-in-check", Sink, Fails("panicked in `check` at sink.rs: PanicInCheck was asked for"), GOOD, "panicked in `check`"),
    fault("panic-in-begin", Sink, Fails("panicked in `begin` at sink.rs: PanicInBegin was asked for"), WRITTEN, "panicked in `begin`"),
    fault("panic-in-write", Sink, Fails("panicked in `write` at sink.rs: PanicInWrite was asked for"), WRITTEN, "panicked in `write`"),
    fault("panic-in-flush", Sink, Fails("panicked in `flush` at sink.rs: PanicInFlush was asked for"), WRITTEN, "panicked in `flush`"),
    fault("panic-in-finish", Sink, Fails("panicked in `finish` at sink.rs: PanicInFinish was asked for"), WRITTEN, "panicked in `finish`"),
    fault("panic-in-close", Sink, Runs("a connector panicked in `close` at sink.rs: PanicInClose was asked for"), PANICS, "panicked in `close`"),
    fault("panic-in-thread", Sink, Fails("panicked in `write` at fault.rs: the thread ended well: Any { .. }"), PANICS, "a thread of the plugin panics"),
    fault("reject-strangers", Sink, Fails("the books of `bad_file` do not balance: 3 records were read, but other records (3) are accounted for (0 filtered, 0 merged, 1 rejected, 2 written); nothing was published, report this to the plugin's author"), WRITTEN, "is rejected, but was never given"),
    fault("boast", Sink, Fails("the books of `bad_file` do not balance: it says it wrote 3 rows, its files hold 2; nothing was published, report this to the plugin's author"), WRITTEN, "rows written, the parts of the receipt hold"),
    fault("swallow", Sink, Fails("the books of `bad_file` do not balance: 3 records were read, but another number of records (2) are accounted for (0 filtered, 0 merged, 0 rejected, 2 written); nothing was published, report this to the plugin's author"), WRITTEN, "are accounted for"),
    fault("miscount", Sink, Fails("a part `rows` of connector `bad_file` is not what its sink says: it holds 3 records, the sink says 4"), WRITTEN, "but the connector says"),
    fault("unfinished", Sink, Fails("the sink left part `bad_file: left` unfinished; it must finish or discard it"), WRITTEN, "the part `left` is neither finished nor discarded"),
    fault("unknown-class", Sink, Fails("an error of a class of its own"), WRITTEN, "unknown error `misbehaving.class`"),
    fault("never-return", Sink, Hangs, WRITTEN, "it did not return within 3 s"),
    fault("exit", Sink, Ends(Some(1), "error: a plugin ended the process; the chain that ran published nothing"), WRITTEN, "it ended the process (exit status: 0)"),
    fault("abort", Sink, Ends(None, ""), WRITTEN, "it ended the process (signal: 6 (SIGABRT)"),
    fault("print", Sink, Runs("misbehaving was here"), "nothing goes to standard output", "`misbehaving was here"),
    fault("leak-memory", Sink, Runs(""), "closed instances leave no memory behind", "KiB each"),
    fault("leak-rows", Sink, Runs(""), FLAT, "MiB more than after row 10000"),
    fault("leak-thread", Sink, Runs(""), "no thread is left behind", "more than before are left"),

    fault("panic-in-describe", Words, Refuses("describing itself, it panicked in `describe`"), "is loaded and says what it is", "panicked in `describe`"),
    fault("describe-never-returns", Words, Hangs, "is loaded and says what it is", "it did not return within 3 s"),
    fault("describe-exits", Words, Ends(Some(1), "error: a plugin ended the process"), "is loaded and says what it is", "it ended the process (exit status: 0)"),
    fault("describe-changes", Words, Runs(""), "describes itself alike every time", "another call of `describe`"),
    fault("no-schema", Words, Refuses("connectors.bad_rows.options: expected thing, found a table"), "the schemas of its options are valid", "`/type` is \"thing\""),
];

/// Faults that show only over many rows.
const MANY_ROWS: [&str; 3] = ["leak-rows", "exit-late", "abort-late"];

const MANIFEST: &str = r#"
version = 1

[connectors.bad_rows]
plugin = "misbehaving"
options = { input = "people.csv" }

[connectors.bad_users]
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

[chains.bad-transform]
from = "people"
through = ["bad_users"]
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

impl Place {
    fn chain(self) -> &'static str {
        match self {
            Source | Words => "bad-source",
            Transform => "bad-transform",
            Sink => "bad-sink",
        }
    }

    /// The connector whose fault it is.
    fn connector(self) -> &'static str {
        match self {
            Source | Words => "bad_rows",
            Transform => "bad_users",
            Sink => "bad_file",
        }
    }
}

/// Runs a fault's chain and, after it, the good one.
fn command(bench: &Bench, fault: &Fault) -> Command {
    let set = match fault.place {
        Words => "version=1".to_owned(),
        place => format!("connectors.{}.options.fault={}", place.connector(), fault.name),
    };
    let mut command = bench.command(&["run", "--quiet", "--set", &set, fault.place.chain(), "good"]);
    command.env("RUST_BACKTRACE", "0").env("USHER_ISOLATION", "none");
    if fault.place == Words {
        command.env("USHER_MISBEHAVE", fault.name);
    }
    command
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

/// The places of panics without folder and line, which change with every edit of the plugin.
fn placeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line
            .split_once("tests/plugins/misbehaving/src/")
            .and_then(|(a, b)| Some((a, b.split_once(".rs:")?)))
        {
            Some((before, (file, after))) => {
                let rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ':' | ' '));
                out += &format!("{before}{file}.rs: {rest}\n");
            }
            None => out += &format!("{line}\n"),
        }
    }
    out
}

/// Longer than anything here takes, even on a machine with other things to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the command and waits until the plugin is where it never returns from; answers the process in which it is, too.
pub(crate) fn stuck(bench: &Bench, command: &mut Command) -> (Child, u32) {
    command.env("USHER_STUCK", bench.path("stuck")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("usher starts");
    let started = Instant::now();
    while !bench.path("stuck").exists() {
        assert_eq!(child.try_wait().expect("a child"), None, "the command ended too early");
        assert!(started.elapsed() < PATIENCE, "the plugin has not come to where it never returns from");
        thread::sleep(Duration::from_millis(5));
    }
    (child, bench.read("stuck").parse().expect("the id of a process"))
}

/// Starts the command, waits until it is stuck, and presses Ctrl-C.
fn interrupted(bench: &Bench, mut command: Command) -> Said {
    let (child, _) = stuck(bench, &mut command);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let started = Instant::now();
    let said = bench.said(child.wait_with_output().expect("a child"));
    assert!(started.elapsed() < PATIENCE, "{}", said.err);
    said
}

/// Holds a run with a fault, after a good one, to what the table says.
fn the_host_contains(fault: &Fault) {
    let Fault { name, place, .. } = fault;
    let bench = bench();
    bench.usher(&["run", "--quiet", place.chain(), "good"]).expect(0);
    let (before, good) = (published(&bench, place.chain()), published(&bench, "good").len());
    let said = match fault.host {
        Hangs => interrupted(&bench, command(&bench, fault)),
        _ => bench.said(command(&bench, fault).output().expect("usher runs")),
    };
    let (code, text) = (said.code, placeless(&format!("{}{}", said.out, said.err)));
    let (after, good) = (published(&bench, place.chain()), published(&bench, "good").len() - good);
    match fault.host {
        Runs(words) => {
            assert!(code == Some(0) && text.contains(words), "{name}: {code:?} {text}");
            assert_eq!((after.len(), good), (before.len() + 1, 1), "{name}: both chains are published");
        }
        Fails(words) => {
            let line = format!("error: chain `{}`: misbehaving 0.1.0: {words}", place.chain());
            let alone = format!("error: chain `{}`: {words}", place.chain());
            let told = |text: &str| text.lines().any(|l| l.starts_with(&line) || l == alone);
            assert!(code == Some(1) && told(&text), "{name}: {code:?} {text}");
            assert!(text.ends_with("nothing was published\n"), "{name}: {text}");
            assert_eq!(after, before, "{name}: nothing is published, nothing is left");
            assert_eq!(good, 1, "{name}: the other chain runs");
        }
        Refuses(words) => {
            assert!(code == Some(2) && text.contains(words), "{name}: {code:?} {text}");
            assert_eq!((after, good), (before, 1), "{name}: the other chain runs");
        }
        Ends(expected, words) => {
            assert!(code == expected && text.contains(words), "{name}: {code:?} {text}");
            let whole = |names: &[String]| -> Vec<String> {
                names.iter().filter(|n| code.is_some() || !n.starts_with('.')).cloned().collect()
            };
            assert_eq!((whole(&after), good), (before, 0), "{name}: nothing is published");
        }
        Hangs => {
            let line = "interrupted: a connector did not stop within a second; nothing was published";
            assert!(code == Some(130) && text.contains(line), "{name}: {code:?} {text}");
            assert_eq!((after, good), (before, 0), "{name}: nothing is published");
        }
    }
}

/// Runs the suite, in its quick form where that is enough, over one component with a fault; answers the code and the checks.
fn suite(name: &str, place: Place) -> (Option<i32>, Vec<Value>) {
    let bench = Bench::new();
    let cases = match place {
        Transform | Sink => format!(
            "[[case]]\n{} = '{}'\noptions.fault = '{name}'\n\
             columns.email = ['ada{{n}}@example.com', 'bob@example.com', 'eve@example.com']\n",
            if place == Sink { "sink" } else { "transform" },
            if place == Sink { "rows" } else { "users" },
        ),
        Source | Words => format!(
            "[[case]]\nsource = 'rows'\noptions = {{ input = 'people.csv', fault = '{}' }}\n\
             [case.inputs.'people.csv']\ncsv = \"email\\nada@example.com\\nbob@example.com\\neve@example.com\\n\"\n\
             text = {{ attribute = 'email', record = '\"{{text}}\"', escape = 'csv' }}\n",
            if place == Words { "none" } else { name }
        ),
    };
    bench.write("conformance.toml", cases);
    let file = plugin_file("misbehaving");
    let file = file.to_str().expect("a path in UTF-8");
    // Long enough for a busy machine; short only where it is going to be waited for.
    let deadline = if name.contains("never-return") { "3" } else { "60" };
    let mut command = bench.command(&["test", file, "--deadline", deadline, "--json"]);
    if !MANY_ROWS.contains(&name) {
        command.arg("--quick");
    }
    command.env("RUST_BACKTRACE", "0").env("USHER_ISOLATION", "none");
    if place == Words {
        command.env("USHER_MISBEHAVE", name);
    }
    let said = bench.said(command.output().expect("usher runs"));
    let report: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{name}: {e}: {}", said.err));
    (said.code, report["checks"].as_array().expect("checks").clone())
}

/// Holds the suite to what the table says.
fn the_suite_names(fault: &Fault) {
    let Fault { name, place, check: (check, says), .. } = fault;
    let (code, checks) = suite(name, *place);
    let failed: Vec<&Value> = checks.iter().filter(|c| c["verdict"] == "failed").collect();
    assert_eq!(code, Some(1), "{name}: {checks:#?}");
    let named = |c: &&&Value| c["name"] == *check && c["detail"].as_str().is_some_and(|d| d.contains(says));
    assert!(failed.iter().find(named).is_some(), "{name}: {failed:#?}");
}

#[test]
fn the_host_contains_a_source() {
    FAULTS.iter().filter(|f| f.place == Source).for_each(the_host_contains);
}

#[test]
fn the_host_contains_a_transform() {
    FAULTS.iter().filter(|f| f.place == Transform).for_each(the_host_contains);
}

#[test]
fn the_host_contains_a_sink() {
    FAULTS.iter().filter(|f| f.place == Sink).for_each(the_host_contains);
}

#[test]
fn the_host_contains_what_a_plugin_says_of_itself() {
    FAULTS.iter().filter(|f| f.place == Words).for_each(the_host_contains);
}

#[test]
fn the_suite_names_each_fault_of_a_source() {
    FAULTS.iter().filter(|f| f.place == Source).for_each(the_suite_names);
}

#[test]
fn the_suite_names_each_fault_of_a_transform() {
    FAULTS.iter().filter(|f| f.place == Transform).for_each(the_suite_names);
}

#[test]
fn the_suite_names_each_fault_of_a_sink() {
    FAULTS.iter().filter(|f| f.place == Sink).for_each(the_suite_names);
}

#[test]
fn the_suite_names_each_fault_of_what_a_plugin_says_of_itself() {
    FAULTS.iter().filter(|f| f.place == Words).for_each(the_suite_names);
}

/// Nothing that a plugin says of itself can make a command look done.
#[test]
fn a_plugin_that_exits_while_it_is_described_is_told() {
    let bench = bench();
    for arguments in [
        &["check"][..],
        &["plan"],
        &["preview"],
        &["schema"],
        &["plugins", "describe", "misbehaving"],
        &["plugins", "describe", "misbehaving", "--json"],
    ] {
        let mut command = bench.command(arguments);
        command.env("USHER_MISBEHAVE", "describe-exits").env("USHER_ISOLATION", "none");
        let said = bench.said(command.output().expect("usher runs")).expect(1);
        assert_eq!(said.out, "", "{arguments:?}");
        let line = "error: a plugin ended the process";
        let hint = "; `usher test PLUGIN` says which one does, and where";
        let last = said.err.lines().last().unwrap_or_default();
        assert!(last.starts_with(line) && last.ends_with(hint), "{arguments:?}: {}", said.err);
    }
}

/// The same plugin without a fault: the tests above change nothing else.
#[test]
fn without_a_fault_it_behaves() {
    let bench = bench();
    bench.usher(&["run", "--quiet"]).expect(0);
    assert_eq!(bench.part("bad-source", "lines", "records").lines().count(), 3);
    assert_eq!(bench.part("bad-sink", "bad_file", "rows"), "0\n1\n2\n");
    assert_eq!(bench.part("bad-transform", "lines", "records").lines().count(), 3);
    for place in [Source, Transform, Sink] {
        let (code, checks) = suite("none", place);
        let failed: Vec<&Value> = checks.iter().filter(|c| c["verdict"] == "failed").collect();
        assert_eq!((code, failed), (Some(0), vec![]));
    }
}

/// A fault that the plugin can have is in the table.
#[test]
fn no_fault_is_forgotten() {
    let said = Bench::new().usher(&["plugins", "describe", "misbehaving", "--json"]).expect(0);
    let description: Value = serde_json::from_str(&said.out).expect("a description");
    let listed =
        description["components"][0]["options"]["$defs"]["Fault"]["oneOf"].as_array().expect("faults");
    let known: BTreeSet<&str> = listed.iter().map(|f| f["const"].as_str().expect("a name")).collect();
    let tested = FAULTS.iter().filter(|f| f.place != Words).map(|f| f.name);
    assert_eq!(known, tested.chain(["none"]).collect());
}

/// The same faults with the plugin in a process of its own: whatever it does, the host lives, says so, and runs the next chain.
/// What it says of itself the environment spoils, which a worker does not have.
fn the_worker_contains(place: Place) {
    let called = |fault: &&Fault| fault.place == place;
    for fault in FAULTS.iter().filter(called) {
        let Fault { name, place, .. } = fault;
        let bench = bench();
        bench.usher(&["run", "--quiet", place.chain(), "good"]).expect(0);
        let (before, good) = (published(&bench, place.chain()), published(&bench, "good").len());
        let mut command = command(&bench, fault);
        let connector = place.connector();
        command.args(["--set", &format!("connectors.{connector}.jail.deadline=3s")]);
        command.env("USHER_ISOLATION", "process");
        let said = bench.said(command.output().expect("usher runs"));
        let text = placeless(&format!("{}{}", said.out, said.err));
        let words = match fault.host {
            Fails(words) | Runs(words) | Refuses(words) => words,
            Ends(..) => "its process ",
            Hangs => "it did not return within 3 s of its own time; its process was ended",
        };
        assert!(text.contains(words), "{name}: {:?} {text}", said.code);
        let (after, good) = (published(&bench, place.chain()), published(&bench, "good").len() - good);
        assert_eq!(good, 1, "{name}: the other chain runs: {text}");
        if let Runs(_) = fault.host {
            assert_eq!((said.code, after.len()), (Some(0), before.len() + 1), "{name}: {text}");
        } else {
            let named = text.contains("misbehaving 0.1.0: ") || !text.contains("its process");
            assert!(named, "{name}: the plugin is named: {text}");
            assert_eq!((said.code, after), (Some(1), before), "{name}: nothing is published: {text}");
        }
    }
}

#[test]
fn the_worker_contains_a_source() {
    the_worker_contains(Source);
}

#[test]
fn the_worker_contains_a_transform() {
    the_worker_contains(Transform);
}

#[test]
fn the_worker_contains_a_sink() {
    the_worker_contains(Sink);
}
