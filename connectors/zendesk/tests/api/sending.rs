//! What is sent, and that good answers are understood.

use insta::assert_snapshot;
use serde_json::{Value, json};
use usher_testkit::MemoryHost;

use crate::account::{
    Account as _, CREATE, FIELDS, LOCALES, ROLES, UPDATE, UPSERT, after, created, deliver, done, ok, options,
    options_with, people, queued, requests, sample, shown, status, story, user_fields,
};

#[test]
fn a_good_run() {
    let host = MemoryHost::new().admin().on("POST", UPSERT, [queued("V3-a")]).jobs(
        &["V3-a"],
        [
            shown([status("V3-a", "queued", Value::Null)]),
            shown([status("V3-a", "working", Value::Null)]),
            done("V3-a", created(2)),
        ],
    );
    assert_snapshot!(story(&host, &deliver(&host, &options(json!({})), &people(2))));
}

#[test]
fn every_column_becomes_its_property() {
    let roles = ok(json!({ "custom_roles": [
        { "id": 6_164_063_675_162_i64, "name": "Advisor", "role_type": 0 }, { "id": 8, "name": "Light agent", "role_type": 1 } ] }));
    let locales = ok(json!({ "locales": [{ "id": 1, "locale": "en-US" }, { "id": 16, "locale": "fr" }] }));
    let host = MemoryHost::new()
        .admin()
        .on("GET", FIELDS, [user_fields()])
        .on("GET", ROLES, [roles])
        .on("GET", LOCALES, [locales])
        .on("GET", "/api/v2/organizations/show_many?ids=11", [ok(json!({ "organizations": [{ "id": 11 }] }))])
        .on("POST", UPSERT, [queued("a")])
        .jobs(&["a"], [done("a", created(5))]);
    let csv = "\
        name,emails,ticket_restriction,external_id,details,notes,phones,shared_phone,role,custom_role,skip_verify_email,\
        time_zone,locale,local_id,moderator,only_private_comments,remote_photo_url,signature,suspended,alias,organizations,\
        default_group_id,tags,custom_fields.plan,custom_fields.since,custom_fields.vip,custom_fields.seats,\
        custom_fields.rate,custom_fields.topics\n\
        Agent Smith,\"[\"\"s@example.com\"\",\"\"smith@example.com\"\"]\",none,1,details,\"a\nb\",\
        \"[\"\"+442071838750\"\",\"\"+442071838751\"\"]\",,agent,advisor,false,Europe/Paris,fr_CA,16,true,false,\
        https://example.com/a.png,Yours,false,Smith,Acme,12,\"[\"\"vip\"\",\"\"beta\"\"]\",plan_pro,2024/3/31,TRUE,7,1.50,\
        \"[\"\"billing\"\"]\"\n\
        Eve,eve@example.com,organization,2,,,,+442071838752,end-user,,,,de,,,,,,,,,,,Pro,,,,,\n\
        Bob,,,3,,,+442071838750,,,,,,,,,,,,,,,,,,,,,,\n\
        Dan,dan@example.com,,4,,,+15550100001,+15550100002,,,,,,,,,,,,,,,,,,,,,\n\
        Kim,kim@example.com,groups,5,,,,,agent,Boss,,,,,,,,,,,,,,,,,,,\n\
        Lea,lea@example.com,groups,6,,,,,agent,Light Agent,,,,,,,,,,,,,,,,,,,\n";
    let options = options_with(json!({ "organization_ids": { "Acme": 11 } }), json!({}));
    assert_snapshot!(story(&host, &deliver(&host, &options, csv)));
}

#[test]
fn import_types_are_three_calls() {
    let mut told = String::new();
    for (name, method, path) in
        [("create", "POST", CREATE), ("update", "PUT", UPDATE), ("create_and_update", "POST", UPSERT)]
    {
        // The first of two is there.
        let host = MemoryHost::new().admin().users(&["0", "1"], &[("0", 77)]);
        let count = if name == "create_and_update" { 2 } else { 1 };
        let host = host.on(method, path, [queued("a")]).jobs(&["a"], [done("a", created(count))]);
        let written = deliver(&host, &options(json!({ "import_type": name })), &people(2)).unwrap();
        assert_eq!(written.report.confirmed.count, count as u64);
        let sent = requests(&host);
        told += &sent[sent.find("/api/v2/users/me").unwrap()..];
        for reject in &written.report.rejects {
            let row = reject.origin.offset / 100;
            told += &format!("reject row {row} `{}` {}: {}\n", reject.column, reject.code, reject.message);
        }
        told += "\n";
    }
    assert_snapshot!(told);
}

