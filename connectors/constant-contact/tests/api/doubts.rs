//! Imports that may have arrived, that are lost, given up or cancelled, and runs that go on.

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_testkit::{Call, Failure, MemoryHost, Reply};

use crate::common::{
    JOB, Vendor as _, activity, all_in, asked, listed, many, options, outcome, people, queued, run, run_with,
};

const OTHER: &str = "14fe9a97-a579-43c5-bb1a-58ed29bf0a6a";
const NOW: &str = "2026-01-01T00:00:00Z";

/// A run of so many that ends while it waits for the reply to an import, and the same once more.
fn interrupted(format: &str, count: usize, found: Value) -> (MemoryHost, String) {
    let path = format!("/activities/contacts_{}_import", if format == "csv" { "file" } else { "json" });
    let host = MemoryHost::new().known().on("POST", &path, [queued(), queued()]);
    // The fifth reply is that to the import.
    host.fail(Failure::new(Call::Receive, 5));
    let first = outcome(&run_with(&host, options(json!({ "format": format }), json!({})), many(count)));
    let host = host.seen().activities([found]).job([all_in(count as u64)]);
    let second = outcome(&run_with(&host, options(json!({ "format": format }), json!({})), many(count)));
    (host, first + "\n" + &second)
}

fn imports(host: &MemoryHost) -> usize {
    asked(host).matches("_import\n").count()
}

