//! Every answer to what is sent, and of jobs.

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_testkit::{MemoryHost, Reply};

use crate::account::{
    Account as _, CREATE, UPDATE, UPSERT, after, created, deliver, done, ok, options, people, queued, sample,
    shown, status,
};

#[test]
fn the_samples_are_understood() {
    let cases = [
        (UPSERT, "create_and_update", "zendesk_job_completed_upsert_with_failure", 4),
        (CREATE, "create", "zendesk_job_completed_create_many", 3),
        (UPDATE, "update", "zendesk_job_completed_update_many", 1),
    ];
    let told = cases.map(|(path, import_type, name, rows)| {
        let job = sample(name)["job_status"].clone();
        let id = job["id"].as_str().unwrap().to_owned();
        let working = sample("zendesk_job_working")["job_status"].clone();
        let method = if import_type == "update" { "PUT" } else { "POST" };
        let there: &[(&str, i64)] = if import_type == "update" { &[("0", 7)] } else { &[] };
        let host = MemoryHost::new()
            .admin()
            .users(&["0", "1", "2"][..rows.min(3)], there)
            .on(method, path, [ok(sample("zendesk_job_queued"))])
            .jobs(&[&id], [shown([working]), shown([job])]);
        let written = deliver(&host, &options(json!({ "import_type": import_type })), &people(rows)).unwrap();
        let rejects: Vec<_> =
            written.report.rejects.iter().map(|r| (r.origin.offset / 100, r.message.to_string())).collect();
        format!("{name}: confirmed {}, rejects {rejects:?}", written.report.confirmed.count)
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn too_many_jobs_are_waited_for_whatever_the_status() {
    for code in [200, 400, 422, 429] {
        let full = Reply::new(code).json(&sample("zendesk_error_too_many_jobs"));
        let hinted =
            full.clone().header("zendesk-ratelimit-inflight-jobs", "total=30; remaining=0; resets=60");
        let host = MemoryHost::new()
            .admin()
            .on("POST", UPSERT, [full.clone().header("Retry-After", "7"), hinted, full, queued("a")])
            .jobs(&["a"], [done("a", created(1))]);
        let written = deliver(&host, &options(json!({})), &people(1)).unwrap();
        assert_eq!(written.report.confirmed.count, 1, "{code}");
        assert_eq!(host.clock().slept_ms(), 7_000 + 60_000 + 5_000 + 500, "{code}");
    }
}

#[test]
fn an_account_that_stays_full_ends_the_delivery() {
    let full = || Reply::new(429).json(&sample("zendesk_error_too_many_jobs"));
    let host = MemoryHost::new().admin().on("POST", UPSERT, (0..300).map(|_| full()));
    assert_snapshot!(after(&host, &deliver(&host, &options(json!({})), &people(2))));
    assert_eq!(host.clock().slept_ms(), 15 * 60 * 1_000);
    // The same run, later: nothing is in doubt.
    let host = host.on("POST", UPSERT, []);
    assert_eq!(host.requests().iter().filter(|sent| sent.head.method == "POST").count(), 181);
}

#[test]
fn refusals_of_what_is_sent() {
    let all = [
        Reply::new(401).json(&json!({ "error": "Couldn't authenticate you" })),
        Reply::new(403).json(
            &json!({ "error": { "title": "Forbidden", "message": "You do not have access to this page." } }),
        ),
        Reply::new(403).body("<html>no</html>"),
        Reply::new(404).json(&sample("zendesk_error_record_not_found")),
        Reply::new(400).json(&sample("zendesk_error_too_many_values")),
        Reply::new(422).json(&sample("zendesk_error_record_invalid")),
        Reply::new(405),
        Reply::new(409).body("Conflict"),
        Reply::new(413).body("<html>too large</html>"),
        Reply::new(503).body("<html>maintenance</html>"),
        Reply::new(418),
    ];
    let told = all.map(|reply| {
        let host = MemoryHost::new().admin().on("POST", UPSERT, [reply]);
        let written = deliver(&host, &options(json!({})), &people(250)).unwrap();
        let (unknown, rejects) = (written.report.unknown.count, written.report.rejects.len());
        assert_eq!((written.report.confirmed.count, rejects), (0, 0));
        after(&host, &Ok(written)).lines().last().unwrap().to_owned() + &format!(" (unknown {unknown})")
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn answers_that_are_not_understood_are_kept() {
    let sent = [
        ok(json!({ "hello": "hush-token" })),
        Reply::new(200).body("<html>hush-token</html>"),
        ok(json!({ "job_status": { "id": "../../me", "status": "queued" } })),
        Reply::new(302).body("elsewhere"),
        Reply::new(200).body(vec![0xff, 0xfe]),
    ];
    let mut told: Vec<String> = sent
        .map(|reply| {
            let host = MemoryHost::new().admin().on("POST", UPSERT, [reply]);
            after(&host, &deliver(&host, &options(json!({})), &people(1)))
        })
        .into();
    let polled = [
        (json!([]), "completed"),
        (json!([{ "id": 1 }, { "id": 2, "status": "Created" }]), "completed"),
        (created(3), "completed"),
        (Value::Null, "completed"),
        (json!({ "success": true }), "completed"),
        (json!([{ "index": 1, "error": "x", "details": "y" }]), "failed"),
    ];
    told.extend(polled.map(|(results, end)| {
        let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]);
        let host = host.jobs(&["a"], [shown([status("a", end, results)])]);
        after(&host, &deliver(&host, &options(json!({})), &people(2)))
    }));
    assert_snapshot!(told.join("\n"));
}

#[test]
fn jobs_may_be_unknown_for_a_while() {
    let gone = || Reply::new(404).json(&sample("zendesk_error_record_not_found"));
    let host = MemoryHost::new()
        .admin()
        .on("POST", UPSERT, [queued("a")])
        .jobs(&["a"], [gone(), shown([]), Reply::new(200).body("<html>"), done("a", created(1))])
        .job("a", [gone(), ok(json!({ "job_status": status("a", "working", Value::Null) }))]);
    let written = deliver(&host, &options(json!({})), &people(1)).unwrap();
    assert_eq!(written.report.confirmed.count, 1);
    assert_eq!(host.requests().iter().filter(|sent| sent.head.method == "POST").count(), 1);
}

#[test]
fn a_lost_job_is_sent_again_three_times() {
    let ids = ["a", "b", "c", "d"];
    let mut host = MemoryHost::new().admin().on("POST", UPSERT, ids.map(queued));
    for id in ids {
        host = host.jobs(&[id], (0..20).map(|_| shown([])));
    }
    assert_snapshot!(after(&host, &deliver(&host, &options(json!({})), &people(1))));
    // A job that failed as a whole is as good as lost, where sending again does no harm.
    let failed = |id| shown([status(id, "failed", Value::Null)]);
    let host = MemoryHost::new()
        .admin()
        .on("POST", UPSERT, [queued("a"), queued("b")])
        .jobs(&["a"], [failed("a")])
        .jobs(&["b"], [done("b", created(1))]);
    assert_eq!(deliver(&host, &options(json!({})), &people(1)).unwrap().report.confirmed.count, 1);
}

#[test]
fn a_job_that_does_not_end_is_left_to_the_next_run() {
    let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]);
    let host = host.jobs(&["a"], (0..2_000).map(|_| shown([status("a", "working", Value::Null)])));
    assert_snapshot!(after(&host, &deliver(&host, &options(json!({})), &people(1))));
}

#[test]
fn a_rate_limit_is_waited_for_as_long_as_zendesk_says() {
    let refused = || Reply::new(429).body("Too many requests, hush-token");
    let host = MemoryHost::new()
        .admin()
        .on("POST", UPSERT, [refused().header("Retry-After", "30"), refused(), queued("a")])
        .jobs(&["a"], [done("a", created(1))]);
    assert_eq!(deliver(&host, &options(json!({})), &people(1)).unwrap().report.confirmed.count, 1);
    assert_eq!(host.clock().slept_ms(), 30_000 + 5_000 + 500);
    let host = MemoryHost::new().admin().on("POST", UPSERT, (0..300).map(|_| refused()));
    assert_snapshot!(after(&host, &deliver(&host, &options(json!({})), &people(1))));
}

#[test]
fn a_listed_job_that_cannot_be_read_is_not_lost() {
    for riddle in [json!({ "id": "a", "state": "done" }), json!({ "job": 7 })] {
        let host =
            MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]).jobs(&["a"], [shown([riddle])]);
        let written = deliver(&host, &options(json!({})), &people(1)).unwrap();
        assert_eq!(written.report.unknown.count, 1);
        assert_eq!(host.parts().iter().filter(|part| part.name.contains("answer")).count(), 1);
    }
}

#[test]
fn a_job_that_does_not_end_keeps_no_other_back() {
    let working = || status("a", "working", Value::Null);
    let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a"), queued("b")]);
    let host = host.jobs(&["a", "b"], [shown([working(), status("b", "completed", created(50))])]);
    let host = host.jobs(&["a"], (0..2_000).map(|_| shown([working()])));
    let written = deliver(&host, &options(json!({})), &people(150)).unwrap();
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (50, 100));
    let delivery = written.receipt.delivery.unwrap();
    assert_eq!((delivery.settled, delivery.stopped), (1, None));
}

#[test]
fn refusals_of_questions_for_jobs() {
    let all = [Reply::new(401), Reply::new(403), Reply::new(429), Reply::new(500)];
    let told = all.map(|reply| {
        let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]).jobs(&["a"], [reply]);
        after(&host, &deliver(&host, &options(json!({})), &people(1))).lines().last().unwrap().to_owned()
    });
    assert_snapshot!(told.join("\n"));
}
