//! Carrot quest's nastiness, one by one, through a plain client over the socket.

use std::time::Duration;

use serde_json::{Value, json};
use usher_vendors::{
    CarrotQuest, OnUnknown,
    carrot_quest::{EmptyCells, RowErrors, Settings},
};

use crate::client::{Client, Form, Got, until};

const IMPORT: &str = "POST /users/import";

fn client(vendor: &CarrotQuest) -> Client {
    Client::new(vendor.url(), &[("authorization", "Token hush-key")])
}

fn quick() -> Settings {
    Settings {
        applies_after: Duration::from_millis(5),
        row_errors: RowErrors::StringKeys,
        ..Settings::default()
    }
}

fn form(file: &str) -> Form {
    Form::new().field("app", "$self_app").field("delimiter", ",").file("file", "users.csv", file.as_bytes())
}

#[track_caller]
fn send(vendor: &CarrotQuest, form: &Form) -> Got {
    client(vendor).send(IMPORT, &form.kind(), &form.body()).unwrap()
}

fn settled(vendor: &CarrotQuest) {
    until(|| (!vendor.account().is_busy()).then_some(()));
}

#[test]
fn a_file_is_taken_at_once_and_applied_later() {
    let vendor = CarrotQuest::start(Settings { applies_after: Duration::from_millis(80), ..quick() });
    let form = form("$user_id,$email,plan\n1,ada@example.com,gold\n2,,\n").field("tags", "\"new\",\"a, b\"");
    let got = send(&vendor, &form);
    assert_eq!(
        got.json(),
        json!({ "meta": { "status": 200 }, "data": { "row_errors": {}, "updates_planned": 2 } })
    );
    assert_eq!(vendor.account().users.len(), 0);
    settled(&vendor);
    let account = vendor.account();
    let ada = account.user("1").unwrap();
    assert_eq!((ada.text("$email"), ada.text("plan"), ada.deliveries), ("ada@example.com", "gold", 1));
    assert!(ada.tags.contains("new") && ada.tags.contains("a, b"));
    assert!(account.user("2").unwrap().properties.is_empty());
}

#[test]
fn the_printed_sample_of_the_vendor_carries_no_file() {
    let vendor = CarrotQuest::start(quick());
    let got = client(&vendor)
        .send(IMPORT, "application/x-www-form-urlencoded", b"app=1234&file=@users.csv")
        .unwrap();
    assert_eq!((got.status, got.json()["meta"]["error"].as_str()), (400, Some("ValidationError")));
    assert!(got.json()["meta"]["error_fields"]["file"].is_string());
}

#[test]
fn tab_is_the_delimiter_unless_another_is_named() {
    let vendor = CarrotQuest::start(quick());
    let form = Form::new().field("app", "1234").file("file", "u.csv", b"$user_id\tplan\n1\tgold\n");
    assert_eq!(send(&vendor, &form).json()["data"]["updates_planned"], 1);
    let form = Form::new().field("app", "1234").file("file", "u.csv", b"$user_id,plan\n1,gold\n");
    assert_eq!(send(&vendor, &form).status, 400, "the key column is not found");
}

#[test]
fn files_that_cannot_be_are_refused() {
    let vendor = CarrotQuest::start(quick());
    let cases = [
        form("$user_id\n1\n").field("merge_field", ""),
        form("$user_id\n1\n").field("merge_field", "$email"),
        Form::new().field("app", "$self_app").file("file", "u.csv", b"$user_id\tx\n\xff\t1\n"),
        Form::new().file("file", "u.csv", b"$user_id\n1\n"),
        form("$user_id,$nonsense\n1,2\n"),
        form("\u{feff}$user_id\n1\n"),
        form(&format!("$user_id\n{}", "1\n".repeat(15_000_000))),
    ];
    for (at, form) in cases.iter().enumerate() {
        let got = send(&vendor, form);
        assert_eq!((got.status, got.json()["meta"]["status"].as_i64()), (400, Some(400)), "case {at}");
    }
    let other = Form::new().field("app", "99").file("file", "u.csv", b"$user_id\n1\n");
    assert_eq!(send(&vendor, &other).json()["meta"]["error"], "LookupError");
    assert_eq!(vendor.account().imports.len(), 0);
}

