//! Zendesk's Support API.

use std::time::Duration;

use serde_json::{Value, json};
use usher_vendors::{Fault, FaultPlan, Zendesk, zendesk::Settings};

use crate::{
    people::{Fate, Person, export, ids, people},
    support::Bench,
    trial::{deliver, fates, for_each_seed, kill_after, rejected, users},
};

pub(crate) const SECRETS: [(&str, &str); 1] = [("ZENDESK_TOKEN", "hush-token")];

/// Two users share what belongs to one whose row is taken: the external id is the one's, the address the other's.
fn settings(people: &[Person], faults: FaultPlan) -> Settings {
    let taken = people.iter().filter(|p| p.fate == Fate::Taken);
    let users = taken.flat_map(|p| {
        let other = format!("{}-other", p.id);
        [
            json!({ "name": "the id's", "external_id": p.id, "email": format!("old-{}", p.email) }),
            json!({ "name": "the address's", "external_id": other, "email": p.email }),
        ]
    });
    Settings {
        users: users.collect(),
        requests_per_minute: 2_500,
        job_time: Duration::from_millis(150),
        faults,
        ..Settings::default()
    }
}

pub(crate) fn bench(vendor: &Zendesk, people: &[Person]) -> Bench {
    let bench = Bench::new();
    bench.write("users.ndjson", export(people));
    bench.write(
        "connectors.toml",
        format!(
            r#"version = 1

[connectors.users]
plugin = "auth0"
options = {{ input = "users.ndjson" }}

[connectors.support]
plugin = "zendesk"
hosts = ["{domain}"]
max_rejects = "10%"
fields = {{ "custom_fields.plan" = "user_metadata.plan" }}

[connectors.support.options]
deliver = "api"
import_type = "create_and_update"

[connectors.support.options.api]
subdomain = "acme"
email = "admin@example.com"
api_token = "${{env:ZENDESK_TOKEN}}"
rate = "high_volume"
api_base = "{url}"

[chains.main]
from = "users"
to = ["support"]
"#,
            domain = vendor.domain(),
            url = vendor.url(),
        ),
    );
    bench
}

/// The account is what it is to be, user for user.
fn is_right(vendor: &Zendesk, people: &[Person], context: &str) {
    let account = vendor.account();
    assert_eq!(account.violations, [""; 0], "{context}");
    for person in people {
        let user = account.user_by_external_id(&person.id);
        match person.fate {
            Fate::Delivered => {
                let user = user.unwrap_or_else(|| panic!("{context}: {} is missing", person.id));
                assert_eq!(user.text("name"), person.name, "{context}");
                assert_eq!(user.emails, std::slice::from_ref(&person.email), "{context}");
                assert_eq!(user.field("plan"), Some(&json!(person.plan)), "{context}");
                assert_eq!(user.text("role"), "end-user", "{context}");
            }
            Fate::BadAddress => assert!(user.is_none(), "{context}: {} is there", person.id),
            Fate::Taken => assert_eq!(user.map(|u| u.text("name")), Some("the id's"), "{context}"),
        }
    }
    let taken = people.iter().filter(|p| p.fate == Fate::Taken).count();
    let delivered = people.iter().filter(|p| p.fate == Fate::Delivered).count();
    // The administrator is no user of the list; two stand behind everyone who is taken.
    assert_eq!(account.users.len(), delivered + 2 * taken, "{context}: nobody else is there");
    assert_eq!(account.welcomed, [0i64; 0], "{context}: nobody was mailed");
    assert!(account.most_jobs_at_a_time <= 30, "{context}");
}

/// The same manifest, with another import type.
fn imports(bench: &Bench, import_type: &str) {
    let text = bench.read("connectors.toml");
    let changed = text.replace("\"create_and_update\"", &format!("\"{import_type}\""));
    bench.write("connectors.toml", changed);
}

