//! Constant Contact's nastiness, one by one, through a plain client over the socket.

use std::{collections::VecDeque, time::Duration};

use serde_json::{Value, json};
use usher_vendors::{
    ConstantContact, Fault, FaultPlan,
    constant_contact::{Blanks, Settings},
};

use crate::client::{Client, Form, Got, until};

const FILE: &str = "POST /v3/activities/contacts_file_import";
const JSON: &str = "POST /v3/activities/contacts_json_import";
const TOKEN: &str = "POST /oauth2/default/v1/token";
const FORM: &str = "application/x-www-form-urlencoded";

/// In no hurry about limits, in a hurry about everything else.
fn quick() -> Settings {
    Settings {
        access_token: "hush-access".to_owned(),
        requests_per_second: 1000,
        tokens_per_second: 1000,
        activity_time: Duration::from_millis(5),
        ..Settings::default()
    }
}

fn client(vendor: &ConstantContact) -> Client {
    Client::new(vendor.url(), &[("authorization", "Bearer hush-access")])
}

fn list(vendor: &ConstantContact) -> String {
    vendor.account().list("Newsletter").unwrap().to_owned()
}

fn form(vendor: &ConstantContact, file: &str) -> Form {
    Form::new().field("list_ids", &list(vendor)).file("file", "users-0001.csv", file.as_bytes())
}

#[track_caller]
fn send(vendor: &ConstantContact, form: &Form) -> Got {
    client(vendor).send(FILE, &form.kind(), &form.body()).unwrap()
}

#[track_caller]
fn done(vendor: &ConstantContact, taken: &Got) -> Value {
    assert_eq!(taken.status, 201, "{}", taken.text());
    let href = taken.json()["_links"]["self"]["href"].as_str().unwrap().to_owned();
    until(|| {
        let activity = client(vendor).get(&href).json();
        (!["initialized", "processing"].contains(&activity["state"].as_str().unwrap())).then_some(activity)
    })
}

#[test]
fn an_activity_goes_through_its_states() {
    let vendor = ConstantContact::start(Settings { activity_time: Duration::from_millis(200), ..quick() });
    let taken = send(&vendor, &form(&vendor, "email,first_name\nada@example.com,Ada\n"));
    assert_eq!((taken.status, taken.json()["state"].as_str()), (201, Some("initialized")));
    let href = taken.json()["_links"]["self"]["href"].as_str().unwrap().to_owned();
    assert!(href.starts_with("/v3/activities/"), "a path only: {href}");
    until(|| (client(&vendor).get(&href).json()["state"] == "processing").then_some(()));
    assert_eq!(vendor.account().contacts.len(), 0);
    let activity = done(&vendor, &taken);
    assert_eq!(activity["state"], "completed");
    assert_eq!(activity["source_file_name"], "users-0001.csv");
    assert_eq!(
        (activity["status"]["items_total_count"].as_i64(), activity["status"]["person_count"].as_i64()),
        (Some(2), Some(1))
    );
    let account = vendor.account();
    let ada = account.contact("ADA@example.com").unwrap();
    assert_eq!((ada.text("first_name"), ada.permission, ada.opt_in_source), ("Ada", "implicit", "Account"));
    assert!(ada.lists.contains(account.list("Newsletter").unwrap()));
}

#[test]
fn partial_success_is_told_by_counters() {
    let vendor =
        ConstantContact::start(Settings { unsubscribed: vec!["gone@example.com".to_owned()], ..quick() });
    let long = "x".repeat(51);
    let file = format!(
        "email,first_name,birthday_month,birthday_day,anniversary\n\
         ada@example.com,Ada,2,29,2024-01-31\nnobody,,,,\n,,,,\neve@example.com,,2,,\n\
         bob@example.com,,,,31/01/2024\nlong@example.com,{long},,,\nGONE@example.com,Gone,,,\n"
    );
    let activity = done(&vendor, &send(&vendor, &form(&vendor, &file)));
    let status = &activity["status"];
    assert_eq!(activity["state"], "completed");
    assert_eq!((status["items_total_count"].as_i64(), status["person_count"].as_i64()), (Some(8), Some(7)));
    assert_eq!((status["correctable_count"].as_i64(), status["error_count"].as_i64()), (Some(4), Some(1)));
    assert_eq!(status["cannot_add_to_list_count"], 1);
    assert_eq!(activity["activity_errors"][2], "Line 5: Invalid birthday");
    let account = vendor.account();
    let gone = account.contact("gone@example.com").unwrap();
    assert!(gone.is_unsubscribed() && gone.lists.is_empty(), "nobody is subscribed again");
    assert_eq!(account.contacts.len(), 2);
}

