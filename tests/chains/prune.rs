//! `usher runs prune`: what is older than the manifest keeps it, and what must stay.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use insta::assert_snapshot;
use serde_json::Value;

use crate::{manifest, support::Bench};

const USERS: &str = "{\"user_id\":\"u1\",\"email\":\"ada@example.com\",\"name\":\"Ada\"}\n{\"user_id\":\"u2\",\"email\":\"eve@example.com\"}\n";
const SINK: &str =
    "plugin = \"csv\"\nfields = { email = \"email\", name = \"name\" }\nmax_rejects = \"100%\"";

fn bench(retention: &str, sink: &str) -> Bench {
    let bench = crate::bench(USERS, sink, "unique = \"email\"");
    bench.write(
        "connectors.toml",
        format!("{}\n[retention]\n{retention}\n", manifest(sink, "unique = \"email\"")),
    );
    bench
}

/// A run that was published so many days ago.
fn run(bench: &Bench, id: &str, days: u64) {
    bench.usher(&["run", "--quiet", "--run-id", id]).expect(0);
    let report =
        fs::File::options().write(true).open(bench.path(&format!("out/main/{id}/report.json"))).unwrap();
    report.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
}

fn left(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(bench.path("out/main"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn without_retention_nothing_is_removed() {
    let bench = crate::bench(USERS, SINK, "");
    assert_snapshot!("no_retention", bench.usher(&["runs", "prune"]).expect(2).shown());
}

#[test]
fn what_is_no_age_is_refused() {
    let bench = bench("runs = \"30x\"", SINK);
    let said = bench.usher(&["runs", "prune"]).expect(2).err;
    assert!(said.contains("`30x` is no age"), "{said}");
}

#[test]
fn old_runs_go_but_for_the_latest() {
    let bench = bench("runs = \"4w\"", SINK);
    for (id, days) in [("r1", 90), ("r2", 29), ("r3", 27), ("r4", 365)] {
        run(&bench, id, days);
    }
    // One whose removal was ended half way.
    bench.write("out/main/.pruning-r0/report.json", "{}");
    let would = bench.usher(&["runs", "prune", "--dry-run"]).expect(0).out;
    assert!(would.contains("run r1: would remove all of it"), "{would}");
    assert_eq!(left(&bench).len(), 6);
    let told: Value = serde_json::from_str(&bench.usher(&["runs", "prune", "--json"]).expect(0).out).unwrap();
    let runs: Vec<&Value> = told.as_array().unwrap().iter().map(|one| &one["run"]).collect();
    assert_eq!(runs, ["r1", "r2"]);
    assert_eq!(left(&bench), ["latest", "r3", "r4"]);
    assert_eq!(bench.usher(&["runs", "prune"]).expect(0).out, "nothing is old enough to go\n");
}

#[test]
fn what_waits_or_is_partly_sent_stays() {
    let bench = bench("runs = \"30d\"", &format!("{SINK}\nsync = \"changed\""));
    for (id, days) in [("r1", 90), ("r2", 80), ("r3", 70)] {
        run(&bench, id, days);
    }
    bench.usher(&["runs", "confirm", "r3", "--quiet"]).expect(0);
    // Of r1 somebody sent a half.
    let mut report: Value = serde_json::from_str(&bench.read("out/main/r1/report.json")).unwrap();
    report["connectors"][0]["books"]["not_sent"] = 1.into();
    bench.write("out/main/r1/report.json", report.to_string());
    let file = fs::File::options().write(true).open(bench.path("out/main/r1/report.json")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    run(&bench, "r4", 60);
    bench.write("users.ndjson", USERS.replace("Ada", "Eva"));
    run(&bench, "r5", 50);
    run(&bench, "r6", 40);
    bench.usher(&["runs", "prune", "--quiet"]).expect(0);
    // r3 is confirmed, which leaves nothing to say of r2, and r4 had nothing to give; of r5 and r6 somebody may say more.
    assert_eq!(left(&bench), ["latest", "r1", "r5", "r6"]);
}

#[test]
fn rejects_go_earlier_and_the_run_can_still_be_verified() {
    let sink = "plugin = \"zendesk\"\nmax_rejects = \"100%\"";
    let bench = bench("rejects = \"7d\"\ninputs = \"1d\"", sink);
    bench.write(
        "users.ndjson",
        format!("{USERS}{{\"user_id\":\"u3\",\"email\":\"nobody\",\"name\":\"No\"}}\n"),
    );
    run(&bench, "r1", 6);
    let rejects = bench.read("out/main/r1/rejects.ndjson");
    assert!(rejects.contains("nobody"), "{rejects}");
    assert!(bench.read("out/main/r1/report.json").contains("`nobody`"));
    bench.usher(&["runs", "prune", "--quiet"]).expect(0);
    assert_eq!(bench.read("out/main/r1/rejects.ndjson"), rejects);
    bench.write("users.ndjson", bench.read("users.ndjson").replace("nobody", "somebody@example.com"));
    bench.usher(&["retry", "r1", "--quiet", "--run-id", "r2"]).expect(0);
    let report = fs::File::options().write(true).open(bench.path("out/main/r1/report.json")).unwrap();
    report.set_modified(SystemTime::now() - Duration::from_secs(8 * 86_400)).unwrap();

    let said = bench.usher(&["runs", "prune"]).expect(0).out;
    assert!(said.starts_with("main, run r1: removed left-out.csv, rejects.csv, rejects.ndjson ("), "{said}");
    for name in ["left-out.csv", "rejects.csv", "rejects.ndjson"] {
        assert!(!bench.path(&format!("out/main/r1/{name}")).exists(), "{name}");
    }
    bench.write("users.ndjson", bench.read("users.ndjson").replace("somebody@example.com", "nobody"));
    assert!(!bench.read("out/main/r1/report.json").contains("nobody"));
    assert_snapshot!("pruned_verified", bench.usher(&["runs", "verify", "r1"]).expect(0).out);
    let told: Value =
        serde_json::from_str(&bench.usher(&["runs", "show", "r1", "--json"]).expect(0).out).unwrap();
    assert_eq!(told["pruned"][2]["path"], "rejects.ndjson");
    let error = bench.usher(&["retry", "r1", "--again"]).expect(1).err;
    assert!(error.contains("was removed by `usher runs prune`"), "{error}");
    // The file that was noted but not removed yet is no surprise, and goes with the next prune.
    bench.write("out/main/r1/rejects.csv", "x");
    bench.usher(&["runs", "verify", "r1"]).expect(0);
    assert_eq!(bench.usher(&["runs", "prune"]).expect(0).out.lines().count(), 2);
    assert!(!bench.path("out/main/r1/rejects.csv").exists());
}
