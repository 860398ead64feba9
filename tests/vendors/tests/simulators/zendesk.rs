//! Zendesk's nastiness, one by one, through a plain client over the socket.

use std::time::{Duration, Instant};

use crate::client::{Client, Got, until};
use serde_json::{Value, json};
use usher_vendors::{
    Fault, FaultPlan, OnUnknown, Zendesk,
    zendesk::{Agent, CreateFailures, Settings, UserField},
};

const UPSERT: &str = "POST /api/v2/users/create_or_update_many";
const CREATE: &str = "POST /api/v2/users/create_many";

fn client(vendor: &Zendesk) -> Client {
    Client::new(vendor.url(), &[("authorization", "Bearer hush-oauth")])
}

fn quick() -> Settings {
    Settings { job_time: Duration::from_millis(5), ..Settings::default() }
}

#[track_caller]
fn done(client: &Client, taken: &Got) -> Value {
    let id = taken.json()["job_status"]["id"].as_str().unwrap().to_owned();
    until(|| {
        let job = client.get(&format!("/api/v2/job_statuses/{id}")).json()["job_status"].clone();
        job["results"].is_array().then_some(job)
    })
}

#[track_caller]
fn run(vendor: &Zendesk, line: &str, users: Value) -> Value {
    let client = client(vendor);
    let taken = client.ask(line, &json!({ "users": users }));
    assert_eq!(taken.status, 200, "{}", taken.text());
    done(&client, &taken)
}

fn sample(name: &str) -> &'static str {
    match name {
        "too many values" => {
            r#"{"error":"TooManyValues","description":"Maximum 100 users may be created per call"}"#
        }
        _ => r#"{"error":"RecordNotFound","description":"Not found"}"#,
    }
}

#[test]
fn a_wrong_token_is_a_stranger_and_no_error() {
    let vendor = Zendesk::start(quick());
    let stranger = Client::new(vendor.url(), &[("authorization", "Bearer wrong")]);
    let me = stranger.get("/api/v2/users/me.json");
    assert_eq!(me.status, 200);
    assert_eq!(me.json()["user"]["id"], Value::Null);
    assert_eq!(me.json()["user"]["name"], "Anonymous user");
    assert_eq!(stranger.get("/api/v2/user_fields").status, 401);

    let me = client(&vendor).get("/api/v2/users/me").json();
    assert_eq!((me["user"]["role"].as_str(), me["user"]["id"].is_i64()), (Some("admin"), true));
    let token = "Basic YWRtaW5AZXhhbXBsZS5jb20vdG9rZW46aHVzaC10b2tlbg==";
    let by_token = Client::new(vendor.url(), &[("authorization", token)]);
    assert_eq!(by_token.get("/api/v2/users/me").json()["user"]["email"], "admin@example.com");
}

#[test]
fn bulk_calls_want_imports_enabled_and_the_right_role() {
    let vendor = Zendesk::start(Settings { imports_enabled: false, ..quick() });
    assert_eq!(client(&vendor).ask(UPSERT, &json!({ "users": [] })).status, 403);
    let agent = Agent { role: "agent".to_owned(), may_manage_users: false, ..Agent::admin() };
    let vendor = Zendesk::start(Settings { agents: vec![agent], ..quick() });
    assert_eq!(client(&vendor).ask(UPSERT, &json!({ "users": [] })).status, 403);
}

#[test]
fn a_job_is_queued_works_and_tells_by_position() {
    let vendor = Zendesk::start(Settings { job_time: Duration::from_millis(120), ..quick() });
    let client = client(&vendor);
    let users = json!([
        { "name": "Ada", "email": "ada@example.com", "external_id": "a|1" },
        { "name": "Bad", "email": "x" },
        { "name": "Eve", "email": "eve@example.com" },
    ]);
    let taken = client.ask(UPSERT, &json!({ "users": users }));
    assert_eq!(taken.header("zendesk-ratelimit-inflight-jobs"), Some("total=30; remaining=29; resets=60"));
    assert_eq!(taken.json()["job_status"]["status"], "queued");
    assert_eq!(taken.json()["job_status"]["progress"], Value::Null);
    let path = format!("/api/v2/job_statuses/{}", taken.json()["job_status"]["id"].as_str().unwrap());
    until(|| (client.get(&path).json()["job_status"]["status"] == "working").then_some(()));
    assert_eq!(vendor.account().users.len(), 0, "nothing is done before its time");

    let job = done(&client, &taken);
    assert_eq!(job["status"], "completed", "although a row failed");
    assert_eq!(job["results"][0]["status"], "Created");
    assert_eq!(job["results"][0]["email"], "ada@example.com");
    assert_eq!(
        job["results"][1],
        json!({ "id": 1, "error": "UserUpdateError", "details": "Name: Email: x is not properly formatted", "status": "Failed" })
    );
    let account = vendor.account();
    assert_eq!(account.users.len(), 2);
    assert_eq!(account.user("EVE@example.com").unwrap().text("role"), "end-user");
    assert_eq!(account.welcomed.len(), 2);
}

