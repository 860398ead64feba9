//! What a transform does with rows in good order is booked, and found in the run's folder.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Bench, plugin_file, python};

const MANIFEST: &str = r#"
version = 1

[connectors.people]
plugin = "csv"
options = { input = "people.csv" }

[connectors.users]
plugin = "misbehaving"

[connectors.lines]
plugin = "json"
max_rejects = 10

[connectors.rows]
plugin = "csv"
max_rejects = 10

[chains.main]
from = "people"
through = ["users"]
to = ["lines", "rows"]
"#;

const PEOPLE: &str = "\
email,name,team
ada@example.com,Ada,engines
bob@example.com,Bob,engines
eve@example.com,Eve,engines
mia@example.com,Mia,engines
zoe@example.com,Zoe,engines
";

/// A good run with the transform at its work, which the audit has found in order.
fn run(work: &str) -> Bench {
    run_with(work, "")
}

/// The same with more lines in the chain.
fn run_with(work: &str, chain: &str) -> Bench {
    let bench = Bench::new();
    bench.write("connectors.toml", format!("{MANIFEST}{chain}\n")).write("people.csv", PEOPLE);
    let set = format!("connectors.users.options.work={work}");
    bench.usher(&["run", "--quiet", "--set", &set]).expect(0);
    python("audit.py", &bench.path(""), &["out/main/latest"]);
    bench
}

/// Read, rejected, merged and written, which must be the same for both sinks.
fn books(bench: &Bench) -> [u64; 4] {
    let report: Value = serde_json::from_str(&bench.read("out/main/latest/report.json")).expect("a report");
    let books = |connector: &Value| {
        ["read", "rejected", "merged", "written"]
            .map(|key| connector["books"][key].as_u64().expect("a number"))
    };
    let all: Vec<_> = report["connectors"].as_array().expect("connectors").iter().map(books).collect();
    assert_eq!(all.len(), 2, "{report:#}");
    assert_eq!(all[0], all[1], "{report:#}");
    all[0]
}

/// The emails that both sinks have written, in their order.
fn written(bench: &Bench) -> Vec<String> {
    let lines = bench.part("main", "lines", "records");
    let records =
        lines.lines().map(|line| serde_json::from_str::<BTreeMap<String, Value>>(line).expect("a record"));
    let emails: Vec<String> = records.map(|r| r["email"].as_str().expect("a text").to_owned()).collect();
    let rows = bench.part("main", "rows", "rows");
    let of_rows: Vec<&str> = rows.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(of_rows, emails);
    emails
}

#[test]
fn rejects_of_a_transform_are_every_sinks() {
    let bench = run("reject");
    assert_eq!(books(&bench), [5, 2, 0, 3]);
    assert_eq!(written(&bench), ["ada@example.com", "eve@example.com", "mia@example.com"]);
    let rejects = bench.read("out/main/latest/rejects.ndjson");
    insta::assert_snapshot!(rejects);
}

#[test]
fn merges_of_a_transform_are_every_sinks() {
    let bench = run("merge");
    assert_eq!(books(&bench), [5, 0, 2, 3]);
    assert_eq!(written(&bench), ["ada@example.com", "eve@example.com", "mia@example.com"]);
    insta::assert_snapshot!(bench.read("out/main/latest/merged.csv"));
}

/// Nothing is lost, nothing comes twice, and the order stays.
#[test]
fn rows_held_back_come_at_the_end() {
    let bench = run("hold-back");
    assert_eq!(books(&bench), [5, 0, 0, 5]);
    let emails =
        ["ada@example.com", "bob@example.com", "eve@example.com", "mia@example.com", "zoe@example.com"];
    assert_eq!(written(&bench), emails);
}

/// The rows pass twice, once to look ahead and once to be written; each of them is booked once.
#[test]
fn rows_that_pass_twice_are_booked_once() {
    let unique = r#"unique = { key = "team", keep = { max = "name" } }"#;
    for (work, expected, left) in [
        ("reject", [5, 2, 2, 1], "mia@example.com"),
        ("merge", [5, 0, 4, 1], "mia@example.com"),
        ("hold-back", [5, 0, 4, 1], "zoe@example.com"),
    ] {
        let bench = run_with(work, unique);
        assert_eq!((books(&bench), written(&bench)), (expected, vec![left.to_owned()]), "{work}");
        // Whoever is merged into one that is merged in turn is listed with the one that is left.
        let merged = bench.read("out/main/latest/merged.csv");
        let survivors: BTreeSet<&str> =
            merged.lines().skip(1).filter_map(|line| line.split(',').nth(5)).collect();
        assert_eq!(survivors.len(), 1, "{work}: {merged}");
    }
}

/// The suite has nothing against any of it.
#[test]
fn the_suite_takes_honest_work() {
    for work in ["pass-on", "reject", "merge", "hold-back"] {
        let bench = Bench::new();
        let columns = "columns.email = ['a{n}@example.com']\ncolumns.name = ['Ada', 'Bob']\n";
        bench.write(
            "conformance.toml",
            format!("[[case]]\ntransform = 'users'\noptions.work = '{work}'\n{columns}"),
        );
        let file = plugin_file("misbehaving");
        let said = bench.usher(&["test", file.to_str().expect("a path in UTF-8"), "--quick"]).expect(0);
        let line = "ok      transform users: every row comes out, is rejected or is merged, once";
        assert!(said.out.lines().any(|l| l == line), "{work}: {}", said.out);
    }
}
