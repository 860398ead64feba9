//! Organizations: by name, by id, created first.

use insta::assert_snapshot;
use serde_json::json;
use usher_testkit::{MemoryHost, Reply};

use crate::account::{
    Account as _, ORGANIZATIONS, UPSERT, after, created, deliver, done, ok, options_with, queued, story,
};

#[test]
fn organizations_are_created_first_and_their_ids_used() {
    let csv = "name,emails,organizations\n\
        A,a@example.com,Acme\n\
        B,b@example.com,\"[\"\"Acme\"\",\"\"Globex\"\"]\"\n\
        C,c@example.com,\"[\"\"Acme\"\",\"\"Initech\"\"]\"\n\
        D,d@example.com,\"[\"\"Acme\"\",\"\"Hooli\"\"]\"\n\
        E,e@example.com,Hooli\n";
    let results = json!([
        { "id": 11, "status": "Created" },
        { "id": 12, "status": "Created" },
        { "id": 2, "error": "OrganizationCreateError", "details": "Name: Initech has already been taken", "status": "Failed" },
    ]);
    let host = MemoryHost::new()
        .admin()
        .on("GET", "/api/v2/organizations/show_many?ids=13", [ok(json!({ "organizations": [{ "id": 13 }] }))])
        .on("POST", ORGANIZATIONS, [queued("o")])
        .jobs(&["o"], [done("o", results)])
        .on("POST", UPSERT, [queued("a")])
        .jobs(&["a"], [done("a", created(5))]);
    let api = json!({ "create_organizations": true, "organization_ids": { "Hooli": 13 } });
    let options = options_with(api, json!({ "plan": "professional" }));
    assert_snapshot!(story(&host, &deliver(&host, &options, csv)));
}

#[test]
fn an_organization_that_is_not_known_may_reject_its_row() {
    let csv = "name,emails,organizations\nA,a@example.com,\"[\"\"Acme\"\",\"\"Initech\"\"]\"\n";
    for (create, code) in [(false, "organization.unknown"), (true, "organization.no-id")] {
        let host = MemoryHost::new()
            .admin()
            .on(
                "GET",
                "/api/v2/organizations/show_many?ids=13",
                [ok(json!({ "organizations": [{ "id": 13 }] }))],
            )
            .on("POST", ORGANIZATIONS, [queued("o")])
            .jobs(&["o"], [done("o", json!([{ "id": 1, "error": "x" }, { "id": 12, "status": "Created" }]))]);
        let reject = json!({ "plan": "professional", "on_invalid": { "organizations": "reject_row" } });
        let api = json!({ "create_organizations": create, "organization_ids": { "Hooli": 13 } });
        let written = deliver(&host, &options_with(api, reject), csv).unwrap();
        let rejects: Vec<&str> = written.report.rejects.iter().map(|r| r.code.as_str()).collect();
        assert_eq!((rejects, written.receipt.delivery.unwrap().units), (vec![code], 0));
    }
}

#[test]
fn ids_that_the_account_does_not_have_are_found_before() {
    let csv = "name,emails,organizations\nA,a@example.com,Acme\n";
    let host = MemoryHost::new().admin().on(
        "GET",
        "/api/v2/organizations/show_many?ids=1,2",
        [ok(json!({ "organizations": [{ "id": 1 }] }))],
    );
    let options = options_with(json!({ "organization_ids": { "Acme": 1, "Hooli": 2 } }), json!({}));
    assert_snapshot!(after(&host, &deliver(&host, &options, csv)));
}

#[test]
fn organizations_of_unknown_fate_keep_users_back() {
    let csv = "name,emails,organizations\nA,a@example.com,Acme\nB,b@example.com,Globex\n";
    let few = json!([{ "id": 11, "status": "Created" }]);
    let host = MemoryHost::new()
        .admin()
        .admin()
        .on("POST", ORGANIZATIONS, [queued("o"), queued("p")])
        .jobs(&["o"], [done("o", few.clone()), done("o", few)])
        .jobs(
            &["p"],
            [done(
                "p",
                json!([
                    { "index": 0, "error": "x", "details": "Name: Acme has already been taken" },
                    { "id": 12, "status": "Created" },
                ]),
            )],
        )
        .on("POST", UPSERT, [queued("a")])
        .jobs(&["a"], [done("a", created(2))]);
    let options = options_with(json!({ "create_organizations": true }), json!({}));
    assert_snapshot!(after(&host, &deliver(&host, &options, csv)));
    // The next attempt sends them again: names are unique.
    assert_eq!(deliver(&host, &options, csv).unwrap().report.confirmed.count, 2);
}

#[test]
fn organizations_that_an_earlier_attempt_created_keep_their_ids() {
    let csv = "name,emails,organizations\nB,b@example.com,\"[\"\"Acme\"\",\"\"Globex\"\"]\"\n";
    let results = json!([{ "id": 11, "status": "Created" }, { "id": 12, "status": "Created" }]);
    let host = MemoryHost::new()
        .admin()
        .admin()
        .on("POST", ORGANIZATIONS, [queued("o")])
        .jobs(&["o"], [done("o", results)])
        .on("POST", UPSERT, [Reply::new(500), queued("a")])
        .jobs(&["a"], [done("a", created(1))]);
    let options = options_with(json!({ "create_organizations": true }), json!({ "plan": "professional" }));
    assert_eq!(deliver(&host, &options, csv).unwrap().report.unknown.count, 1);
    assert_eq!(deliver(&host, &options, csv).unwrap().report.confirmed.count, 1);
    let last = host.requests().into_iter().rfind(|sent| sent.head.method == "POST").unwrap();
    assert!(last.text().contains(r#""organization_ids":[11,12]"#), "{}", last.text());
}

#[test]
fn organizations_that_cannot_be_created_keep_users_back() {
    let csv = "name,emails,organizations\nA,a@example.com,Acme\n";
    let host = MemoryHost::new().admin().on("POST", ORGANIZATIONS, [Reply::new(403)]);
    let options = options_with(json!({ "create_organizations": true }), json!({}));
    assert_snapshot!(after(&host, &deliver(&host, &options, csv)));
}

#[test]
fn organizations_without_ids_are_left_out() {
    let csv = "name,emails,organizations\n\
        A,a@example.com,\"[\"\"Acme\"\",\"\"Globex\"\"]\"\n\
        B,b@example.com,\"[\"\"Acme\"\",\"\"Hooli\"\"]\"\n";
    let known = ok(json!({ "organizations": [{ "id": 1 }, { "id": 2 }] }));
    let host = MemoryHost::new()
        .admin()
        .on("GET", "/api/v2/organizations/show_many?ids=1,2", [known])
        .on("POST", UPSERT, [queued("a")])
        .jobs(&["a"], [done("a", created(2))]);
    let options = options_with(
        json!({ "organization_ids": { "Acme": 1, "Hooli": 2 } }),
        json!({ "plan": "professional" }),
    );
    assert_snapshot!(after(&host, &deliver(&host, &options, csv)));
}
