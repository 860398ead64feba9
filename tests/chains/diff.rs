//! `usher runs diff`: two runs of a chain, held against each other.

use serde_json::{Value, json};

use crate::support::Bench;

fn user(n: usize, email: &str, name: &str) -> String {
    format!("{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"name\":\"{name}\"}}\n")
}

/// One person stays, one changes, one goes, one comes; one is rejected in the second run only.
fn two_runs(sink: &str) -> Bench {
    let of = |users: &[(usize, &str, &str)]| -> String {
        users.iter().map(|(n, email, name)| user(*n, email, name)).collect()
    };
    let bench = crate::bench(
        &of(&[(1, "ada@example.com", "Ada"), (2, "eve@example.com", "Eve"), (3, "kim@example.com", "Kim")]),
        &format!("max_rejects = \"100%\"\n{sink}"),
        "",
    );
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    bench.write(
        "users.ndjson",
        of(&[
            (1, "ada@example.com", "Ada"),
            (4, "bob@example.com", "Bob"),
            (5, "tim@", "Tim"),
            (2, "eve@example.com", "Eva"),
        ]),
    );
    bench.usher(&["run", "--quiet", "--run-id", "r2"]).expect(0);
    bench
}

fn diff(bench: &Bench, a: &str, b: &str) -> Value {
    serde_json::from_str(&bench.usher(&["runs", "diff", a, b, "--json"]).expect(0).out).unwrap()
}

#[test]
fn what_changed_between_two_runs_is_counted() {
    let bench = two_runs("plugin = \"zendesk\"");
    insta::assert_snapshot!("diff", bench.usher(&["runs", "diff", "r1", "r2"]).expect(0).out);
    let told = diff(&bench, "r1", "r2");
    let people = &told["connectors"][0];
    assert_eq!(people["books"]["written"], json!({ "before": 3, "after": 3 }));
    assert_eq!(people["rejected"]["email.syntax"], json!({ "before": 0, "after": 1 }));
    assert_eq!(
        people["rows"],
        json!({ "key": "external_id", "same": 1, "changed": 1, "added": 1, "gone": 1 })
    );
    assert_eq!((&told["same_manifest"], &told["plugins"]), (&json!(true), &json!({})));
    assert_eq!(told["inputs"].as_object().unwrap().len(), 1);
    // A run is what it is.
    let same = diff(&bench, "r1", "r1");
    assert_eq!(same["inputs"], json!({}));
    assert_eq!(
        same["connectors"][0]["rows"],
        json!({ "key": "external_id", "same": 3, "changed": 0, "added": 0, "gone": 0 })
    );
}

#[test]
fn rows_of_json_and_rows_without_a_key_are_compared_too() {
    let list = "plugin = \"json\"\noptions = { format = \"array\" }\nfields = { email = \"email\", name = \"name\" }";
    let rows = &diff(&two_runs(list), "r1", "r2")["connectors"][0]["rows"];
    // No address is wrong for a file of any kind.
    assert_eq!(*rows, json!({ "key": "email", "same": 1, "changed": 1, "added": 2, "gone": 1 }));
    let nameless = "plugin = \"csv\"\nfields = { who = \"email\", name = \"name\" }";
    let rows = &diff(&two_runs(nameless), "r1", "r2")["connectors"][0]["rows"];
    assert_eq!(*rows, json!({ "key": null, "same": 1, "changed": 0, "added": 3, "gone": 2 }));
}

#[test]
fn another_manifest_is_told_and_another_chain_refused() {
    let bench = two_runs("plugin = \"zendesk\"");
    let manifest = bench.read("connectors.toml");
    let where_ = manifest.replace("to = [\"people\"]", "to = [\"people\"]\nwhere = \"name != 'Ada'\"");
    bench.write("connectors.toml", where_ + "\n[chains.other]\nfrom = \"users\"\nto = [\"people\"]\n");
    bench.usher(&["run", "--quiet", "--run-id", "r3"]).expect(0);
    bench.usher(&["run", "other", "--quiet", "--run-id", "r4"]).expect(0);
    let told = diff(&bench, "r2", "r3");
    assert_eq!(told["same_manifest"], false);
    assert_eq!(told["connectors"][0]["books"]["filtered: where"], json!({ "before": 0, "after": 1 }));
    let refused = bench.usher(&["runs", "diff", "r1", "r4"]).expect(1).err;
    assert!(refused.contains("only runs of one chain are compared"), "{refused}");
    // Rows of a file that somebody has changed are nobody's.
    let part = bench.path("out/main/r1/people/main-people-r1-users-0001.csv");
    std::fs::write(&part, std::fs::read_to_string(&part).unwrap().replace("Kim", "Tom")).unwrap();
    let people = &diff(&bench, "r1", "r2")["connectors"][0];
    assert!(
        people["rows"].is_null() && people["not_compared"].as_str().unwrap().contains("has changed since")
    );
}
