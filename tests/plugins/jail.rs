//! The plugin `hostile`, attack by attack, from a constructor and from a call: every one fails, by an error or by the death of
//! the worker; the host lives, says which plugin it was and what happened, and runs the next chain.

use std::{fs, path::PathBuf, time::Instant};

use crate::support::{Bench, Said, plugin_file};

/// An attack and what the host says: behind `hostile 0.1.0: in …` when it comes from a call, behind the file's name when it
/// comes from a constructor.
struct Attack {
    name: &'static str,
    call: &'static str,
    constructor: &'static str,
}

const fn attack(name: &'static str, call: &'static str, constructor: &'static str) -> Attack {
    Attack { name, call, constructor }
}

const REFUSED: &str = "refused: Operation not permitted";
const LOCKED: &str = "refused: Permission denied";
const TRAPPED_SOCKET: &str = "it tried what its jail forbids (`socket`)";
const TRAPPED_FORK: &str = "it tried what its jail forbids (`fork`)";

/// What each attack comes to.
#[rustfmt::skip]
const ATTACKS: &[Attack] = &[
    attack("passwd", REFUSED, LOCKED),
    attack("environ", REFUSED, LOCKED),
    attack("write-file", REFUSED, REFUSED),
    attack("socket", TRAPPED_SOCKET, TRAPPED_SOCKET),
    attack("exec", "its jail forbids", "its jail forbids"),
    attack("fork", TRAPPED_FORK, TRAPPED_FORK),
    attack("ptrace-parent", "it tried what its jail forbids (`ptrace`)", "it tried what its jail forbids (`ptrace`)"),
    attack("signal-parent", "it tried what its jail forbids (`kill`)", "it tried what its jail forbids (`kill`)"),
    attack("read-parent", "it tried what its jail forbids (`process_vm_readv`)", "it tried what its jail forbids (`process_vm_readv`)"),
    attack("namespace", "it tried what its jail forbids (`unshare`)", "it tried what its jail forbids (`unshare`)"),
    attack("executable-memory", REFUSED, REFUSED),
    attack("make-executable", REFUSED, REFUSED),
    attack("executable-file", REFUSED, REFUSED),
    attack("descriptor", REFUSED, REFUSED),
    attack("handler", REFUSED, REFUSED),
    attack("dumpable", REFUSED, REFUSED),
    attack("shared-memory", REFUSED, REFUSED),
    attack("shrink", "refused: no descriptor could be cut", "refused: no descriptor could be cut"),
    attack("garbage", "its process sent what is no answer", "its process sent what is no answer"),
    attack("words", "what is to be told has 41943", "what is to be told has 41943"),
    attack("close-all", "its process", "its process"),
    attack("memory", "memory allocation of 67108864 bytes failed", "memory allocation of 67108864 bytes failed"),
    attack("threads", "refused: Resource temporarily unavailable", "refused: Resource temporarily unavailable"),
    attack("spin", "it did not return within 2 s of its own time", "it did not return within 2 s of its own time"),
    attack("segfault", "its process was ended by signal 11 (segmentation fault)", "its process was ended by signal 11 (segmentation fault)"),
    attack("abort", "its process was ended by signal 6 (abort)", "its process was ended by signal 6 (abort)"),
    attack("exit", "its process ended itself with code 0", "its process ended itself with code 0"),
    attack("stack-overflow", "stack overflow", "stack overflow"),
];

const MANIFEST: &str = r#"
version = 1

[connectors.rows]
plugin = "./libusher_hostile.so"
isolation = "process"
jail = { deadline = "2s", memory = "200MB" }
options = { attack = "constructor" }

[connectors.people]
plugin = "csv"
options = { input = "people.csv" }

[connectors.lines]
plugin = "json"
fields = { email = "row['email']" }

[chains.attacked]
from = "rows"
to = ["lines"]

[chains.good]
from = "people"
to = ["lines"]
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST).write("people.csv", "email\nada@example.com\n");
    fs::copy(plugin_file("hostile"), bench.path("libusher_hostile.so")).expect("a copy");
    bench
}

/// Writes the name of an attack into the plugin's file, where its constructor finds it.
fn choose(file: PathBuf, name: &str) {
    let mut bytes = fs::read(&file).expect("the plugin");
    let mark = b"usher-hostile-constructor:                    ";
    let at = bytes.windows(mark.len()).position(|window| window == mark).expect("the mark");
    let place = at + mark.len() - 20;
    assert!(name.len() <= 20, "there is room for 20 letters");
    bytes[place..place + name.len()].copy_from_slice(name.as_bytes());
    fs::write(file, bytes).expect("the plugin");
}

fn run(bench: &Bench, attack: &str) -> Said {
    let set = format!("connectors.rows.options.attack={attack}");
    // The harness runs everything in one process unless it is told otherwise; here the manifest says it.
    let mut command = bench.command(&["run", "--quiet", "--set", &set, "attacked", "good"]);
    command.env_remove("USHER_ISOLATION").env("RUST_BACKTRACE", "0");
    bench.said(command.output().expect("usher runs"))
}

