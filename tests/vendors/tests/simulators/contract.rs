//! Requests are held against the vendors' own descriptions, and so are the simulators' replies.

use std::time::Duration;

use serde_json::{Value, json};
use usher_vendors::{Auth0, ConstantContact, Zendesk, auth0, constant_contact, zendesk};

use crate::client::{Client, Form, until};

#[test]
fn zendesk_and_its_description_agree() {
    let settings =
        zendesk::Settings { job_time: Duration::from_millis(20), speed: 60.0, ..Default::default() };
    let vendor = Zendesk::start(settings);
    let client = Client::new(vendor.url(), &[("authorization", "Bearer hush-oauth")]);
    for path in ["users/me", "users/me.json", "user_fields", "custom_roles", "locales", "job_statuses"] {
        assert_eq!(client.get(&format!("/api/v2/{path}")).status, 200);
    }
    let user = json!({ "name": "Ada", "email": "ada@example.com", "external_id": "a", "tags": ["x"], "verified": true,
        "identities": [{ "type": "email", "value": "ada.l@example.com" }], "organization": { "name": "Acme" },
        "user_fields": { "plan": "gold" }, "ticket_restriction": null });
    let users = json!({ "users": [user, { "email": "x" }] });
    let mut jobs = Vec::new();
    for line in ["POST /api/v2/users/create_or_update_many", "POST /api/v2/users/create_many"] {
        jobs.push(client.ask(line, &users).json()["job_status"]["id"].as_str().unwrap().to_owned());
    }
    client.ask("PUT /api/v2/users/update_many?external_ids=a", &json!({ "user": { "notes": "n" } }));
    client.ask("POST /api/v2/users/create_or_update", &json!({ "user": user }));
    client.ask("POST /api/v2/organizations/create_many", &json!({ "organizations": [{ "name": "Hooli" }] }));
    client
        .ask("POST /api/v2/organizations/create_or_update", &json!({ "organization": { "name": "Hooli" } }));
    client.get(&format!("/api/v2/job_statuses/{}", jobs[0]));
    std::thread::sleep(Duration::from_millis(30));
    client.get(&format!("/api/v2/job_statuses/show_many?ids={}", jobs.join(",")));
    client.get("/api/v2/job_statuses/none");
    assert_eq!(client.get("/api/v2/users/show_many?external_ids=a,b").status, 200);
    let acme = vendor.account().organization_named("Acme").unwrap();
    assert_eq!(client.get(&format!("/api/v2/organizations/show_many?ids={acme},1")).status, 200);
    assert_eq!(vendor.account().violations, [""; 0]);

    client.ask(
        "POST /api/v2/users/create_many",
        &json!({ "users": [{ "name": "A", "email": "a@example.com", "organisation": 1, "tags": "x" }] }),
    );
    client.get("/api/v2/users/search?query=ada");
    client.get("/api/v2/job_statuses/show_many");
    assert_eq!(
        vendor.account().violations,
        [
            "POST /api/v2/users/create_many: organisation is no property of users",
            "POST /api/v2/users/create_many: tags is \"x\", no array",
            "GET /api/v2/users/search: there is no such path",
            "GET /api/v2/job_statuses/show_many: request: parameter ids is missing",
        ]
    );
}

