//! Calls that a plain delivery does not make: whatever a connector may ask of a vendor is held against its description.

use serde_json::json;
use usher_vendors::{ConstantContact, Zendesk, constant_contact, zendesk};

use crate::{constant_contact as contact, people::people, support::Bench, zendesk as support};

/// Runs a manifest that was changed; `code` is how it must end.
fn run(code: i32, bench: &Bench, secrets: &[(&str, &str)], changes: &[(&str, &str)]) {
    let mut text = bench.read("connectors.toml");
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    bench.write("connectors.toml", text);
    let output = bench.command(&["run", "--quiet"]).envs(secrets.iter().copied()).output().unwrap();
    bench.said(output).expect(code);
}

#[test]
fn zendesk_creates_updates_and_makes_organizations() {
    for kind in ["create", "update", "create_and_update"] {
        let people = people(5, false);
        // Of five users an update finds three.
        let there = people.iter().take(if kind == "update" { 3 } else { 0 });
        let users =
            there.map(|p| json!({ "name": "before", "external_id": p.id, "email": p.email })).collect();
        let vendor = Zendesk::start(zendesk::Settings { users, ..zendesk::Settings::default() });
        let bench = support::bench(&vendor, &people);
        let fields = [
            (
                "\"custom_fields.plan\" = ",
                "organizations = \"'Initech'\", tags = \"'a, b'\", notes = \"name\", locale = \"'de'\", phone = \"'+15551234567'\", \"custom_fields.plan\" = ",
            ),
            ("import_type = \"create_and_update\"", &format!("import_type = \"{kind}\"")),
            ("max_rejects = \"10%\"", "max_rejects = \"100%\""),
            ("rate = ", "create_organizations = true\nrate = "),
        ];
        run(0, &bench, &support::SECRETS, &fields);
        let account = vendor.account();
        assert_eq!(account.violations, [""; 0], "{kind}");
        assert_eq!(account.count("POST /api/v2/organizations/create_many"), 1, "{kind}");
        assert_eq!(
            account.count("GET /api/v2/users/show_many"),
            usize::from(kind != "create_and_update"),
            "{kind}"
        );
        assert_eq!(
            account.users.values().filter(|user| user.deliveries == 1).count(),
            if kind == "update" { 3 } else { 5 }
        );
    }
}

#[test]
fn constant_contact_makes_lists_fields_and_tags_and_signs_people_up() {
    let changes = [
        ("lists = [\"Newsletter\"]", "lists = [\"Newsletter\", \"News of the week\"]"),
        (
            "\"cf:plan\" = ",
            "\"cf:level\" = \"'high'\", last_name = \"name\", phone = \"'5551234567'\", street = \"'1 Main St'\", city = \"'Springfield'\", \"cf:plan\" = ",
        ),
        (
            "canary = 0",
            "canary = 2\ncreate_lists = true\ncreate_custom_fields = true\ntags = [\"from-usher\"]\ncreate_tags = true\ntag_whole_lists = true",
        ),
    ];
    for (format, more) in [("json", false), ("csv", false), ("json", true)] {
        let people = people(5, false);
        let vendor = ConstantContact::start(constant_contact::Settings::default());
        let bench = contact::bench(&vendor, &people, format);
        let mut changes = changes.to_vec();
        if more {
            changes.push(("consent = { not_needed = \"a test\" }", "consent = \"name != ''\""));
            changes.push(("canary = ", "explicit_consent = true\ncanary = "));
        }
        run(0, &bench, &contact::SECRETS, &changes);
        let account = vendor.account();
        assert_eq!(account.violations, [""; 0], "{format}");
        assert!(account.list("News of the week").is_some() && account.tag("from-usher").is_some());
        assert_eq!(account.signed_up.is_empty(), !more);
    }
}