#[test]
fn show_many_shows_what_is_there() {
    let vendor = Zendesk::start(quick());
    let client = client(&vendor);
    let id = |got: Got| got.json()["job_status"]["id"].as_str().unwrap().to_owned();
    let one = id(client.ask(UPSERT, &json!({ "users": [] })));
    let two = id(client.ask(UPSERT, &json!({ "users": [] })));
    let shown = client.get(&format!("/api/v2/job_statuses/show_many?ids={one},none,{two}")).json();
    assert_eq!(shown["job_statuses"].as_array().unwrap().len(), 2);
    let none = client.get("/api/v2/job_statuses/none");
    assert_eq!((none.status, none.text().as_str()), (404, sample("not found")));
}

#[test]
fn external_ids_match_in_any_case_and_are_rewritten() {
    let vendor = Zendesk::start(quick());
    run(&vendor, UPSERT, json!([{ "name": "Ada", "email": "ada@example.com", "external_id": "Auth0|A" }]));
    let job = run(
        &vendor,
        UPSERT,
        json!([{ "name": "Ada L", "email": "ada.l@example.org", "external_id": "auth0|a" }]),
    );
    assert_eq!(job["results"][0]["status"], "Updated");
    let account = vendor.account();
    let ada = account.user("ada@example.com").unwrap();
    assert_eq!((ada.text("external_id"), ada.text("name")), ("auth0|a", "Ada L"));
    assert_eq!(ada.emails, ["ada@example.com", "ada.l@example.org"], "a further address, no replacement");
    assert_eq!((ada.deliveries, account.delivered_twice().len(), account.deliveries()), (2, 1, 2));
}

#[test]
fn users_and_organizations_are_shown_by_their_ids() {
    let users = vec![json!({ "name": "Ada", "email": "ada@example.com", "external_id": "Auth0|A" })];
    let vendor = Zendesk::start(Settings { users, ..quick() });
    let (ada, acme) = {
        let account = vendor.account();
        (account.user("ada@example.com").unwrap().id, account.organization_named("Acme").unwrap())
    };
    let client = client(&vendor);
    let shown = client.get("/api/v2/users/show_many?external_ids=auth0%7Ca,none").json();
    assert_eq!(shown["users"].as_array().unwrap().len(), 1);
    assert_eq!(
        (shown["users"][0]["id"].as_i64(), shown["users"][0]["external_id"].as_str()),
        (Some(ada), Some("Auth0|A"))
    );
    let shown = client.get(&format!("/api/v2/users/show_many?ids={ada},1")).json();
    assert_eq!(shown["users"][0]["name"], "Ada");
    let shown = client.get(&format!("/api/v2/organizations/show_many?ids=1,{acme}")).json();
    assert_eq!(
        (shown["count"].as_i64(), shown["organizations"][0]["name"].as_str()),
        (Some(1), Some("Acme"))
    );
    let many = vec!["x"; 101].join(",");
    assert_eq!(client.get(&format!("/api/v2/users/show_many?external_ids={many}")).status, 422);
}

#[test]
fn an_address_belongs_to_one_user() {
    let users = vec![json!({ "name": "Old", "email": "old@example.com" })];
    let vendor = Zendesk::start(Settings { users, ..quick() });
    let row = json!({ "name": "New", "external_id": "n", "email": "new@example.com",
                      "identities": [{ "type": "email", "value": "OLD@example.com" }] });
    let job = run(&vendor, UPSERT, json!([row]));
    let details = job["results"][0]["details"].as_str().unwrap();
    assert_eq!(details, "Email: OLD@example.com is already being used by another user");

    let single = client(&vendor).ask("POST /api/v2/users/create_or_update", &json!({ "user": row }));
    assert_eq!(single.status, 422);
    assert_eq!(single.json()["error"], "RecordInvalid");
    assert_eq!(single.json()["details"]["email"][0]["error"], "DuplicateValue");
    assert_eq!(vendor.account().users.len(), 1);
}