#[test]
fn row_errors_may_be_no_json_and_count_the_header_or_not() {
    let file = "$user_id,plan\n1,gold\n,silver\n3\n";
    let vendor = CarrotQuest::start(Settings { row_errors: RowErrors::BareKeys, ..quick() });
    let got = send(&vendor, &form(file));
    assert!(serde_json::from_slice::<Value>(&got.body).is_err());
    let errors = r#""row_errors": {3: "$user_id is empty", 4: "1 cells where the header has 2"}, "updates_planned": 1"#;
    assert!(got.text().contains(errors), "{}", got.text());

    let vendor = CarrotQuest::start(Settings { header_counts: false, ..quick() });
    let got = send(&vendor, &form(file)).json();
    assert_eq!(got["data"]["row_errors"]["2"], "$user_id is empty");

    let vendor = CarrotQuest::start(Settings { row_errors: RowErrors::MissingWhenEmpty, ..quick() });
    assert_eq!(send(&vendor, &form("$user_id\n1\n")).json()["data"], json!({ "updates_planned": 1 }));
}

#[test]
fn accepted_rows_get_lost_without_a_word() {
    let rows: String = (0..1000).map(|n| format!("{n}\n")).collect();
    let vendor = CarrotQuest::start(Settings { loses: 0.1, seed: 7, ..quick() });
    let got = send(&vendor, &form(&format!("$user_id\n{rows}")));
    assert_eq!(got.json()["data"]["updates_planned"], 1000);
    settled(&vendor);
    let account = vendor.account();
    let lost = account.lost();
    assert!((50..200).contains(&lost.len()), "{}", lost.len());
    assert_eq!(account.users.len() + lost.len(), 1000);
    assert!(lost.iter().all(|key| account.user(key).is_none()));
}

#[test]
fn of_users_who_share_an_address_the_last_one_active_is_written() {
    let users = vec![
        json!({ "$user_id": "old", "$email": "ada@example.com" }),
        json!({ "$user_id": "new", "$email": "ada@example.com" }),
    ];
    let vendor = CarrotQuest::start(Settings { users, ..quick() });
    let form = form("$email,plan\nada@example.com,gold\neve@example.com,\n").field("merge_field", "$email");
    send(&vendor, &form);
    settled(&vendor);
    let account = vendor.account();
    assert_eq!(
        (account.user("new").unwrap().text("plan"), account.user("old").unwrap().text("plan")),
        ("gold", "")
    );
    assert_eq!(account.users_by_email("eve@example.com").len(), 1);
}

#[test]
fn what_is_unverified_is_a_setting() {
    let users = vec![json!({ "$user_id": "1", "plan": "gold" })];
    let settings = Settings {
        users,
        empty_cells: EmptyCells::Clear,
        takes_byte_order_mark: true,
        guesses_types: true,
        on_unknown: OnUnknown::Ignore,
        ..quick()
    };
    let vendor = CarrotQuest::start(settings);
    send(&vendor, &form("\u{feff}$user_id,plan,code,$nonsense\n1,,00123,x\n"));
    settled(&vendor);
    let account = vendor.account();
    assert_eq!(Value::Object(account.user("1").unwrap().properties.clone()), json!({ "code": 123 }));
}

