//! Exports that are ordered from a tenant: every request as it is sent, in order, and what comes of every answer.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "common/exchange.rs"]
mod exchange;

use exchange::{
    JOB, LINK, Tenant as _, completed, job, oauth_refusal, open, open_with, options, pending, refusal,
    requests, rows, run, story, token, token_of,
};
use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_sdk::abi::{Error, ErrorClass, PlanRequest, Services};
use usher_testkit::{Call, Failure, MemoryHost, Reply};

/// Two users, as Auth0 writes them under `export_as`.
const USERS: &str = concat!(
    "{\"user_id\":\"auth0|1\",\"email\":\"ada@example.com\",\"identities[0].connection\":\"db\"}\n",
    "{\"user_id\":\"sms|2\",\"email\":null,\"identities[0].connection\":\"sms\"}\n",
);

fn columns() -> PlanRequest {
    PlanRequest::new(["user_id", "email", "identities[0].connection"])
}

fn one() -> PlanRequest {
    PlanRequest::new(["email"])
}

/// The outcome of a run on these replies.
fn told(host: &MemoryHost) -> String {
    story(host, &run(host, json!({}), &one()))
}

#[test]
fn a_good_run() {
    let host = MemoryHost::new().good(USERS);
    assert_snapshot!(story(&host, &run(&host, json!({}), &columns())));
}

#[test]
fn the_other_options_are_sent() {
    let csv = "email,user_metadata.plan\n\"'ada@example.com\",\"''t Hooft\"\n";
    let host = MemoryHost::new().good(csv);
    let more = json!({ "format": "csv", "limit": 50, "connection_id": "con_0000000000000001" });
    let request = PlanRequest { limit: Some(10), ..PlanRequest::new(["email", "user_metadata.plan"]) };
    assert_snapshot!(story(&host, &run(&host, more, &request)));
}

#[test]
fn rejects_have_the_export_as_their_origin() {
    let host =
        MemoryHost::new().good("{\"email\":\"a@example.com\"}\n{\"email\":\n{\"email\":\"b@example.com\"}\n");
    let mut source = open(&host, json!({}));
    let splits = source.plan(&one()).unwrap();
    let (rows, report) = rows(&mut source, &splits).unwrap();
    assert_eq!(rows.lines().count(), 2);
    assert_eq!(report.rejects[0].code, "json.syntax");
    assert_eq!(report.rejects[0].origin.offset, 26);
    assert!(host.input_bytes(splits[0].input).unwrap().starts_with(b"{\"email\":\"a@"));
}

#[test]
fn a_run_that_plans_again_reads_the_same_export() {
    let host = MemoryHost::new().good(USERS);
    let mut source = open(&host, json!({}));
    let first = source.plan(&columns()).unwrap();
    let sent = host.requests().len();
    let again = source.plan(&columns()).unwrap();
    let fewer = source.plan(&PlanRequest { limit: Some(1), ..one() }).unwrap();
    assert_eq!(host.requests().len(), sent, "nothing was asked again");
    assert_eq!((&again, &fewer), (&first, &first));
    source.plan(&columns()).unwrap();
    assert_eq!(rows(&mut source, &first).unwrap().0.lines().count(), 2);
    assert_eq!(
        source.plan(&PlanRequest::new(["name"])).unwrap_err().code,
        "test.no-reply",
        "another column is"
    );
}

#[test]
fn a_job_of_an_earlier_run_is_taken_up() {
    let host = MemoryHost::new().token([token(), token()]).order([pending()]).job([
        pending(),
        pending(),
        completed(),
    ]);
    let host = host.file([Reply::new(200).body(USERS)]);
    // The first run is ended while it waits.
    host.fail(Failure::new(Call::Sleep, 2));
    assert_eq!(run(&host, json!({}), &one()).unwrap_err().code, "test.fault");
    assert_eq!(host.state().len(), 1);
    host.clock().advance_ms(23 * 60 * 60 * 1_000);
    assert_snapshot!(story(&host, &run(&host, json!({}), &one())));
}

