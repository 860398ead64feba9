//! Constant Contact's v3 API.

use std::time::Duration;

use usher_vendors::{ConstantContact, Fault, FaultPlan, constant_contact::Settings};

use crate::{
    people::{Fate, Person, export, ids, people},
    support::Bench,
    trial::{deliver, fates, for_each_seed, kill_after, rejected, users},
};

pub(crate) const SECRETS: [(&str, &str); 2] =
    [("CC_SECRET", "hush-secret"), ("CC_REFRESH", "hush-refresh-0")];

/// Requests for tokens meet no faults: whoever loses the reply to a refresh that rotates must log in again, and no client
/// can help it.
fn faults(plan: FaultPlan) -> FaultPlan {
    FaultPlan { breath: Duration::from_millis(5), spare: vec!["POST /oauth2".to_owned()], ..plan }
}

pub(crate) fn bench(vendor: &ConstantContact, people: &[Person], format: &str) -> Bench {
    let bench = Bench::new();
    bench.write("users.ndjson", export(people));
    bench.write(
        "connectors.toml",
        format!(
            r#"version = 1

[connectors.users]
plugin = "auth0"
options = {{ input = "users.ndjson" }}

[connectors.newsletter]
plugin = "constant-contact"
hosts = ["{domain}"]
max_rejects = "10%"
fields = {{ first_name = "name", "cf:plan" = "user_metadata.plan" }}

[connectors.newsletter.options]
deliver = "api"
consent = {{ not_needed = "a test" }}
lists = ["Newsletter"]
api_base = "{url}/v3"
max_rows = {rows}

[connectors.newsletter.options.api]
client_id = "usher-client"
client_secret = "${{env:CC_SECRET}}"
refresh_token = "${{env:CC_REFRESH}}"
auth_base = "{url}"
format = "{format}"
canary = 0

[chains.main]
from = "users"
to = ["newsletter"]
"#,
            domain = vendor.domain(),
            url = vendor.url(),
            rows = users().div_ceil(4).max(1),
        ),
    );
    bench
}

/// The account is what it is to be, contact for contact.
fn is_right(vendor: &ConstantContact, people: &[Person], context: &str) {
    let account = vendor.account();
    assert_eq!(account.violations, [""; 0], "{context}");
    let list = &account.lists[0].id;
    for person in people.iter().filter(|p| p.fate == Fate::Delivered) {
        let contact = account.contacts.get(&person.email);
        let contact = contact.unwrap_or_else(|| panic!("{context}: {} is missing", person.email));
        assert_eq!(
            (contact.text("first_name"), contact.text("cf:plan")),
            (person.name.as_str(), person.plan)
        );
        assert!(contact.lists.contains(list), "{context}: {} is on no list", person.email);
        assert_eq!(contact.permission, "implicit", "{context}");
    }
    let delivered = ids(people, &[Fate::Delivered]).len();
    assert_eq!(account.contacts.len(), delivered, "{context}: nobody else is there");
    assert!(account.dropped_fields.is_empty() && account.signed_up.is_empty(), "{context}");
    assert_eq!((account.dropped_rows(), account.oauth.voided_uses), (0, 0), "{context}");
}

fn trial(seed: u64, format: &str, kill: bool) {
    let people = people(users(), false);
    // A refresh that is killed on its way would need a person.
    let settings =
        Settings { rotates: !kill, faults: faults(FaultPlan::random(seed)), ..Settings::default() };
    let vendor = ConstantContact::start(settings);
    let bench = bench(&vendor, &people, format);
    if kill {
        let mut random = fastrand::Rng::with_seed(seed);
        kill_after(&bench, &SECRETS, Duration::from_millis(random.u64(100..4_000)));
    }
    let (outcome, attempts) = deliver(&bench, &SECRETS, &format!("seed {seed}"));
    let context = format!("seed {seed}, {format}, {attempts} attempts, {}", vendor.fault_report());
    is_right(&vendor, &people, &context);
    let [confirmed, accepted, unknown, not_sent] = fates(&outcome);
    let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
    assert_eq!([confirmed, accepted, unknown, not_sent], [delivered, 0, 0, 0], "{context}");
    assert_eq!(rejected(&bench, &outcome), ids(&people, &[Fate::BadAddress]), "{context}");
}

