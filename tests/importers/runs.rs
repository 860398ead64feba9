//! The shipped manifests on the examples, their files into accounts that hold somebody already.

use std::fs;

use crate::{
    importers::{
        account::{Account, ImportResult, Importer, User},
        carrot_quest, cohort,
        constant_contact::{self, Form},
        zendesk::{self, Field, Kind},
    },
    support::Bench,
};

/// Line 1 of the examples: consents, has neither company nor roles.
const HANA: &str = "hana.abara@example.com";

/// Runs a manifest.
fn run(manifest: &str) -> Bench {
    let bench = Bench::shipped();
    bench.usher(&["run", "--quiet", "--manifest", manifest]).expect(0);
    bench
}

/// Uploads the parts of a connector whose names hold `stem`, in order; answers what happened to each.
fn upload(
    account: &mut Account,
    bench: &Bench,
    [chain, connector, stem]: [&str; 3],
    settings: &impl Importer,
) -> Vec<ImportResult> {
    let parts = bench.parts(chain, connector);
    let parts = parts.iter().filter(|p| p.to_string_lossy().contains(&format!("-{stem}-")));
    let results: Vec<ImportResult> = parts.map(|p| account.import(&fs::read(p).unwrap(), settings)).collect();
    assert!(!results.is_empty(), "no file of {connector}");
    for result in &results {
        assert_eq!((&result.refused, &result.failed[..]), (&None, &[][..]), "{connector}");
    }
    results
}

/// Rows that the run says it wrote.
fn written(bench: &Bench, chain: &str) -> u64 {
    let report: serde_json::Value =
        serde_json::from_str(&bench.read(&format!("out/{chain}/latest/report.json"))).unwrap();
    report["connectors"][0]["books"]["written"].as_u64().unwrap()
}

fn sum(results: &[ImportResult], of: impl Fn(&ImportResult) -> u64) -> u64 {
    results.iter().map(of).sum()
}

#[test]
fn zendesk_creates_and_leaves_alone_who_is_there() {
    let bench = run("connectors.toml");
    let mut account = Account::default();
    let mut hana = User::with_email(&HANA.to_uppercase());
    hana.put("name", "Hana, as stored");
    account.add(hana.clone());
    let mut settings = zendesk::Settings::new(Kind::CreateOnly);
    settings.fields.insert("plan".to_owned(), Field::Text);
    let results = upload(&mut account, &bench, ["onboard", "support", "users"], &settings);
    assert_eq!(
        (sum(&results, |r| r.created), sum(&results, |r| r.ignored)),
        (written(&bench, "onboard") - 1, 1)
    );
    assert_eq!(sum(&results, |r| r.mails), 0, "`skip_verify_email` keeps mails back");
    assert!(results.iter().all(|r| r.silent.is_empty()), "{results:?}");
    assert_eq!(account.by_email(HANA), Some(&hana));
    let nadia = account.by_email("nadia.nakamura@example.org").unwrap();
    for (field, value) in [
        ("name", "Nadia Nakamura"),
        ("external_id", "auth0|7ddf7441dad6412116c9589f"),
        ("role", "end-user"),
        ("ticket_restriction", "requested"),
        ("custom_fields.plan", "business"),
    ] {
        assert_eq!(nadia.field(field), value, "{field}");
    }
}

#[test]
fn zendesk_updates_and_a_blank_never_erases() {
    let bench = run("examples/manifests/zendesk.toml");
    let mut account = Account::default();
    for part in
        bench.parts("zendesk", "support").iter().filter(|p| p.to_string_lossy().contains("-organizations-"))
    {
        let mut reader = csv::Reader::from_path(part).unwrap();
        account.organizations.extend(reader.records().map(|record| record.unwrap()[0].to_owned()));
    }
    assert!(account.organizations.len() > 5);
    account.organizations.insert("Stored".to_owned());
    let mut settings = zendesk::Settings::new(Kind::CreateAndUpdate);
    let fields = [("plan", Field::Text), ("customer_since", Field::Date), ("shoe_size", Field::Text)];
    settings.fields = fields.map(|(key, field)| (key.to_owned(), field)).into();
    let import = |account: &mut Account| upload(account, &bench, ["zendesk", "support", "users"], &settings);
    let results = import(&mut account);
    assert!(results.len() > 1, "rows are grouped by the columns they fill");
    assert_eq!(sum(&results, |r| r.created), written(&bench, "zendesk"));
    // Everybody gets something in every place that the files may have, then the same files come once more.
    const PLACES: [&str; 8] = [
        "name",
        "external_id",
        "notes",
        "locale",
        "time_zone",
        "custom_fields.plan",
        "custom_fields.customer_since",
        "custom_fields.shoe_size",
    ];
    for user in account.users.values_mut() {
        for place in PLACES.iter().filter(|place| user.field(place).is_empty()).collect::<Vec<_>>() {
            user.put(place, "stored");
        }
        if user.tags.is_empty() {
            user.tags.insert("stored".to_owned());
        }
        if user.organizations.is_empty() {
            user.organizations.insert("Stored".to_owned());
        }
    }
    let before = account.clone();
    let results = import(&mut account);
    assert_eq!((sum(&results, |r| r.created), sum(&results, |r| r.updated)), (0, written(&bench, "zendesk")));
    assert_eq!(account, before, "the second import of the same files changes nothing");
    let hana = account.by_email(HANA).unwrap();
    assert!(hana.tags.contains("stored") && hana.organizations.contains("Stored"));
}