#[test]
fn a_unit_of_users_that_are_all_there_is_not_sent() {
    for (name, there, code) in
        [("create", &[("0", 7), ("1", 8)][..], "user.exists"), ("update", &[][..], "user.unknown")]
    {
        let host = MemoryHost::new().admin().users(&["0", "1"], there);
        let written = deliver(&host, &options(json!({ "import_type": name })), &people(2)).unwrap();
        let codes: Vec<&str> = written.report.rejects.iter().map(|r| r.code.as_str()).collect();
        assert_eq!(codes, [code, code]);
        let delivery = written.receipt.delivery.unwrap();
        assert_eq!((delivery.settled, delivery.units, delivery.stopped), (1, 1, None));
    }
}

#[test]
fn users_that_cannot_be_looked_up() {
    // A comma would make two of one; capitals do not matter.
    let csv = "name,emails,external_id\nA,a@example.com,\"x,y\"\nB,b@example.com,\nC,c@example.com,Auth0|C\nD,d@example.com,é/d\n";
    let host = MemoryHost::new()
        .admin()
        .users(&["Auth0%7CC", "%C3%A9%2Fd"], &[("auth0|c", 7)])
        .on("POST", CREATE, [queued("a")])
        .jobs(&["a"], [done("a", created(3))]);
    let create = story(&host, &deliver(&host, &options(json!({ "import_type": "create" })), csv));
    let host = MemoryHost::new()
        .admin()
        .users(&["Auth0%7CC", "%C3%A9%2Fd"], &[("auth0|c", 7)])
        .on("PUT", UPDATE, [queued("a")])
        .jobs(&["a"], [done("a", created(1))]);
    let update = after(&host, &deliver(&host, &options(json!({ "import_type": "update" })), csv));
    let without = "name,emails\nA,a@example.com\n";
    let host =
        MemoryHost::new().admin().on("POST", CREATE, [queued("a")]).jobs(&["a"], [done("a", created(1))]);
    let none = after(&host, &deliver(&host, &options(json!({ "import_type": "create" })), without));
    assert_snapshot!([create, update, none].join("\n"));
}

#[test]
fn users_that_are_there_already_do_not_spoil_the_canaries() {
    let host = MemoryHost::new()
        .admin()
        .users(&["0", "1"], &[("0", 7)])
        .users(&["2", "3"], &[])
        .on("POST", CREATE, [queued("a"), queued("b")])
        .jobs(&["a"], [done("a", created(1))])
        .jobs(&["b"], [done("b", created(2))]);
    let options = options_with(json!({ "canary": 2 }), json!({ "import_type": "create" }));
    let written = deliver(&host, &options, &people(4)).unwrap();
    assert_eq!((written.report.confirmed.count, written.report.rejects.len()), (3, 1));
}

#[test]
fn the_api_takes_administrators_verified_addresses_and_roles_by_their_id_alone() {
    let roles = ok(json!({ "custom_roles": [{ "id": 7, "name": "Advisor", "role_type": 0 }] }));
    let host = MemoryHost::new()
        .admin()
        .on("GET", ROLES, [roles])
        .on("POST", CREATE, [queued("a")])
        .jobs(&["a"], [done("a", created(2))]);
    let csv = "name,emails,role,custom_role,verified\n\
        A,a@example.com,Admin,,true\n\
        B,b@example.com,,Advisor,no\n\
        C,c@example.com,boss,,\n";
    let options = options(json!({ "import_type": "create", "plan": "enterprise" }));
    assert_snapshot!(after(&host, &deliver(&host, &options, csv)));
}

#[test]
fn known_users_of_a_create_are_rejected_in_zendesks_words() {
    let known = json!({ "index": 1, "error": "RecordInvalid", "details": sample("zendesk_error_record_invalid")["details"] });
    let other =
        json!({ "id": 2, "error": "UserCreateError", "details": "Name: is too short", "status": "Failed" });
    let results = json!([{ "id": 7, "status": "Created" }, known, other]);
    let host = MemoryHost::new().admin().users(&["0", "1", "2"], &[]);
    let host = host.on("POST", CREATE, [queued("a")]).jobs(&["a"], [done("a", results)]);
    let outcome = deliver(&host, &options(json!({ "import_type": "create" })), &people(3));
    assert_snapshot!(after(&host, &outcome));
}

