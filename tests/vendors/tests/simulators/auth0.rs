//! Auth0's nastiness, one by one, through a plain client over the socket.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use usher_vendors::{
    Auth0, Fault, FaultPlan,
    auth0::{Settings, made_up},
};

use crate::client::{Client, Got, until};

const ORDER: &str = "POST /api/v2/jobs/users-exports";

fn quick() -> Settings {
    Settings { job_time: Duration::from_millis(5), burst: 1000, ..Settings::default() }
}

fn token(vendor: &Auth0, audience: &str, secret: &str) -> Got {
    let body = json!({ "grant_type": "client_credentials", "client_id": "usher-client", "client_secret": secret,
        "audience": audience });
    Client::new(vendor.url(), &[]).ask("POST /oauth/token", &body)
}

fn client(vendor: &Auth0) -> Client {
    let got = token(vendor, &format!("https://{}/api/v2/", vendor.domain()), "hush-secret");
    let token = got.json()["access_token"].as_str().unwrap().to_owned();
    Client::new(vendor.url(), &[("authorization", &format!("Bearer {token}"))])
}

#[track_caller]
fn over(client: &Client, ordered: &Got) -> Value {
    assert_eq!(ordered.status, 200, "{}", ordered.text());
    let path = format!("/api/v2/jobs/{}", ordered.json()["id"].as_str().unwrap());
    until(|| {
        let job = client.get(&path).json();
        (!["pending", "waiting", "processing"].contains(&job["status"].as_str().unwrap())).then_some(job)
    })
}

/// The path of the link of a job that is done.
#[track_caller]
fn link(vendor: &Auth0, job: &Value) -> String {
    let location = job["location"].as_str().unwrap();
    location.strip_prefix(&vendor.domain()).unwrap().to_owned()
}

#[track_caller]
fn export(vendor: &Auth0, order: Value) -> String {
    let client = client(vendor);
    let job = over(&client, &client.ask(ORDER, &order));
    let got = Client::new(vendor.url(), &[]).get(&link(vendor, &job));
    let mut text = String::new();
    GzDecoder::new(got.body.as_slice()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_audience_has_a_slash_at_its_end() {
    let vendor = Auth0::start(quick());
    let refused = token(&vendor, &format!("https://{}/api/v2", vendor.domain()), "hush-secret");
    assert_eq!(refused.status, 403);
    assert!(
        refused.json()["error_description"].as_str().unwrap().contains("Service not enabled within domain")
    );
    let refused = token(&vendor, &format!("https://{}/api/v2/", vendor.domain()), "wrong");
    assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("access_denied")));
    let form = format!(
        "grant_type=client_credentials&client_id=usher-client&client_secret=hush-secret&audience=https%3A%2F%2F{}%2Fapi%2Fv2%2F",
        vendor.domain()
    );
    let got = Client::new(vendor.url(), &[]).send(
        "POST /oauth/token",
        "application/x-www-form-urlencoded",
        form.as_bytes(),
    );
    assert_eq!(got.unwrap().json()["expires_in"], 86_400);
}

