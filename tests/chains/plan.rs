//! `usher plan`: what a run would do, told and masked; and `usher run --plan`, which does that or nothing.

use std::{fs, os::unix::fs::PermissionsExt};

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_vendors::{Zendesk, zendesk};

use crate::{
    bench, rows,
    support::{Bench, Said},
};

const PEOPLE: &str =
    "plugin = \"csv\"\nfields = { id = \"sub\", email = \"email | lower\" }\nmax_rejects = \"90%\"\n";

/// Two users, and five lines that are none.
const USERS: &str = "{\"user_id\":\"auth0|1\",\"email\":\"Ada@example.com\"}\nhush 1\n\
                     {\"user_id\":\"auth0|2\",\"email\":\"bob@example.com\"}\nhush 2\nhush 3\nhush 4\n[\"hush\"]\n";

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// With a plan in `plan.json`.
fn planned() -> Bench {
    let bench = bench(USERS, PEOPLE, "");
    bench.usher(&["plan", "--quiet", "--out", "plan.json"]).expect(0);
    bench
}

/// A run that is held to the plan, refused: what it says, and that it left nothing.
#[track_caller]
fn refused(bench: &Bench, arguments: &[&str]) -> String {
    let said = bench.usher(&[&["run", "--quiet", "--plan", "plan.json"], arguments].concat()).expect(1);
    assert!(said.err.contains("nothing was sent or published"), "{}", said.err);
    assert!(!bench.path("out/main/latest").exists());
    said.err
}

#[test]
fn the_shipped_manifest_planned() {
    let bench = Bench::shipped();
    assert_snapshot!("shipped", bench.usher(&["plan", "onboard", "--show-values"]).shown());
    assert!(!bench.path("out").exists());
}

#[test]
fn values_are_shown_to_nobody_who_has_not_asked() {
    let bench = Bench::shipped();
    let shown = bench.usher(&["plan", "onboard", "--show-values"]).expect(0).out;
    let masked = bench.usher(&["plan", "onboard"]);
    assert_snapshot!("masked", masked.shown());
    let json = bench.usher(&["plan", "onboard", "--json", "--out", "plan.json"]).expect(0).out;
    let file = bench.read("plan.json");
    let dry = bench.usher(&["run", "onboard", "--dry-run"]).expect(0).out;
    let out = bench.usher(&["plan", "onboard", "--out", "plan.json", "--show-values"]).expect(0).out;
    for value in ["no-at-sign.example.com", "Maximiliana"] {
        for text in [&shown, &out, &bench.read("plan.json")] {
            assert!(text.contains(value), "{value}");
        }
        for text in [&masked.out, &json, &file, &dry] {
            assert!(!text.contains(value), "{value}");
        }
    }
    assert_eq!(
        (&read(&file)["masked"], &read(&bench.read("plan.json"))["masked"]),
        (&json!(true), &json!(false))
    );
    // What is left says where to look.
    let group = &read(&json)[0]["plan"]["rejects"][0];
    assert_eq!(group["examples"][0], json!({ "input": "users.ndjson", "line": 251, "field": "" }));
}

