//! A delivery that is tried until it is done.

use std::{
    process::{Child, Stdio},
    sync::Mutex,
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{Bench, python};

/// Attempts that a delivery may take: each fault that ends one costs one.
const MOST_ATTEMPTS: u32 = 25;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// How many users a delivery has.
pub(crate) fn users() -> u64 {
    number("USHER_USERS", 1_000)
}

/// The seeds of this run of the tests.
pub(crate) fn seeds() -> impl Iterator<Item = u64> {
    let first = number("USHER_FIRST_SEED", 1);
    first..first + number("USHER_SEEDS", 2)
}

/// Runs `one` for every seed, eight at a time: most of their time they wait.
pub(crate) fn for_each_seed(one: impl Fn(u64) + Sync) {
    let left = Mutex::new(seeds());
    let next = || left.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    one(seed);
                    eprintln!("seed {seed}: done");
                }
            });
        }
    });
}

/// Runs the same command again and again until it ends with 0 or 3, and audits what it has left; answers its outcome and how many attempts it took.
pub(crate) fn deliver(bench: &Bench, environment: &[(&str, &str)], context: &str) -> (Value, u32) {
    for attempt in 1..=MOST_ATTEMPTS {
        let mut command = bench.command(&["run", "--json", "--quiet"]);
        let output = command.envs(environment.iter().copied()).output().unwrap();
        let said = bench.said(output);
        match said.code {
            Some(0 | 3) => {
                let all: Value = serde_json::from_str(&said.out).unwrap();
                python("audit.py", &bench.path(all[0]["folder"].as_str().unwrap()), &["."]);
                return (all[0].clone(), attempt);
            }
            // Partly sent, or nothing at all: the network or the vendor was away.
            Some(1 | 4) => {}
            code => panic!("{context}: {code:?} at attempt {attempt}\n{}{}", said.out, said.err),
        }
    }
    panic!("{context}: not done after {MOST_ATTEMPTS} attempts")
}

/// Begins a run and kills it after so long.
pub(crate) fn kill_after(bench: &Bench, environment: &[(&str, &str)], wait: Duration) {
    let mut command = bench.command(&["run", "--quiet"]);
    command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut run: Child = command.spawn().unwrap();
    thread::sleep(wait);
    run.kill().unwrap();
    run.wait().unwrap();
}

/// confirmed, accepted, unknown, not sent, of the first connector.
pub(crate) fn fates(outcome: &Value) -> [u64; 4] {
    let delivery = &outcome["connectors"][0]["delivery"];
    ["confirmed", "accepted", "unknown", "not_sent"]
        .map(|name| delivery[name].as_u64().unwrap_or_else(|| panic!("no {name}: {outcome}")))
}

/// The keys of the records that were rejected, by the raw records in `rejects.ndjson`, sorted.
pub(crate) fn rejected(bench: &Bench, outcome: &Value) -> Vec<String> {
    let folder = outcome["folder"].as_str().unwrap();
    let text = bench.read(&format!("{folder}/rejects.ndjson"));
    let key = |line: &str| -> String {
        let reject: Value = serde_json::from_str(line).unwrap();
        let record: Value = serde_json::from_str(reject["raw"].as_str().unwrap()).unwrap();
        record["user_id"].as_str().unwrap().to_owned()
    };
    let mut keys: Vec<String> = text.lines().map(key).collect();
    keys.sort();
    keys.dedup();
    keys
}