fn trial(seed: u64, import_type: &str, kill: bool) {
    let people = people(users(), true);
    let faults = FaultPlan { breath: Duration::from_millis(5), ..FaultPlan::random(seed) };
    let vendor = Zendesk::start(settings(&people, faults));
    let bench = bench(&vendor, &people);
    imports(&bench, import_type);
    if kill {
        let mut random = fastrand::Rng::with_seed(seed);
        // What creates is to be killed while it is at work.
        let most = if import_type == "create" { 1_500 } else { 3_000 };
        kill_after(&bench, &SECRETS, Duration::from_millis(random.u64(100..most)));
    }
    // A run that was done before it was to be killed is not gone on with: another one finds every user there.
    let is_another = import_type == "create" && bench.path("out/main/latest").exists();
    let (outcome, attempts) = deliver(&bench, &SECRETS, &format!("{import_type}, seed {seed}"));
    let context = format!("{import_type}, seed {seed}, {attempts} attempts, {}", vendor.fault_report());
    is_right(&vendor, &people, &context);
    let [confirmed, accepted, unknown, not_sent] = fates(&outcome);
    let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
    let delivered = if is_another { 0 } else { delivered };
    assert_eq!([confirmed, accepted, unknown, not_sent], [delivered, 0, 0, 0], "{context}");
    let bad = [Fate::BadAddress, Fate::Taken, Fate::Delivered];
    let bad = if is_another { &bad[..] } else { &bad[..2] };
    assert_eq!(rejected(&bench, &outcome), ids(&people, bad), "{context}");
}

#[test]
fn without_faults_every_user_goes_out_once() {
    let people = people(users(), true);
    let vendor = Zendesk::start(settings(&people, FaultPlan::none()));
    let bench = bench(&vendor, &people);
    let (outcome, attempts) = deliver(&bench, &SECRETS, "no faults");
    assert_eq!(attempts, 1);
    is_right(&vendor, &people, "no faults");
    assert_eq!(fates(&outcome)[0], ids(&people, &[Fate::Delivered]).len() as u64);
    assert_eq!(vendor.account().delivered_twice().len(), 0);
}

