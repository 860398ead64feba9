//! Carrot quest's API.

use std::time::Duration;

use usher_vendors::{
    CarrotQuest, Fault, FaultPlan,
    carrot_quest::{RowErrors, Settings},
};

use crate::{
    people::{Fate, Person, export, ids, people},
    support::Bench,
    trial::{deliver, fates, for_each_seed, kill_after, rejected, users},
};

const SECRETS: [(&str, &str); 1] = [("CARROT_TOKEN", "hush-key")];

/// What the client does not send in a minute it must not send in a minute of the vendor's either.
fn settings(faults: FaultPlan) -> Settings {
    Settings { requests_per_minute: 600, row_errors: RowErrors::BareKeys, faults, ..Settings::default() }
}

fn bench(vendor: &CarrotQuest, people: &[Person], api: &str) -> Bench {
    let bench = Bench::new();
    bench.write("users.ndjson", export(people));
    bench.write(
        "connectors.toml",
        format!(
            r#"version = 1

[connectors.users]
plugin = "auth0"
options = {{ input = "users.ndjson" }}

[connectors.chat]
plugin = "carrot-quest"
hosts = ["{domain}"]
max_rejects = "10%"
fields = {{ plan = "user_metadata.plan" }}

[connectors.chat.options]
deliver = "api"
api_base = "{url}"
max_rows = {rows}
on_invalid = {{ "$email" = "reject_row" }}
api = {{ token = "${{env:CARROT_TOKEN}}", wait_seconds = 20{api} }}

[chains.main]
from = "users"
to = ["chat"]
"#,
            domain = vendor.domain(),
            url = vendor.url(),
            rows = users().div_ceil(3).max(1),
        ),
    );
    bench
}

/// The app is what it is to be, user for user.
fn is_right(vendor: &CarrotQuest, people: &[Person], context: &str) {
    let account = vendor.account();
    let user =
        |id: &str| account.users.values().filter(|u| u.user_id.as_deref() == Some(id)).collect::<Vec<_>>();
    for person in people {
        let found = user(&person.id);
        if person.fate != Fate::Delivered {
            assert!(found.is_empty(), "{context}: {} is there", person.id);
            continue;
        }
        assert_eq!(found.len(), 1, "{context}: {}", person.id);
        let said = [found[0].text("$name"), found[0].text("$email"), found[0].text("plan")];
        assert_eq!(said, [person.name.as_str(), person.email.as_str(), person.plan], "{context}");
    }
    let delivered = ids(people, &[Fate::Delivered]).len();
    assert_eq!(account.users.len(), delivered, "{context}: nobody else is there");
    assert_eq!(account.resubscribed, [0u64; 0], "{context}");
}

fn trial(seed: u64, kill: bool) {
    let people = people(users(), false);
    let faults = FaultPlan { breath: Duration::from_millis(5), ..FaultPlan::random(seed) };
    let vendor = CarrotQuest::start(settings(faults));
    let bench = bench(&vendor, &people, ", sample = 5");
    if kill {
        let mut random = fastrand::Rng::with_seed(seed);
        kill_after(&bench, &SECRETS, Duration::from_millis(random.u64(100..3_000)));
    }
    let (outcome, attempts) = deliver(&bench, &SECRETS, &format!("seed {seed}"));
    let context = format!("seed {seed}, {attempts} attempts, {}", vendor.fault_report());
    is_right(&vendor, &people, &context);
    let [confirmed, accepted, unknown, not_sent] = fates(&outcome);
    let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
    assert_eq!([confirmed + accepted, unknown, not_sent], [delivered, 0, 0], "{context}");
    assert_eq!(rejected(&bench, &outcome), ids(&people, &[Fate::BadAddress]), "{context}");
}

