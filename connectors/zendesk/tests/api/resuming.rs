//! Runs that end before their time, and go on.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_sdk::abi::{ErrorClass, Services};
use usher_testkit::{Call, Failure, MemoryHost, Reply};

use crate::account::{
    Account as _, CREATE, UPSERT, after, copy, created, deliver, deliver_on, done, options, options_with,
    people, queued, shown, status,
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
fn a_unit_in_doubt_is_sent_again_and_a_create_says_so() {
    for (import_type, path) in [("create_and_update", UPSERT), ("create", CREATE)] {
        let options = options(json!({ "import_type": import_type }));
        let host = MemoryHost::new().admin().admin().on("POST", path, [queued("lost"), queued("a")]);
        let known = json!([{ "index": 0, "error": "x", "details": { "email": [{ "error": "DuplicateValue", "description": "taken" }] } }]);
        let host = host.jobs(&["a"], [done("a", if import_type == "create" { known } else { created(1) })]);
        // The connection breaks before the answer is there.
        host.fail(Failure::new(Call::Receive, 2));
        let first = deliver(&host, &options, &people(1)).unwrap();
        assert_eq!(first.report.unknown.count, 1);
        assert!(first.receipt.delivery.unwrap().stopped.unwrap().retryable);
        let second = deliver(&host, &options, &people(1)).unwrap();
        let counts =
            (second.report.confirmed.count, second.report.rejects.len(), second.receipt.warnings.len());
        assert_eq!(counts, if import_type == "create" { (0, 1, 1) } else { (1, 0, 0) });
        for warning in &second.receipt.warnings {
            assert_snapshot!(warning);
        }
    }
}

#[test]
fn what_was_refused_is_in_no_doubt_afterwards() {
    let options = options(json!({ "import_type": "create" }));
    let host = MemoryHost::new().admin().admin().on("POST", CREATE, [Reply::new(403), queued("a")]);
    let host = host.jobs(&["a"], [done("a", created(1))]);
    let first = deliver(&host, &options, &people(1)).unwrap();
    assert_eq!(first.report.unknown.count, 0, "Zendesk took nothing");
    let second = deliver(&host, &options, &people(1)).unwrap();
    assert_eq!((second.report.confirmed.count, second.receipt.warnings.len()), (1, 0));
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
    let few = json!([{ "id": 1, "status": "Created" }]);
    for (import_type, path, confirmed) in [("create_and_update", UPSERT, 2), ("create", CREATE, 1)] {
        let options = options(json!({ "import_type": import_type }));
        let host = MemoryHost::new()
            .admin()
            .admin()
            .on("POST", path, [queued("a"), queued("b")])
            .jobs(&["a"], [done("a", few.clone()), done("a", few.clone())])
            .jobs(&["b"], [done("b", created(2))]);
        let first = deliver(&host, &options, &people(2)).unwrap();
        assert_eq!((first.report.confirmed.count, first.report.unknown.count), (1, 1));
        assert_snapshot!(format!("untold_by_{import_type}"), first.receipt.warnings.join("\n"));
        // What creates is not: it would find itself in its way.
        let second = deliver(&host, &options, &people(2)).unwrap();
        assert_eq!(second.report.confirmed.count, confirmed, "{import_type}");
    }
}