#[test]
fn constant_contact_and_its_description_agree() {
    let settings = constant_contact::Settings {
        access_token: "hush-access".to_owned(),
        requests_per_second: 20,
        activity_time: Duration::from_millis(60),
        tags: vec!["new".to_owned()],
        ..Default::default()
    };
    let vendor = ConstantContact::start(settings);
    let client = Client::new(vendor.url(), &[("authorization", "Bearer hush-access")]);
    let (list, tag, field) = {
        let account = vendor.account();
        let list = account.list("Newsletter").unwrap().to_owned();
        (list, account.tag("new").unwrap().to_owned(), account.custom_fields[0].id.clone())
    };
    let form =
        Form::new().field("list_ids", &list).file("file", "a.csv", b"email,cf:plan\nada@example.com,x\n,\n");
    client.send("POST /v3/activities/contacts_file_import", &form.kind(), &form.body()).unwrap();
    let rows =
        json!([{ "email": "eve@example.com", "birthday_month": 1, "birthday_day": 2, "cf:plan": "y" }]);
    let json = "POST /v3/activities/contacts_json_import";
    let href = client.ask(json, &json!({ "import_data": rows, "list_ids": [list] })).json()["_links"]["self"]
        ["href"]
        .clone();
    client.get(href.as_str().unwrap());
    std::thread::sleep(Duration::from_millis(20));
    client.get(href.as_str().unwrap());
    until(|| (!vendor.account().is_busy()).then_some(()));
    client.get("/v3/activities?limit=1&state=completed");
    let next = client.get("/v3/activities?limit=1").json()["_links"]["next"]["href"].clone();
    client.get(next.as_str().unwrap());
    client.ask(
        "POST /v3/activities/contacts_taggings_add",
        &json!({ "source": { "list_ids": [list] }, "tag_ids": [tag] }),
    );
    client.ask(
        "POST /v3/contacts/sign_up_form",
        &json!({ "email_address": "bob@example.com", "list_memberships": [list],
        "custom_fields": [{ "custom_field_id": field, "value": "z" }] }),
    );
    client.get("/v3/contact_lists?name=Newsletter&include_count=true&limit=500");
    client.ask("POST /v3/contact_lists", &json!({ "name": "Other" }));
    client.ask("POST /v3/contact_lists", &json!({ "name": "Other" }));
    client.get("/v3/contact_custom_fields?limit=100");
    client.ask("POST /v3/contact_custom_fields", &json!({ "label": "Birth place", "type": "string" }));
    client.get("/v3/contact_tags?limit=500");
    client.ask("POST /v3/contact_tags", &json!({ "name": "newer" }));
    while client.get("/v3/account/summary").status != 429 {}
    assert_eq!(vendor.account().violations, [""; 0]);

    std::thread::sleep(Duration::from_secs(1));
    let long = "x".repeat(51);
    client.ask(json, &json!({ "import_data": [{ "first_name": long }], "list_ids": ["Newsletter"] }));
    let form = Form::new().field("lists", &list).file("file", "a.csv", b"email\n");
    client.send("POST /v3/activities/contacts_file_import", &form.kind(), &form.body()).unwrap();
    client.get("/v3/contact_custom_fields?limit=500");
    assert_eq!(
        vendor.account().violations,
        [
            "POST /v3/activities/contacts_json_import: request: /import_data/0/first_name: 51 characters are too many or too few",
            "POST /v3/activities/contacts_json_import: request: /list_ids/0: Newsletter is no \"uuid\"",
            "POST /v3/activities/contacts_file_import: request: part lists is not described",
            "POST /v3/activities/contacts_file_import: request: part list_ids is missing",
            "GET /v3/contact_custom_fields: request: parameter limit /: 500 is out of range",
        ]
    );
}

#[test]
fn auth0_and_its_descriptions_agree() {
    let vendor = Auth0::start(auth0::Settings {
        job_time: Duration::from_millis(40),
        burst: 20,
        ..Default::default()
    });
    let bare = Client::new(vendor.url(), &[]);
    let mut ask = json!({ "grant_type": "client_credentials", "client_id": "usher-client", "client_secret": "hush-secret",
        "audience": "x" });
    assert_eq!(bare.ask("POST /oauth/token", &ask).status, 403);
    ask["audience"] = json!(format!("https://{}/api/v2/", vendor.domain()));
    let token = bare.ask("POST /oauth/token", &ask).json()["access_token"].as_str().unwrap().to_owned();
    let client = Client::new(vendor.url(), &[("authorization", &format!("Bearer {token}"))]);
    let order = json!({ "format": "csv", "limit": 2, "connection_id": "con_0000000000000001",
        "fields": [{ "name": "email", "export_as": "Email" }] });
    let job = client.ask("POST /api/v2/jobs/users-exports", &order).json();
    let path = format!("/api/v2/jobs/{}", job["id"].as_str().unwrap());
    let job = until(|| Some(client.get(&path).json()).filter(|job| job["status"] == "completed"));
    let link: String =
        job["location"].as_str().unwrap().split_once('/').map(|(_, path)| format!("/{path}")).unwrap();
    assert_eq!(bare.get(&link).status, 200);
    assert_eq!(client.get(&format!("{path}/errors")).status, 204);
    client.get("/api/v2/jobs/job_0000000000000000");
    bare.get(&path);
    while client.get(&path).status != 429 {}
    assert_eq!(vendor.account().violations, [""; 0]);

    let vendor = Auth0::start(auth0::Settings::default());
    let client = Client::new(vendor.url(), &[]);
    client.ask("POST /oauth/token", &json!({ "grant_type": "client_credentials" }));
    client.ask(
        "POST /api/v2/jobs/users-exports",
        &json!({ "format": "xml", "fields": [{ "name": 1 }], "more": Value::Null }),
    );
    client.get("/api/v2/jobs/1");
    client.get("/api/v2/users");
    assert_eq!(
        vendor.account().violations,
        [
            "POST /oauth/token: request: /client_id: is missing",
            "POST /oauth/token: request: /client_secret: is missing",
            "POST /api/v2/jobs/users-exports: request: /format: \"xml\" is none of [\"json\",\"csv\"]",
            "POST /api/v2/jobs/users-exports: request: /fields/0/name: number where \"string\" is described",
            "POST /api/v2/jobs/users-exports: request: /more: is not described",
            "GET /api/v2/jobs/1: request: parameter id /: 1 does not fit ^job_[A-Za-z0-9]{16}$",
            "GET /api/v2/users: there is no such path",
        ]
    );
}
