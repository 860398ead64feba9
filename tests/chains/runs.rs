//! `usher runs`: which there are, what is in them, and whether they are still what they were.

use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Bench;

const SINK: &str = "plugin = \"csv\"\nfields = { name = \"name\" }";

fn two_runs() -> Bench {
    let users: String = ["Ada", "Eve", "Kim"]
        .iter()
        .enumerate()
        .map(|(n, name)| {
            format!("{{\"user_id\":\"u{n}\",\"email\":\"u{n}@example.com\",\"name\":\"{name}\"}}\n")
        })
        .collect();
    let bench = crate::bench(&users, SINK, "where = \"name != 'Eve'\"");
    assert_eq!(bench.usher(&["runs"]).expect(0).out, "no runs yet; make one with `usher run`\n");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    bench.usher(&["run", "--quiet", "--run-id", "r2", "--limit", "1"]).expect(0);
    bench
}

fn verified(bench: &Bench, code: i32) -> Value {
    serde_json::from_str(&bench.usher(&["runs", "verify", "r1", "--json"]).expect(code).out).unwrap()
}

#[test]
fn runs_are_listed_and_shown() {
    let bench = two_runs();
    let list: Value = serde_json::from_str(&bench.usher(&["runs", "--json"]).expect(0).out).unwrap();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|run| (&run["run"], &run["latest"])).collect();
    assert_eq!(names, [(&"r1".into(), &true.into()), (&"r2".into(), &false.into())]);
    assert_eq!(list[0]["connectors"][0]["books"]["written"], 2);
    let text = bench.usher(&["runs"]).expect(0).out;
    assert_snapshot!("runs", without_times(&text));
    assert_snapshot!("run", without_times(&bench.usher(&["runs", "show", "r1"]).expect(0).out));
    assert!(bench.usher(&["runs", "show", "r3"]).expect(1).err.contains("there is no run `r3`"));
    let chain = bench.usher(&["runs", "show", "main"]).expect(1).err;
    assert!(chain.contains(": that is a chain, and its newest run is `r1`"), "{chain}");
}

/// When it was published is another time each time.
fn without_times(text: &str) -> String {
    let mut shown = String::new();
    for word in text.split_inclusive([' ', '\n']) {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_time = digits >= 6 && word.contains(['-', ':']) && !word.contains('/');
        shown.push_str(if is_time { "[time] " } else { word });
    }
    shown
}

#[test]
fn a_run_is_what_it_was_until_somebody_changes_it() {
    let bench = two_runs();
    let whole = verified(&bench, 0);
    // The part, its guide, four books of rows, the report; the input, two plugins, the manifest.
    assert_eq!((&whole["same"], &whole["different"]), (&11.into(), &Value::Array(Vec::new())));
    assert_snapshot!("verified", bench.usher(&["runs", "verify", "r1"]).expect(0).out);

    let part = bench.parts("main", "people").remove(0);
    let text = fs::read_to_string(&part).unwrap();
    fs::write(&part, text.replace("Ada", "Bob")).unwrap();
    fs::remove_file(bench.path("out/main/r1/merged.csv")).unwrap();
    bench.write("out/main/r1/notes.txt", "mine");
    bench.write("users.ndjson", "{}");
    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", manifest + "# a comment\n");
    assert_eq!(verified(&bench, 1)["different"].as_array().unwrap().len(), 5);
    assert_snapshot!("changed", bench.usher(&["runs", "verify", "r1"]).expect(1).out);
}

#[test]
fn secrets_are_in_no_receipt_and_what_was_set_is_named_only() {
    let bench = crate::bench("{\"user_id\":\"u\",\"name\":\"Ada\"}\n", SINK, "");
    bench.usher(&["run", "--quiet", "--run-id", "r1", "--set", "chains.main.max_rejects=\"7%\""]).expect(0);
    let receipt: Value = serde_json::from_str(&bench.read("out/main/r1/receipt.json")).unwrap();
    assert_eq!(receipt["set"], serde_json::json!(["chains.main.max_rejects"]));
    assert!(!receipt.to_string().contains("7%"));
}

#[test]
fn what_came_through_a_pipe_cannot_be_verified() {
    let bench = crate::bench("", SINK, "");
    let manifest = bench.read("connectors.toml").replace("users.ndjson", "-");
    bench.write("connectors.toml", manifest);
    let mut command = bench.command(&["run", "--quiet", "--run-id", "r1"]);
    let mut run = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut pipe = run.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, b"{\"user_id\":\"u\",\"name\":\"Ada\"}\n").unwrap();
    drop(pipe);
    assert!(run.wait().unwrap().success());
    assert_eq!(verified(&bench, 0)["not_kept"], serde_json::json!(["stdin"]));
}