#[test]
fn a_retry_sends_what_was_corrected_and_goes_on_when_it_was_killed() {
    let mut people = people(users(), false);
    let settings = Settings { job_time: Duration::from_secs(2), ..settings(&people, FaultPlan::none()) };
    let vendor = Zendesk::start(settings);
    let bench = bench(&vendor, &people);
    let (first, _) = deliver(&bench, &SECRETS, "the run");
    let asked = || vendor.account().count("GET /api/v2/job_statuses");
    let asked_before = asked();
    let bad = people.iter_mut().filter(|person| person.fate == Fate::BadAddress);
    let folder = first["folder"].as_str().unwrap();
    let mut rejects = bench.read(&format!("{folder}/rejects.ndjson"));
    for person in bad {
        let right = person.email.replace(' ', "") + "@example.com";
        rejects = rejects.replace(&format!("{}\\\"", person.email), &format!("{right}\\\""));
        (person.email, person.fate) = (right, Fate::Delivered);
    }
    bench.write("corrected.ndjson", rejects);
    let run = first["run"].as_str().unwrap();
    let retry = || {
        let mut command =
            bench.command(&["retry", run, "--rejects", "corrected.ndjson", "--json", "--quiet"]);
        command.envs(SECRETS);
        command
    };
    let mut killed = retry().stdout(std::process::Stdio::null()).spawn().unwrap();
    // Whoever asks for a job has noted it. Killed before, it could only send the rows again, which changes nothing there.
    while asked() == asked_before {
        assert!(killed.try_wait().unwrap().is_none(), "it has ended and asked for no job");
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What the killed one has sent is found again.
    let said = bench.said(retry().output().unwrap()).expect(0);
    let outcome: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(fates(&outcome[0])[0], ids(&people, &[Fate::Delivered]).len() as u64 - fates(&first)[0]);
    assert_eq!(vendor.account().delivered_twice().len(), 0, "{}", said.err);
    is_right(&vendor, &people, "after the retry");
}

#[test]
fn what_the_vendor_has_confirmed_is_not_sent_again() {
    for_each_seed(|seed| {
        let mut people = people(users(), true);
        let faults = FaultPlan { breath: Duration::from_millis(5), ..FaultPlan::random(seed) };
        let vendor = Zendesk::start(settings(&people, faults));
        let bench = bench(&vendor, &people);
        let manifest = bench.read("connectors.toml");
        let manifest = manifest.replace("max_rejects = ", "sync = \"changed\"\nmax_rejects = ");
        bench.write("connectors.toml", manifest + "unique = \"sub\"\n");
        kill_after(&bench, &SECRETS, Duration::from_millis(fastrand::Rng::with_seed(seed).u64(300..3_000)));
        let (first, _) = deliver(&bench, &SECRETS, &format!("seed {seed}"));
        let context = format!("seed {seed}, {}", vendor.fault_report());
        let delivered = ids(&people, &[Fate::Delivered]).len() as u64;
        assert_eq!(first["connectors"][0]["sync"]["waiting"], 0, "{context}");
        assert_eq!(bench.usher(&["runs"]).err, "", "nothing waits: {context}");

        let all = people.iter_mut().filter(|person| person.fate == Fate::Delivered).enumerate();
        let changed =
            all.filter(|(n, _)| n % 10 == 3).map(|(_, person)| person.name.push('!')).count() as u64;
        bench.write("users.ndjson", export(&people));
        let (second, _) = deliver(&bench, &SECRETS, &format!("seed {seed}, changed"));
        is_right(&vendor, &people, &context);
        assert_eq!(fates(&second), [changed, 0, 0, 0], "{context}");
        let unchanged = second["connectors"][0]["filtered"][0].clone();
        assert_eq!(unchanged, json!({ "what": "unchanged", "count": delivered - changed }), "{context}");
    });
}

#[test]
fn whoever_is_gone_from_the_source_is_suspended() {
    for_each_seed(|seed| {
        let mut people = people(users(), true);
        let faults = FaultPlan { breath: Duration::from_millis(5), ..FaultPlan::random(seed) };
        let vendor = Zendesk::start(settings(&people, faults));
        let bench = bench(&vendor, &people);
        let sync = "sync = \"changed\"\non_missing = \"suspend\"\nmax_missing = \"50%\"\nmax_rejects = ";
        let manifest = bench.read("connectors.toml").replace("max_rejects = ", sync);
        bench.write("connectors.toml", manifest + "unique = \"user_id\"\n");
        deliver(&bench, &SECRETS, &format!("seed {seed}"));

        let mut number = 0;
        let leaves = |person: &mut Person| {
            number += u64::from(person.fate == Fate::Delivered);
            person.fate == Fate::Delivered && number % 4 == 0
        };
        let gone: Vec<Person> = people.extract_if(.., leaves).collect();
        bench.write("users.ndjson", export(&people));
        let plan: Value = {
            let mut command = bench.command(&["plan", "--json"]);
            let said = bench.said(command.envs(SECRETS).output().unwrap());
            assert_eq!(said.code, Some(0), "seed {seed}: {}{}", said.out, said.err);
            serde_json::from_str(&said.out).unwrap()
        };
        vendor.account().delete(&gone[0].id);
        let suspension = |outcome: &Value| outcome["connectors"][0]["sync"]["suspension"].clone();
        let all = gone.len() as u64;
        let counts = |suspended: u64, absent: u64, not_sent: u64| json!({ "suspended": suspended, "absent": absent, "refused": 0, "unknown": 0, "not_sent": not_sent, "nameless": 0 });
        assert_eq!(suspension(&plan[0]), counts(0, 0, all), "seed {seed}: a plan asks for nobody");
        kill_after(&bench, &SECRETS, Duration::from_millis(fastrand::Rng::with_seed(seed).u64(50..1_500)));
        let (second, _) = deliver(&bench, &SECRETS, &format!("seed {seed}, gone"));
        let context = format!("seed {seed}, {}", vendor.fault_report());
        // A run that was killed when it had been published has done it already.
        let missing = second["connectors"][0]["sync"]["missing"].as_u64().unwrap();
        assert!(missing == all || missing == 0, "{context}: {missing} of {all}");
        let absent = missing.min(1);
        assert_eq!(suspension(&second), counts(missing - absent, absent, 0), "{context}");
        let folder = second["folder"].as_str().unwrap().to_owned();
        let listed = bench.read(&format!("{folder}/missing.csv"));
        assert_eq!(
            listed.lines().filter(|line| line.ends_with(",suspended,")).count() as u64,
            missing - absent
        );
        let account = vendor.account();
        let suspended = |person: &Person| {
            account.user_by_external_id(&person.id).and_then(|u| u.properties.get("suspended").cloned())
        };
        assert!(gone[1..].iter().all(|person| suspended(person) == Some(json!(true))), "{context}");
        assert!(account.user_by_external_id(&gone[0].id).is_none(), "{context}: an update makes nobody");
        let mut others = people.iter().filter(|person| person.fate == Fate::Delivered);
        assert!(others.all(|person| suspended(person) != Some(json!(true))), "{context}");
        assert_eq!(account.violations, [""; 0], "{context}");
        drop(account);

        let (third, _) = deliver(&bench, &SECRETS, &format!("seed {seed}, once more"));
        assert_eq!(third["connectors"][0]["sync"]["missing"], 0, "{context}: nobody is suspended twice");
        assert_eq!(bench.usher(&["runs"]).err, "", "nothing waits: {context}");
    });
}

/// The other vendor refuses everything: what was suspended is told all the same.
#[test]
fn a_run_that_only_suspended_somebody_is_published() {
    let people: Vec<Person> =
        people(50, true).into_iter().filter(|person| person.fate == Fate::Delivered).collect();
    let vendor = Zendesk::start(settings(&people, FaultPlan::none()));
    let other = Zendesk::start(Settings { imports_enabled: false, ..settings(&[], FaultPlan::none()) });
    let bench = bench(&vendor, &people);
    let sync = "sync = \"changed\"\non_missing = \"suspend\"\nmax_missing = \"50%\"\nmax_rejects = ";
    let manifest = bench.read("connectors.toml").replace("max_rejects = ", sync) + "unique = \"user_id\"\n";
    bench.write("connectors.toml", &manifest);
    deliver(&bench, &SECRETS, "all");
    bench.write("users.ndjson", export(&people[1..]));
    let second = format!(
        "[connectors.other]\nplugin = \"zendesk\"\nhosts = [\"{}\"]\noptions = {{ deliver = \"api\", import_type = \"create_and_update\", \
         api = {{ subdomain = \"acme\", email = \"admin@example.com\", api_token = \"hush-token\", rate = \"high_volume\", \
         api_base = \"{}\" }} }}\n\n[chains.main]",
        other.domain(),
        other.url()
    );
    let both =
        manifest.replace("[chains.main]", &second).replace("[\"support\"]", "[\"support\", \"other\"]");
    bench.write("connectors.toml", both);
    let mut command = bench.command(&["run", "--json", "--quiet", "--anew"]);
    let said = bench.said(command.envs(SECRETS).output().unwrap()).expect(4);
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(outcome[0]["connectors"][0]["sync"]["suspension"]["suspended"], 1, "{}", said.out);
    let folder = outcome[0]["folder"].as_str().unwrap();
    assert!(bench.read(&format!("{folder}/missing.csv")).ends_with(",suspended,\n"));
}

/// The run is killed between the suspension and its end, and the people are there again: nobody stays suspended.
#[test]
fn whoever_comes_back_after_a_killed_run_is_sent() {
    let people: Vec<Person> =
        people(users(), true).into_iter().filter(|person| person.fate == Fate::Delivered).collect();
    let settings = Settings { job_time: Duration::from_secs(1), ..settings(&people, FaultPlan::none()) };
    let vendor = Zendesk::start(settings);
    let bench = bench(&vendor, &people);
    let sync = "sync = \"changed\"\non_missing = \"suspend\"\nmax_missing = \"50%\"\nmax_rejects = ";
    let manifest = bench.read("connectors.toml").replace("max_rejects = ", sync);
    let fields = "\"custom_fields.plan\" = \"user_metadata.plan\", suspended = \"false\"";
    let manifest = manifest.replace("\"custom_fields.plan\" = \"user_metadata.plan\"", fields);
    bench.write("connectors.toml", manifest + "unique = \"user_id\"\n");
    deliver(&bench, &SECRETS, "all");
    let (gone, left) = people.split_at(3);
    bench.write("users.ndjson", export(left));
    let mut killed = bench.command(&["run", "--quiet"]);
    let mut killed = killed.envs(SECRETS).stdout(std::process::Stdio::null()).spawn().unwrap();
    let suspended = |person: &Person| {
        let account = vendor.account();
        account.user_by_external_id(&person.id).and_then(|u| u.properties.get("suspended").cloned())
    };
    while !gone.iter().any(|person| suspended(person) == Some(json!(true))) {
        assert!(killed.try_wait().unwrap().is_none(), "it has ended and suspended nobody");
        std::thread::sleep(Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    bench.write("users.ndjson", export(&people));
    let (outcome, _) = deliver(&bench, &SECRETS, "back");
    assert_eq!(fates(&outcome), [3, 0, 0, 0], "those who may be suspended, and nobody else");
    assert!(people.iter().all(|person| suspended(person) == Some(json!(false))));
}

#[test]
fn whatever_goes_wrong_the_account_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, "create_and_update", false));
}