#[test]
fn without_faults_every_user_goes_out_once_and_a_sample_is_confirmed() {
    let people = people(users(), false);
    let vendor = CarrotQuest::start(settings(FaultPlan::none()));
    let bench = bench(&vendor, &people, ", sample = 5");
    let text = bench.read("connectors.toml");
    let text = text.replace("deliver = \"api\"", "deliver = \"api\"\ntags = [\"moved\", \"say \\\"hi\\\"\"]");
    bench.write("connectors.toml", text);
    let (outcome, attempts) = deliver(&bench, &SECRETS, "no faults");
    assert_eq!(attempts, 1);
    is_right(&vendor, &people, "no faults");
    let [confirmed, accepted, unknown, not_sent] = fates(&outcome);
    let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
    assert_eq!([confirmed, accepted, unknown, not_sent], [15, delivered - 15, 0, 0]);
    let account = vendor.account();
    let tags = std::collections::BTreeSet::from(["moved", "say \"hi\""].map(str::to_owned));
    assert!(account.users.values().all(|user| user.deliveries == 1 && user.tags == tags));
    assert!(account.imports.iter().all(|import| import.bytes < 30_000_000));
}

#[test]
fn whatever_goes_wrong_the_app_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, false));
}

#[test]
fn whenever_it_is_killed_the_app_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, true));
}

#[test]
fn rows_that_the_vendor_loses_are_not_called_confirmed() {
    let people = people(40, false);
    let vendor = CarrotQuest::start(Settings { loses: 0.3, ..settings(FaultPlan::none()) });
    let bench = bench(&vendor, &people, ", confirm = \"all\"");
    let text = bench.read("connectors.toml").replace("wait_seconds = 20", "wait_seconds = 2");
    bench.write("connectors.toml", text);
    let output = bench.command(&["run", "--json", "--quiet"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(4);
    let outcome = serde_json::from_str::<serde_json::Value>(&said.out).unwrap()[0].clone();
    let lost: usize = vendor.account().imports.iter().map(|import| import.lost.len()).sum();
    let delivered = ids(&people, &[Fate::Delivered]).len();
    assert!(lost > 0);
    assert_eq!(fates(&outcome), [(delivered - lost) as u64, 0, lost as u64, 0], "{outcome}");
}

#[test]
fn wrong_credentials_are_told_before_anything_is_sent() {
    let people = people(3, false);
    let vendor = CarrotQuest::start(settings(FaultPlan::none()));
    let bench = bench(&vendor, &people, "");
    for command in [["check", "--online"].as_slice(), &["run"]] {
        let output = bench.command(command).env("CARROT_TOKEN", "hush-wrong").output().unwrap();
        let said = bench.said(output).expect(2);
        assert!(said.err.contains("connectors.chat.options.api"), "{}", said.err);
        assert!(!said.err.contains("hush-wrong"), "{}", said.err);
    }
    assert_eq!(vendor.account().imports.len(), 0);
}

#[test]
fn a_fault_of_each_kind_is_survived() {
    for fault in Fault::GENERAL {
        let people = people(100, false);
        let plan = FaultPlan::once("POST /users/import", fault).and("GET /users/", fault);
        let vendor = CarrotQuest::start(settings(FaultPlan { breath: Duration::from_millis(5), ..plan }));
        let bench = bench(&vendor, &people, "");
        let (_, attempts) = deliver(&bench, &SECRETS, &format!("{fault:?}"));
        is_right(&vendor, &people, &format!("{fault:?}, {attempts} attempts"));
    }
}

#[test]
fn a_few_people_may_go_one_by_one() {
    let people = people(20, false);
    let vendor = CarrotQuest::start(settings(FaultPlan::none()));
    let bench = bench(&vendor, &people, ", props_up_to = 50, confirm = \"none\"");
    let (outcome, _) = deliver(&bench, &SECRETS, "props");
    is_right(&vendor, &people, "props");
    let account = vendor.account();
    assert_eq!((account.pushes, account.imports.len()), (19, 0));
    assert_eq!(fates(&outcome), [0, 19, 0, 0]);
    assert!(account.requests.iter().all(|asked| !asked.line().contains("double_subscribe")));
}
