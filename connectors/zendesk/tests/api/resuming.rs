//! Runs that end before their time, and go on.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_sdk::abi::{ErrorClass, Services};
use usher_testkit::{Call, Failure, MemoryHost, Reply};

use crate::account::{
    Account as _, CREATE, UPSERT, after, copy, created, deliver, deliver_on, done, options, options_with,
    people, queued, shown, status, story,
};
use crate::rows::rows;

#[test]
fn a_run_that_was_ended_goes_on() {
    // The first attempt ends while it asks for two jobs, the third unit being sent.
    let host = MemoryHost::new().admin().admin().on("POST", UPSERT, [queued("a"), queued("b"), queued("c")]);
    let host = host.jobs(
        &["a", "b", "c"],
        [shown([
            status("a", "completed", created(100)),
            status("b", "working", Value::Null),
            status("c", "working", Value::Null),
        ])],
    );
    let cancel = host.clone();
    host.when(Failure::new(Call::Sleep, 2), move || cancel.cancel());
    let error = deliver(&host, &options(json!({})), &people(250)).unwrap_err();
    assert_eq!(error.class, ErrorClass::CANCELLED);
    // The second one has the same ledger.
    let second = MemoryHost::new().admin().jobs(&["b"], [shown([status("b", "working", Value::Null)])]);
    let second = second.jobs(
        &["b", "c"],
        [shown([status("b", "completed", created(100)), status("c", "completed", created(50))])],
    );
    let services = second.services();
    let kept = Arc::new(Services { ledger: host.services().ledger.clone(), ..copy(&services) });
    let written = deliver_on(&kept, &options(json!({})), &rows(&people(250))).unwrap();
    assert_eq!(written.report.confirmed.count, 250);
    let delivery = written.receipt.delivery.unwrap();
    assert_eq!((delivery.units, delivery.settled, delivery.earlier), (3, 3, 1));
    assert!(second.requests().iter().all(|sent| sent.head.method == "GET"), "nothing was sent again");
}

#[test]
fn a_unit_in_doubt_is_sent_again() {
    let host = MemoryHost::new().admin().admin().on("POST", UPSERT, [queued("lost"), queued("a")]);
    let host = host.jobs(&["a"], [done("a", created(1))]);
    // The connection breaks before the answer is there.
    host.fail(Failure::new(Call::Receive, 2));
    let first = deliver(&host, &options(json!({})), &people(1)).unwrap();
    assert_eq!(first.report.unknown.count, 1);
    assert!(first.receipt.delivery.unwrap().stopped.unwrap().retryable);
    assert_eq!(deliver(&host, &options(json!({})), &people(1)).unwrap().report.confirmed.count, 1);
}

/// A create of four: the first user is there before, and the answer to the first try is lost; `there` are those that are
/// there then.
fn create_in_doubt(there: &[(&str, i64)]) -> MemoryHost {
    let ids = ["0", "1", "2", "3"];
    let host = MemoryHost::new().admin().users(&ids, &[("0", 70)]).users(&ids, there);
    host.on("POST", CREATE, [Reply::new(503), queued("a")])
}

#[test]
fn a_create_in_doubt_sends_those_that_are_not_there() {
    let create = options(json!({ "import_type": "create" }));
    let all = [("0", 70), ("1", 71), ("2", 72), ("3", 73)];
    let host = create_in_doubt(&all);
    let written = deliver(&host, &create, &people(4)).unwrap();
    let rejects: Vec<_> =
        written.report.rejects.iter().map(|r| (r.origin.offset / 100, r.code.as_str())).collect();
    assert_eq!(
        (written.report.confirmed.count, rejects),
        (3, vec![(0, "user.exists")]),
        "the others are ours"
    );

    let host = create_in_doubt(&all[..2]).jobs(&["a"], [done("a", created(2))]);
    assert_snapshot!(story(&host, &deliver(&host, &create, &people(4))));
}

#[test]
fn what_an_earlier_try_has_made_is_no_reject() {
    // The first try is at work while it is sent again, and makes all but the last, whose address is another user's.
    let taken = |index: usize| json!({ "index": index, "error": "x", "details": "Email: x is already being used by another user" });
    let results = json!([{ "id": 1, "status": "Created" }, taken(1), taken(2)]);
    let host = create_in_doubt(&[("0", 70)])
        .users(&["2", "3"], &[("2", 72)])
        .jobs(&["a"], [shown([status("a", "failed", results)])]);
    let written = deliver(&host, &options(json!({ "import_type": "create" })), &people(4)).unwrap();
    let rejects: Vec<_> =
        written.report.rejects.iter().map(|r| (r.origin.offset / 100, r.code.as_str())).collect();
    assert_eq!(
        (written.report.confirmed.count, rejects),
        (2, vec![(3, "vendor.duplicate"), (0, "user.exists")])
    );
}