#[test]
fn whatever_goes_wrong_new_users_are_made_once() {
    for_each_seed(|seed| trial(seed, "create", false));
}

#[test]
fn whenever_it_is_killed_the_account_is_right_at_the_end() {
    for_each_seed(|seed| trial(seed, "create_and_update", true));
}

#[test]
fn whenever_it_is_killed_new_users_are_made_once() {
    for_each_seed(|seed| trial(seed, "create", true));
}

#[test]
fn an_update_reaches_the_users_who_are_there_and_no_others() {
    // All but those whose row would be taken, whose ids nobody has then.
    let people = people(users(), true);
    let known = people.iter().filter(|p| p.fate == Fate::Delivered);
    let known =
        known.map(|p| json!({ "name": "before", "external_id": p.id.to_uppercase(), "email": p.email }));
    let settings = Settings { users: known.collect(), ..settings(&[], FaultPlan::none()) };
    let vendor = Zendesk::start(settings);
    let bench = bench(&vendor, &people);
    imports(&bench, "update");
    let (outcome, attempts) = deliver(&bench, &SECRETS, "update");
    assert_eq!(attempts, 1);
    let delivered = ids(&people, &[Fate::Delivered]).len();
    assert_eq!(fates(&outcome), [delivered as u64, 0, 0, 0]);
    assert_eq!(rejected(&bench, &outcome), ids(&people, &[Fate::BadAddress, Fate::Taken]));
    let account = vendor.account();
    assert_eq!(account.violations, [""; 0]);
    assert_eq!((account.users.len(), account.delivered_twice().len()), (delivered, 0));
    for person in people.iter().filter(|p| p.fate == Fate::Delivered) {
        let user = account.user_by_external_id(&person.id).expect("who was there is there");
        assert_eq!((user.text("name"), user.deliveries), (person.name.as_str(), 1));
        assert_eq!(user.field("plan"), Some(&json!(person.plan)));
    }
}