#[test]
fn a_job_is_pending_then_has_a_link_without_a_scheme() {
    let vendor = Auth0::start(Settings { job_time: Duration::from_millis(100), ..quick() });
    let client = client(&vendor);
    let order = json!({ "format": "json", "connection_id": "con_0000000000000001", "limit": 3,
        "fields": [{ "name": "user_id" }, { "name": "email", "export_as": "Email" }] });
    let ordered = client.ask(ORDER, &order);
    let job = ordered.json();
    assert_eq!((job["status"].as_str(), job["type"].as_str()), (Some("pending"), Some("users_export")));
    assert_eq!(
        (&job["fields"], job["connection"].as_str()),
        (&order["fields"], Some("Username-Password-Authentication"))
    );
    let job = over(&client, &ordered);
    assert_eq!(job["status"], "completed");
    let got = Client::new(vendor.url(), &[]).get(&link(&vendor, &job));
    assert_eq!(got.body[..2], [0x1f, 0x8b]);
    let mut text = String::new();
    GzDecoder::new(got.body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().count(), 3);
    assert_eq!(
        text.lines().next(),
        Some(r#"{"user_id":"auth0|000000000000000000000000","Email":"user0@example.com"}"#)
    );
    assert_eq!(vendor.account().downloads, 1);
}

#[test]
fn csv_is_guarded_against_formulas() {
    let mut users = made_up(2);
    users[0]["given_name"] = json!("'t \"Hooft\"");
    let vendor = Auth0::start(Settings { users, ..quick() });
    let fields = json!([{ "name": "email" }, { "name": "email_verified" }, { "name": "given_name", "export_as": "Given, Name" },
        { "name": "created_at" }, { "name": "identities[0].connection" }, { "name": "logins_count" },
        { "name": "user_metadata" }, { "name": "user_metadata.plan" }]);
    let text = export(&vendor, json!({ "format": "csv", "fields": fields }));
    assert_eq!(
        text,
        "email,email_verified,\"Given, Name\",created_at,identities[0].connection,logins_count,user_metadata,user_metadata.plan\n\
         \"'user0@example.com\",false,\"''t \"\"Hooft\"\"\",2023-05-01T10:20:30.456Z,\"'Username-Password-Authentication\",0,,\n\
         \"'user1@example.com\",true,\"'Ève\",2023-05-02T10:20:30.456Z,\"'Username-Password-Authentication\",1,,\"'team\"\n"
    );
}

#[test]
fn what_is_unverified_is_a_setting() {
    let users = vec![json!({ "user_id": "a|1", "email_verified": true, "user_metadata": { "plan": "x" } })];
    let settings = Settings {
        users,
        nests_paths: true,
        absent_as_null: true,
        booleans: ["True".to_owned(), "False".to_owned()],
        escapes_booleans: true,
        byte_order_mark: true,
        line_end: "\r\n".to_owned(),
        ..quick()
    };
    let vendor = Auth0::start(settings);
    let fields = json!([{ "name": "user_metadata.plan" }, { "name": "email" }, { "name": "email_verified" }]);
    let text = export(&vendor, json!({ "format": "json", "fields": fields }));
    assert_eq!(text, "{\"user_metadata\":{\"plan\":\"x\"},\"email\":null,\"email_verified\":true}\n");
    let text = export(&vendor, json!({ "format": "csv", "fields": fields }));
    assert_eq!(text, "\u{feff}user_metadata.plan,email,email_verified\r\n\"'x\",,\"'True\"\r\n");
}

#[test]
fn orders_that_cannot_be_are_refused() {
    let vendor = Auth0::start(quick());
    let client = client(&vendor);
    let many: Vec<Value> = (0..31).map(|n| json!({ "name": format!("user_metadata.f{n}") })).collect();
    for order in [
        json!({ "format": "xml" }),
        json!({ "format": "json", "surprise": 1 }),
        json!({ "limit": 0 }),
        json!({ "connection_id": "Username-Password-Authentication" }),
        json!({ "format": "csv", "fields": many }),
        json!({ "fields": [{ "name": "x".repeat(101) }] }),
        json!({ "fields": [{ "export_as": "x" }] }),
    ] {
        let refused = client.ask(ORDER, &order);
        assert_eq!((refused.status, refused.json()["statusCode"].as_u64()), (400, Some(400)), "{order}");
    }
    assert_eq!(client.ask(ORDER, &json!({ "format": "json", "fields": many })).status, 200);
    assert_eq!(Client::new(vendor.url(), &[]).ask(ORDER, &json!({})).status, 401);
}

#[test]
fn scopes_are_asked_for() {
    let scopes = vec!["read:users".to_owned()];
    let polling_scopes = vec!["create:users".to_owned()];
    let vendor = Auth0::start(Settings { scopes, polling_scopes, ..quick() });
    let client = client(&vendor);
    let ordered = client.ask(ORDER, &json!({}));
    let path = format!("/api/v2/jobs/{}", ordered.json()["id"].as_str().unwrap());
    let refused = client.get(&path);
    assert_eq!(refused.status, 403);
    assert!(refused.json()["message"].as_str().unwrap().contains("create:users"));
    vendor.account().settings.scopes.clear();
    assert_eq!(client.ask(ORDER, &json!({})).status, 403);
}

#[test]
fn jobs_have_statuses_that_no_page_lists() {
    let statuses = vec!["waiting".to_owned(), "processing".to_owned()];
    let job_time = Duration::from_millis(80);
    let vendor = Auth0::start(Settings { statuses, job_time, ending: "failed".to_owned(), ..quick() });
    let client = client(&vendor);
    let ordered = client.ask(ORDER, &json!({}));
    let path = format!("/api/v2/jobs/{}", ordered.json()["id"].as_str().unwrap());
    let mut seen: Vec<String> = Vec::new();
    until(|| {
        let job = client.get(&path).json();
        seen.push(job["status"].as_str().unwrap().to_owned());
        (job["status"] == "failed").then(|| assert_eq!(job["status_details"], "something went wrong"))
    });
    seen.dedup();
    assert!(seen.ends_with(&["processing".to_owned(), "failed".to_owned()]), "{seen:?}");
}

#[test]
fn links_are_good_for_a_while_and_want_no_credentials() {
    let vendor = Auth0::start(Settings { link_lives: Duration::from_millis(100), ..quick() });
    let client = client(&vendor);
    let ordered = client.ask(ORDER, &json!({}));
    let first = link(&vendor, &over(&client, &ordered));
    let bare = Client::new(vendor.url(), &[]);
    assert_eq!(client.get(&first).status, 400);
    assert_eq!(vendor.account().leaked_credentials, 1);
    assert_eq!(bare.get(&first).status, 200);
    std::thread::sleep(Duration::from_millis(110));
    assert_eq!(bare.get(&first).status, 403);
    let second = link(&vendor, &over(&client, &ordered));
    assert_ne!(first, second);
    assert_eq!(bare.get(&second).status, 200);
    assert_eq!(vendor.account().expired_links, 1);
}

#[test]
fn downloads_have_their_own_faults() {
    let faults = FaultPlan::once("GET /files/", Fault::ExpiredLink)
        .and("GET /files/", Fault::TruncatedGzip)
        .and("GET /files/", Fault::Reset);
    let vendor = Auth0::start(Settings { users: made_up(500), faults, ..quick() });
    let client = client(&vendor);
    let path = link(&vendor, &over(&client, &client.ask(ORDER, &json!({}))));
    let bare = Client::new(vendor.url(), &[]);
    let unpacked = |got: &Got| GzDecoder::new(got.body.as_slice()).read_to_string(&mut String::new());
    // The layer strikes first, and then sees the reply that the vendor's own fault has made.
    assert!(bare.send(&format!("GET {path}"), "", b"").is_err());
    let cut = bare.get(&path);
    assert_eq!(cut.status, 200);
    assert!(unpacked(&cut).is_err());
    assert!(unpacked(&bare.get(&path)).is_ok());
    assert_eq!(vendor.faults().len(), 3, "{}", vendor.fault_report());
}

#[test]
fn a_job_may_be_late_or_lost_and_is_gone_after_a_day() {
    let get = |vendor: &Auth0| {
        let client = client(vendor);
        let ordered = client.ask(ORDER, &json!({}));
        let path = format!("/api/v2/jobs/{}", ordered.json()["id"].as_str().unwrap());
        std::thread::sleep(Duration::from_millis(60));
        [client.get(&path).status, client.get(&path).status]
    };
    let with = |fault| Auth0::start(Settings { faults: FaultPlan::once(ORDER, fault), ..quick() });
    assert_eq!(get(&with(Fault::JobLate)), [404, 200]);
    assert_eq!(get(&with(Fault::JobLost)), [404, 404]);
    assert_eq!(get(&Auth0::start(Settings { speed: 24.0 * 3600.0 * 20.0, ..quick() })), [404, 404]);
}

#[test]
fn limits_are_told_in_headers() {
    let settings = Settings { requests_per_second: 2.0, burst: 2, speed: 10.0, ..Settings::default() };
    let vendor = Auth0::start(Settings { throttles_in_oauth_form: true, ..settings.clone() });
    let client_of = |vendor: &Auth0| Client::new(vendor.url(), &[]);
    let client = client_of(&vendor);
    assert_eq!([0; 2].map(|_| client.get("/api/v2/jobs/x").status), [401, 401]);
    let refused = client.get("/api/v2/jobs/x");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    assert_eq!(refused.json()["error"], "too_many_requests");
    assert_eq!(
        (refused.header("x-ratelimit-limit"), refused.header("x-ratelimit-remaining")),
        (Some("2"), Some("0"))
    );
    let reset: u64 = refused.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!(reset > 1_700_000_000, "a time, no duration");
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(client.get("/api/v2/jobs/x").status, 401);

    let vendor = Auth0::start(settings);
    let client = client_of(&vendor);
    let [_, _, refused] = [0; 3].map(|_| client.get("/api/v2/jobs/x"));
    assert_eq!(refused.json()["statusCode"], 429);
}
