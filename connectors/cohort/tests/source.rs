//! The sources `users` and `events`.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use usher_cohort::plugin;
use usher_testkit::{Case, MemoryHost, Read, Sample, conformance, read, records};

const USERS: &str = "Email,First Name,Last Name,Plan,Created at,VIP,Points\n\
                     ada@example.com,Ada,Lovelace,pro,2021-01-15,,230\nbo@example.org,Bo,\"O\"\"Neil\",team,2020-09-09,true,\n";
const EVENTS: &str = "Event ID,Event type,User email,Occurred at,Points,Details\n\
                      evt_1,badge.gained,ada@example.com,2023-12-07T22:06:03.941Z,120,\"Badge \"\"First steps\"\"\"\n\
                      evt_2,perk.redeemed,bo@example.org,2023-12-08T21:49:52.144Z,110,\"10 % off\non everything\"\n";

fn rows(component: &str, input: &str, mut options: Value) -> Read {
    options["input"] = json!("in");
    let host = MemoryHost::new().with_input("in", input).slab_size(50);
    read(plugin(), component, options, &host, None).unwrap()
}

#[test]
fn conforms() {
    let cases =
        [("users", USERS, "First Name"), ("events", EVENTS, "Details")].map(|(component, text, _)| {
            Case::source(component, json!({ "input": "export.csv" }))
                .input("export.csv", Sample::csv(text))
                .refuses(json!({ "input": "export.csv", "delimiter": "::" }), "")
        });
    let outcome = conformance(plugin(), &cases);
    let failures: Vec<String> = outcome.failures().map(|f| format!("{f:?}")).collect();
    let own: Vec<&String> = failures.iter().filter(|f| !f.contains("every component has a case")).collect();
    assert!(own.is_empty(), "{own:#?}");
}

#[test]
fn users_are_read_under_their_own_headings() {
    let read = rows("users", USERS, json!({ "kinds": { "Points": "integer", "VIP": "boolean" } }));
    assert_json_snapshot!(json!({
        "catalog": serde_json::to_value(&read.catalog).unwrap(),
        "rows": records(&read.batches).lines().collect::<Vec<_>>(),
    }));
}

#[test]
fn events_know_whose_they_are() {
    let read = rows("events", EVENTS, json!({ "claims": { "sub": "Event ID" } }));
    let claims: Vec<_> =
        read.catalog.attributes.iter().filter_map(|a| Some((&a.path, a.claim.as_ref()?))).collect();
    assert_json_snapshot!(claims);
    assert_snapshot!(records(&read.batches));
}