#[test]
fn create_many_fails_rows_of_known_users() {
    let users = vec![json!({ "name": "Old", "email": "old@example.com" })];
    let rows =
        json!([{ "name": "New", "email": "new@example.com" }, { "name": "Old", "email": "old@example.com" }]);
    let vendor = Zendesk::start(Settings { users: users.clone(), ..quick() });
    let job = run(&vendor, CREATE, rows.clone());
    assert_eq!(job["status"], "failed");
    assert_eq!(job["results"][0]["status"], "Created");
    assert_eq!(job["results"][1]["index"], 1);
    let create_failures = CreateFailures::PositionedInCompletedJob;
    let vendor = Zendesk::start(Settings { users, create_failures, position_base: 1, ..quick() });
    let job = run(&vendor, CREATE, rows);
    assert_eq!((job["status"].as_str(), job["results"][1]["id"].as_i64()), (Some("completed"), Some(2)));
}

#[test]
fn update_many_takes_ids_external_ids_or_a_list() {
    let users = vec![json!({ "name": "Ada", "email": "ada@example.com", "external_id": "a" })];
    let vendor = Zendesk::start(Settings { users, ..quick() });
    let id = vendor.account().user("ada@example.com").unwrap().id;
    let client = client(&vendor);
    let path = "PUT /api/v2/users/update_many";
    let job =
        done(&client, &client.ask(path, &json!({ "users": [{ "id": id, "notes": "one" }, { "id": 1 }] })));
    assert_eq!(
        job["results"][0],
        json!({ "id": id, "action": "update", "status": "Updated", "success": true })
    );
    assert!(job["results"][1]["error"].is_string());
    let by_external_id = format!("{path}?external_ids=A,zz");
    let job = done(&client, &client.ask(&by_external_id, &json!({ "user": { "notes": "two" } })));
    assert_eq!((job["results"][0]["id"].as_i64(), job["results"][1]["error"].is_string()), (Some(id), true));
    done(&client, &client.ask(&format!("{path}?ids={id}"), &json!({ "user": { "alias": "al" } })));
    let account = vendor.account();
    let ada = account.user("ada@example.com").unwrap();
    assert_eq!((ada.text("notes"), ada.text("alias"), ada.deliveries), ("two", "al", 3));
}

#[test]
fn unknown_roles_become_light_agent_and_nobody_says_so() {
    let vendor = Zendesk::start(quick());
    let job =
        run(&vendor, UPSERT, json!([{ "name": "Ada", "email": "ada@example.com", "custom_role_id": 7 }]));
    assert_eq!(job["results"][0]["status"], "Created");
    let roles = client(&vendor).get("/api/v2/custom_roles").json();
    let light_agent = roles["custom_roles"][0]["id"].clone();
    let account = vendor.account();
    let ada = account.user("ada@example.com").unwrap();
    assert_eq!((ada.text("role"), &ada.properties["custom_role_id"]), ("agent", &light_agent));
    assert_eq!(account.light_agents, [(ada.id, 7)]);
}

#[test]
fn values_that_name_nothing_fail_their_row_or_are_dropped() {
    let rows = json!([
        { "name": "A", "email": "a@example.com", "user_fields": { "none": "x" } },
        { "name": "B", "email": "b@example.com", "user_fields": { "level": "gold" } },
        { "name": "C", "email": "c@example.com", "user_fields": { "level": "gold?" } },
        { "name": "D", "email": "d@example.com", "organization": { "name": "nowhere" } },
        { "name": "E", "email": "e@example.com", "user_fields": { "subscription_date": "2024-13-01" } },
        { "name": "F", "email": "f@example.com", "locale": "xx", "phone": "0155" },
    ]);
    let fields = vec![UserField::dropdown("level", &["gold"]), UserField::new("subscription_date", "date")];
    let failed = |on_unknown, enforces_e164| {
        let vendor =
            Zendesk::start(Settings { user_fields: fields.clone(), on_unknown, enforces_e164, ..quick() });
        let job = run(&vendor, UPSERT, rows.clone());
        let is_bad = |entry: &Value| entry.get("error").is_some();
        job["results"].as_array().unwrap().iter().map(is_bad).collect::<Vec<bool>>()
    };
    assert_eq!(failed(OnUnknown::Refuse, false), [true, false, true, true, true, true]);
    assert_eq!(failed(OnUnknown::Ignore, false), [false, false, true, false, true, false]);
    assert_eq!(failed(OnUnknown::Ignore, true), [false, false, true, false, true, true]);
}

#[test]
fn a_hundred_and_one_users_are_too_many() {
    let vendor = Zendesk::start(quick());
    let users: Vec<Value> =
        (0..101).map(|n| json!({ "name": "x", "email": format!("{n}@example.com") })).collect();
    let refused = client(&vendor).ask(UPSERT, &json!({ "users": users }));
    assert_eq!((refused.status, refused.text().as_str()), (400, sample("too many values")));
}

