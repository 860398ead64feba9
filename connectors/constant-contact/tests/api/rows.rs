//! What counters, errors and the account itself say of rows.

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_testkit::{MemoryHost, Reply, text_batch};

use crate::common::{
    Vendor as _, activity, all_in, asked, contact, contacts, done, many, options, outcome, queued, refusal,
    run, run_with,
};

/// Everybody who was updated since the import was made.
const UPDATED: &str =
    "/contacts?updated_after=2026-11-21T23%3A59%3A59Z&status=all&include=list_memberships&limit=500";

fn alone(email: &str) -> String {
    format!("/contacts?email={}&status=all&include=list_memberships", email.replace('@', "%40"))
}

/// An account in which Ada and Marie are on the list, and Grace is not there.
fn without_grace(host: MemoryHost) -> MemoryHost {
    let there = [contact("ada@example.com", "implicit"), contact("Marie@example.com", "implicit")];
    host.on("GET", UPDATED, [contacts(&there)]).on(
        "GET",
        &alone("grace@example.com"),
        [contacts(&[]), contacts(&[])],
    )
}

#[test]
fn what_counters_and_errors_say_of_rows() {
    let csv = |reply: Reply| {
        let host = without_grace(MemoryHost::new().known().file_import([queued()]).job([reply]));
        outcome(&run(&host, json!({ "format": "csv" })))
    };
    let json_of = |api: Value, reply: Reply| {
        let host = without_grace(MemoryHost::new().known().json_import([queued()]).job([reply]));
        outcome(&run(&host, api))
    };
    let line = || done(3, 0, 1, 0, json!(["Line 3: Invalid birthday"]));
    let all = [
        ("csv: a line names a row", csv(line())),
        ("csv: errors without lines", csv(done(3, 1, 0, 0, json!(["A contact is bad"])))),
        (
            "csv: more errors than contacts that are missing",
            csv(done(3, 1, 1, 0, json!(["Two contacts are bad"]))),
        ),
        ("unsubscribed", csv(done(3, 0, 0, 2, json!([])))),
        ("fewer persons", csv(done(2, 0, 0, 0, json!([])))),
        ("without counters", csv(activity("completed", json!({})))),
        ("json: lines are not to be trusted", json_of(json!({}), line())),
        ("json: unless the option says so", json_of(json!({ "first_line": 2 }), line())),
    ];
    assert_snapshot!(all.map(|(what, told)| format!("{what}\n{told}")).join("\n"));
}

#[test]
fn who_was_there_before_is_told_apart_by_the_time_of_the_last_change() {
    let mut before = contact("grace@example.com", "implicit");
    before["updated_at"] = "2026-11-21T00:00:00Z".into();
    let mut gone = contact("marie@example.com", "unsubscribed");
    gone["list_memberships"] = json!([]);
    let host = MemoryHost::new().known().json_import([queued()]).job([done(3, 0, 1, 1, json!([]))]);
    let host = host
        .on("GET", UPDATED, [contacts(&[contact("ada@example.com", "implicit")])])
        .on("GET", &alone("grace@example.com"), [contacts(&[before])])
        .on("GET", &alone("marie@example.com"), [contacts(&[gone])]);
    assert_snapshot!(outcome(&run(&host, json!({}))));
}

#[test]
fn what_may_not_be_read_stays_unknown() {
    let host = MemoryHost::new().known().json_import([queued()]).job([done(3, 1, 0, 0, json!([]))]);
    let host = host.on("GET", UPDATED, [refusal(403, "contacts.api.forbidden", "Forbidden")]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!(written.report.unknown.count, 3);
    let warnings = written.receipt.warnings.concat();
    assert!(warnings.contains("could not be looked up"), "{warnings}");
}

#[test]
fn a_rerun_of_an_import_with_errors_comes_to_an_end() {
    let host = MemoryHost::new().known().json_import([queued()]).job([done(3, 1, 0, 0, json!([]))]);
    run(&without_grace(host), json!({})).unwrap();
    let host = MemoryHost::new().known().json_import([queued()]).job([done(3, 1, 0, 0, json!([]))]);
    let host = without_grace(host);
    let first = run(&host, json!({})).unwrap();
    assert_eq!((first.report.unknown.count, first.report.rejects.len()), (0, 1));
    let host = host.seen();
    let again = run(&host, json!({})).unwrap();
    assert_eq!(again.receipt.delivery.unwrap().earlier, 1);
}

#[test]
fn a_line_is_no_row_where_cells_have_line_breaks() {
    let host =
        MemoryHost::new().known().file_import([queued()]).job([done(2, 1, 0, 0, json!(["Line 3: bad"]))]);
    let host = host.on("GET", UPDATED, [contacts(&[contact("a@b.co", "implicit")])]).on(
        "GET",
        &alone("b@b.co"),
        [contacts(&[])],
    );
    let batch =
        text_batch(&[("email", vec![Some("a@b.co"), Some("b@b.co")]), ("street", vec![Some("1\n2"), None])]);
    let written = run_with(&host, options(json!({ "format": "csv" }), json!({})), batch).unwrap();
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (1, 0));
    assert!(written.report.rejects[0].message.contains("bad"), "{:?}", written.report.rejects);
}

#[test]
fn the_first_ones_must_come_back_clean() {
    let clean = MemoryHost::new().known().json_import([queued(), queued()]).job([all_in(10), all_in(15)]);
    let canary = |api: Value| options(api, json!({}));
    let ten = json!({ "canary": 10 });
    assert_eq!(run_with(&clean, canary(ten.clone()), many(25)).unwrap().report.confirmed.count, 25);
    let bad = MemoryHost::new().known().json_import([queued()]).job([done(10, 0, 2, 0, json!([]))]);
    let there: Vec<Value> = (0..8).map(|n| contact(&format!("user{n}@example.com"), "implicit")).collect();
    let bad = bad
        .on("GET", UPDATED, [contacts(&there)])
        .on("GET", &alone("user8@example.com"), [contacts(&[])])
        .on("GET", &alone("user9@example.com"), [contacts(&[])]);
    assert_snapshot!(outcome(&run_with(&bad, canary(ten), many(25))) + &asked(&bad));
}

#[test]
fn an_import_that_is_refused_costs_no_contact() {
    // A list was deleted between the check and the import.
    let refused = || refusal(400, "contacts.api.validation.error", "list_ids: not a list");
    let host = MemoryHost::new().known().json_import([refused()]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!((written.report.rejects.len(), written.report.unknown.count), (0, 0));
    let stopped = written.receipt.delivery.unwrap().stopped.unwrap();
    assert!(stopped.code == "import.refused" && stopped.message.contains("not a list"), "{stopped:?}");
    // Of one contact it is the contact's affair.
    let host = MemoryHost::new().known().json_import([refused()]);
    assert_eq!(run_with(&host, options(json!({}), json!({})), many(1)).unwrap().report.rejects.len(), 1);
}