#[test]
fn an_import_of_csv_is_found_again() {
    let (host, _) = interrupted("csv", 3, json!([]));
    assert_eq!(imports(&host), 2, "it is not listed");
    // Its name stands in the request.
    let import = host.requests().into_iter().find(|sent| sent.head.url.ends_with("file_import")).unwrap();
    let name = import.text().split("filename=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let one = |id: &str, state: &str, name: &str, at: &str| json!({ "activity_id": id, "state": state, "source_file_name": name, "created_at": at });
    let listed = json!([
        one("other", "completed", "people.csv", NOW),
        one("gone", "failed", &name, NOW),
        one("cancelled", "cancelled", &name, NOW),
        // The same contacts, sent by a run before this one.
        one("old", "completed", &name, "2025-12-31T23:59:00Z"),
        one(JOB, "processing", &name, NOW),
    ]);
    let (host, told) = interrupted("csv", 3, listed);
    assert_eq!(imports(&host), 1);
    assert_snapshot!(told + "\n" + &asked(&host));
    let (host, _) = interrupted("csv", 3, json!([one("old", "completed", &name, "2025-12-31T23:59:00Z")]));
    assert_eq!(imports(&host), 2, "what another run sent is not taken for it");
}

/// What it holds no activity says: one of as many contacts may be that of another unit, on its way at the same time.
#[test]
fn an_import_of_json_is_sent_again() {
    let one = json!({ "activity_id": JOB, "state": "processing", "created_at": NOW, "status": { "person_count": 100 } });
    for found in [json!([]), json!([one])] {
        assert_eq!(imports(&interrupted("json", 100, found).0), 2);
    }
}

#[test]
fn the_import_of_another_unit_is_not_taken_for_this_one() {
    // Two units of three; the second is in doubt, and only the first one's import is listed.
    let host = MemoryHost::new().known().json_import([queued(), queued()]);
    host.fail(Failure::new(Call::Receive, 6));
    let small = || options(json!({}), json!({ "max_rows": 2 }));
    run_with(&host, small(), people()).unwrap();
    let first = json!({ "activity_id": JOB, "state": "completed", "created_at": NOW, "status": { "person_count": 1 } });
    let second = activity("initialized", json!({ "activity_id": OTHER }));
    let host = host.seen().activities([json!([first]), json!([])]).json_import([second]).job([all_in(2)]);
    let done = json!({ "activity_id": OTHER, "status": { "person_count": 1, "error_count": 0, "correctable_count": 0, "cannot_add_to_list_count": 0 } });
    let host = host.on("GET", &format!("/activities/{OTHER}"), [activity("completed", done)]);
    let told = outcome(&run_with(&host, small(), people()));
    assert!(told.contains("confirmed 3"), "{told}");
}

#[test]
fn trouble_is_waited_for_and_not_for_ever() {
    for format in ["csv", "json"] {
        let path = format!("/activities/contacts_{}_import", if format == "csv" { "file" } else { "json" });
        let host = MemoryHost::new().known().on("POST", &path, [Reply::new(500), queued()]);
        let host = host.activities([json!([])]).job([all_in(3)]);
        assert_eq!(run(&host, json!({ "format": format })).unwrap().report.confirmed.count, 3);
        let host = MemoryHost::new().known().on("POST", &path, (0..6).map(|_| Reply::new(500)));
        let host = host.activities((0..6).map(|_| json!([])));
        let told = outcome(&run_with(&host, options(json!({ "format": format }), json!({})), many(3)));
        assert!(host.clock().slept_ms() > 40_000);
        insta::allow_duplicates! { assert_snapshot!(told); }
    }
}

#[test]
fn imports_that_are_given_up_are_sent_again() {
    let failed = || activity("failed", json!({ "activity_errors": ["disk full"] }));
    let nothing = || (0..4).map(|_| json!([]));
    let host = MemoryHost::new().known().json_import([queued(), queued()]).job([failed(), all_in(3)]);
    let first = outcome(&run(&host.activities(nothing()), json!({})));
    let host = MemoryHost::new().known().json_import((0..4).map(|_| queued())).activities(nothing());
    let host = host.job([
        activity("timed_out", json!({})),
        Reply::new(404),
        Reply::new(404),
        Reply::new(404),
        Reply::new(404),
        failed(),
        failed(),
    ]);
    let second = outcome(&run(&host, json!({})));
    let host = MemoryHost::new().known().json_import([queued()]).job([activity("weird", json!({}))]);
    let third = outcome(&run(&host, json!({})));
    assert_snapshot!([first, second, third].join("\n"));
}

#[test]
fn an_import_that_somebody_cancelled_is_sent_again_by_their_wish_only() {
    let cancelled = || activity("cancelled", json!({}));
    let host = MemoryHost::new().known().json_import([queued(), queued()]).job([cancelled()]);
    let first = outcome(&run(&host, json!({})));
    assert_eq!(imports(&host), 1);
    let host = host.seen().job([cancelled(), all_in(3)]).activities([json!([])]);
    let second = outcome(&run(&host, json!({})));
    assert_eq!(imports(&host), 2);
    assert_snapshot!([first, second].join("\n"));
}

#[test]
fn a_run_goes_on_and_settles_nothing_twice() {
    let second = || activity("initialized", json!({ "activity_id": OTHER }));
    let counts =
        json!({ "person_count": 1, "error_count": 0, "correctable_count": 0, "cannot_add_to_list_count": 0 });
    let running = |id: &str| json!({ "activity_id": id, "state": "processing" });
    let host = MemoryHost::new().known().json_import([queued(), second()]);
    // One question for both, and then only for the one that is done.
    let host =
        host.activities([json!([running(JOB), running(OTHER)]), json!([running(OTHER)])]).job([all_in(2)]);
    let done = activity("completed", json!({ "activity_id": OTHER, "status": counts }));
    let host = host.on("GET", &format!("/activities/{OTHER}"), [done]);
    // Ended before the third question; the first wait was for the login.
    host.fail(Failure::new(Call::Sleep, 4));
    let small = || options(json!({}), json!({ "max_rows": 2 }));
    let first = outcome(&run_with(&host, small(), people()));
    let host = host.seen();
    let second = outcome(&run_with(&host, small(), people()));
    assert_snapshot!([first, second, asked(&host)].join("\n"));
}

#[test]
fn what_is_not_listed_is_asked_for_by_itself() {
    let second = activity("initialized", json!({ "activity_id": OTHER }));
    let counts =
        json!({ "person_count": 1, "error_count": 0, "correctable_count": 0, "cannot_add_to_list_count": 0 });
    let host = MemoryHost::new().known().json_import([queued(), second]).job([all_in(2)]);
    let host = host.on("GET", "/activities?limit=500", [listed(json!([{ "activity_id": 7 }, "odd"]))]);
    let done = activity("completed", json!({ "activity_id": OTHER, "status": counts }));
    let host = host.on("GET", &format!("/activities/{OTHER}"), [done]);
    let written = run_with(&host, options(json!({}), json!({ "max_rows": 2 })), people()).unwrap();
    assert_eq!(written.report.confirmed.count, 3);
}