#[test]
fn a_job_is_taken_up_by_the_same_order_only() {
    let end_early = |more: Value, request: &PlanRequest| {
        let host = MemoryHost::new()
            .token([token(), token()])
            .order([pending(), pending()])
            .job([pending(), pending()]);
        host.fail(Failure::new(Call::Sleep, 1));
        host.fail(Failure::new(Call::Sleep, 2));
        run(&host, json!({}), &one()).unwrap_err();
        run(&host, more, request).unwrap_err();
        let orders = host.requests().iter().filter(|sent| sent.head.url.ends_with("users-exports")).count();
        (orders, host)
    };
    assert_eq!(end_early(json!({}), &one()).0, 1);
    assert_eq!(end_early(json!({}), &PlanRequest::new(["email", "name"])).0, 2);
    assert_eq!(end_early(json!({}), &PlanRequest { limit: Some(5), ..one() }).0, 2);
    assert_eq!(end_early(json!({ "limit": 5 }), &one()).0, 2);
    assert_eq!(end_early(json!({ "format": "csv" }), &one()).0, 2);
    let (_, host) = end_early(json!({}), &one());
    // What Auth0 has deleted is not asked for.
    host.clock().advance_ms(24 * 60 * 60 * 1_000);
    let host =
        host.token([token()]).order([pending()]).job([completed()]).file([Reply::new(200).body(USERS)]);
    run(&host, json!({}), &one()).unwrap();
    assert_eq!(host.state().len(), 0, "it is forgotten once its file is here");
}

