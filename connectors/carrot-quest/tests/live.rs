//! Users sent to an app: every request as it is sent, and what comes of every answer.

#[path = "common/app.rs"]
mod app;

use app::{
    App as _, BASE, end, ignored, imported, nobody, ok, options, people, person, refusal, requests, run,
    story, tagged, told, user, whole, with, writes,
};
use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_carrot_quest::plugin;
use usher_sdk::abi::{ErrorClass, Role, Services};
use usher_testkit::{Call, Failure, MemoryHost, Reply, text_batch};

/// Nobody is read back, so that the import's own answer is what counts.
fn unconfirmed() -> Value {
    options(json!({ "confirm": "none" }))
}

#[test]
fn a_good_run() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 3)]);
    // The import has not run yet when people are looked for.
    let tags = ["super_tag", "say \"hi\""];
    let host = host.user_with_tags("1", [nobody(), tagged(1, &tags)]).user_with_tags("3", [tagged(3, &tags)]);
    let given =
        with(json!({ "sample": 2 }), json!({ "tags": ["super_tag", "say \"hi\""], "app": "$self_app" }));
    let outcome = run(&host, given, people(3));
    assert_snapshot!(story(&host, &outcome));
}

#[test]
fn the_other_options_are_sent() {
    let host = MemoryHost::new()
        .on("GET", "/apps/42/users?limit=1", [ok(json!({}))])
        .import([imported("{}", 1), imported("{}", 1)]);
    let given = with(
        json!({}),
        json!({ "app": "42", "merge_field": "email", "delimiter": ";", "max_rows": 1, "phone": "digits" }),
    );
    let batch = text_batch(&[
        ("$email", vec![Some("ada@example.com"), Some("eve@example.com")]),
        ("$phone", vec![Some("+7 912"), None]),
    ]);
    // Addresses find nobody again, so the rows stay accepted.
    let outcome = run(&host, given, batch);
    assert_snapshot!(story(&host, &outcome));
}

#[test]
fn everybody_is_read_back_within_the_time() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 5)]);
    let late = || (0..20).map(|_| nobody());
    let host = host
        .user("1", [person(1)])
        .user("2", [nobody(), nobody(), person(2)])
        // The import leaves an old value, or nobody.
        .user("3", (0..20).map(|_| user("3", json!({ "$name": "Old" }), json!({ "plan": "pro" }))))
        .user("4", late())
        // Somebody is there, but the answer shows no properties.
        .user("5", (0..20).map(|_| ok(json!({ "id": 5, "user_id": "5" }))));
    let given = options(json!({ "confirm": "all", "wait_seconds": 120 }));
    let outcome = run(&host, given, people(5));
    let reads = host.requests().iter().filter(|sent| sent.head.url.contains("by_user_id")).count();
    assert!(reads < 25, "{reads} requests");
    assert_snapshot!(end(&host, &outcome));
}

#[test]
fn a_sample_of_a_large_part_is_ten() {
    let mut host = MemoryHost::new().lets_in().import([imported("{}", 1_000)]);
    for n in [1, 112, 223, 334, 445, 556, 667, 778, 889, 1_000] {
        host = host.user(&n.to_string(), [person(n)]);
    }
    let written = whole(&host, options(json!({})), people(1_000));
    assert_eq!((written.report.confirmed.count, written.report.accepted.count), (10, 990));
}