#[test]
fn beyond_forty_thousand_lines_rows_are_dropped_without_a_word() {
    let vendor = ConstantContact::start(quick());
    let rows: String = (0..40_000).map(|n| format!("u{n}@example.com\n")).collect();
    let activity = done(&vendor, &send(&vendor, &form(&vendor, &format!("email\n{rows}"))));
    assert_eq!(
        (activity["state"].as_str(), activity["activity_errors"].as_array().unwrap().len()),
        (Some("completed"), 0)
    );
    assert_eq!(activity["status"]["items_total_count"], 40_000);
    let account = vendor.account();
    assert_eq!((account.contacts.len(), account.dropped_rows()), (39_999, 1));
}

#[test]
fn beyond_four_megabytes_rows_are_dropped_without_a_word() {
    let vendor = ConstantContact::start(quick());
    let value = "x".repeat(250);
    let rows: String = (0..16_000).map(|n| format!("u{n}@example.com,{value}\n")).collect();
    let form = form(&vendor, &format!("email,cf:plan\n{rows}"));
    assert!(form.body().len() > 4_000_000);
    let activity = done(&vendor, &send(&vendor, &form));
    assert_eq!(activity["state"], "completed");
    let account = vendor.account();
    assert!(account.dropped_rows() > 0);
    assert_eq!(account.contacts.len() + account.dropped_rows(), 16_000);

    drop(account);
    let rows: Vec<Value> = (0..30).map(|n| json!({ "email": format!("j{n}@example.com") })).collect();
    vendor.account().settings.largest_body = 700;
    let taken = client(&vendor).ask(JSON, &json!({ "import_data": rows, "list_ids": [list(&vendor)] }));
    let activity = done(&vendor, &taken);
    let kept = activity["status"]["person_count"].as_u64().unwrap() as usize;
    assert!((20..30).contains(&kept), "{kept}");
    assert_eq!(vendor.account().activities[1].dropped, 30 - kept);
}

#[test]
fn json_rows_are_flat() {
    let vendor = ConstantContact::start(quick());
    let rows = json!([
        { "email": "ada@example.com", "first_name": "Ada", "home_city": "Paris", "cf:plan": "gold", "birthday_month": 2, "birthday_day": 1 },
        { "email_address": { "address": "eve@example.com" }, "first_name": "Eve" },
    ]);
    let taken = client(&vendor).ask(JSON, &json!({ "import_data": rows, "list_ids": [list(&vendor)] }));
    let activity = done(&vendor, &taken);
    assert_eq!(
        (activity["status"]["items_total_count"].as_i64(), activity["status"]["correctable_count"].as_i64()),
        (Some(2), Some(1))
    );
    let account = vendor.account();
    let ada = account.contact("ada@example.com").unwrap();
    assert_eq!(
        (ada.text("home_city"), ada.text("cf:plan"), ada.text("birthday_month")),
        ("Paris", "gold", "2")
    );
    assert_eq!(account.contacts.len(), 1);
}

#[test]
fn unknown_custom_fields_are_dropped_and_names_are_not_labels() {
    let vendor = ConstantContact::start(quick());
    let field = client(&vendor)
        .ask("POST /v3/contact_custom_fields", &json!({ "label": "Favourite colour", "type": "string" }));
    assert_eq!((field.status, field.json()["name"].as_str()), (201, Some("Favourite_colour")));
    let file = "email,cf:Favourite colour,cf:Favourite_colour,nonsense\nada@example.com,red,blue,x\n";
    let activity = done(&vendor, &send(&vendor, &form(&vendor, file)));
    assert_eq!(
        (activity["state"].as_str(), activity["status"]["error_count"].as_i64()),
        (Some("completed"), Some(0))
    );
    let account = vendor.account();
    assert_eq!(account.contact("ada@example.com").unwrap().text("cf:Favourite_colour"), "blue");
    assert_eq!(account.dropped_fields.get("cf:Favourite colour"), Some(&1));
}

