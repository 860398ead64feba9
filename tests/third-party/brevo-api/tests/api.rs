//! Imports into an account whose replies are written down here, as Brevo's pages show them.

use serde_json::{Value, json};
use usher_brevo_api::plugin;
use usher_sdk::abi::{Delivery, Error};
use usher_testkit::{MemoryHost, Reply, Written, balance, text_batch, write};

const API: &str = "https://api.brevo.com/v3";
const KEY: &str = "hush-key";

/// An account with two attributes and the list 4.
fn account() -> MemoryHost {
    let attributes = json!({ "attributes": [
        { "name": "LASTNAME", "category": "normal", "type": "text" },
        { "name": "FIRSTNAME", "category": "normal", "type": "text" },
    ] });
    MemoryHost::new()
        .with_reply("GET", &format!("{API}/contacts/attributes"), Reply::new(200).json(&attributes))
        .with_reply("GET", &format!("{API}/contacts/lists/4"), Reply::new(200).json(&json!({ "id": 4 })))
}

/// Replies to imports, in order.
fn imports(host: MemoryHost, replies: impl IntoIterator<Item = Reply>) -> MemoryHost {
    let url = format!("{API}/contacts/import");
    replies.into_iter().fold(host, |host, reply| host.with_reply("POST", &url, reply))
}

/// Replies to questions for a process, in order.
fn process(host: MemoryHost, id: u64, replies: impl IntoIterator<Item = Reply>) -> MemoryHost {
    let url = format!("{API}/processes/{id}");
    replies.into_iter().fold(host, |host, reply| host.with_reply("GET", &url, reply))
}

fn begun(process: u64) -> Reply {
    Reply::new(202).json(&json!({ "processId": process }))
}

fn status(status: &str) -> Reply {
    Reply::new(200).json(&json!({ "id": 1, "name": "IMPORTUSER", "status": status }))
}

/// A process that is done, with what it has lists of.
fn completed(import: Value) -> Reply {
    let done = json!({ "id": 1, "name": "IMPORTUSER", "status": "completed", "info": { "import": import } });
    Reply::new(200).json(&done)
}

fn clean() -> Reply {
    completed(json!({ "invalid_emails": null, "duplicate_email_id": null }))
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status).json(&json!({ "code": code, "message": message }))
}

/// Three people in imports of two rows; `more` are options.
fn run(host: &MemoryHost, more: Value) -> Result<Written, Error> {
    let mut options = json!({ "api_key": KEY, "lists": [4], "rows": 2 });
    if let (Value::Object(options), Value::Object(more)) = (&mut options, more) {
        options.extend(more);
    }
    let people = text_batch(&[
        ("EMAIL", vec![Some("ada@example.com"), Some("grace@example.com"), Some("zoe@example.com")]),
        ("LASTNAME", vec![Some("Lovelace; Countess"), Some("Hopper"), None]),
        ("FIRSTNAME", vec![Some("Ada"), None, Some("Zoë \"Z\"\nW.")]),
    ]);
    let outcome = write(plugin(), "contacts", options, host, vec![people]);
    // The key is in one header and nowhere else, and no reply is left open.
    let parts: Vec<String> = host.parts().iter().map(|part| part.text()).collect();
    assert!(!format!("{outcome:?}{:?}{parts:?}", host.logs()).contains(KEY));
    for sent in host.requests() {
        assert_eq!((sent.header("api-key"), sent.head.url.contains(KEY)), (Some(KEY), false));
        assert_eq!(sent.head.credentials, ["api-key"]);
    }
    assert_eq!(host.open_requests(), 0);
    outcome
}

/// confirmed, accepted, unknown
fn fates(written: &Written) -> [u64; 3] {
    let report = &written.report;
    [report.confirmed.count, report.accepted.count, report.unknown.count]
}

fn delivery(written: &Written) -> &Delivery {
    written.receipt.delivery.as_ref().expect("a delivery")
}

/// Code and message of what stopped the delivery.
fn stopped(written: &Written) -> (&str, &str) {
    let stopped = delivery(written).stopped.as_ref().expect("it stopped");
    (&stopped.code, &stopped.message)
}

/// The imports that were sent.
fn bodies(host: &MemoryHost) -> Vec<String> {
    host.requests().iter().filter(|sent| sent.head.method == "POST").map(|sent| sent.text()).collect()
}

const FIRST: &str = concat!(
    r#"{"listIds":[4],"updateExistingContacts":true,"jsonBody":["#,
    r#"{"email":"ada@example.com","attributes":{"FIRSTNAME":"Ada","LASTNAME":"Lovelace; Countess"}},"#,
    r#"{"email":"grace@example.com","attributes":{"LASTNAME":"Hopper"}}]}"#
);
const SECOND: &str = concat!(
    r#"{"listIds":[4],"updateExistingContacts":true,"jsonBody":["#,
    r#"{"email":"zoe@example.com","attributes":{"FIRSTNAME":"Zoë \"Z\"\nW."}}]}"#
);