#[test]
fn units_have_a_hundred_users_and_the_first_goes_alone() {
    let results = |id: &str, count| status(id, "completed", created(count));
    let host = MemoryHost::new()
        .admin()
        .on("POST", UPSERT, [queued("a"), queued("b"), queued("c")])
        .jobs(
            &["a", "b", "c"],
            [shown([
                results("c", 50),
                status("b", "working", Value::Null),
                status("a", "working", Value::Null),
            ])],
        )
        .jobs(&["a", "b"], [shown([results("b", 100), results("a", 100)])]);
    let written = deliver(&host, &options(json!({})), &people(250)).unwrap();
    assert_eq!(written.report.confirmed.count, 250);
    let delivery = written.receipt.delivery.unwrap();
    assert_eq!((delivery.units, delivery.settled, delivery.stopped), (3, 3, None));
    let sizes: Vec<usize> = host
        .requests()
        .iter()
        .filter(|sent| sent.head.method == "POST")
        .map(|sent| serde_json::from_slice::<Value>(&sent.body).unwrap()["users"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}

#[test]
fn no_more_than_thirty_jobs_are_in_flight_and_bodies_stay_below_a_megabyte() {
    let ids: Vec<String> = (0..31).map(|n| format!("j{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let results = |id: &&str| status(id, "completed", created(7));
    let host = MemoryHost::new().admin().on("POST", UPSERT, ids.iter().map(|id| queued(id)));
    let host = host.jobs(&ids[..30], [shown(ids[..30].iter().map(results))]);
    let host = host.jobs(&ids[30..], [shown(ids[30..].iter().map(results))]);
    let notes = "x".repeat(127_000);
    let csv =
        (0..31 * 7).fold("name,external_id,notes\n".to_owned(), |text, n| text + &format!("A,{n},{notes}\n"));
    let written = deliver(&host, &options(json!({})), &csv).unwrap();
    assert_eq!(written.report.confirmed.count, 31 * 7);
    assert!(host.requests().iter().all(|sent| sent.body.len() < 1_000_000));
    let long = format!("name,external_id,notes\nA,1,{}\n", "x".repeat(128_000));
    let host = MemoryHost::new().admin();
    let written = deliver(&host, &options(json!({})), &long).unwrap();
    assert_eq!(written.report.rejects[0].code, "row.too-long");
}

#[test]
fn merged_rows_bring_identities() {
    let host =
        MemoryHost::new().admin().on("POST", UPSERT, [queued("a")]).jobs(&["a"], [done("a", created(2))]);
    let csv = "external_id,name,emails,phones\n\
        1,Ada,ada@example.com,+15550100001\n\
        2,Eve,eve@example.com,+15550100001\n\
        1,Ada,ada@example.org,+15550100002\n";
    assert_snapshot!(story(&host, &deliver(&host, &options(json!({})), csv)));
}

#[test]
fn users_that_are_held_come_back_whole_whatever_their_number() {
    // More than one buffer, with additions at both ends.
    let notes = "x".repeat(1_000);
    let mut csv = "external_id,name,emails,notes\n".to_owned();
    for n in (0..600).chain([0, 599]) {
        let host = if csv.matches(&format!("\n{n},")).count() > 0 { "org" } else { "com" };
        csv += &format!("{n},Ada,ada{n}@example.{host},{notes}\n");
    }
    let ids = ["a", "b", "c", "d", "e", "f"];
    let host = MemoryHost::new().admin().on("POST", UPSERT, ids.map(queued));
    let host = host.jobs(&ids, [shown(ids.map(|id| status(id, "completed", created(100))))]);
    let written = deliver(&host, &options(json!({})), &csv).unwrap();
    assert_eq!((written.report.confirmed.count, written.report.merged.len()), (600, 2));
    let text = host.parts()[0].text();
    let users: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (n, user) in users.iter().enumerate() {
        assert_eq!(user["external_id"], json!(n.to_string()));
        assert_eq!(user["identities"].is_array(), n == 0 || n == 599, "{n}");
    }
}

#[test]
fn dry_runs_send_nothing_that_writes() {
    let csv = "name,emails,organizations\nA,a@example.com,Acme\nB,b@example.com,\"[\"\"Acme\"\",\"\"Globex\"\"]\"\n";
    let options = options_with(json!({ "create_organizations": true }), json!({ "plan": "professional" }));
    let host = MemoryHost::new().admin().reads_only();
    assert_snapshot!(story(&host, &deliver(&host, &options, csv)));
}

#[test]
fn a_blank_is_left_out() {
    let csv = "name,emails,external_id,notes,phones\n,,7,,\n";
    let host = MemoryHost::new().admin().users(&["7"], &[("7", 77)]);
    let host = host.on("PUT", UPDATE, [queued("a")]).jobs(&["a"], [done("a", created(1))]);
    let options = options(json!({ "import_type": "update", "skip_verify_email": false }));
    deliver(&host, &options, csv).unwrap();
    assert_eq!(host.parts()[0].text(), "{\"external_id\":\"7\"}\n");
}

#[test]
fn no_row_sends_nothing() {
    let host = MemoryHost::new().admin();
    let written = deliver(&host, &options(json!({})), &people(0)).unwrap();
    assert_eq!(written.receipt.delivery.unwrap().units, 0);
    assert_eq!(host.requests().len(), 1);
}