#[test]
fn blanks_and_deliveries() {
    for (blanks, expected) in [(Blanks::Keep, "Ada"), (Blanks::Clear, "")] {
        let vendor = ConstantContact::start(Settings { blanks, ..quick() });
        done(&vendor, &send(&vendor, &form(&vendor, "email,first_name\nada@example.com,Ada\n")));
        done(&vendor, &send(&vendor, &form(&vendor, "email,first_name\nada@example.com,\n")));
        let account = vendor.account();
        assert_eq!(account.contact("ada@example.com").unwrap().text("first_name"), expected);
        assert_eq!(account.delivered_twice().len(), 1);
    }
}

#[test]
fn files_must_be_csv_and_lists_must_be_there() {
    let vendor = ConstantContact::start(quick());
    let file = |name: &str, lists: &str| {
        let form = Form::new().field("list_ids", lists).file("file", name, b"email\n");
        let got = send(&vendor, &form);
        (got.status, got.json()[0]["error_key"].as_str().map(str::to_owned))
    };
    assert_eq!(file("users.txt", &list(&vendor)).0, 415);
    assert_eq!(file("users.csv", ""), (400, Some("contacts.api.validation.error".to_owned())));
    assert_eq!(file("users.csv", "5c8f2b4e-0000-4000-a000-000000000000").0, 404);
    let got = client(&vendor).send(FILE, "application/json", b"{}").unwrap();
    assert_eq!(got.status, 415);
}

#[test]
fn activities_are_listed_and_may_end_badly() {
    let endings = VecDeque::from(["failed", "timed_out"]);
    let vendor = ConstantContact::start(Settings { endings, ..quick() });
    for state in ["failed", "timed_out", "completed"] {
        let activity = done(&vendor, &send(&vendor, &form(&vendor, "email\nada@example.com\n")));
        assert_eq!(activity["state"], state);
        assert_eq!(vendor.account().contacts.len(), usize::from(state == "completed"));
    }
    let first = client(&vendor).get("/v3/activities?limit=2").json();
    assert_eq!(first["activities"][0]["source_file_name"], "users-0001.csv");
    let next = first["_links"]["next"]["href"].as_str().unwrap();
    assert_eq!(client(&vendor).get(next).json()["activities"].as_array().unwrap().len(), 1);
    let failed = client(&vendor).get("/v3/activities?state=failed").json();
    assert_eq!(failed["activities"].as_array().unwrap().len(), 1);
    assert_eq!(client(&vendor).get("/v3/activities?limit=501").status, 400);
}

#[test]
fn an_activity_may_be_late_or_lost() {
    for fault in [Fault::JobLate, Fault::JobLost] {
        let vendor = ConstantContact::start(Settings { faults: FaultPlan::once(FILE, fault), ..quick() });
        let taken = send(&vendor, &form(&vendor, "email\nada@example.com\n"));
        let href = taken.json()["_links"]["self"]["href"].as_str().unwrap().to_owned();
        let statuses = [client(&vendor).get(&href).status, client(&vendor).get(&href).status];
        assert_eq!(statuses, if fault == Fault::JobLate { [404, 200] } else { [404, 404] });
        until(|| (!vendor.account().is_busy()).then_some(()));
        assert_eq!(vendor.account().contacts.len(), 1);
    }
}