#[test]
fn a_lost_job_of_an_earlier_run_is_ordered_anew() {
    let ends = [
        refusal(404, "Not Found", "The job does not exist."),
        job("expired", json!({})),
        job("failed", json!({ "status_details": "internal" })),
    ];
    let told = ends.map(|end| {
        let host = MemoryHost::new().token([token(), token()]).order([pending(), pending()]);
        let host = host.job([pending(), end, completed()]).file([Reply::new(200).body(USERS)]);
        host.fail(Failure::new(Call::Sleep, 1));
        run(&host, json!({}), &one()).unwrap_err();
        let outcome = run(&host, json!({}), &one());
        assert_eq!(host.state().len(), 0);
        story(&host, &outcome)
            .lines()
            .skip_while(|line| !line.starts_with("log: "))
            .collect::<Vec<_>>()
            .join("\n")
    });
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn an_expired_link_and_a_cut_download_are_begun_again() {
    let again = "https://exports.example.com/again?Signature=SIG";
    let host = MemoryHost::new().token([token()]).order([pending()]);
    let host = host.job([completed(), completed(), job("completed", json!({ "location": &again[8..] }))]);
    let host = host.file([
        Reply::new(403)
            .body("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"),
        Reply::new(200).body(&USERS[..40]).cut(),
    ]);
    let host = host.on("GET", again, [Reply::new(200).body(USERS)]);
    assert_snapshot!(told(&host));
}

#[test]
fn a_download_is_not_begun_for_ever() {
    let host =
        MemoryHost::new().token([token()]).order([pending()]).job([completed(), completed(), completed()]);
    let host = host.file((0..3).map(|_| Reply::new(403).body("<Error/>")));
    let outcome = run(&host, json!({}), &one());
    assert_eq!(outcome.unwrap_err().code, "export.download");
    assert_eq!(host.state().len(), 1, "the job is still there");
}

#[test]
fn no_credential_goes_to_the_storage() {
    let host = MemoryHost::new().good(USERS);
    run(&host, json!({}), &one()).unwrap();
    let downloads: Vec<_> = host.requests().into_iter().filter(|sent| sent.head.url == LINK).collect();
    assert_eq!(downloads.len(), 1);
    assert_eq!(downloads[0].head.headers, []);
}

#[test]
fn errors_of_the_token() {
    let all = [
        oauth_refusal(401, "access_denied", "Unauthorized"),
        oauth_refusal(
            403,
            "access_denied",
            "Service not enabled within domain: https://acme.eu.auth0.com/api/v2/",
        ),
        oauth_refusal(
            400,
            "unauthorized_client",
            "Grant type 'client_credentials' not allowed for the client.",
        ),
        oauth_refusal(429, "too_many_requests", "Rate limit exceeded.").header("Retry-After", "30"),
        Reply::new(503).body("<html>"),
        Reply::new(200).body("<html>hush-secret</html>"),
        oauth_refusal(401, "access_denied", "hush-secret is wrong"),
        token_of("hush-token", "read:clients"),
    ];
    // Before a run they are problems with the options, unless they may pass; during a run they are errors.
    let told = all.map(|reply| {
        let host = MemoryHost::new().token([reply.clone(), reply]);
        let before = story(&host, &run(&host, json!({}), &one()));
        let during = open(&host, json!({})).plan(&one()).map(|_| String::new());
        let lines = [before, story(&host, &during)];
        lines.map(|all| all.lines().last().unwrap().to_owned()).join("\n")
    });
    assert_snapshot!(told.join("\n\n"));
}

#[test]
fn errors_of_the_order() {
    let all = [
        refusal(400, "Bad Request", "The connection does not exist."),
        refusal(403, "Forbidden", "Insufficient scope; expected any of: read:users."),
        refusal(429, "Too Many Requests", "Too many requests. Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.")
            .header("Retry-After", "2"),
        oauth_refusal(429, "too_many_requests", "Rate limit exceeded."),
        Reply::new(502).body("bad gateway"),
        Reply::new(418),
        Reply::new(200).body("[]"),
        Reply::new(200).json(&json!({ "id": "../../v1", "status": "pending" })),
    ];
    let told = all.map(|reply| told(&MemoryHost::new().token([token()]).order([reply])));
    let told: Vec<&str> = told.iter().map(|all| all.lines().last().unwrap()).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn errors_of_the_job() {
    let all = [
        refusal(401, "Unauthorized", "Invalid token."),
        refusal(403, "Forbidden", "Insufficient scope; expected any of: create:users."),
        refusal(404, "Not Found", "The job does not exist."),
        refusal(429, "Too Many Requests", "Too many requests.").header("Retry-After", "2"),
        Reply::new(500),
        job("failed", json!({ "status_details": "Something broke." })),
        job("cancelled", json!({})),
        job("expired", json!({})),
        job("completed", json!({ "location": "http://exports.example.com/a?Signature=SIG" })),
    ];
    let told = all.map(|reply| {
        // A token that is refused is asked for once more.
        let host = MemoryHost::new().token([token(), token()]).order([pending()]);
        told(&host.job([reply.clone(), reply]))
    });
    let told: Vec<&str> = told.iter().map(|all| all.lines().last().unwrap()).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn errors_of_the_download() {
    let all = [
        (json!({}), Reply::new(404).body("<Error/>")),
        (json!({}), Reply::new(503)),
        (json!({}), Reply::new(429)),
        (json!({}), Reply::new(200).body("<html>sign in</html>")),
        (json!({ "format": "csv" }), Reply::new(200).body("{\"email\":1}\n")),
        (json!({ "format": "csv" }), Reply::new(200).body("Mail\n\"'a@example.com\"\n")),
    ];
    let told = all.map(|(more, reply)| {
        let host = MemoryHost::new().token([token()]).order([pending()]).job([
            completed(),
            completed(),
            completed(),
        ]);
        let host = host.file([reply.clone(), reply.clone(), reply]);
        let outcome = run(&host, more, &one());
        story(&host, &outcome).lines().last().unwrap().to_owned()
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn a_token_that_is_refused_is_asked_for_again() {
    let host = MemoryHost::new().token([token(), token_of("hush-other", "read:users")]);
    let host = host.order([refusal(401, "Unauthorized", "Expired token"), completed()]).job([completed()]);
    let host = host.file([Reply::new(200).body(USERS)]);
    assert_snapshot!(told(&host));
}

#[test]
fn a_token_serves_until_it_ends() {
    let host = MemoryHost::new().token([token(), token_of("hush-other", "read:users")]).order([pending()]);
    // The job takes a minute less than its tokens live.
    let late = job("pending", json!({}));
    let host = host.job([late, completed()]).file([Reply::new(200).body(USERS)]);
    let clock = host.clone();
    host.when(Failure::new(Call::Sleep, 1), move || clock.clock().advance_ms((86_400 - 60) * 1_000));
    run(&host, json!({}), &one()).unwrap();
    let bearers: Vec<String> =
        host.requests().iter().filter_map(|sent| sent.header("authorization").map(str::to_owned)).collect();
    assert_eq!(bearers, ["Bearer hush-token", "Bearer hush-token", "Bearer hush-other"]);
}

#[test]
fn hints_of_the_job_are_kept_to_within_reason() {
    let left =
        |seconds: i64| job("processing", json!({ "time_left_seconds": seconds, "percentage_done": 1 }));
    let host = MemoryHost::new().token([token()]).order([pending()]);
    let host = host.job([left(7), left(0), left(9_999), job("never heard of", json!({})), completed()]);
    let host = host.file([Reply::new(200).body(USERS)]);
    run(&host, json!({}), &one()).unwrap();
    assert_eq!(host.clock().slept_ms(), (7 + 1 + 30 + 5) * 1_000);
}

#[test]
fn a_job_that_does_not_end_is_left_to_the_next_run() {
    let host = MemoryHost::new().token([token()]).order([pending()]);
    let host = host.job((0..2_000).map(|_| job("never heard of", json!({}))));
    let error = run(&host, json!({}), &one()).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::TIMEOUT, "export.timeout"));
    assert!(error.to_string().contains("still `never heard of` after 2 hours"), "{error}");
    assert_eq!(host.clock().slept_ms(), 2 * 60 * 60 * 1_000);
    assert_eq!(host.state().len(), 1);
}

#[test]
fn a_cancelled_run_stops_waiting() {
    let host = MemoryHost::new().token([token()]).order([pending()]).job([pending(), pending()]);
    let cancel = host.clone();
    host.when(Failure::new(Call::Sleep, 1), move || cancel.cancel());
    assert_eq!(run(&host, json!({}), &one()).unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn dry_runs_order_exports_too() {
    let host = MemoryHost::new().reads_only().good(USERS);
    assert!(run(&host, json!({}), &one()).is_ok());
}

#[test]
fn a_stand_in_on_this_machine_is_spoken_to_without_tls() {
    let at = |path: &str| format!("http://127.0.0.1:8080{path}");
    let host = MemoryHost::new()
        .on("POST", &at("/oauth/token"), [token()])
        .on("POST", &at("/api/v2/jobs/users-exports"), [pending()])
        .on(
            "GET",
            &at(&format!("/api/v2/jobs/{JOB}")),
            [job("completed", json!({ "location": "127.0.0.1:8081/f?a=b" }))],
        )
        .on("GET", "http://127.0.0.1:8081/f?a=b", [Reply::new(200).body(USERS)]);
    run(&host, json!({ "domain": "127.0.0.1:8080" }), &one()).unwrap();
    assert!(requests(&host).contains("audience=https%3A%2F%2F127.0.0.1%3A8080%2Fapi%2Fv2%2F"));
}

#[test]
fn without_a_network_the_options_are_checked_all_the_same() {
    let all = MemoryHost::new().services();
    let services = std::sync::Arc::new(Services {
        log: all.log.clone(),
        input: all.input.clone(),
        output: None,
        clock: all.clock.clone(),
        state: all.state.clone(),
        ledger: None,
        http: None,
        others: Vec::new(),
    });
    let open = |options: Value| {
        usher_testkit::drive::Source::open(usher_auth0::plugin(), "users", &options.to_string(), &services)
            .unwrap()
    };
    let mut source = open(options(json!({})));
    assert_eq!(source.check().unwrap(), []);
    assert!(source.catalog().unwrap().open);
    assert_eq!(source.plan(&one()).unwrap_err().code, "service.absent");
    assert_eq!(open(options(json!({ "domain": "x" }))).check().unwrap()[0].code, "tenant.domain");
}

#[test]
fn trouble_on_the_way_is_no_problem_of_the_options() {
    let host = MemoryHost::new();
    host.fail(Failure::new(Call::Receive, 1));
    let host = host.token([token()]);
    let error: Error = open(&host, json!({})).check().unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::TRANSIENT, "test.fault"));
}

#[test]
fn problems_with_the_options_of_a_tenant() {
    let tenant = |more| options(more)["tenant"].clone();
    let all = [
        json!({}),
        json!({ "input": "users.ndjson", "tenant": tenant(json!({})) }),
        json!({ "tenant": tenant(json!({})), "format": "csv", "headings": { "email": "Mail" } }),
        json!({ "tenant": tenant(json!({
            "domain": "https://acme.eu.auth0.com/", "client_id": "", "client_secret": " ", "connection_id": "Users", "limit": 0,
        })) }),
        json!({ "tenant": tenant(json!({ "domain": "login.acme.com", "limit": 0 })) }),
    ];
    let told = all.map(|options| {
        let host = MemoryHost::new();
        let problems = open_with(&host, &options).check().unwrap();
        assert_eq!(host.requests().len(), 0, "nobody is asked about wrong options");
        let lines = problems.iter().map(|p| {
            format!("{}{} {}: {}\n", if p.warning { "warning " } else { "" }, p.pointer, p.code, p.message)
        });
        lines.collect::<String>()
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn what_cannot_be_ordered_is_not() {
    let many: Vec<String> = (0..31).map(|n| format!("user_metadata.a{n}")).collect();
    let json = json!({});
    let csv = json!({ "format": "csv" });
    let all = [
        (&json, PlanRequest::new(["tenant", "identities[0].access_token", "a..b"])),
        (&csv, PlanRequest::new(["user_metadata", "identities"])),
        (&csv, PlanRequest::new(&many)),
    ];
    let told = all.map(|(more, request)| {
        let host = MemoryHost::new();
        let error = open(&host, more.clone()).plan(&request).unwrap_err();
        assert_eq!(host.requests().len(), 0);
        format!("{}: {error}", error.code)
    });
    assert_snapshot!(told.join("\n"));
    let host = MemoryHost::new().good("{}\n");
    run(&host, json, &PlanRequest::new(&many)).unwrap();
    assert!(
        host.logs().iter().any(|(_, line)| line.starts_with("31 fields are ordered; ")),
        "{:?}",
        host.logs()
    );
}

#[test]
fn tokens_of_identity_providers_are_never_ordered() {
    let scopes = "read:users read:user_idp_tokens";
    let whole = PlanRequest::new(["identities[0]"]);
    let host = MemoryHost::new().token([token_of("hush-token", scopes)]);
    let mut source = open(&host, json!({}));
    let warned = source.check().unwrap();
    assert!(warned.len() == 1 && warned[0].warning && warned[0].code == "export.tokens", "{warned:?}");
    let error = source.plan(&whole).unwrap_err();
    assert_eq!(host.requests().len(), 1, "nothing was ordered");
    assert_snapshot!(format!("{}\n{}: {error}", warned[0].message, error.code));
    // Without the scope Auth0 puts none into them.
    let host = MemoryHost::new().good("{}\n");
    run(&host, json!({}), &whole).unwrap();
}

#[test]
fn the_catalog_of_a_tenant_is_what_can_be_ordered() {
    let names = |more: Value| -> Vec<String> {
        let catalog = open(&MemoryHost::new(), more).catalog().unwrap();
        assert!(catalog.open);
        catalog.attributes.into_iter().map(|a| a.path).collect()
    };
    let (json, csv) = (names(json!({})), names(json!({ "format": "csv" })));
    assert!(json.contains(&"user_metadata".to_owned()) && json.contains(&"email".to_owned()));
    assert!(
        csv.len() <= 30 && csv.contains(&"email".to_owned()) && !csv.contains(&"user_metadata".to_owned())
    );
}