#[test]
fn without_faults_every_contact_goes_out_once() {
    for format in ["json", "csv"] {
        let people = people(users(), false);
        let vendor = ConstantContact::start(Settings::default());
        let bench = bench(&vendor, &people, format);
        let (outcome, attempts) = deliver(&bench, &SECRETS, format);
        assert_eq!(attempts, 1, "{format}");
        is_right(&vendor, &people, format);
        assert_eq!(fates(&outcome)[0], ids(&people, &[Fate::Delivered]).len() as u64, "{format}");
        assert!(vendor.account().contacts.values().all(|contact| contact.deliveries == 1), "{format}");
        // The token has rotated: the next run goes by the one that was kept.
        deliver(&bench, &SECRETS, "again");
    }
}

#[test]
fn whatever_goes_wrong_the_account_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, if seed % 2 == 0 { "csv" } else { "json" }, false));
}

#[test]
fn whenever_it_is_killed_the_account_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, if seed % 2 == 0 { "csv" } else { "json" }, true));
}

#[test]
fn people_who_have_unsubscribed_stay_so_and_are_counted() {
    let people = people(30, false);
    let gone: Vec<String> =
        people.iter().filter(|p| p.fate == Fate::Delivered).take(4).map(|p| p.email.clone()).collect();
    let vendor = ConstantContact::start(Settings { unsubscribed: gone.clone(), ..Settings::default() });
    let bench = bench(&vendor, &people, "csv");
    let output = bench.command(&["run", "--json", "--quiet"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output);
    let outcome = serde_json::from_str::<serde_json::Value>(&said.out).unwrap()[0].clone();
    let account = vendor.account();
    for email in &gone {
        assert!(
            account.contacts[email].is_unsubscribed() && account.contacts[email].lists.is_empty(),
            "{email}"
        );
    }
    let [confirmed, ..] = fates(&outcome);
    assert!(confirmed <= (ids(&people, &[Fate::Delivered]).len() - gone.len()) as u64, "{outcome}");
    assert!(outcome["warnings"].to_string().contains("unsubscribed"), "{outcome}");
}

#[test]
fn contacts_that_an_import_does_not_name_are_found_by_reading_back() {
    let people = people(60, false);
    let refused: Vec<&Person> = people.iter().filter(|p| p.fate == Fate::Delivered).skip(7).take(2).collect();
    let refuses = refused.iter().map(|person| person.email.clone()).collect();
    let vendor = ConstantContact::start(Settings { refuses, names_lines: false, ..Settings::default() });
    let bench = bench(&vendor, &people, "json");
    let (outcome, attempts) = deliver(&bench, &SECRETS, "refused");
    let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
    assert_eq!((attempts, fates(&outcome)), (1, [delivered - 2, 0, 0, 0]), "{outcome}");
    let mut expected = ids(&people, &[Fate::BadAddress]);
    expected.extend(refused.iter().map(|person| person.id.clone()));
    expected.sort();
    assert_eq!(rejected(&bench, &outcome), expected);
    assert_eq!(vendor.account().violations, [""; 0]);
}

/// The bench of an account whose contacts sign up by themselves.
fn sign_ups(vendor: &ConstantContact, people: &[Person]) -> Bench {
    let bench = bench(vendor, people, "json");
    let text = bench.read("connectors.toml");
    let text =
        text.replace("consent = { not_needed = \"a test\" }", "consent = \"user_metadata.plan != 'none'\"");
    let text = text.replace("format = \"json\"", "explicit_consent = true").replace("\"10%\"", "\"100%\"");
    bench.write("connectors.toml", text);
    bench
}

#[test]
fn a_sign_up_brings_nobody_back_and_confirms_nothing_by_itself() {
    let people: Vec<Person> =
        people(20, false).into_iter().filter(|p| p.fate == Fate::Delivered).take(6).collect();
    let [gone, deleted, later, confirmed] = [0, 1, 2, 3].map(|n| people[n].email.clone());
    let settings = Settings {
        unsubscribed: vec![gone.clone()],
        deleted: vec![deleted.clone()],
        confirms_opt_in: true,
        ..Settings::default()
    };
    let vendor = ConstantContact::start(settings);
    let bench = sign_ups(&vendor, &people);
    let (outcome, _) = deliver(&bench, &SECRETS, "first");
    assert_eq!(fates(&outcome)[0], 4, "{outcome}");
    assert_eq!(rejected(&bench, &outcome), [people[0].id.clone(), people[1].id.clone()]);
    {
        let mut account = vendor.account();
        let waiting = account.contacts.values().filter(|c| c.permission == "pending_confirmation").count();
        assert_eq!((waiting, account.contacts[&gone].is_unsubscribed()), (4, true));
        assert!(account.contacts[&deleted].is_deleted && account.contacts[&deleted].lists.is_empty());
        // One confirms, one unsubscribes, two have not read their mail.
        account.contacts.get_mut(&confirmed).unwrap().permission = "explicit";
        account.contacts.get_mut(&later).unwrap().permission = "unsubscribed";
    }
    let (outcome, _) = deliver(&bench, &SECRETS, "second");
    assert_eq!(fates(&outcome)[0], 1, "{outcome}");
    let account = vendor.account();
    let permission = |email: &str| account.contacts[email].permission;
    assert_eq!(
        [permission(&gone), permission(&later), permission(&confirmed)],
        ["unsubscribed", "unsubscribed", "explicit"]
    );
    assert_eq!([permission(&people[4].email), permission(&people[5].email)], ["pending_confirmation"; 2]);
    assert!(account.contacts[&deleted].is_deleted);
    assert_eq!(account.violations, [""; 0]);
}

#[test]
fn processes_that_refresh_at_once_lose_no_login() {
    let people = people(3, false);
    let vendor = ConstantContact::start(Settings { requests_per_second: 100, ..Settings::default() });
    let bench = bench(&vendor, &people, "json");
    // Each of them finds no access token, and a refresh token that is good once.
    let begin = || bench.command(&["check", "--online"]).envs(SECRETS).spawn().unwrap();
    let all = [begin(), begin(), begin()];
    for mut process in all {
        assert!(process.wait().unwrap().success());
    }
    let account = vendor.account();
    assert_eq!((account.oauth.voided_uses, account.oauth.handed_out), (0, 1));
}

#[test]
fn who_may_not_import_is_told_before_anything_is_sent() {
    let people = people(3, false);
    let privileges = vec!["contacts:read".to_owned(), "contacts:lists:read".to_owned()];
    let vendor = ConstantContact::start(Settings { privileges, ..Settings::default() });
    let bench = bench(&vendor, &people, "json");
    let output = bench.command(&["check", "--online"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(2);
    assert!(said.err.contains("the right to change contacts"), "{}", said.err);
}

#[test]
fn what_is_wrong_with_the_account_is_told_before_anything_is_sent() {
    let people = people(3, false);
    let vendor = ConstantContact::start(Settings { rotates: false, ..Settings::default() });
    let bench = bench(&vendor, &people, "json");
    let check = |bench: &Bench, secret: &str| {
        let mut command = bench.command(&["check", "--online"]);
        let output = command.envs(SECRETS).env("CC_SECRET", secret).output().unwrap();
        bench.said(output)
    };
    let said = check(&bench, "hush-wrong").expect(2);
    assert!(
        said.err.contains("connectors.newsletter.options.api") && !said.err.contains("hush"),
        "{}",
        said.err
    );
    let text = bench.read("connectors.toml");
    bench.write("connectors.toml", text.replace("[\"Newsletter\"]", "[\"Newsleter\"]"));
    assert!(check(&bench, "hush-secret").expect(2).err.contains("Newsletter"));
    bench.write("connectors.toml", text.replace("cf:plan", "cf:plam"));
    let said = check(&bench, "hush-secret").expect(2);
    assert!(said.err.contains("did you mean `plan`"), "{}", said.err);
    bench.write("connectors.toml", text);
    check(&bench, "hush-secret").expect(0);
    assert_eq!(vendor.account().activities.len(), 0);
}

#[test]
fn a_fault_of_each_kind_is_survived() {
    for fault in Fault::GENERAL {
        let people = people(60, false);
        let plan = FaultPlan::once("POST /v3/activities", fault).and("GET /v3/activities/", fault);
        let vendor = ConstantContact::start(Settings { faults: faults(plan), ..Settings::default() });
        let bench = bench(&vendor, &people, "json");
        let (_, attempts) = deliver(&bench, &SECRETS, &format!("{fault:?}"));
        is_right(&vendor, &people, &format!("{fault:?}, {attempts} attempts"));
    }
}