#[test]
fn a_good_run() {
    let host = imports(account(), [begun(1), begun(2)]);
    let host = process(host, 1, [status("queued"), status("in_process"), clean()]);
    let host = process(host, 2, [clean()]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), bodies(&host)), ([3, 0, 0], vec![FIRST.to_owned(), SECOND.to_owned()]));
    let delivery = delivery(&written);
    assert_eq!((delivery.units, delivery.settled, &delivery.stopped), (2, 2, &None));
    assert_eq!(delivery.answers[1]["answer"], json!({ "process": "2", "status": "completed", "lists": [] }));
    assert_eq!(written.receipt.warnings, [""; 0]);
    assert_eq!(host.clock().slept_ms(), 1_500 + 3_000 + 6_000 + 1_500);
    balance(&written.report, 3).expect("every row is accounted for");
    // What a request counts against, and whether the host may send it again.
    let heads: Vec<_> = host.requests().into_iter().map(|sent| sent.head).collect();
    let of = |path: &str| heads.iter().find(|head| head.url.ends_with(path)).expect("a request");
    let (import, process) = (of("/contacts/import"), of("/processes/1"));
    assert_eq!(
        (import.limits.as_slice(), import.idempotent, import.reads),
        (&["contacts".to_owned()][..], true, false)
    );
    assert_eq!(
        (process.limits.as_slice(), process.idempotent, process.reads),
        (&["others".to_owned()][..], true, true)
    );
}

#[test]
fn rows_without_an_address_are_rejects_and_not_sent() {
    let host = process(imports(account(), [begun(1)]), 1, [clean()]);
    let people = text_batch(&[("EMAIL", vec![Some("ada@example.com"), None, Some("n/a")])]);
    let options = json!({ "api_key": KEY, "lists": [4] });
    let written = write(plugin(), "contacts", options, &host, vec![people]).expect("a run");
    let codes: Vec<&str> = written.report.rejects.iter().map(|reject| reject.code.as_str()).collect();
    assert_eq!((fates(&written), codes), ([1, 0, 0], vec!["value.missing", "email.syntax"]));
    assert!(bodies(&host)[0].ends_with(r#""jsonBody":[{"email":"ada@example.com","attributes":{}}]}"#));
}

#[test]
fn rows_are_confirmed_only_where_nothing_is_said_against_any_of_them() {
    let link = "https://example.com/invalid.csv?signature=hush";
    let host = imports(account(), [begun(1), begun(2)]);
    let host = process(host, 1, [completed(json!({ "invalid_emails": link, "duplicate_email_id": null }))]);
    let host = process(host, 2, [status("completed")]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), delivery(&written).settled), ([0, 3, 0], 2));
    assert_eq!(
        written.receipt.warnings,
        [
            "import 1 of 2 rows is done, but it has lists of rows that were not taken as they are: invalid_emails; see Brevo",
            "import 2 of 1 rows is done, but it does not say whether all rows were taken; see Brevo",
        ]
    );
    assert!(!format!("{written:?}").contains("hush"), "a link may open a list of people");
}

#[test]
fn numbers_of_rows_do_where_links_are_expected() {
    for (rows, expected) in [(0, [3, 0, 0]), (1, [1, 2, 0])] {
        let host = imports(account(), [begun(1), begun(2)]);
        let host = process(host, 1, [completed(json!({ "invalid_emails": rows }))]);
        let host = process(host, 2, [clean()]);
        assert_eq!(fates(&run(&host, json!({})).expect("a run")), expected);
    }
}

#[test]
fn what_is_not_understood_is_kept_and_unknown() {
    for reply in [status("failed"), status("on_holiday"), Reply::new(200).body("<html>")] {
        let host = process(imports(account(), [begun(1), begun(2)]), 1, [reply]);
        let host = process(host, 2, [clean()]);
        let written = run(&host, json!({})).expect("a run");
        assert_eq!((fates(&written), delivery(&written).settled), ([1, 0, 2], 1));
        assert!(written.receipt.warnings[0].contains("the vendor's answer was not understood"));
        assert_eq!(host.parts().len(), 2);
    }
}

#[test]
fn a_refusal_ends_the_delivery_in_brevos_words_and_nothing_is_unknown() {
    let host = imports(account(), [refusal(400, "invalid_parameter", "listIds is not valid")]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), bodies(&host).len()), ([0, 0, 0], 1));
    let said = "Brevo answered 400: listIds is not valid (`invalid_parameter`)";
    assert_eq!(stopped(&written), ("brevo.refused", said));
}

