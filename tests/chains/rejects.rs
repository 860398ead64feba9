//! `usher rejects`: what a run did not take.

use insta::assert_snapshot;
use serde_json::Value;

const SINK: &str = "plugin = \"zendesk\"\nmax_rejects = \"100%\"\nfields = { name = \"name\" }";

#[test]
fn rejects_are_told_by_reason_with_examples_and_advice() {
    let user = |n: usize, email: &str| {
        format!("{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"name\":\"User {n}\"}}\n")
    };
    let emails = ["ada@example.com", "ada@", "eve@", "bob@", "kim@", "ada@example.com"];
    let mut users: String = emails.iter().enumerate().map(|(n, email)| user(n, email)).collect();
    users += "{\"user_id\":\n";
    let bench = crate::bench(&users, SINK, "");
    assert!(bench.usher(&["rejects"]).expect(1).err.contains("there is no run below"));
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    assert_snapshot!(bench.usher(&["rejects"]).expect(0).out);
    let shown: Value =
        serde_json::from_str(&bench.usher(&["rejects", "r1", "--json"]).expect(0).out).unwrap();
    let counts: u64 =
        shown[0]["groups"].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum();
    assert_eq!(
        (shown[0]["run"].as_str(), counts as usize),
        (Some("r1"), bench.read("out/main/r1/rejects.ndjson").lines().count())
    );
    assert!(bench.usher(&["rejects", "r2"]).expect(1).err.contains("there is no run `r2`"));
    // A look at the first records is not what somebody means who names no run.
    bench.usher(&["run", "--quiet", "--run-id", "look", "--limit", "2"]).expect(0);
    assert!(bench.usher(&["rejects"]).expect(0).out.starts_with("main, run r1: "));
    assert!(bench.usher(&["rejects", "look"]).expect(0).out.starts_with("main, run look: "));
}

/// What a spreadsheet would do to whoever looks at their rejects.
#[test]
fn the_tables_of_a_run_hold_no_formulas_and_are_read_back_all_the_same() {
    const FORMULA: &str = "=cmd|' /C calc'!A0";
    let bench = crate::support::Bench::new();
    bench.write("people.csv", format!("email,name\n{FORMULA},Ada\neve@example.com,Eve\n"));
    bench.write(
        "connectors.toml",
        "version = 1\n[connectors.people]\nplugin = \"csv\"\noptions = { input = \"people.csv\" }\n\
         [connectors.support]\nplugin = \"zendesk\"\nmax_rejects = \"100%\"\nfields = { name = \"name\" }\n\
         [chains.main]\nfrom = \"people\"\nto = [\"support\"]\n",
    );
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let rejects: Value = serde_json::from_str(&bench.read("out/main/r1/rejects.ndjson")).unwrap();
    let raw = format!("{FORMULA},Ada");
    assert_eq!(rejects["raw"], raw.as_str(), "a machine reads it as it was");
    let table = bench.read("out/main/r1/rejects.csv");
    let row = csv::Reader::from_reader(table.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!(row.iter().next_back().unwrap(), format!("'{raw}"), "{table}");
    crate::support::python("audit.py", &bench.path(""), &["out/main/r1"]);
    // Nobody has lost who the row is about.
    bench.usher(&["forget", FORMULA]).expect(0);
    assert_eq!(bench.read("out/main/r1/rejects.csv").lines().count(), 1);
}

#[test]
fn a_run_that_was_kept_back_says_so_beside_its_files() {
    let users = "{\"email\":\"ada@example.com\"}\nhush\n";
    let bench = crate::bench(users, "plugin = \"csv\"", "");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(3);
    let guide = bench.read("out/main/r1/people/UPLOAD.md");
    let told =
        "**This run was kept back:** `people` rejected 1 of 2 records, more than max_rejects = 5% allows";
    assert!(guide.contains(told) && !guide.contains("Upload the files as they are"), "{guide}");
    let table = bench.usher(&["retry", "r1", "--rejects", "out/main/r1/rejects.csv"]).expect(1).err;
    assert!(table.contains("line 1, is no line of a `rejects.ndjson`"), "{table}");
    bench.usher(&["retry", "r1", "--quiet", "--run-id", "r2"]).expect(0);
    let again = bench.usher(&["rejects", "r2"]).expect(0).out;
    assert!(again.contains("retry-1-users.ndjson:1") && again.contains("out/main/r2/retried.csv"), "{again}");
}