#[test]
fn constant_contact_by_hand() {
    let bench = run("connectors.toml");
    let mut account = Account::default();
    let mut hana = User::with_email(HANA);
    hana.put("job_title", "Pilot");
    hana.put("first_name", "Old");
    account.add(hana);
    let mut gone = User::with_email("paulo.vasquez@example.org");
    gone.unsubscribed = true;
    account.add(gone);
    let mut settings = constant_contact::Settings::new(Form::Page);
    for (heading, field) in [("plan", "plan"), ("Phone Number", "phone")] {
        settings.mapping.insert(heading.to_owned(), field.to_owned());
        settings.custom_fields.insert(field.to_owned());
    }
    let results = upload(&mut account, &bench, ["onboard", "newsletter", "contacts"], &settings);
    assert_eq!(sum(&results, |r| r.dropped), 0);
    let hana = account.by_email(HANA).unwrap();
    assert_eq!(
        (hana.field("first_name"), hana.field("last_name"), hana.field("job_title")),
        ("Hana", "Abara", "Pilot")
    );
    assert!(hana.lists.contains("General"));
    let (rows, refused) = (sum(&results, |r| r.created + r.updated), sum(&results, |r| r.cannot_add_to_list));
    assert_eq!(
        (account.users.values().filter(|u| !u.lists.is_empty()).count() as u64, refused),
        (rows - 1, 1)
    );
    // Nobody who said no, once or in one of two records (line 74 says yes, line 220 no).
    for refused in ["nadia.nakamura@example.org", "noor.laurent@example.org", "farah.rossi@example.org"] {
        assert_eq!(account.by_email(refused), None, "{refused}");
    }
    assert!(account.by_email("paulo.vasquez@example.org").unwrap().lists.is_empty());
}

#[test]
fn constant_contact_by_the_api() {
    let bench = run("connectors.toml");
    let mut account = Account::default();
    let mut settings = constant_contact::Settings::new(Form::Api);
    settings.custom_fields.insert("plan".to_owned());
    let results = upload(&mut account, &bench, ["campaign", "campaign", "contacts"], &settings);
    assert_eq!(
        (sum(&results, |r| r.created), sum(&results, |r| r.updated)),
        (written(&bench, "campaign"), 0)
    );
    // Two spellings of one address in the suppression list (`unsubscribed.csv`) are the address of line 14.
    assert_eq!(account.by_email("anders.moreau@example.com"), None);
    assert_eq!(account.by_email(HANA).unwrap().field("cf:plan"), "team");
}

#[test]
fn carrot_quest_by_hand_and_by_the_api() {
    let bench = run("connectors.toml");
    let mut account = Account::default();
    let settings = carrot_quest::Settings { by_hand: true, ..carrot_quest::Settings::default() };
    let results = upload(&mut account, &bench, ["onboard", "chat", "users"], &settings);
    let by_hand = sum(&results, |r| r.created);
    assert_eq!(by_hand, account.users.len() as u64);
    // The API finds the same people by their addresses, and gives them a tag.
    let bench = run("examples/manifests/carrot-quest.toml");
    let settings = carrot_quest::Settings {
        merge_field: "$email",
        delimiter: b';',
        tags: vec!["auth0".to_owned()],
        ..carrot_quest::Settings::default()
    };
    let results = upload(&mut account, &bench, ["carrot-quest", "chat", "users"], &settings);
    assert_eq!(sum(&results, |r| r.created + r.updated), written(&bench, "carrot-quest"));
    let hana = account.by_email(HANA).unwrap();
    assert_eq!((hana.field("$name"), hana.field("plan")), ("Hana Abara", "team"));
    assert_eq!(hana.field("customer_since"), "2022-03-26T10:18:19");
    assert!(hana.tags.contains("auth0"));
}

#[test]
fn cohort_by_hand() {
    let bench = run("examples/manifests/cohort.toml");
    let mut account = Account::default();
    let mut hana = User::with_email(HANA);
    hana.put("points", "120");
    hana.put("age", "44");
    account.add(hana);
    let mut settings = cohort::Settings { list: Some("Members".to_owned()), ..cohort::Settings::default() };
    for (name, property) in [
        ("plan", cohort::Property::Text),
        ("age", cohort::Property::Number),
        ("vip", cohort::Property::Boolean),
        ("member_since", cohort::Property::Date),
    ] {
        settings.properties.insert(name.to_owned(), property);
    }
    let results = upload(&mut account, &bench, ["cohort", "loyalty", "users"], &settings);
    assert_eq!(
        (sum(&results, |r| r.created), sum(&results, |r| r.updated)),
        (written(&bench, "cohort") - 1, 1)
    );
    assert!(results.iter().all(|r| r.silent.is_empty()), "{results:?}");
    let hana = account.by_email(HANA).unwrap();
    let expected = [
        ("first_name", "Hana"),
        ("points", "120"),
        ("age", "44"),
        ("vip", "false"),
        ("member_since", "2022-03-26"),
    ];
    expected.iter().for_each(|(field, value)| assert_eq!(hana.field(field), *value, "{field}"));
    assert!(hana.lists.contains("Members"));
}