#[test]
fn what_is_wrong_with_the_account_is_told_before_anything_is_sent() {
    let people = people(3, false);
    let vendor = Zendesk::start(settings(&people, FaultPlan::none()));
    let bench = bench(&vendor, &people);
    let wrong = bench.command(&["check", "--online"]).env("ZENDESK_TOKEN", "hush-wrong").output().unwrap();
    let said = bench.said(wrong).expect(2);
    assert!(said.err.contains("connectors.support.options.api"), "{}", said.err);
    assert!(!said.err.contains("hush-wrong"), "{}", said.err);
    bench.write(
        "connectors.toml",
        bench.read("connectors.toml").replace("custom_fields.plan", "custom_fields.plam"),
    );
    let output = bench.command(&["check", "--online"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(2);
    assert!(
        said.err.contains("did you mean `plan`") || said.err.contains("custom_fields.plan"),
        "{}",
        said.err
    );
    bench.write(
        "connectors.toml",
        bench
            .read("connectors.toml")
            .replace("\"custom_fields.plam\" = ", "organizations = \"'Initech'\", \"custom_fields.plan\" = "),
    );
    // Organizations by name alone may be unknown, and ids can be asked for.
    let output = bench.command(&["check", "--online"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(2);
    assert!(
        said.err.contains("organization.unchecked") || said.err.contains("organization_ids"),
        "{}",
        said.err
    );
    let with_ids =
        bench.read("connectors.toml").replace("rate = ", "organization_ids = { Initech = 7 }\nrate = ");
    bench.write("connectors.toml", with_ids);
    let output = bench.command(&["check", "--online"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(2);
    assert!(said.err.contains("no organization with the id 7"), "{}", said.err);
    assert_eq!(vendor.account().count("POST"), 0);
    // Without a network nothing is asked.
    let output = bench.command(&["check"]).envs(SECRETS).output().unwrap();
    bench.said(output).expect(0);
}

#[test]
fn a_plan_asks_and_sends_nothing() {
    let people = people(250, true);
    let vendor = Zendesk::start(settings(&people, FaultPlan::none()));
    let before = vendor.account().users.len();
    let bench = bench(&vendor, &people);
    let output = bench.command(&["plan"]).envs(SECRETS).output().unwrap();
    let said = bench.said(output).expect(0);
    assert!(said.out.contains("rows would be sent to") && said.out.contains("(3 requests)"), "{}", said.out);
    let account = vendor.account();
    assert_eq!((account.count("POST"), account.users.len()), (0, before));
    assert!(account.count("GET /api/v2/users/me") >= 1);
}

#[test]
fn a_fault_of_each_kind_is_survived() {
    for fault in Fault::ALL {
        let people = people(300, false);
        let plan = FaultPlan::once("POST /api/v2/users/create_or_update_many", fault)
            .and("GET /api/v2/job_statuses", fault);
        let vendor =
            Zendesk::start(settings(&people, FaultPlan { breath: Duration::from_millis(5), ..plan }));
        let bench = bench(&vendor, &people);
        let (_, attempts) = deliver(&bench, &SECRETS, &format!("{fault:?}"));
        is_right(&vendor, &people, &format!("{fault:?}, {attempts} attempts"));
    }
}