#[test]
fn duplicates_of_rows_without_a_key_are_unknown_when_they_were_sent_again() {
    let taken =
        json!([{ "index": 0, "error": "x", "details": "Email: x is already being used by another user" }]);
    let host = MemoryHost::new()
        .admin()
        .on("POST", CREATE, [Reply::new(503), queued("a")])
        .jobs(&["a"], [done("a", taken)]);
    let csv = "name,emails\nA,a@example.com\n";
    assert_snapshot!(after(&host, &deliver(&host, &options(json!({ "import_type": "create" })), csv)));
}

#[test]
fn a_create_that_was_killed_knows_whom_it_has_made() {
    let create = options(json!({ "import_type": "create" }));
    let host = MemoryHost::new().admin().users(&["0", "1"], &[("0", 70)]).on("POST", CREATE, [queued("a")]);
    let host = host.jobs(&["a"], [shown([status("a", "working", Value::Null)])]);
    let cancel = host.clone();
    host.when(Failure::new(Call::Sleep, 2), move || cancel.cancel());
    assert_eq!(deliver(&host, &create, &people(2)).unwrap_err().class, ErrorClass::CANCELLED);
    // The job is gone a day later.
    let second = MemoryHost::new().admin().jobs(&["a"], (0..200).map(|_| shown([])));
    let second = second.users(&["0", "1"], &[("0", 70), ("1", 71)]);
    let services = second.services();
    let kept = Arc::new(Services { ledger: host.services().ledger.clone(), ..copy(&services) });
    let written = deliver_on(&kept, &create, &rows(&people(2))).unwrap();
    let rejects: Vec<_> = written.report.rejects.iter().map(|r| r.code.as_str()).collect();
    assert_eq!((written.report.confirmed.count, rejects), (1, vec!["user.exists"]));
}

#[test]
fn what_was_refused_is_in_no_doubt_afterwards() {
    let options = options(json!({ "import_type": "create" }));
    let host = MemoryHost::new().admin().admin().users(&["0", "1"], &[]).users(&["0", "1"], &[("1", 7)]);
    let host = host.on("POST", CREATE, [Reply::new(403), queued("a")]);
    let host = host.jobs(&["a"], [done("a", created(1))]);
    let first = deliver(&host, &options, &people(2)).unwrap();
    assert_eq!(first.report.unknown.count, 0, "Zendesk took nothing");
    // Whoever is there now is not by this run.
    let second = deliver(&host, &options, &people(2)).unwrap();
    assert_eq!((second.report.confirmed.count, second.receipt.warnings.len()), (1, 0));
    assert_eq!(second.report.rejects[0].code, "user.exists");
}

#[test]
fn a_canary_that_is_not_clean_stops_the_rest() {
    let failed = json!([{ "id": 1, "status": "Created" }, { "id": 1, "error": "UserUpdateError", "details": "no", "status": "Failed" }]);
    let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]).jobs(&["a"], [done("a", failed)]);
    let options = options_with(json!({ "canary": 2 }), json!({}));
    assert_snapshot!(after(&host, &deliver(&host, &options, &people(5))));
    let host = MemoryHost::new()
        .admin()
        .on("POST", UPSERT, [queued("a"), queued("b")])
        .jobs(&["a"], [done("a", created(2))])
        .jobs(&["b"], [done("b", created(3))]);
    assert_eq!(deliver(&host, &options, &people(5)).unwrap().report.confirmed.count, 5);
}

#[test]
fn a_cancelled_run_stops_waiting() {
    let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]);
    let host = host.jobs(&["a"], [shown([status("a", "working", Value::Null)])]);
    let cancel = host.clone();
    host.when(Failure::new(Call::Sleep, 2), move || cancel.cancel());
    assert_eq!(deliver(&host, &options(json!({})), &people(1)).unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn what_results_did_not_tell_is_sent_again_by_the_next_run() {
    let few = json!([{ "id": 1, "status": "Created", "email": "ada1@example.com" }]);
    for (import_type, path) in [("create_and_update", UPSERT), ("create", CREATE)] {
        let options = options(json!({ "import_type": import_type }));
        let host = MemoryHost::new()
            .admin()
            .admin()
            .users(&["0", "1"], &[])
            .users(&["0", "1"], &[("0", 7), ("1", 8)])
            .on("POST", path, [queued("a"), queued("b")])
            .jobs(&["a"], [done("a", few.clone()), done("a", few.clone())])
            .jobs(&["b"], [done("b", created(2))]);
        let first = deliver(&host, &options, &people(2)).unwrap();
        assert_eq!((first.report.confirmed.count, first.report.unknown.count), (1, 1));
        assert_snapshot!(format!("untold_by_{import_type}"), first.receipt.warnings.join("\n"));
        // What creates finds that they are there.
        assert_eq!(deliver(&host, &options, &people(2)).unwrap().report.confirmed.count, 2, "{import_type}");
        let sent = host.requests().iter().filter(|sent| sent.head.method == "POST").count();
        assert_eq!(sent, if import_type == "create" { 1 } else { 2 });
    }
}
