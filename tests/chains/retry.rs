//! `usher retry`: what a run did not take, once more.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Bench;

/// Two sinks of which one wants names that are no longer than four letters.
const SINKS: &str = "plugin = \"csv\"\nmax_rejects = \"100%\"\nfields = { email = \"email\" }\n\n\
    [connectors.support]\nplugin = \"zendesk\"\nmax_rejects = \"100%\"\nfields = { name = \"name\" }";

fn bench(users: &str) -> Bench {
    let bench = crate::bench(users, SINKS, "max_rejects = \"100%\"");
    let manifest =
        bench.read("connectors.toml").replace("to = [\"people\"]", "to = [\"people\", \"support\"]");
    bench.write("connectors.toml", manifest);
    bench
}

fn user(n: usize, email: &str, name: &str) -> String {
    format!("{{\"user_id\":\"u{n}\",\"email\":\"{email}\",\"name\":\"{name}\"}}\n")
}

fn report(bench: &Bench, run: &str) -> Value {
    serde_json::from_str(&bench.read(&format!("out/main/{run}/report.json"))).unwrap()
}

fn audit(bench: &Bench, run: &str) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = std::process::Command::new("python3")
        .args(["-B", &format!("{root}/tests/audit.py")])
        .arg(bench.path(&format!("out/main/{run}")))
        .current_dir(bench.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn what_was_corrected_goes_to_those_who_missed_it_and_to_nobody_else() {
    let users = user(1, "ada@example.com", "Ada")
        + &user(2, "eve@", "Eve")
        + "{\"user_id\":\"u3\",\"email\":\"kim@example.com\" \"name\":\"Kim\"}\n"
        + &user(4, "bob@", "Bob");
    let bench = bench(&users);
    assert!(bench.usher(&["retry"]).expect(1).err.contains("there is no run below"));
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    audit(&bench, "r1");
    let rejects = bench.read("out/main/r1/rejects.ndjson");
    assert_eq!(rejects.lines().count(), 3, "{rejects}");
    // Somebody corrects two of the three, in a copy.
    let corrected =
        rejects.replace("eve@\\\"", "eve@example.com\\\"").replace("com\\\" \\\"name", "com\\\", \\\"name");
    bench.write("corrected.ndjson", corrected);
    let said = bench.usher(&["retry", "r1", "--rejects", "corrected.ndjson", "--run-id", "r2"]).expect(0);
    assert_snapshot!("retried", said.shown());
    // The record that nobody could read is for both, the addresses are for Zendesk only.
    let part = |name: &str| bench.read(&format!("out/main/r2/{name}-0001.csv"));
    assert_eq!(part("people/main-people-r2-rows"), "email\nkim@example.com\n");
    let support = part("support/main-support-r2-users");
    assert!(support.contains("eve@example.com") && support.contains("kim@example.com"), "{support}");
    assert_eq!(support.lines().count(), 3, "{support}");
    assert_snapshot!("retried_csv", bench.read("out/main/r2/retried.csv"));
    assert_eq!(report(&bench, "r2")["retries"], "r1");
    audit(&bench, "r2");
    // It is no whole run: whoever takes `latest` gets the one before.
    assert_eq!(std::fs::read_link(bench.path("out/main/latest")).unwrap().to_str(), Some("r1"));
    assert!(bench.usher(&["runs", "show", "r1"]).expect(0).out.contains("retried by r2"));
    assert!(bench.usher(&["runs", "show", "r2"]).expect(0).out.contains("retry of r1"));
    assert_eq!(bench.usher(&["runs", "verify", "r2"]).expect(0).code, Some(0));
    // What is still wrong can be retried from there.
    let said = bench.usher(&["retry", "r2", "--dry-run", "--json"]).expect(0);
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(plan[0]["read"], 1);
}

#[test]
fn records_of_tables_and_lists_are_read_with_what_stands_before_them() {
    let rows = "id,email,name\nu1,ada@example.com,Ada\nu2,eve@,\"E\nve\"\n";
    let list = "[\n{\"id\":\"u1\",\"email\":\"ada@example.com\"},\n{\"id\":\"u2\",\"email\":\"eve@\"}\n]";
    for (plugin, input, text) in [("csv", "users.csv", rows), ("json", "users.json", list)] {
        let bench = Bench::new();
        bench.write(input, text);
        bench.write(
            "connectors.toml",
            format!(
                "version = 1\n[connectors.users]\nplugin = \"{plugin}\"\noptions = {{ input = \"{input}\" }}\n\
                 [connectors.support]\nplugin = \"zendesk\"\nmax_rejects = \"100%\"\n\
                 fields = {{ name = \"email\", emails = \"email\", external_id = \"id\" }}\n\
                 [chains.main]\nfrom = \"users\"\nto = [\"support\"]\n"
            ),
        );
        bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
        let rejects = bench.read("out/main/r1/rejects.ndjson");
        assert_eq!(rejects.lines().count(), 1, "{rejects}");
        bench.write("out/main/r1/rejects.ndjson", rejects.replace("eve@", "eve@example.com"));
        // The input may be gone.
        std::fs::remove_file(bench.path(input)).unwrap();
        bench.usher(&["retry", "--quiet", "--run-id", "r2"]).expect(0);
        let support = bench.read("out/main/r2/support/main-support-r2-users-0001.csv");
        assert!(support.contains("u2") && !support.contains("u1"), "{support}");
        audit(&bench, "r2");
    }
}

#[test]
fn what_would_lose_or_double_records_is_refused() {
    let users = user(1, "eve@", "Eve") + &user(2, "bob@", "Bob") + &user(3, "ada@example.com", "Ada");
    let bench = bench(&users);
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let rejects = bench.read("out/main/r1/rejects.ndjson");
    let retry = |code: i32, text: &str| {
        bench.write("mine.ndjson", text);
        bench.usher(&["retry", "r1", "--rejects", "mine.ndjson", "--quiet"]).expect(code).err
    };
    let renamed = retry(1, &rejects.replace("\"support\"", "\"helpdesk\""));
    assert!(renamed.contains("rejected by `helpdesk`, which is no connector"), "{renamed}");
    let foreign = retry(1, &rejects.replace("users.ndjson", "others.ndjson"));
    assert!(foreign.contains("`others.ndjson`, which the run has not read"), "{foreign}");
    let broken = retry(1, &rejects.replace("eve@", "e\\nve@example.com"));
    assert!(broken.contains("read 3 records and not the 2"), "{broken}");
    retry(0, &rejects.replace("eve@", "eve@example.com"));
    let again = retry(1, &rejects);
    assert!(
        again.contains("were tried again by run") && again.contains("correct a copy of that run's rejects"),
        "{again}"
    );
    let again = bench.usher(&["retry", "r1"]).expect(1).err;
    assert!(again.contains(": retry that one for what is left"), "{again}");
    // One that was partly sent is gone on with by the same command.
    let runs: Value = serde_json::from_str(&bench.usher(&["runs", "--json"]).expect(0).out).unwrap();
    let tried = runs.as_array().unwrap().iter().find(|run| run["retries"] == "r1").unwrap();
    let path = format!("out/main/{}/report.json", tried["run"].as_str().unwrap());
    let whole = bench.read(&path);
    bench.write(&path, whole.replacen("\"books\": {", "\"books\": {\"unknown\": 1,", 1));
    assert!(bench.usher(&["runs"]).expect(0).out.contains("partly sent"));
    retry(0, &rejects);
    bench.write(&path, whole);
    bench.usher(&["retry", "r1", "--again", "--quiet"]).expect(0);
}

#[test]
fn one_sink_does_not_lose_its_row_to_another() {
    // Both records get one address: one of them is for Zendesk only, the other for both.
    let users =
        user(1, "eve@", "Eve") + "{\"user_id\":\"u2\",\"email\":\"eve@example.com\" \"name\":\"Eve\"}\n";
    let bench = bench(&(users + &user(3, "ada@example.com", "Ada")));
    let manifest =
        bench.read("connectors.toml").replace("from = \"users\"", "from = \"users\"\nunique = \"email\"");
    bench.write("connectors.toml", manifest);
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    let rejects = bench.read("out/main/r1/rejects.ndjson");
    let corrected =
        rejects.replace("eve@\\\"", "eve@example.com\\\"").replace("com\\\" \\\"name", "com\\\", \\\"name");
    bench.write("out/main/r1/rejects.ndjson", corrected);
    bench.usher(&["retry", "--quiet", "--run-id", "r2"]).expect(0);
    assert_eq!(bench.read("out/main/r2/people/main-people-r2-rows-0001.csv").lines().count(), 2);
    assert_eq!(bench.read("out/main/r2/support/main-support-r2-users-0001.csv").lines().count(), 2);
}

#[test]
fn of_several_chains_one_is_named_and_nothing_to_retry_is_said() {
    let bench = bench(&user(1, "ada@example.com", "Ada"));
    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", manifest + "\n[chains.other]\nfrom = \"users\"\nto = [\"people\"]\n");
    bench.usher(&["run", "--quiet", "--run-id", "r1"]).expect(0);
    assert!(bench.usher(&["retry"]).expect(1).err.contains("several chains have runs"));
}