#[test]
fn each_reason_has_three_examples_in_the_order_of_the_input() {
    let bench = bench(USERS, PEOPLE, "");
    let plan = read(&bench.usher(&["plan", "--json", "--show-values"]).expect(0).out);
    let groups: Vec<_> = plan[0]["plan"]["rejects"].as_array().unwrap().iter().collect();
    let told = |group: &Value| {
        let lines = group["examples"].as_array().unwrap().iter().map(|e| e["line"].as_u64().unwrap());
        (
            group["code"].as_str().unwrap().to_owned(),
            group["count"].as_u64().unwrap(),
            lines.collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        groups.into_iter().map(told).collect::<Vec<_>>(),
        [("json.syntax".to_owned(), 4, vec![2, 4, 5]), ("json.not-object".to_owned(), 1, vec![7])]
    );
    assert_eq!(plan[0]["connectors"][0]["changed"], json!([]));
}

#[test]
fn a_run_does_what_was_planned() {
    let bench = planned();
    let mode = bench.path("plan.json").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    bench.usher(&["run", "--quiet", "--plan", "plan.json"]).expect(0);
    assert_eq!(rows(&bench), ["auth0|1,ada@example.com", "auth0|2,bob@example.com"]);
    // A plan is no licence for one run only.
    bench.usher(&["run", "--quiet", "--plan", "plan.json", "main"]).expect(0);
}

#[test]
fn a_run_is_refused_when_what_it_is_made_of_has_changed() {
    let bench = planned();
    // As many records of as many kinds.
    bench.write("users.ndjson", USERS.replace("bob@", "eve@"));
    assert!(refused(&bench, &[]).contains("input `users.ndjson` has changed"));
    bench.write("users.ndjson", USERS);

    let manifest = bench.read("connectors.toml");
    bench.write("connectors.toml", format!("{manifest}# a comment\n"));
    assert!(refused(&bench, &[]).contains("manifest `connectors.toml` has changed"));
    bench.write("connectors.toml", manifest);

    let plan = read(&bench.read("plan.json"));
    let with = |pointer: &str, value: Value| {
        let mut changed = plan.clone();
        *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        bench.write("plan.json", changed.to_string());
        let said = refused(&bench, &[]);
        bench.write("plan.json", plan.to_string());
        said
    };
    let said = with("/chains/0/plan/plugins/0/digest", json!("blake3:00"));
    assert!(said.contains("plugin `") && said.contains("` has changed"), "{said}");
    assert!(with("/usher", json!("0.0.9")).contains("usher was 0.0.9, and is "));
    assert!(with("/version", json!(2)).contains("make a new one with `usher plan --out`"));

    bench.write("connectors.lock", "version = 1\n");
    let said = bench.usher(&["run", "--plan", "plan.json"]);
    assert_ne!(said.code, Some(0), "{}", said.err);
    fs::remove_file(bench.path("connectors.lock")).unwrap();

    assert!(refused(&bench, &["--limit", "1"]).contains("`--limit` is another"));
    let set = ["--set", "connectors.people.fields.id=email"];
    assert!(refused(&bench, &set).contains("`--set` names other keys"));
    assert!(refused(&bench, &["other"]).contains("chain `other` is not in the plan, only main"));
    bench.usher(&["run", "--quiet", "--plan", "plan.json"]).expect(0);
}

#[test]
fn values_that_are_set_must_be_those_of_the_plan() {
    let bench = bench(USERS, PEOPLE, "");
    let set = |field: &str| format!("connectors.people.fields.id={field}");
    bench.usher(&["plan", "--quiet", "--out", "plan.json", "--set", &set("email")]).expect(0);
    assert!(refused(&bench, &["--set", &set("name")]).contains("`--set` gives other values"));
    bench.usher(&["run", "--quiet", "--plan", "plan.json", "--set", &set("email")]).expect(0);
}

#[test]
fn a_run_is_refused_when_it_reads_more_files_or_counts_something_else() {
    let bench = bench(USERS, PEOPLE, "");
    let manifest = bench.read("connectors.toml").replace("users.ndjson", "users*.ndjson");
    bench.write("connectors.toml", manifest);
    bench.usher(&["plan", "--quiet", "--out", "plan.json"]).expect(0);
    bench.write("users2.ndjson", "{\"user_id\":\"auth0|3\",\"email\":\"eve@example.com\"}\n");
    assert!(refused(&bench, &[]).contains("input `users2.ndjson` was not read"));
    fs::remove_file(bench.path("users2.ndjson")).unwrap();

    let plan = bench.read("plan.json");
    bench.write("plan.json", plan.replace("\"delivered\": 2", "\"delivered\": 3"));
    assert!(refused(&bench, &[]).contains("`people` has 2 rows to deliver and not 3"));
    bench.write("plan.json", plan);
    bench.usher(&["run", "--quiet", "--plan", "plan.json"]).expect(0);
}

#[test]
fn what_is_refused_is_told_in_json_too() {
    let bench = planned();
    bench.write("users.ndjson", "{}\n");
    let said = bench.usher(&["run", "--json", "--plan", "plan.json"]).expect(1);
    assert_eq!(read(&said.out)[0]["code"], "plan.changed", "{}", said.out);
}

#[test]
fn a_plan_of_all_chains_is_written_or_none() {
    let bench = planned();
    let before = bench.read("plan.json");
    let other = "[connectors.gone]\nplugin = \"csv\"\noptions = { input = \"cut.csv\" }\n\n\
                 [chains.other]\nfrom = \"gone\"\nto = [\"people\"]\n";
    bench.write("connectors.toml", bench.read("connectors.toml") + other);
    bench.write("cut.csv", "sub,email\n1,\"open\n");
    let said = bench.usher(&["plan", "--out", "plan.json"]).expect(1);
    assert!(said.err.contains("`plan.json` was not written"), "{}", said.err);
    assert_eq!(bench.read("plan.json"), before);
}

/// So many users, every other one of two organizations, into Zendesk; `more` stands in the connector's table.
fn into_zendesk(users: u64, more: &str) -> Bench {
    let user = |n: u64| {
        let organizations = if n.is_multiple_of(2) { json!(["Acme", "Globex"]) } else { json!(["Acme"]) };
        let user = json!({
            "user_id": format!("auth0|{n}"), "email": format!("u{n}@example.com"), "name": format!("User {n}"),
            "app_metadata": { "organizations": organizations },
        });
        format!("{user}\n")
    };
    let people = format!("plugin = \"zendesk\"\n{more}\n");
    bench(&(0..users).map(user).collect::<String>(), &people, "")
}

fn with_token(bench: &Bench, arguments: &[&str]) -> Said {
    bench.said(bench.command(arguments).env("ZENDESK_TOKEN", "hush-token").output().unwrap())
}

#[test]
fn users_whose_default_organization_zendesk_chooses_are_counted_and_named() {
    let bench = into_zendesk(9, "fields = { organizations = \"app_metadata.organizations\" }");
    let plan = bench.usher(&["plan"]).expect(0).out;
    let told =
        "people: 5 users have several organizations; Zendesk makes the first by alphabet the default one";
    assert!(
        plan.contains(&format!("{told} (users.ndjson:1, users.ndjson:3, users.ndjson:5, …)\n")),
        "{plan}"
    );
    let run = bench.usher(&["run"]).expect(0).out;
    assert!(run.contains(&format!("warning: {told}\n")), "{run}");
    let guide = bench.read("out/main/latest/people/UPLOAD.md");
    assert!(guide.contains("the first by alphabet becomes the default one: so for 5 users."), "{guide}");
}

#[test]
fn a_delivery_is_planned_with_its_requests_and_held_to_before_anything_is_sent() {
    let vendor = Zendesk::start(zendesk::Settings::default());
    let more = format!(
        "hosts = [\"{}\"]\n[connectors.people.options]\ndeliver = \"api\"\nimport_type = \"create_and_update\"\n\
         [connectors.people.options.api]\nsubdomain = \"acme\"\nemail = \"admin@example.com\"\n\
         api_token = \"${{env:ZENDESK_TOKEN}}\"\nrate = \"essential\"\napi_base = \"{}\"",
        vendor.domain(),
        vendor.url()
    );
    let bench = into_zendesk(1_950, &more);
    let plan = with_token(&bench, &["plan", "--out", "plan.json"]).expect(0).out;
    assert!(plan.contains("1,950 rows would be sent to acme (20 requests)"), "{plan}");
    assert!(
        plan.contains(" requests: at least 2 min under the rate limit `essential` (10 in 60 s)"),
        "{plan}"
    );
    assert!(plan.contains("1,950  requests  20"), "{plan}");
    let manifest = bench.read("plan.json");
    bench.write("plan.json", manifest.replace("\"delivered\": 1950", "\"delivered\": 1949"));
    let said = with_token(&bench, &["run", "--plan", "plan.json"]).expect(1);
    assert!(said.err.contains("`people` has 1950 rows to deliver and not 1949"), "{}", said.err);
    assert_eq!(vendor.account().users.len(), 0, "nobody was sent");
}
