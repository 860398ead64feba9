//! Plugins that were built long ago, by others: files that are kept, under the version of the boundary that they were
//! built with. Today's host takes those of its version as they are, and refuses the others before their code runs.
//!
//! The files are of one platform, so that is where these tests run.
#![cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]

#[path = "../support/mod.rs"]
mod support;

mod growth;
mod kept;
mod mutants;

use std::{fs, path::PathBuf};

use support::{Bench, root};
use usher_abi::{ABI_MAJOR, ABI_MINOR};

/// `1.0`: the version that this host speaks.
fn today() -> String {
    format!("{ABI_MAJOR}.{ABI_MINOR}")
}

fn folder() -> PathBuf {
    root().join("tests/abi/plugins")
}

/// The kept file of a version.
fn file(version: &str) -> PathBuf {
    folder().join(version).join("sample-x86_64-unknown-linux-gnu.so")
}

/// Versions of which a file is kept, oldest first.
fn versions() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("kept plugins").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut versions: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().expect("a version")).collect();
    versions.sort_by_key(|version| {
        version.split('.').map(|n| n.parse().expect("a number")).collect::<Vec<u32>>()
    });
    versions
}

/// Three records under every type of column, one of them refused by the transform.
const PEOPLE: &str = r#"{"email":"ada@example.com","name":"Ada","agreed":true,"visits":7,"score":0.5,"seen":1700000000000000,"born":-56270,"tags":["engine","poetry"]}
{"email":"eve@example.com","name":"Eve"}
{"email":"bob@elsewhere.example","name":null,"agreed":false,"visits":-1,"score":2,"seen":null,"born":0,"tags":[]}
"#;

/// A scratch folder with people, a plugin as `sample.so`, and a manifest for them.
fn bench(plugin: &[u8]) -> Bench {
    let bench = Bench::new();
    bench.write("people.ndjson", PEOPLE).write("sample.so", plugin);
    bench.write(
        "connectors.toml",
        "version = 1\n\n[connectors.people]\nplugin = './sample.so'\noptions = { input = 'people.ndjson' }\n\n\
         [connectors.known]\nplugin = './sample.so'\noptions = { refuse = 'eve@example.com' }\n\n\
         [connectors.kept]\nplugin = './sample.so'\noptions = { token = '${env:TOKEN}' }\nmax_rejects = 1\n\n\
         [connectors.kept.fields]\nemail = 'email'\nname = 'name'\nagreed = 'agreed'\nvisits = 'visits'\nscore = 'score'\n\
         seen = 'seen'\nborn = 'born'\ntags = 'tags'\ndomain = 'domain'\n\n\
         [chains.main]\nfrom = 'people'\nthrough = ['known']\nto = ['kept']\n",
    );
    bench
}

/// Runs it; answers what the sink wrote and what it found of the host's services.
fn run(bench: &Bench) -> (String, serde_json::Value) {
    let mut command = bench.command(&["run", "--quiet", "--run-id", "r"]);
    bench.said(command.env("TOKEN", "not to be seen").output().expect("usher runs")).expect(0);
    let receipt: serde_json::Value =
        serde_json::from_str(&bench.read("out/main/latest/receipt.json")).expect("a receipt");
    (bench.part("main", "kept", "rows"), receipt["connectors"]["kept"]["facts"].clone())
}