/// The attack is named with its plugin, the other chain has run, and nothing of this one is there.
fn is_contained(bench: &Bench, said: &Said, name: &str, words: &str) {
    let text = &said.err;
    assert!(said.code == Some(1) || said.code == Some(2), "{name}: {:?} {text}", said.code);
    assert!(!text.contains(": let"), "{name}: {text}");
    assert!(text.contains("hostile") && text.contains("0.1.0"), "{name}: the plugin is named: {text}");
    assert!(text.contains(words), "{name}: `{words}` is expected: {text}");
    let left: Vec<_> = fs::read_dir(bench.path("out/attacked")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{name}: nothing of the chain is there: {left:?}");
    assert!(bench.path("out/good/latest").exists(), "{name}: the other chain has run: {text}");
    assert!(!PathBuf::from("/tmp/usher-hostile-was-here").exists(), "{name}: it has written a file");
}

#[test]
#[cfg(target_os = "linux")]
fn every_attack_from_a_call_fails() {
    for attack in ATTACKS {
        let bench = bench();
        let said = run(&bench, attack.name);
        is_contained(&bench, &said, attack.name, attack.call);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn every_attack_from_a_constructor_fails() {
    for attack in ATTACKS {
        let bench = bench();
        choose(bench.path("libusher_hostile.so"), attack.name);
        let said = run(&bench, "constructor");
        is_contained(&bench, &said, attack.name, attack.constructor);
    }
}

#[test]
fn without_an_attack_nothing_is_refused() {
    let said = run(&bench(), "constructor");
    assert!(said.err.contains("hostile 0.1.0: nothing was attacked"), "{}", said.err);
}

/// A thread of the plugin's own is in the host's clock while its instance is closed.
#[test]
fn whoever_sleeps_by_itself_keeps_nobody_waiting() {
    let bench = bench();
    let started = Instant::now();
    let said = run(&bench, "sleep");
    assert!(said.err.contains("a thread of its own sleeps"), "{}", said.err);
    assert!(bench.path("out/good/latest").exists(), "{}", said.err);
    assert!(started.elapsed() < crate::misbehaving::PATIENCE, "it took {:?}", started.elapsed());
}

/// Where a plugin runs is nobody's guess, and whoever takes it out of its jail is told.
#[test]
fn where_a_plugin_runs_is_told() {
    let bench = bench();
    bench.write("connectors.toml", MANIFEST.replace("isolation = \"process\"\n", ""));
    let usher = |arguments: &[&str]| {
        let mut command = bench.command(arguments);
        command.env_remove("USHER_ISOLATION");
        bench.said(command.output().expect("usher runs"))
    };
    let show = || usher(&["plugins", "show", "./libusher_hostile.so"]).expect(0).out;
    let runs = |place: &str| format!("\nruns      {place}\n");
    let jail = "in a jail, a process of its own for each instance";
    let stranger = runs(&format!("{jail} (it did not come with the host and is not locked)"));
    assert!(show().contains(&stranger), "{}", show());
    let jailed = "hostile 0.1.0 runs in a jail, a process of its own for each instance";
    let said = usher(&["check"]).expect(0);
    assert!(said.out.contains(jailed) && !said.err.contains("`jail`"), "{}", said.shown());

    let said = usher(&["plugins", "lock"]).expect(0);
    let trusted = "what is locked is trusted, and runs in the host's own process from now on: `hostile`, ";
    assert!(said.err.contains(trusted), "{}", said.err);
    assert!(show().contains(&runs("in the host's own process (it is locked)")), "{}", show());
    let said = usher(&["check"]).expect(0);
    let nothing =
        "plugin `hostile` 0.1.0: `jail` limits nothing, as it runs in the host's own process (it is locked)";
    assert!(!said.out.contains(jailed) && said.err.contains(nothing), "{}", said.shown());
    assert!(!usher(&["plugins", "lock"]).expect(0).err.contains("trusted"), "it was before");

    bench.write("connectors.toml", MANIFEST);
    assert!(usher(&["check"]).expect(0).out.contains(jailed));
    let said = usher(&["check", "--isolation", "none"]).expect(0);
    let overruled = "plugin `hostile` 0.1.0 runs in the host's own process (the command says so), though its connector says \
                     `isolation = \"process\"`";
    assert!(said.err.contains(overruled), "{}", said.err);
}

/// Writes what the plugin wants into its file.
fn want(bench: &Bench, wants: &str) {
    let file = bench.path("libusher_hostile.so");
    let mut bytes = fs::read(&file).expect("the plugin");
    let usual = b"\"wants\":[\"input\",\"clock\",\"state\"]";
    let at = bytes.windows(usual.len()).position(|window| window == usual).expect("the preamble");
    let text = format!("\"wants\":{wants:<25}");
    assert_eq!(text.len(), usual.len());
    bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
    fs::write(file, bytes).expect("the plugin");
}

/// A plugin that wants more than services gets it if the manifest grants it, and nothing else; else it is refused.
#[test]
#[cfg(target_os = "linux")]
fn what_is_wanted_is_shown_and_granted_or_refused() {
    for (wants, attack, other) in
        [("[\"/etc/passwd\"]", "passwd", "environ"), ("[\"network\"]", "socket", "passwd")]
    {
        let bench = bench();
        want(&bench, wants);
        let right = wants.trim_matches(['[', ']']);
        let shown = bench.usher(&["plugins", "show", "./libusher_hostile.so"]).expect(0);
        assert!(shown.out.contains(&format!("rights    {}\n", right.trim_matches('"'))), "{}", shown.out);
        for isolation in ["none", "process"] {
            let said = bench.usher(&["check", "--isolation", isolation]).expect(2);
            assert!(
                said.err.contains(&format!("write `jail.grants = {wants}` if you trust it")),
                "{}",
                said.err
            );
        }
        let granted =
            MANIFEST.replace("memory = \"200MB\"", &format!("memory = \"200MB\", grants = {wants}"));
        bench.write("connectors.toml", granted);
        let said = run(&bench, attack);
        assert!(said.err.contains(&format!("{attack}: let")), "{}", said.err);
        let said = run(&bench, other);
        assert!(said.err.contains(&format!("{other}: refused")), "{}", said.err);
        bench.usher(&["plugins", "lock"]).expect(0);
        assert!(
            bench.read("connectors.lock").contains(&format!("wants = {wants}")),
            "{}",
            bench.read("connectors.lock")
        );
    }
}