#[test]
fn thirty_jobs_are_enough() {
    let vendor = Zendesk::start(Settings { job_time: Duration::from_secs(60), ..quick() });
    let client = client(&vendor);
    for _ in 0..30 {
        assert_eq!(client.ask(UPSERT, &json!({ "users": [] })).status, 200);
    }
    let refused = client.ask(UPSERT, &json!({ "users": [] }));
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error"], "TooManyJobs");
    assert_eq!(refused.json()["current_job_ids"].as_array().unwrap().len(), 30);
    assert_eq!(refused.header("retry-after"), None);
    assert_eq!(vendor.account().most_jobs_at_a_time, 30);
}

#[test]
fn a_minute_has_so_many_requests() {
    let vendor = Zendesk::start(Settings { requests_per_minute: 10, speed: 120.0, ..quick() });
    let client = client(&vendor);
    let began = Instant::now();
    let first = client.get("/api/v2/locales");
    assert_eq!(first.header("x-rate-limit"), Some("10"));
    assert_eq!(first.header("rate-limit-remaining"), Some("9"));
    assert!(first.header("ratelimit-reset").is_some());
    let mut refused = 0;
    let mut let_through = 1;
    while let_through < 25 {
        let got = client.get("/api/v2/locales");
        match got.status {
            200 => let_through += 1,
            _ => {
                assert_eq!((got.status, got.header("retry-after")), (429, Some("1")));
                refused += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    assert!(began.elapsed() >= Duration::from_millis(950), "two windows of half a second were waited for");
    assert!(refused > 0 && vendor.account().throttled == refused);
}

#[test]
fn the_single_call_is_slow() {
    let vendor = Zendesk::start(Settings { speed: 10.0, ..quick() });
    let client = client(&vendor);
    let line = "POST /api/v2/users/create_or_update";
    let user = json!({ "user": { "name": "Ada", "email": "ada@example.com" } });
    assert_eq!(client.ask(line, &user).status, 201);
    assert_eq!(client.ask(line, &user).status, 429);
    std::thread::sleep(Duration::from_millis(110));
    let again = client.ask(line, &user);
    assert_eq!((again.status, again.json()["user"]["email"].as_str()), (200, Some("ada@example.com")));
}

#[test]
fn organizations_match_by_id_and_external_id_never_by_name() {
    let vendor = Zendesk::start(quick());
    let client = client(&vendor);
    let line = "POST /api/v2/organizations/create_or_update";
    let put = |body: Value| client.ask(line, &json!({ "organization": body }));
    assert_eq!(put(json!({ "name": "Acme" })).status, 201, "a second one of that name");
    assert_eq!(put(json!({ "name": "Initech", "external_id": "i" })).status, 201);
    assert_eq!(put(json!({ "name": "Initech 2", "external_id": "i" })).status, 200);
    let many = client
        .ask("POST /api/v2/organizations/create_many", &json!({ "organizations": [{ "name": "Hooli" }] }));
    assert_eq!(done(&client, &many)["results"][0]["status"], "Created");
    assert_eq!(vendor.account().organizations.len(), 5);
}

#[test]
fn jobs_are_kept_for_a_day() {
    let vendor = Zendesk::start(Settings { speed: 24.0 * 60.0 * 60.0 * 10.0, ..quick() });
    let client = client(&vendor);
    let id =
        client.ask(UPSERT, &json!({ "users": [] })).json()["job_status"]["id"].as_str().unwrap().to_owned();
    std::thread::sleep(Duration::from_millis(120));
    assert_eq!(client.get(&format!("/api/v2/job_statuses/{id}")).status, 404);
}

#[test]
fn a_job_may_be_late_lost_or_short_of_results() {
    let users = json!([{ "name": "A", "email": "a@example.com" }, { "name": "B", "email": "b@example.com" }]);
    let start = |fault| Zendesk::start(Settings { faults: FaultPlan::once(UPSERT, fault), ..quick() });
    let path =
        |taken: &Got| format!("/api/v2/job_statuses/{}", taken.json()["job_status"]["id"].as_str().unwrap());

    let vendor = start(Fault::JobLate);
    let taken = client(&vendor).ask(UPSERT, &json!({ "users": users }));
    assert_eq!(client(&vendor).get(&path(&taken)).status, 404);
    assert_eq!(client(&vendor).get(&path(&taken)).status, 200);

    let vendor = start(Fault::JobLost);
    let taken = client(&vendor).ask(UPSERT, &json!({ "users": users }));
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(client(&vendor).get(&path(&taken)).status, 404);
    assert_eq!(vendor.account().users.len(), 2, "the work was done all the same");

    let vendor = start(Fault::ShortResults);
    let job = run(&vendor, UPSERT, users);
    assert_eq!((job["results"].as_array().unwrap().len(), vendor.account().users.len()), (1, 2));
    assert_eq!(vendor.fault_report(), format!("seed 0, 1 faults\n  ShortResults at {UPSERT}"));
}
