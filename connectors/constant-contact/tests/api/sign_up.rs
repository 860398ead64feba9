//! Contacts that sign up one by one.

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_testkit::{Call, Failure, MemoryHost, Reply, Written, text_batch};

use crate::common::{
    Vendor as _, asked, contact, contacts, fields, many, options, outcome, refusal, run_with, story,
};

const ADA: &str = "/contacts?email=ada%40example.com&status=all";
const GRACE: &str = "/contacts?email=grace%40example.com&status=all";
const MARIE: &str = "/contacts?email=marie%40example.com&status=all";

fn sign_up(replies: impl IntoIterator<Item = Reply>) -> MemoryHost {
    MemoryHost::new().known().on("POST", "/contacts/sign_up_form", replies)
}

fn signed_up(status: u16, action: &str) -> Reply {
    Reply::new(status)
        .json(&json!({ "contact_id": "ab7ab702-b935-11e9-8a58-fa163e6b01c1", "action": action }))
}

fn nobody() -> Reply {
    contacts(&[])
}

fn ada(permission: &str) -> Reply {
    contacts(&[contact("Ada@Example.com", permission)])
}

fn run_ada(host: &MemoryHost) -> Written {
    let batch = text_batch(&[("email", vec![Some("ada@example.com")])]);
    run_with(host, options(json!({ "explicit_consent": true }), json!({})), batch).unwrap()
}

fn sent(host: &MemoryHost) -> usize {
    asked(host).matches("sign_up_form").count()
}

#[test]
fn explicit_consent_signs_contacts_up_one_by_one() {
    let host = sign_up([
        signed_up(201, "created"),
        refusal(400, "contacts.api.validation.error", "email_address: not an address"),
        refusal(409, "contacts.api.conflict", "Conflict"),
        signed_up(200, "updated"),
    ]);
    let host = host
        .on("GET", "/contact_custom_fields?limit=100", [fields(&[("plan", "Plan")], None)])
        .on("GET", ADA, [nobody()])
        .on("GET", GRACE, [nobody()])
        .on("GET", MARIE, [nobody(), contacts(&[contact("marie@example.com", "implicit")])]);
    let batch = text_batch(&[
        ("email", vec![Some("ada@example.com"), Some("grace@example.com"), Some("marie@example.com")]),
        ("city", vec![Some("London"), None, None]),
        ("cf:plan", vec![Some("pro"), None, None]),
    ]);
    let options = options(json!({ "explicit_consent": true }), json!({}));
    assert_snapshot!(story(&host, &run_with(&host, options, batch)));
}

#[test]
fn nobody_is_subscribed_again_or_restored() {
    let mut deleted = contact("ada@example.com", "explicit");
    deleted["deleted_at"] = "2026-07-08".into();
    let answers: [Value; 3] = [
        json!([contact("ada@example.com", "unsubscribed")]),
        json!([deleted]),
        json!([contact("ada@example.com", "pending_confirmation")]),
    ];
    let told = answers.map(|found| {
        let host = sign_up([]).on("GET", ADA, [Reply::new(200).json(&json!({ "contacts": found }))]);
        let written = run_ada(&host);
        assert_eq!(sent(&host), 0);
        outcome(&Ok(written))
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_permission_that_is_not_known_is_none() {
    for answer in [ada("maybe"), Reply::new(200).json(&json!({})), Reply::new(200).body("<html>")] {
        let host = sign_up([]).on("GET", ADA, [answer.clone(), answer.clone(), answer]);
        let written = run_ada(&host);
        assert_eq!((sent(&host), written.report.unknown.count), (0, 0));
        assert_eq!(written.receipt.delivery.unwrap().stopped.unwrap().code, "import.reply");
    }
}

#[test]
fn whoever_has_left_is_no_reason_to_stop_at_the_first_ones() {
    let gone = contact("user0@example.com", "unsubscribed");
    let host = sign_up([signed_up(201, "created")])
        .on("GET", "/contacts?email=user0%40example.com&status=all", [contacts(&[gone])])
        .on("GET", "/contacts?email=user1%40example.com&status=all", [nobody()]);
    let options = options(json!({ "explicit_consent": true, "canary": 1 }), json!({}));
    let written = run_with(&host, options, many(2)).unwrap();
    assert_eq!((written.report.rejects.len(), written.report.confirmed.count), (1, 1));
}

#[test]
fn who_unsubscribes_between_two_attempts_is_left_alone() {
    // Two writes at once, and then the person unsubscribes.
    let host = sign_up([refusal(409, "contacts.api.conflict", "Conflict")]);
    let host = host.on("GET", ADA, [nobody(), ada("unsubscribed")]);
    let written = run_ada(&host);
    assert_eq!(written.report.rejects[0].code, "contact.unsubscribed");
    assert_eq!(sent(&host), 1);
}

#[test]
fn a_sign_up_that_may_have_arrived_is_looked_for() {
    let told = [
        ([ada("pending_confirmation"), nobody()], (1, 1, 0, 0)),
        ([ada("unsubscribed"), nobody()], (1, 0, 0, 1)),
        ([nobody(), nobody()], (2, 0, 1, 0)),
        // By the time that it is sent again it has arrived.
        ([nobody(), ada("pending_confirmation")], (1, 1, 0, 0)),
    ];
    for (found, expected) in told {
        let host = sign_up([signed_up(201, "created"), signed_up(200, "updated")]).on("GET", ADA, [nobody()]);
        // A token, the account, whether it may import, the list, the contact, and then the sign-up.
        host.fail(Failure::new(Call::Receive, 6));
        assert_eq!(run_ada(&host).report.unknown.count, 1);
        let host = host.seen().on("GET", ADA, found);
        let report = run_ada(&host).report;
        let got = (sent(&host), report.accepted.count, report.confirmed.count, report.rejects.len());
        assert_eq!(got, expected);
    }
}

#[test]
fn addresses_that_sign_up_have_fifty_characters() {
    let long = format!("{}@example.com", "x".repeat(39));
    let batch = text_batch(&[("email", vec![Some(long.as_str())])]);
    let host = MemoryHost::new().known();
    let written = run_with(&host, options(json!({ "explicit_consent": true }), json!({})), batch).unwrap();
    assert_eq!(written.report.rejects[0].code, "value.too-long");
}