#[test]
fn one_user_is_pushed_and_read_back() {
    let vendor = CarrotQuest::start(quick());
    let client = client(&vendor);
    let operations = json!([
        { "op": "update_or_create", "key": "$email", "value": "ada@example.com" },
        { "op": "update_or_create", "key": "code", "value": "00123" },
        { "op": "update_or_create", "key": "$nonsense", "value": "x" },
        { "op": "update_or_create", "key": "long", "value": "x".repeat(256) },
    ]);
    let body = format!(
        "by_user_id=true&operations={}",
        operations.to_string().replace('%', "%25").replace('+', "%2B")
    );
    let got =
        client.send("POST /users/a%7C1/props", "application/x-www-form-urlencoded", body.as_bytes()).unwrap();
    assert_eq!(got.json()["meta"]["affected_props"], json!(["$email", "code"]));
    assert_eq!(got.json()["meta"]["ignored_operations"].as_array().unwrap().len(), 2);

    let user = client.get("/users/a%7C1?by_user_id=true&props_custom=true").json()["data"].clone();
    assert_eq!(
        (user["user_id"].as_str(), user["props"]["$email"].as_str()),
        (Some("a|1"), Some("ada@example.com"))
    );
    assert_eq!(user["props_custom"], json!({ "code": 123 }));
    let none = client.get("/users/nobody?by_user_id=true");
    assert_eq!((none.status, none.json()["meta"]["error"].as_str()), (400, Some("LookupError")));
    assert_eq!(vendor.account().pushes, 1);
}

#[test]
fn unsubscribed_people_come_back_only_when_told_to() {
    let vendor = CarrotQuest::start(Settings { users: vec![json!({ "$user_id": "1" })], ..quick() });
    let id = vendor.account().user("1").unwrap().id;
    vendor.account().users.get_mut(&id).unwrap().is_unsubscribed = true;
    let push = |email: &str, more: &str| {
        let operation = json!([{ "op": "update_or_create", "key": "$email", "value": email }]);
        let body = format!("operations={operation}&{more}");
        client(&vendor).send(
            &format!("POST /users/{id}/props"),
            "application/x-www-form-urlencoded",
            body.as_bytes(),
        )
    };
    assert_eq!(push("a@example.com", "").unwrap().status, 200);
    assert_eq!(vendor.account().resubscribed, [0_u64; 0]);
    assert_eq!(push("b@example.com", "double_subscribe=true").unwrap().status, 200);
    assert_eq!(vendor.account().resubscribed, [id]);
}

#[test]
fn users_are_listed_fifty_at_most() {
    let users = (0..60).map(|n| json!({ "$user_id": n.to_string(), "plan": "x" })).collect();
    let vendor = CarrotQuest::start(Settings { users, ..quick() });
    let client = client(&vendor);
    assert_eq!(client.get("/apps/1234/users?limit=51").status, 400);
    let page = client.get("/apps/1234/users?limit=50&offset=50").json()["data"]["users"].clone();
    let ids: Vec<&str> =
        page.as_array().unwrap().iter().map(|user| user["user_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"], "the last one active comes first");
    assert!(page[0].get("props_custom").is_none());
}

#[test]
fn errors_come_in_the_envelope() {
    let vendor = CarrotQuest::start(quick());
    let stranger = Client::new(vendor.url(), &[]);
    assert_eq!(stranger.get("/users/1").json()["meta"]["error"], "NotAuthenticated");
    assert_eq!(stranger.get("/users/1?auth_token=hush-key").json()["meta"]["error"], "LookupError");
    assert_eq!(client(&vendor).get("/nowhere").json()["meta"]["error"], "Error404");
    assert_eq!(client(&vendor).get("/users/import").status, 405);
}

#[test]
fn a_minute_has_sixty_requests() {
    let vendor = CarrotQuest::start(Settings { speed: 120.0, tells_retry_after: true, ..quick() });
    let client = client(&vendor);
    let statuses: Vec<u16> = (0..61).map(|_| client.get("/users/1?by_user_id=true").status).collect();
    assert_eq!(statuses[..60], [400; 60]);
    assert_eq!(statuses[60], 429);
    let refused = client.get("/users/1");
    assert_eq!(refused.json()["meta"]["error"], "TooManyRequests");
    assert_eq!((refused.header("retry-after"), vendor.account().throttled), (Some("1"), 2));
    std::thread::sleep(Duration::from_millis(510));
    assert_eq!(client.get("/users/1").status, 400);
}