#[test]
fn a_limit_that_is_used_up_is_waited_for_as_long_as_brevo_says() {
    let full = || Reply::new(429).header("x-sib-ratelimit-reset", "7");
    let host = imports(account(), [full(), begun(1), begun(2)]);
    let host = process(host, 1, [full(), clean()]);
    let host = process(host, 2, [clean()]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), bodies(&host).len()), ([3, 0, 0], 3));
    assert_eq!(host.clock().slept_ms(), 7_000 + 1_500 + 3_000 + 1_500);
}

#[test]
fn a_run_that_was_ended_goes_on_and_sends_nothing_twice() {
    let host = imports(account(), [begun(1)]);
    let host = process(host, 1, [Reply::new(503)]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), stopped(&written).0), ([0, 0, 2], "http.status"));
    // The same command again: the ledger knows the job.
    let host = process(imports(host, [begun(2)]), 1, [clean()]);
    let host = account_again(process(host, 2, [clean()]));
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), bodies(&host)), ([3, 0, 0], vec![FIRST.to_owned(), SECOND.to_owned()]));
}

/// The preflight of another run.
fn account_again(host: MemoryHost) -> MemoryHost {
    let names = json!({ "attributes": [{ "name": "LASTNAME" }, { "name": "FIRSTNAME" }] });
    host.with_reply("GET", &format!("{API}/contacts/attributes"), Reply::new(200).json(&names)).with_reply(
        "GET",
        &format!("{API}/contacts/lists/4"),
        Reply::new(200).json(&json!({ "id": 4 })),
    )
}

#[test]
fn an_import_that_takes_too_long_is_asked_for_by_the_next_run() {
    let host = imports(account(), [begun(1)]);
    let host = process(host, 1, (0..10).map(|_| status("processing")));
    let written = run(&host, json!({ "wait_minutes": 2 })).expect("a run");
    let said = "import 1 is not done after 2 minutes; run again to ask for it";
    assert_eq!((fates(&written), stopped(&written)), ([0, 0, 2], ("brevo.slow", said)));
    assert!(delivery(&written).stopped.as_ref().is_some_and(|stopped| stopped.retryable));
}

#[test]
fn an_import_that_brevo_has_lost_is_sent_again_only_where_that_does_no_harm() {
    let lost = || process(imports(account(), [begun(1)]), 1, [Reply::new(404)]);
    let host = process(imports(lost(), [begun(2), begun(3)]), 2, [clean()]);
    let host = process(host, 3, [clean()]);
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), bodies(&host)[1].as_str()), ([3, 0, 0], FIRST));

    let host = process(imports(lost(), [begun(2)]), 2, [clean()]);
    let written = run(&host, json!({ "update_existing": false })).expect("a run");
    assert_eq!((fates(&written), bodies(&host).len()), ([1, 0, 2], 2));
    assert!(written.receipt.warnings[0].contains("a second time is not documented"));
    assert!(host.requests().iter().all(|sent| sent.head.method == "GET" || !sent.head.idempotent));
}

#[test]
fn canaries_with_something_against_them_hold_the_others_back() {
    let host = process(imports(account(), [begun(1)]), 1, [Reply::new(200).body("?")]);
    let written = run(&host, json!({ "canary": 1 })).expect("a run");
    assert_eq!((fates(&written), bodies(&host).len()), ([0, 0, 1], 1));
    assert_eq!(stopped(&written).0, "delivery.canary");
}

#[test]
fn a_dry_run_reads_and_writes_nothing() {
    let host = account().reads_only();
    let written = run(&host, json!({})).expect("a run");
    assert_eq!((fates(&written), delivery(&written).units, bodies(&host).len()), ([0, 0, 0], 2, 0));
    assert_eq!(stopped(&written).0, "http.dry-run");
}

#[test]
fn what_would_be_lost_is_told_before_a_row_is_sent() {
    let attributes = json!({ "attributes": [{ "name": "LASTNAME" }, { "name": "PRENOM" }] });
    let host = MemoryHost::new()
        .with_reply("GET", &format!("{API}/contacts/attributes"), Reply::new(200).json(&attributes))
        .with_reply("GET", &format!("{API}/contacts/lists/4"), refusal(404, "document_not_found", "no list"));
    let error = run(&host, json!({})).expect_err("problems");
    let problems: Value = serde_json::from_str(&error.details).expect("problems");
    let told: Vec<_> =
        (0..2).map(|n| (problems[n]["pointer"].clone(), problems[n]["code"].clone())).collect();
    assert_eq!(
        told,
        [
            (json!("/fields/FIRSTNAME"), json!("brevo.no-attribute")),
            (json!("/lists/0"), json!("brevo.no-list")),
        ]
    );
}

#[test]
fn a_key_that_is_not_taken_is_told_in_brevos_words() {
    let wrong = refusal(401, "unauthorized", "Key not found");
    let host = MemoryHost::new().with_reply("GET", &format!("{API}/contacts/attributes"), wrong);
    let error = run(&host, json!({})).expect_err("a problem");
    assert_eq!(error.message, "/api_key: Brevo answered 401: Key not found (`unauthorized`)");
}
