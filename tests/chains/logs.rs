//! The log on standard error: text or JSON, and nobody's values in it.

use serde_json::Value;

use crate::support::{Bench, Said};

/// Every line as an object.
#[track_caller]
pub(crate) fn lines(said: &Said) -> Vec<Value> {
    let parsed = said.err.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in `{line}` of\n{}", said.err))
    });
    parsed.collect()
}

const USERS: &str =
    "{\"user_id\":\"u1\",\"email\":\"ada@example.com\"}\n{\"user_id\":\"u2\",\"email\":\"eve@\"}\n";

#[test]
fn every_line_of_a_run_is_an_object_with_chain_and_run() {
    let bench =
        crate::bench(USERS, "plugin = \"zendesk\"\nmax_rejects = \"10%\"\nfields = { name = \"email\" }", "");
    let said = bench.usher(&["run", "--log-format", "json", "--run-id", "r1"]).expect(3);
    let all = lines(&said);
    for line in &all {
        assert_eq!((&line["chain"], &line["run"]), (&"main".into(), &"r1".into()), "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    let told: Vec<_> =
        all.iter().map(|line| (&line["level"], &line["connector"], &line["message"])).collect();
    insta::assert_snapshot!(
        "log_lines",
        told.iter().map(|(l, c, m)| format!("{l} {c} {m}\n")).collect::<String>()
    );
    // Results stay what they are.
    assert!(said.out.contains("people"), "{}", said.out);
    assert_eq!(bench.usher(&["run", "--quiet", "--run-id", "r2"]).expect(3).err, "");
}

#[test]
fn what_fails_is_told_with_its_code_or_its_key() {
    let bench =
        crate::bench(USERS, "plugin = \"zendesk\"\nfields = { name = \"email\", nmae = \"email\" }", "");
    let wrong = lines(&bench.usher(&["run", "--log-format", "json"]).expect(2));
    assert_eq!(wrong[0]["level"], "error");
    assert_eq!(wrong[0]["key"], "connectors.people.fields.nmae");
    let missing = lines(&bench.usher(&["run", "--log-format", "json", "--manifest", "none.toml"]).expect(2));
    assert!(missing[0]["message"].as_str().unwrap().contains("none.toml"), "{missing:?}");
    let bench = crate::bench("", "plugin = \"zendesk\"\nfields = { name = \"email\" }", "");
    std::fs::create_dir_all(bench.path("out/main/r1")).unwrap();
    let failed = lines(&bench.usher(&["run", "--log-format", "json", "--run-id", "r1"]).expect(1));
    assert_eq!((&failed[0]["chain"], &failed[0]["code"]), (&"main".into(), &"output.exists".into()));
}

/// A plugin that prints, and one that panics: both write to standard error past the host.
#[test]
fn what_plugins_print_is_a_line_of_the_log() {
    for (fault, word) in [("print", "misbehaving"), ("panic-in-write", "panicked")] {
        let bench = crate::bench(
            USERS,
            &format!("plugin = \"misbehaving\"\noptions = {{ fault = \"{fault}\" }}"),
            "",
        );
        let said = bench.usher(&["run", "--log-format", "json", "--run-id", "r1"]);
        let all = lines(&said);
        let has = |line: &Value| line["message"].as_str().unwrap().contains(word);
        assert!(all.iter().any(has), "{fault}: {}", said.err);
        assert!(all.iter().all(|line| line["run"] == "r1"), "{fault}: {}", said.err);
        let target = |line: &Value| line["target"] == "print" || line["connector"] == "people";
        assert!(fault != "print" || all.iter().any(target), "{}", said.err);
    }
}

#[test]
fn nobody_is_in_the_log() {
    let bench = Bench::shipped();
    let users = std::fs::read(bench.path("examples/auth0/users.ndjson")).unwrap();
    let users = String::from_utf8_lossy(&users);
    let mut values: Vec<String> = Vec::new();
    for line in users.lines() {
        let Ok(user) = serde_json::from_str::<Value>(line) else { continue };
        for key in ["email", "name", "phone_number"] {
            values.extend(user[key].as_str().map(|value| value.trim().to_lowercase()));
        }
    }
    // Words that mean something else, too.
    values.retain(|value| value.len() > 6 && value.contains([' ', '@', '+']));
    assert!(values.len() > 400, "{}", values.len());
    for arguments in [&["run"][..], &["run", "-v"], &["plan", "-v"]] {
        for format in ["text", "json"] {
            let said = bench.usher(&[arguments, &["--log-format", format]].concat()).expect(0);
            let log = said.err.to_lowercase();
            let told = values.iter().find(|value| log.contains(value.as_str()));
            assert_eq!(told, None, "{arguments:?} {format}: {}", said.err);
        }
    }
    assert!(!bench.read("out/onboard/latest/rejects.ndjson").is_empty(), "there was something to tell");
}