#[test]
fn refresh_tokens_are_good_for_one_use() {
    let vendor = ConstantContact::start(quick());
    let basic = "Basic dXNoZXItY2xpZW50Omh1c2gtc2VjcmV0";
    let client = Client::new(vendor.url(), &[("authorization", basic)]);
    let refresh = |token: &str| {
        client
            .send(TOKEN, FORM, format!("grant_type=refresh_token&refresh_token={token}").as_bytes())
            .unwrap()
    };
    let first = refresh("hush-refresh-0");
    assert_eq!((first.status, first.json()["expires_in"].as_u64()), (200, Some(86_400)));
    let next = first.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(next, "hush-refresh-0");
    let again = refresh("hush-refresh-0");
    assert_eq!((again.status, again.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert_eq!(vendor.account().oauth.voided_uses, 1);
    let access = first.json()["access_token"].as_str().unwrap().to_owned();
    let api = Client::new(vendor.url(), &[("authorization", &format!("Bearer {access}"))]);
    assert_eq!(api.get("/v3/account/summary").status, 200);
    vendor.account().oauth.expire_access_tokens();
    let refused = api.get("/v3/account/summary");
    assert_eq!(
        (refused.status, refused.json()["error_key"].as_str()),
        (401, Some("unauthorized")),
        "one object"
    );
    assert_eq!(refresh(&next).status, 200);

    let stranger =
        Client::new(vendor.url(), &[]).send(TOKEN, FORM, b"grant_type=refresh_token&client_id=usher-client");
    assert_eq!(stranger.unwrap().status, 401);
    let vendor = ConstantContact::start(Settings { rotates: false, client_secret: String::new(), ..quick() });
    let body = b"grant_type=refresh_token&client_id=usher-client&refresh_token=hush-refresh-0";
    for _ in 0..2 {
        let got = Client::new(vendor.url(), &[]).send(TOKEN, FORM, body).unwrap();
        assert_eq!(got.json()["refresh_token"], "hush-refresh-0", "long-lived");
    }
}

#[test]
fn a_person_agrees_on_another_device() {
    let vendor = ConstantContact::start(quick());
    let client = Client::new(vendor.url(), &[]);
    let line = "POST /oauth2/default/v1/device/authorize";
    let asked =
        client.send(line, FORM, b"client_id=usher-client&scope=contact_data+offline_access").unwrap().json();
    let code = asked["device_code"].as_str().unwrap();
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let body = format!("grant_type={grant}&client_id=usher-client&device_code={code}");
    let poll = || client.send(TOKEN, FORM, body.as_bytes()).unwrap();
    assert_eq!(poll().json()["error"], "authorization_pending");
    vendor.account().oauth.approve(asked["user_code"].as_str().unwrap());
    assert!(poll().json()["refresh_token"].is_string());
    assert_eq!(poll().json()["error"], "invalid_grant", "a code is good once");

    let settings =
        Settings { approves_after: Some(Duration::ZERO), device_gives_refresh_token: false, ..quick() };
    let vendor = ConstantContact::start(settings);
    let client = Client::new(vendor.url(), &[]);
    let asked = client
        .send(line, FORM, b"client_id=usher-client&scope=contact_data%20offline_access")
        .unwrap()
        .json();
    let body = format!(
        "grant_type={grant}&client_id=usher-client&device_code={}",
        asked["device_code"].as_str().unwrap()
    );
    let got = client.send(TOKEN, FORM, body.as_bytes()).unwrap().json();
    assert!(got["access_token"].is_string() && got.get("refresh_token").is_none());
}

#[test]
fn limits_are_told_apart_by_their_key() {
    let vendor = ConstantContact::start(Settings {
        requests_per_second: 4,
        speed: 4.0,
        requests_per_day: 8,
        ..quick()
    });
    let client = client(&vendor);
    let ask = || client.get("/v3/contact_lists");
    assert_eq!([0; 5].map(|_| ask().status), [200, 200, 200, 200, 429]);
    let refused = ask();
    assert_eq!(refused.json()[0], json!({ "error_key": "throttled", "error_message": "Too Many Requests" }));
    assert_eq!(refused.header("retry-after"), None);
    std::thread::sleep(Duration::from_millis(260));
    assert_eq!([0; 4].map(|_| ask().status), [200; 4]);
    std::thread::sleep(Duration::from_millis(260));
    assert_eq!(ask().json()[0]["error_key"], "quota_exceeded");

    let settings =
        Settings { requests_per_day: 0, throttles_with_one_object: true, tokens_per_second: 1, ..quick() };
    let vendor = ConstantContact::start(settings);
    assert_eq!(
        crate::constant_contact::client(&vendor).get("/v3/contact_tags").json()["error_key"],
        "quota_exceeded"
    );
    let token = || Client::new(vendor.url(), &[]).send(TOKEN, FORM, b"").unwrap().status;
    assert_eq!([token(), token()], [400, 429]);
}

#[test]
fn lists_fields_and_tags_are_found_and_made() {
    let labels = (0..99).map(|n| format!("field {n}")).collect();
    let vendor = ConstantContact::start(Settings { custom_fields: labels, ..quick() });
    let client = client(&vendor);
    let found = client.get("/v3/contact_lists?name=Newsletter&include_count=true").json();
    assert_eq!((found["lists"].as_array().unwrap().len(), found["lists_count"].as_i64()), (1, Some(1)));
    assert_eq!(client.get("/v3/contact_lists?name=newsletter").json()["lists"], json!([]));
    assert_eq!(client.ask("POST /v3/contact_lists", &json!({ "name": "Newsletter" })).status, 409);
    assert_eq!(client.ask("POST /v3/contact_lists", &json!({ "name": "Other" })).status, 201);
    assert_eq!(client.ask("POST /v3/contact_tags", &json!({ "name": "new" })).status, 201);
    assert_eq!(client.ask("POST /v3/contact_tags", &json!({ "name": "new" })).status, 409);

    let make = |label: &str, kind: &str| {
        client.ask("POST /v3/contact_custom_fields", &json!({ "label": label, "type": kind })).status
    };
    assert_eq!(
        [make("field 1", "string"), make("x", "text"), make("x", "date"), make("y", "string")],
        [409, 400, 201, 400]
    );
    let page = client.get("/v3/contact_custom_fields?limit=100").json();
    assert_eq!(page["custom_fields"].as_array().unwrap().len(), 100);
    assert_eq!(client.get("/v3/contact_custom_fields?limit=101").status, 400);
}

#[test]
fn tags_come_afterwards_for_everybody_on_a_list() {
    let vendor = ConstantContact::start(Settings { tags: vec!["new".to_owned()], ..quick() });
    done(&vendor, &send(&vendor, &form(&vendor, "email\nada@example.com\neve@example.com\n")));
    let tag = vendor.account().tag("new").unwrap().to_owned();
    let body = json!({ "source": { "list_ids": [list(&vendor)] }, "tag_ids": [tag] });
    let line = "POST /v3/activities/contacts_taggings_add";
    let activity = done(&vendor, &client(&vendor).ask(line, &body));
    assert_eq!(activity["state"], "completed");
    assert!(vendor.account().contacts.values().all(|contact| contact.tags.contains(&tag)));
    let unknown = json!({ "source": { "list_ids": [list(&vendor)] }, "tag_ids": ["5c8f2b4e-0000-4000-a000-000000000000"] });
    assert_eq!(client(&vendor).ask(line, &unknown).status, 404);
}

#[test]
fn a_form_makes_permission_explicit() {
    let vendor =
        ConstantContact::start(Settings { unsubscribed: vec!["gone@example.com".to_owned()], ..quick() });
    let field = vendor.account().custom_fields[0].id.clone();
    let line = "POST /v3/contacts/sign_up_form";
    let body = |email: &str| {
        json!({ "email_address": email, "first_name": "Ada", "list_memberships": [list(&vendor)],
        "custom_fields": [{ "custom_field_id": field, "value": "gold" }] })
    };
    let got = client(&vendor).ask(line, &body("ada@example.com"));
    assert_eq!((got.status, got.json()["action"].as_str()), (201, Some("created")));
    let got = client(&vendor).ask(line, &body("gone@example.com"));
    assert_eq!((got.status, got.json()["action"].as_str()), (200, Some("updated")));
    assert_eq!(client(&vendor).ask(line, &json!({ "email_address": "x@example.com" })).status, 400);
    let account = vendor.account();
    assert_eq!(account.contact("ada@example.com").unwrap().permission, "explicit");
    assert_eq!(account.signed_up, ["ada@example.com", "gone@example.com"]);
    assert_eq!(account.contact("ada@example.com").unwrap().text("cf:plan"), "gold");
}

#[test]
fn scopes_are_asked_for() {
    let vendor = ConstantContact::start(Settings { scopes: vec!["account_read".to_owned()], ..quick() });
    let refused = client(&vendor).get("/v3/contact_lists");
    assert_eq!((refused.status, refused.json()["error_key"].is_string()), (403, true), "one object");
    assert_eq!(client(&vendor).get("/v3/account/summary").status, 200);
}
