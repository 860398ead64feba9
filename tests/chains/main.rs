//! Whole chains through the real binary and real libraries: a manifest and an export in, a run folder out. One file an
//! idea; what two of them need is here.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "../support/mod.rs"]
mod support;

mod commands;
mod diff;
mod doubts;
mod examples;
mod forget;
mod formats;
mod import;
mod killed;
mod live;
mod locate;
mod login;
mod logs;
mod main_job;
mod masked;
mod messages;
mod metrics;
mod no_words;
mod plan;
mod prune;
mod rejects;
mod retry;
mod runs;
mod shaping;
mod swap;
mod sync;
mod threads;
mod through;

use support::Bench;

/// Auth0's `users.ndjson` into one connector, `people`: what stands in its table, and what stands in the chain's.
fn bench(users: &str, people: &str, chain: &str) -> Bench {
    let bench = Bench::new();
    bench.write("users.ndjson", users);
    bench.write("connectors.toml", manifest(people, chain));
    bench
}

/// The manifest of [`bench`].
fn manifest(people: &str, chain: &str) -> String {
    format!(
        "version = 1\n\n[connectors.users]\nplugin = \"auth0\"\noptions = {{ input = \"users.ndjson\" }}\n\n\
         [connectors.people]\n{people}\n\n[chains.main]\nfrom = \"users\"\nto = [\"people\"]\n{chain}\n"
    )
}

/// The rows that the connector `people` (plugin `csv`) wrote, below its headings.
fn rows(bench: &Bench) -> Vec<String> {
    bench.part("main", "people", "rows").lines().skip(1).map(str::to_owned).collect()
}