#[test]
fn row_errors_by_every_way_of_counting() {
    let all = [
        (
            "bare keys, row 1 is data",
            json!({}),
            r#"{1: "bad row, hush-token" /* first */, 4: "bad \"too\""}"#,
            3,
        ),
        ("the last number tells of the header", json!({}), r#"{"2": "no", "6": "no"}"#, 3),
        ("counted from 0", json!({}), r#"{"0": "no", "4": "no"}"#, 3),
        ("not to be told", json!({}), r#"{"3": "no"}"#, 4),
        ("partly to be told", json!({}), r#"{"3": "no", "4": ["other"]}"#, 3),
        ("said to be the header", json!({ "row_numbers": "header" }), r#"{"3": "no"}"#, 4),
        ("said to be data", json!({ "row_numbers": "data" }), r#"{"3": "no"}"#, 4),
        ("said to begin with 0", json!({ "row_numbers": "zero" }), r#"{"3": "no"}"#, 4),
        ("an error of the headings", json!({ "row_numbers": "header" }), r#"{"1": "odd", "3": "no"}"#, 4),
        ("a 1 that may mean the headings", json!({}), r#"{"1": "odd"}"#, 5),
        ("a 0 that may mean the headings", json!({}), r#"{"0": "odd"}"#, 5),
        ("the same words for both rows", json!({}), r#"{"3": "no", "4": "no"}"#, 3),
        ("none", json!({}), "null", 5),
        ("an empty list", json!({}), "[]", 5),
        ("too few planned", json!({}), "{}", 3),
        ("too few planned beside an error", json!({}), r#"{"1": "no"}"#, 3),
        ("more planned than without an error", json!({}), r#"{"1": "no"}"#, 5),
        ("all refused", json!({}), r#"{1: "a", 2: "b", 3: "c", 4: "d", 5: "e"}"#, 0),
    ];
    let told = all.map(|(what, mut api, errors, planned)| {
        api["confirm"] = json!("none");
        let host = MemoryHost::new().lets_in().import([imported(errors, planned)]);
        let written = whole(&host, options(api), people(5));
        format!("== {what}\n{}", told(&written))
    });
    assert_snapshot!(told.join("\n"));
}

/// Rows rejected, and how many are unknown, of two parts with three rows each.
fn of_two_parts(first: (&str, u64), second: (&str, u64)) -> (Vec<u64>, u64) {
    let host = MemoryHost::new().lets_in().import([imported(first.0, first.1), imported(second.0, second.1)]);
    let written = whole(&host, with(json!({ "confirm": "none" }), json!({ "max_rows": 3 })), people(6));
    let rejected = written.report.rejects.iter().map(|r| r.origin.offset / 100).collect();
    (rejected, written.report.unknown.count)
}

#[test]
fn what_one_part_tells_of_the_numbers_holds_for_the_next() {
    assert_eq!(of_two_parts((r#"{"1": "no"}"#, 2), (r#"{"2": "no"}"#, 2)), (vec![0, 4], 0));
    assert_eq!(of_two_parts((r#"{"4": "no"}"#, 2), (r#"{"2": "no"}"#, 2)), (vec![2, 3], 0));
    assert_eq!(of_two_parts((r#"{"0": "no"}"#, 2), (r#"{"1": "no"}"#, 2)), (vec![0, 4], 0));
    // A 1 of which the headings may be meant tells nothing of the second part's 2, nor of its own.
    assert_eq!(of_two_parts((r#"{"1": "no"}"#, 3), (r#"{"2": "no"}"#, 2)), (vec![], 3));
}

#[test]
fn parts_that_count_in_two_ways_are_not_understood() {
    for (first, second) in [("0", "3"), ("1", "4"), ("4", "0")] {
        let error = |number: &str| format!(r#"{{"{number}": "no"}}"#);
        let (rejected, unknown) = of_two_parts((&error(first), 2), (&error(second), 2));
        assert_eq!((rejected.len(), unknown), (1, 3), "{first}, {second}");
    }
}

#[test]
fn reading_back_says_who_of_the_unclear_is_there() {
    let host = MemoryHost::new().lets_in().import([imported(r#"{"3": "no"}"#, 3)]);
    let host =
        host.user("1", [person(1)]).user("2", [person(2)]).user("4", [person(4)]).user("3", [nobody()]);
    let given = options(json!({ "confirm": "all", "wait_seconds": 0 }));
    let written = whole(&host, given, people(4));
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (3, 1));
}

#[test]
fn reading_everybody_back_makes_up_for_a_short_count() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 2)]);
    let host = host.user("1", [person(1)]).user("2", [nobody()]).user("3", [person(3)]);
    let written = whole(&host, options(json!({ "confirm": "all", "wait_seconds": 0 })), people(3));
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (2, 1));
    // A sample tells of those that are in it only.
    let host = MemoryHost::new().lets_in().import([imported("{}", 2)]).user("1", [person(1)]);
    let written = whole(&host, options(json!({ "sample": 1, "wait_seconds": 0 })), people(3));
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (1, 2));
}

#[test]
fn answers_that_are_not_understood_are_kept() {
    let all = [
        Reply::new(200).body("<html>welcome, hush-token</html>"),
        Reply::new(200).body(""),
        Reply::new(200).json(&json!({ "data": { "updates_planned": 2 } })),
        ok(json!({ "row_errors": {} })),
        imported(r#"{"first": "no"}"#, 2),
        imported("{}", 3),
        imported(r#"{"1": "a", "4": "b"}"#, 1),
        imported(r#"{"9": "a"}"#, 1),
    ];
    let told = all.map(|reply| {
        let host = MemoryHost::new().lets_in().import([reply]);
        let outcome = run(&host, unconfirmed(), people(2));
        let kept: Vec<String> =
            host.parts().iter().map(|part| format!("{}: {}", part.name, part.text())).collect();
        assert_eq!(outcome.as_ref().unwrap().report.unknown.count, 2);
        format!("{}{}", end(&host, &outcome), kept[0])
    });
    assert_snapshot!(told.join("\n\n"));
}

/// All errors of the vendor's page on them, and others.
fn errors() -> Vec<Reply> {
    let fields = json!({ "status": 400, "error": "ValidationError", "error_message": "Invalid arguments",
        "error_fields": { "merge_field": ["no such column"] } });
    vec![
        Reply::new(400).json(&json!({ "meta": fields, "data": {} })),
        refusal(
            400,
            "BadRequest",
            "The request could not be understood by the server due to malformed syntax",
        ),
        refusal(400, "LookupError", "App not found"),
        refusal(401, "NotAuthenticated", "Token hush-token is wrong"),
        refusal(403, "PermissionDeniedError", "no rights"),
        refusal(404, "Error404", "Not found"),
        refusal(405, "MethodNotAllowed", "Method not allowed"),
        refusal(429, "TooManyRequests", "slow down").header("Retry-After", "30"),
        refusal(500, "Error500", "oops"),
        Reply::new(502).body("<html>bad gateway</html>"),
        Reply::new(413).body("<html>too large</html>"),
        // `meta.status` counts as well as the status of HTTP.
        Reply::new(200)
            .json(&json!({ "meta": { "status": 403, "error": "PermissionDeniedError" }, "data": {} })),
        Reply::new(200).json(&json!({ "meta": { "status": 500, "error": "Error500" }, "data": {} })),
    ]
}

#[test]
fn errors_of_an_import() {
    let told = errors().into_iter().map(|reply| {
        let host = MemoryHost::new().lets_in().import([reply, imported("{}", 1)]);
        let outcome = run(&host, with(json!({ "confirm": "none" }), json!({ "max_rows": 1 })), people(2));
        let written = outcome.as_ref().unwrap();
        let (report, stopped) = (&written.report, written.receipt.delivery.clone().unwrap().stopped.unwrap());
        let again = if stopped.retryable { "; may be tried again" } else { "" };
        end(&host, &outcome);
        format!("{} (unknown {}{again}): {}\n", stopped.code, report.unknown.count, stopped.message)
    });
    assert_snapshot!(told.collect::<String>());
}

#[test]
fn errors_before_a_row_is_sent() {
    let asked = |app: &str, reply: Reply| {
        // What is no answer is asked for three times.
        let replies = [reply.clone(), reply.clone(), reply];
        let host = MemoryHost::new().on("GET", &format!("/apps/{app}/users?limit=1"), replies);
        let given = with(json!({}), json!({ "app": app }));
        let outcome = run(&host, given, people(1));
        assert_eq!(writes(&host).len(), 0);
        outcome.map_or_else(
            |e| {
                let problems: Vec<Value> = serde_json::from_str(&e.details).unwrap_or_default();
                let problem =
                    problems.first().map_or(String::new(), |p| format!("{} {}", p["pointer"], p["code"]));
                format!("{} ({}) {problem}: {e}\n", e.code, e.class.name())
            },
            |written| {
                written
                    .problems
                    .iter()
                    .map(|p| format!("warning {} {}: {}\n", p.pointer, p.code, p.message))
                    .collect()
            },
        )
    };
    let mut text: String = errors().into_iter().map(|reply| asked("42", reply)).collect();
    text += &asked("42", Reply::new(200).body("<html>"));
    text += "-- the app of the token\n";
    text += &asked("$self_app", refusal(400, "LookupError", "App not found"));
    text += &asked("$self_app", refusal(400, "ValidationError", "id"));
    assert!(!text.contains("hush-token"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_gateways_page_is_no_answer_and_asked_for_again() {
    let page = || Reply::new(200).body("<html>one moment</html>");
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [page(), ok(json!([]))]);
    let host = host.import([imported("{}", 1)]).user("1", [page(), page(), person(1)]);
    let written = run(&host, options(json!({ "confirm": "all" })), people(1)).unwrap();
    assert_eq!(written.report.confirmed.count, 1);
}

#[test]
fn errors_of_reading_back() {
    let told = errors().into_iter().chain([Reply::new(200).body("<html>"), ok(json!([]))]).map(|reply| {
        let host = MemoryHost::new().lets_in().import([imported("{}", 2)]);
        // What is no answer is asked for three times.
        let host = host.user("1", [reply.clone(), reply.clone(), reply]).user("2", [person(2)]);
        let outcome = run(&host, options(json!({ "wait_seconds": 0 })), people(2));
        end(&host, &outcome);
        let written = outcome.unwrap();
        let mut text =
            told(&written).lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
        if let Some(stopped) = written.receipt.delivery.unwrap().stopped {
            text += &format!("\nstopped {} (retryable: {})", stopped.code, stopped.retryable);
        }
        text
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn nothing_is_sent_in_a_dry_run() {
    let host = MemoryHost::new().reads_only().lets_in();
    let written = run(&host, options(json!({ "props_up_to": 1 })), people(3)).unwrap();
    assert_eq!(host.requests().len(), 1);
    let delivery = written.receipt.delivery.unwrap();
    assert_eq!(delivery.stopped.unwrap().code, "http.dry-run");
    assert_eq!((delivery.units, delivery.settled), (1, 0));
    assert_eq!(host.parts()[0].records, 3);
    // And nobody is set one by one.
    let host = MemoryHost::new().reads_only().lets_in();
    let written = run(&host, options(json!({ "props_up_to": 3 })), people(3)).unwrap();
    assert_eq!((host.requests().len(), written.receipt.delivery.unwrap().units), (1, 3));
}

#[test]
fn options_are_checked_without_a_network() {
    let all = MemoryHost::new().services();
    let services = std::sync::Arc::new(Services {
        log: all.log.clone(),
        input: None,
        output: all.output.clone(),
        clock: all.clock.clone(),
        state: None,
        ledger: None,
        http: None,
        others: Vec::new(),
    });
    let text = options(json!({})).to_string();
    let mut sink = usher_testkit::drive::Sink::open(plugin(), "users", &text, &services).unwrap();
    assert_eq!(sink.check(&["$user_id"]).unwrap(), []);
}

#[test]
fn the_vendor_is_asked_once() {
    let host = MemoryHost::new().lets_in();
    let text = options(json!({})).to_string();
    let mut sink = usher_testkit::drive::Sink::open(plugin(), "users", &text, &host.services()).unwrap();
    assert_eq!(sink.check(&["$user_id"]).unwrap(), []);
    assert_eq!(sink.check(&["$user_id", "$name"]).unwrap(), []);
    assert_eq!(host.requests().len(), 1);
}

#[test]
fn trouble_on_the_way_is_no_problem_of_the_options() {
    let host = MemoryHost::new().lets_in();
    host.fail(Failure::new(Call::Receive, 1));
    let error = run(&host, unconfirmed(), people(1)).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::TRANSIENT, "test.fault"));
}

#[test]
fn the_first_rows_must_come_back_clean() {
    let given = options(json!({ "canary": 2, "wait_seconds": 0 }));
    let good = |host: MemoryHost| host.user("1", [person(1)]).user("2", [person(2)]);
    let host = good(MemoryHost::new().lets_in().import([imported("{}", 2), imported("{}", 3)]));
    let host = host.user("3", [person(3)]).user("4", [person(4)]).user("5", [person(5)]);
    assert_eq!(whole(&host, given.clone(), people(5)).report.confirmed.count, 5);
    let stopped = |host: MemoryHost| {
        let written = run(&host, given.clone(), people(5)).unwrap();
        assert_eq!(writes(&host).len(), 1, "nothing else is sent");
        written.receipt.delivery.unwrap().stopped.unwrap().code
    };
    assert_eq!(
        stopped(MemoryHost::new().lets_in().import([imported(r#"{"1": "no"}"#, 1)]).user("2", [person(2)])),
        "delivery.canary"
    );
    assert_eq!(
        stopped(
            MemoryHost::new()
                .lets_in()
                .import([imported("{}", 2)])
                .user("1", [person(1)])
                .user("2", [nobody()])
        ),
        "delivery.canary"
    );
}

#[test]
fn a_run_that_was_ended_while_people_were_looked_for_goes_on_there() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host =
        host.import([imported(r#"{1: "no"}"#, 2)]).user("2", [nobody(), person(2)]).user("3", [person(3)]);
    host.fail(Failure::new(Call::Sleep, 2));
    let first = run(&host, options(json!({})), people(3)).unwrap();
    assert_eq!(first.receipt.delivery.unwrap().stopped.unwrap().code, "test.fault");
    assert_eq!((first.report.unknown.count, first.report.rejects.len()), (3, 0));
    // What the import said of the rows is remembered, although nothing of the instance is.
    let second = whole(&host, options(json!({})), people(3));
    assert_eq!((second.report.confirmed.count, second.report.rejects.len()), (2, 1));
    assert_eq!(writes(&host).len(), 1, "it was sent once");
    // And what is settled is not asked for again.
    let sent = host.requests().len();
    let host = host.lets_in();
    let third = whole(&host, options(json!({})), people(3));
    assert_eq!((third.report.confirmed.count, third.report.rejects.len()), (2, 1));
    assert_eq!((host.requests().len(), third.receipt.delivery.unwrap().earlier), (sent + 1, 1));
}

#[test]
fn a_part_of_which_no_answer_came_is_sent_again() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host = host.import([imported("{}", 3), imported("{}", 3)]);
    // The reply to the check is the first, the one to the import the second.
    host.fail(Failure::new(Call::Receive, 2));
    let first = run(&host, unconfirmed(), people(3)).unwrap();
    assert_eq!((first.report.unknown.count, first.report.accepted.count), (3, 0));
    let second = whole(&host, unconfirmed(), people(3));
    assert_eq!((second.report.unknown.count, second.report.accepted.count), (0, 3));
    let bodies: Vec<Vec<u8>> = writes(&host).into_iter().map(|sent| sent.body).collect();
    assert!(bodies.len() == 2 && bodies[0] == bodies[1], "the same file under the same name");
}

#[test]
fn by_address_a_part_in_doubt_is_not_sent_again_at_once() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host = host.import([imported("{}", 1), imported("{}", 1)]);
    host.fail(Failure::new(Call::Receive, 2));
    let batch = || text_batch(&[("$email", vec![Some("ada@example.com")])]);
    let given = || with(json!({ "confirm": "none" }), json!({ "merge_field": "email" }));
    assert_eq!(run(&host, given(), batch()).unwrap().report.unknown.count, 1);
    host.clock().advance_ms(100_000);
    assert_eq!(whole(&host, given(), batch()).report.accepted.count, 1);
    assert_eq!(host.clock().slept_ms(), 500_000, "the first import has had its ten minutes");
}

#[test]
fn by_address_a_part_in_doubt_waits_whatever_the_options_say() {
    let batch = || text_batch(&[("$email", vec![Some("ada@example.com")])]);
    for (wait, later_ms) in [(0, 0), (600, 700_000)] {
        let host =
            MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
        let host = host.import([imported("{}", 1), imported("{}", 1)]);
        host.fail(Failure::new(Call::Receive, 2));
        let given =
            || with(json!({ "confirm": "none", "wait_seconds": wait }), json!({ "merge_field": "email" }));
        assert_eq!(run(&host, given(), batch()).unwrap().report.unknown.count, 1);
        host.clock().advance_ms(later_ms);
        assert_eq!(whole(&host, given(), batch()).report.accepted.count, 1);
        assert_eq!(host.clock().slept_ms(), 120_000, "two minutes from when the doubt arose");
    }
}

#[test]
fn another_tokens_app_is_another() {
    let twice = || [ok(json!({})), ok(json!({}))];
    let given =
        |token: &str, app: &str| with(json!({ "confirm": "none", "token": token }), json!({ "app": app }));
    let writes_of_two = |app: &str| {
        let host = MemoryHost::new().on("GET", &format!("/apps/{app}/users?limit=1"), twice());
        let host = host.import([imported("{}", 1), imported("{}", 1)]);
        let first = whole(&host, given("one", app), people(1));
        let second = whole(&host, given("two", app), people(1));
        let account = |written: usher_testkit::Written| written.receipt.delivery.unwrap().account;
        (writes(&host).len(), account(first) == account(second))
    };
    assert_eq!(writes_of_two("$self_app"), (2, false));
    assert_eq!(writes_of_two("42"), (1, true), "the app is named");
}

#[test]
fn tags_must_be_there_too() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 3)]);
    let host = host
        .user_with_tags("1", [tagged(1, &["other", "new"])])
        .user_with_tags("2", [tagged(2, &["other"])])
        // No tags are shown, so nothing is known of them.
        .user_with_tags("3", [person(3)]);
    let given = with(json!({ "confirm": "all", "wait_seconds": 0 }), json!({ "tags": ["new"] }));
    let written = whole(&host, given, people(3));
    let report = &written.report;
    assert_eq!((report.confirmed.count, report.unknown.count, report.accepted.count), (1, 1, 1));
    assert!(written.receipt.warnings[0].contains("(`tags`)"), "{:?}", written.receipt.warnings);
}

#[test]
fn who_cannot_be_shown_keeps_nobody_else_from_being_read_back() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 3)]);
    let host = host
        .user("1", [refusal(400, "ValidationError", "odd id")])
        .user("2", [person(2)])
        .user("3", [person(3)]);
    let written = whole(&host, options(json!({ "confirm": "all" })), people(3));
    assert_eq!((written.report.confirmed.count, written.report.accepted.count), (2, 1));
    assert_eq!(written.receipt.warnings.len(), 1);
    // A token that may not read users reads nobody.
    let host = MemoryHost::new().lets_in().import([imported("{}", 3)]);
    let host = host.user("1", [refusal(403, "PermissionDeniedError", "no")]);
    let written = whole(&host, options(json!({ "confirm": "all" })), people(3));
    assert_eq!((written.report.accepted.count, written.receipt.warnings.len()), (3, 1));
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again() {
    let cut = || Reply::new(200).body("{\"meta\"").cut();
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [cut(), ok(json!({}))]);
    let host = host.import([imported("{}", 2)]).user("1", [cut(), cut(), person(1)]).user("2", [person(2)]);
    let written = whole(&host, options(json!({})), people(2));
    assert_eq!((written.report.confirmed.count, written.receipt.warnings.len()), (2, 0));
    // Three times at the most, and the outbox asks five times more; what was found before is kept.
    let host = MemoryHost::new().lets_in().import([imported("{}", 1), imported("{}", 1)]);
    let host = host.user("1", [person(1)]).user("2", std::array::from_fn::<_, 60, _>(|_| cut()));
    let written = run(&host, with(json!({}), json!({ "max_rows": 1 })), people(2)).unwrap();
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (1, 1));
    let stopped = written.receipt.delivery.unwrap().stopped.unwrap();
    assert!(stopped.retryable, "{stopped:?}");
}

#[test]
fn a_cancelled_run_is_no_refusal() {
    let host = MemoryHost::new().lets_in().import([Reply::new(400).body("x".repeat(1_000))]);
    let cancel = host.clone();
    // The reply to the check is read by two calls; the third begins with the refusal's body.
    host.when(Failure::new(Call::ReceiveBody, 3), move || cancel.cancel());
    assert_eq!(run(&host, unconfirmed(), people(1)).unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn what_is_not_clear_is_not_sent_again_but_stays_open() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host = host.import([imported(r#"{"2": "no"}"#, 2)]);
    for _ in 0..2 {
        let written = whole(&host, unconfirmed(), people(3));
        assert_eq!((written.report.unknown.count, written.report.accepted.count), (2, 1));
        assert_eq!(written.receipt.delivery.unwrap().settled, 0);
    }
    assert_eq!(writes(&host).len(), 1);
}

#[test]
fn parts_go_out_while_people_are_looked_for() {
    let mut host = MemoryHost::new().lets_in().import((0..5).map(|_| imported("{}", 2)));
    for n in 1..=10 {
        host = host.user(&n.to_string(), [nobody(), person(n)]);
    }
    let given = with(json!({ "confirm": "all" }), json!({ "max_rows": 2 }));
    let written = whole(&host, given, people(10));
    assert_eq!(written.report.confirmed.count, 10);
    assert_eq!((writes(&host).len(), written.receipt.delivery.unwrap().settled), (5, 5));
}

#[test]
fn one_by_one_goes_on_where_it_was_ended() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host = host
        .props("1", [ok(json!({}))])
        .props("2", [ok(json!({})), ok(json!({}))])
        .props("3", [ok(json!({}))]);
    // The second of three answers is lost; the third is heard all the same.
    host.fail(Failure::new(Call::Receive, 3));
    let given = || options(json!({ "props_up_to": 3, "confirm": "none" }));
    let first = run(&host, given(), people(3)).unwrap();
    assert_eq!((first.report.accepted.count, first.report.unknown.count), (2, 1));
    let second = whole(&host, given(), people(3));
    assert_eq!((second.report.accepted.count, second.receipt.delivery.unwrap().earlier), (3, 2));
    for (id, times) in [(1, 1), (2, 2), (3, 1)] {
        let path = format!("/users/{id}/");
        let sent = writes(&host).iter().filter(|sent| sent.head.url.contains(&path)).count();
        assert_eq!(sent, times, "what is settled is not sent again");
    }
}

#[test]
fn a_refused_part_counts_as_not_sent() {
    let host = MemoryHost::new().on("GET", "/apps/$self_app/users?limit=1", [ok(json!({})), ok(json!({}))]);
    let host = host.import([refusal(401, "NotAuthenticated", "expired"), imported("{}", 2)]);
    let first = run(&host, unconfirmed(), people(2)).unwrap();
    assert_eq!((first.report.unknown.count, first.report.accepted.count), (0, 0));
    assert_eq!(whole(&host, unconfirmed(), people(2)).report.accepted.count, 2);
}

#[test]
fn parts_stay_within_their_limits() {
    let wide = "🦊".repeat(255);
    let ids: Vec<String> = (0..4_000).map(|i| i.to_string()).collect();
    let columns: Vec<String> = (0..8).map(|i| format!("c{i}")).collect();
    let mut cells: Vec<(&str, Vec<Option<&str>>)> =
        columns.iter().map(|c| (c.as_str(), vec![Some(wide.as_str()); ids.len()])).collect();
    cells.push(("$user_id", ids.iter().map(|id| Some(id.as_str())).collect()));
    let replies = [imported("{}", 3_671), imported("{}", 329)];
    let host = MemoryHost::new().lets_in().import(replies);
    run(&host, unconfirmed(), text_batch(&cells)).unwrap();
    let sizes: Vec<usize> = writes(&host).iter().map(|sent| sent.body.len()).collect();
    assert_eq!(sizes.len(), 2);
    // The whole body is counted, and another row would not fit.
    assert!(sizes.iter().all(|size| *size < 30_000_000), "{sizes:?}");
    assert!(sizes[0] + 8_200 > 30_000_000, "{sizes:?}");
    // `max_bytes` is of the file: its header of 9 bytes, and rows of 2.
    let host = MemoryHost::new().lets_in().import([imported("{}", 2), imported("{}", 1)]);
    let ids = text_batch(&[("$user_id", vec![Some("1"), Some("2"), Some("3"), Some("4444")])]);
    let given = with(json!({ "confirm": "none" }), json!({ "max_bytes": 13 }));
    let written = whole(&host, given, ids);
    assert_eq!((written.report.accepted.count, written.report.rejects[0].code.as_str()), (3, "row.too-long"));
    assert_eq!(writes(&host).len(), 2);
}

#[test]
fn a_few_people_are_set_one_by_one() {
    let host = MemoryHost::new().on("GET", "/apps/42/users?limit=1", [ok(json!({}))]);
    let host = host.props("auth0%7C1", [ok(json!({}))]).props("2", [ok(json!({}))]);
    let host = host
        .user(
            "auth0%7C1",
            [user("auth0|1", json!({ "$name": "Ada" }), json!({ "seats": 7, "vip": true, "likes": ["a"] }))],
        )
        .user("2", [nobody(), user("2", json!({ "$name": "Eve" }), json!({}))]);
    let batch = text_batch(&[
        ("$user_id", vec![Some("auth0|1"), Some("2")]),
        ("$name", vec![Some("Ada"), Some("Eve")]),
        ("seats", vec![Some("7"), None]),
        ("vip", vec![Some("TRUE"), None]),
        ("likes", vec![Some("[\"a\"]"), None]),
        ("since", vec![None, None]),
    ]);
    let types = json!({ "seats": "integer", "vip": "boolean", "likes": "list", "since": "date" });
    let given =
        with(json!({ "props_up_to": 2 }), json!({ "app": "42", "property_types": types, "lists": "json" }));
    let outcome = run(&host, given, batch);
    let text = story(&host, &outcome);
    assert!(!text.contains("double_subscribe"));
    assert_snapshot!(text);
}

#[test]
fn operations_that_are_ignored_are_told() {
    let twice = || [ignored(&["plan"]), ignored(&["plan"])];
    // Nobody is read back, so whether everything is there is not known.
    let host = MemoryHost::new().lets_in().props("1", twice()).props("2", [ok(json!({}))]);
    let written = whole(&host, options(json!({ "props_up_to": 2, "confirm": "none" })), people(2));
    assert_eq!((written.report.unknown.count, written.report.accepted.count), (1, 1));
    let warnings = &written.receipt.warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with("Carrot quest ignored `plan` of 1 person (wrong type):"), "{warnings:?}");
    // Read back at once, though not in the sample: the first has the value all the same, the second has not.
    let host = MemoryHost::new().lets_in().props("1", [ok(json!({}))]).user("1", [person(1)]);
    let host = host.props("2", twice()).user("2", [person(2)]);
    let host = host.props("3", twice()).user("3", [user("3", json!({ "$name": "Person 3" }), json!({}))]);
    let written = whole(&host, options(json!({ "props_up_to": 3, "sample": 1 })), people(3));
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (2, 1));
    assert_eq!(written.receipt.warnings.len(), 1, "{:?}", written.receipt.warnings);
    // The next attempt sets the third again, and nobody else.
    let host = host.lets_in().user("3", [person(3)]);
    let written = whole(&host, options(json!({ "props_up_to": 3, "sample": 1 })), people(3));
    assert_eq!((written.report.confirmed.count, written.report.unknown.count), (3, 0));
    assert_eq!(writes(&host).len(), 4);
}

#[test]
fn a_400_about_the_app_stops_and_one_about_a_person_does_not() {
    let refused = |field: &str| {
        let meta = json!({ "status": 400, "error": "ValidationError", "error_message": "wrong", "error_fields": { field: ["wrong"] } });
        Reply::new(400).json(&json!({ "meta": meta, "data": {} }))
    };
    let outcome = |reply: Reply| {
        let host = MemoryHost::new().lets_in().props("1", [reply]).props("2", [ok(json!({}))]);
        let given = options(json!({ "props_up_to": 2, "confirm": "none" }));
        let written = run(&host, given, people(2)).unwrap();
        let stopped = written.receipt.delivery.unwrap().stopped.map(|stopped| stopped.code);
        (written.report.rejects.len(), stopped)
    };
    assert_eq!(outcome(refused("operations")), (1, None));
    assert_eq!(outcome(refused("plan")), (1, None));
    assert_eq!(outcome(refused("app")), (0, Some("carrot.validation".to_owned())));
}

#[test]
fn more_people_than_a_few_are_imported() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 3)]);
    let given = options(json!({ "props_up_to": 2, "confirm": "none" }));
    let written = whole(&host, given, people(3));
    assert_eq!((written.report.accepted.count, writes(&host).len()), (3, 1));
    assert!(writes(&host)[0].text().contains("\n1\tPerson 1\tpro\n2\tPerson 2\tpro\n3\t"), "in their order");
    // Nobody has a property to be set.
    let host = MemoryHost::new().lets_in().import([imported("{}", 1)]);
    let ids = text_batch(&[("$user_id", vec![Some("1")])]);
    whole(&host, options(json!({ "props_up_to": 2, "confirm": "none" })), ids);
    assert_eq!(writes(&host).len(), 1);
    // More properties than a call sets.
    let host = MemoryHost::new().lets_in().import([imported("{}", 1)]);
    let columns: Vec<String> = (0..251).map(|i| format!("c{i}")).collect();
    let mut cells: Vec<(&str, Vec<Option<&str>>)> =
        columns.iter().map(|c| (c.as_str(), vec![Some("x")])).collect();
    cells.push(("$user_id", vec![Some("1")]));
    whole(&host, options(json!({ "props_up_to": 2, "confirm": "none" })), text_batch(&cells));
    assert_eq!(writes(&host)[0].head.url, format!("{BASE}/users/import"));
}

#[test]
fn nobody_at_all_is_nothing_to_send() {
    let host = MemoryHost::new().lets_in();
    let written = whole(&host, options(json!({ "props_up_to": 2 })), people(0));
    assert_eq!((written.receipt.delivery.unwrap().units, writes(&host).len()), (0, 0));
}

#[test]
fn errors_of_setting_people_one_by_one() {
    let told = errors().into_iter().chain([Reply::new(200).body("<html>")]).map(|reply| {
        let host = MemoryHost::new().lets_in().props("1", [reply]).props("2", [ok(json!({}))]);
        let given = options(json!({ "props_up_to": 2, "confirm": "none" }));
        let outcome = run(&host, given, people(2));
        end(&host, &outcome);
        let written = outcome.unwrap();
        let mut text =
            told(&written).lines().filter(|line| !line.starts_with('{')).collect::<Vec<_>>().join("\n");
        if let Some(stopped) = written.receipt.delivery.unwrap().stopped {
            text += &format!(
                "\nstopped {} (retryable: {}): {}",
                stopped.code, stopped.retryable, stopped.message
            );
        }
        text
    });
    assert_snapshot!(told.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn an_id_that_no_path_can_hold() {
    let host = MemoryHost::new().lets_in().props("1", [ok(json!({}))]);
    let batch =
        text_batch(&[("$user_id", vec![Some(".."), Some("1")]), ("$name", vec![Some("a"), Some("b")])]);
    let written = whole(&host, options(json!({ "props_up_to": 2, "confirm": "none" })), batch.clone());
    assert_eq!((written.report.rejects[0].code.as_str(), written.report.accepted.count), ("carrot.id", 1));
    // An import takes it, and it is not read back.
    let host = MemoryHost::new().lets_in().import([imported("{}", 2)]);
    let host = host.user("1", [user("1", json!({ "$name": "b" }), json!({}))]);
    let written = whole(&host, options(json!({})), batch);
    assert_eq!((written.report.confirmed.count, written.report.accepted.count), (1, 1));
}

#[test]
fn a_cancelled_run_stops_waiting() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 1)]).user("1", [nobody(), nobody()]);
    let cancel = host.clone();
    host.when(Failure::new(Call::Sleep, 1), move || cancel.cancel());
    assert_eq!(run(&host, options(json!({})), people(1)).unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn a_stand_in_on_this_machine_and_the_twin_abroad() {
    for base in ["http://127.0.0.1:8080", "https://api.dashly.app"] {
        let host = MemoryHost::new()
            .with_reply("GET", &format!("{base}/apps/$self_app/users?limit=1"), ok(json!({})))
            .with_reply("POST", &format!("{base}/users/import"), imported("{}", 1));
        let given = with(json!({ "confirm": "none" }), json!({ "api_base": format!("{base}/") }));
        let written = whole(&host, given, people(1));
        let account = written.receipt.delivery.unwrap().account;
        assert!(account.starts_with(&format!("{} $self_app of key ", base.split_once("://").unwrap().1)));
    }
}

#[test]
fn two_keys_have_two_rate_limits() {
    let account = |token: &str| {
        let host = MemoryHost::new().lets_in().import([imported("{}", 1)]);
        whole(&host, options(json!({ "confirm": "none", "token": token })), people(1));
        host.requests()[1].head.account.clone()
    };
    assert_eq!(account("a"), account("a"));
    assert_ne!(account("a"), account("b"));
}

#[test]
fn problems_with_the_options_of_delivery() {
    let all = [
        json!({ "deliver": "api" }),
        json!({ "api": { "token": "hush-token" } }),
        options(json!({ "token": "", "sample": 0, "wait_seconds": 90_000, "props_up_to": 1_001 })),
        options(json!({ "token": "two words" })),
        with(json!({ "props_up_to": 5 }), json!({ "merge_field": "email" })),
        with(json!({ "props_up_to": 5 }), json!({ "tags": ["a"] })),
        with(json!({}), json!({ "api_base": "https://api.example.com" })),
        options(json!({ "tokens": "x" })),
    ];
    let told = all.map(|given| {
        let columns = ["$user_id", "$email"];
        // Nobody is asked about wrong options; where a warning is all, there is a network to be missed.
        let found = usher_testkit::check(plugin(), Role::Sink, "users", given, &columns);
        found.map_or_else(
            |e| format!("{}\n", e.code),
            |found| {
                let line = |p: &usher_sdk::abi::Problem| {
                    format!(
                        "{} {} {}{}\n",
                        p.pointer,
                        p.code,
                        p.message,
                        if p.warning { " (warning)" } else { "" }
                    )
                };
                found.iter().map(line).collect::<String>()
            },
        )
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn the_token_is_in_the_header_alone() {
    let host = MemoryHost::new().lets_in().import([imported("{}", 1)]).user("1", [person(1)]);
    let written = whole(&host, options(json!({})), people(1));
    for sent in host.requests() {
        assert_eq!(sent.header("authorization"), Some("Token hush-token"));
        assert!(!sent.head.url.contains("hush") && !sent.text().contains("hush"), "{}", sent.head.url);
    }
    assert!(!requests(&host).contains("hush") && !told(&written).contains("hush"));
    let options: Value =
        serde_json::from_str(&usher_testkit::description(plugin()).components[0].options.to_string())
            .unwrap();
    assert!(options.to_string().contains("writeOnly"));
}
