//! Contacts over the API: every request as it is sent, in order, and what comes of every answer.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

mod common;
mod doubts;
mod login;
mod rows;
mod sign_up;

use common::{
    FIELD, LIST, TAG, Vendor as _, activity, all_in, asked, fields, listed, lists, options, outcome, people,
    problems, queued, refusal, run, run_with, story, token, told,
};
use insta::assert_snapshot;
use serde_json::json;
use usher_constant_contact::plugin;
use usher_sdk::abi::Role;
use usher_testkit::{MemoryHost, Reply, check, text_batch};

/// An account that imports three people of JSON.
fn good() -> MemoryHost {
    MemoryHost::new().known().json_import([queued()])
}

#[test]
fn json_goes_out_without_blanks_and_is_confirmed() {
    let host = good().job([activity("processing", json!({ "percent_done": 75 })), all_in(3)]);
    assert_snapshot!(story(&host, &run(&host, json!({}))));
}

#[test]
fn csv_goes_out_as_a_file_that_can_be_found_again() {
    let host = MemoryHost::new().known().file_import([queued()]).job([all_in(3)]);
    let api = json!({ "format": "csv", "client_secret": "hush-secret" });
    let options =
        options(api, json!({ "sms_permission_to_send": "explicit", "lists": [], "list_ids": [LIST] }));
    let host = host.on("GET", "/contact_lists?limit=500", [lists(&[("Newsletter", LIST, None)])]);
    assert_snapshot!(story(&host, &run_with(&host, options, people())));
}

#[test]
fn the_preflight_finds_everything_at_once() {
    let host = MemoryHost::new().token([token(1)]).its_account();
    let host = host
        .on("GET", "/contact_lists?name=Newsleter&include_membership_count=all", [lists(&[])])
        .on("GET", "/contact_lists?limit=500", [lists(&[("Newsletter", LIST, None)])])
        .on(
            "GET",
            "/contact_lists?name=Customers&include_membership_count=all",
            [lists(&[("Customers", "16a8e55c-9f1c-11ee-8c90-0242ac120002", Some(12))])],
        )
        .on("GET", "/contact_lists?limit=500&include_membership_count=all", [lists(&[])])
        .on(
            "GET",
            "/contact_custom_fields?limit=100",
            [fields(
                &[("Favorite_fruit", "Favorite fruit"), ("Plan", "Plan")],
                Some("/v3/contact_custom_fields?cursor=2"),
            )],
        )
        .on("GET", "/contact_custom_fields?cursor=2", [fields(&[("since", "Customer since")], None)])
        .on(
            "GET",
            "/contact_tags?limit=500",
            [Reply::new(200).json(&json!({ "tags": [{ "tag_id": TAG, "name": "vip" }] }))],
        );
    let api = json!({ "tags": ["vip", "vpi"] });
    let options = options(api, json!({ "lists": ["Newsleter", "Customers"], "list_ids": [LIST] }));
    let columns =
        ["email", "cf:Favorite fruit", "cf:plan", "cf:Customer since", "cf:sinse", "cf:since", "cf:unknown"];
    assert_snapshot!(told(&problems(&host, &options, &columns)));
}

#[test]
fn refusals_of_the_preflight() {
    let all = [
        Reply::new(401).json(&json!({ "error_key": "unauthorized", "error_message": "Unauthorized" })),
        refusal(429, "quota_exceeded", "Limit Exceeded"),
        refusal(503, "", ""),
        Reply::new(200).body("<html>"),
        Reply::new(200).json(&json!({})),
    ];
    let mut text = all
        .map(|reply| {
            let host = MemoryHost::new().token([token(1), token(2)]);
            let host = host.on("GET", "/account/summary", [reply.clone(), reply.clone(), reply]);
            host.clock().advance_ms(3_600_000);
            told(&problems(&host, &options(json!({}), json!({})), &["email"]))
        })
        .join("");
    // Without `account_read`, and without `contact_data`.
    let forbidden =
        || Reply::new(403).json(&json!({ "error_key": "unauthorized", "error_message": "Forbidden" }));
    let host = MemoryHost::new().token([token(1)]).on("GET", "/account/summary", [forbidden()]);
    let host = host.on("GET", "/activities?limit=1", [forbidden()]);
    text += &told(&problems(&host, &options(json!({}), json!({})), &["email"]));
    assert_snapshot!(text);
}

#[test]
fn a_login_without_account_read_does() {
    let forbidden =
        Reply::new(403).json(&json!({ "error_key": "unauthorized", "error_message": "Forbidden" }));
    let host = MemoryHost::new().token([token(1)]).on("GET", "/account/summary", [forbidden]);
    let host = host
        .on("GET", "/activities?limit=1", [listed(json!([]))])
        .on("GET", "/contact_lists?name=Newsletter", [lists(&[("Newsletter", LIST, None)])])
        .json_import([queued()])
        .job([all_in(3)]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!(written.report.confirmed.count, 3);
    assert_eq!(written.receipt.delivery.unwrap().account, "application app");
}

/// An account in which the list, the field and the tag are missing.
fn bare() -> MemoryHost {
    let host = MemoryHost::new().token([token(1)]).its_account();
    host.on("GET", "/contact_lists?name=Newsletter&include_membership_count=all", [lists(&[])])
        .on("GET", "/contact_custom_fields?limit=100", [fields(&[], None)])
        .on("GET", "/contact_tags?limit=500", [Reply::new(200).json(&json!({ "tags": [] }))])
        .on("GET", "/account/user/privileges", [privileges(&["contacts:write", "contacts:lists:write"])])
}

fn privileges(names: &[&str]) -> Reply {
    let privileges = names.iter().map(|name| json!({ "privilege_id": 30, "privilege_name": name }));
    Reply::new(200).json(&privileges.collect())
}

#[test]
fn a_user_who_may_not_create_lists_is_told_so() {
    let told =
        [privileges(&["contacts:write"]), Reply::new(403), Reply::new(200).body("<html>")].map(|reply| {
            let host = MemoryHost::new().token([token(1)]).its_account();
            let host = host.on("GET", "/contact_lists?name=Newsletter", [lists(&[])]).on(
                "GET",
                "/account/user/privileges",
                [reply.clone(), reply.clone(), reply],
            );
            told(&problems(&host, &options(json!({ "create_lists": true }), json!({})), &["email"]))
        });
    assert_snapshot!(told.join("nothing said\n"));
}

fn create_all() -> serde_json::Value {
    json!({ "create_lists": true, "create_custom_fields": true, "tags": ["vip"], "create_tags": true })
}

fn planned() -> arrow_array::RecordBatch {
    text_batch(&[("email", vec![Some("ada@example.com")]), ("cf:plan", vec![Some("pro")])])
}

#[test]
fn what_is_missing_is_created_and_tags_come_last() {
    let tagging = || activity("initialized", json!({}));
    let host = bare()
        .on(
            "POST",
            "/contact_lists",
            [Reply::new(201).json(&json!({ "list_id": LIST, "name": "Newsletter" }))],
        )
        .on(
            "POST",
            "/contact_custom_fields",
            [Reply::new(201).json(
                &json!({ "custom_field_id": FIELD, "name": "plan", "label": "plan", "type": "string" }),
            )],
        )
        .on("POST", "/contact_tags", [Reply::new(201).json(&json!({ "tag_id": TAG, "name": "vip" }))])
        .json_import([queued()])
        .job([
            all_in(1),
            activity("processing", json!({})),
            activity("completed", json!({ "status": { "items_total_count": 1 } })),
        ])
        .on("POST", "/activities/contacts_taggings_add", [tagging()]);
    assert_snapshot!(story(&host, &run_with(&host, options(create_all(), json!({})), planned())));
}

#[test]
fn a_run_that_goes_on_knows_the_list_that_it_has_created() {
    let created = Reply::new(201).json(&json!({ "list_id": LIST, "name": "Newsletter" }));
    let host = bare()
        .on("POST", "/contact_lists", [created])
        .on("POST", "/contact_tags", [Reply::new(409).json(&json!([]))])
        .on(
            "GET",
            "/contact_tags?limit=500",
            [Reply::new(200).json(&json!({ "tags": [{ "tag_id": TAG, "name": "vip" }] }))],
        )
        .json_import([queued()])
        .job([all_in(3)]);
    // It ends before the tags.
    let api = json!({ "create_lists": true, "tags": ["vip"], "create_tags": true });
    let host = host.on("POST", "/activities/contacts_taggings_add", [Reply::new(503)]);
    let first = outcome(&run(&host, api.clone()));
    // By now the list has members.
    let host = host
        .its_account()
        .on(
            "GET",
            "/contact_lists?name=Newsletter&include_membership_count=all",
            [lists(&[("Newsletter", LIST, Some(3))])],
        )
        .on(
            "GET",
            "/contact_tags?limit=500",
            [Reply::new(200).json(&json!({ "tags": [{ "tag_id": TAG, "name": "vip" }] }))],
        )
        .on("POST", "/activities/contacts_taggings_add", [queued()])
        .job([activity("completed", json!({}))]);
    let second = outcome(&run(&host, api));
    assert_snapshot!([first, second, asked(&host)].join("\n"));
}

#[test]
fn tags_that_fail_are_told() {
    let host = bare()
        .on(
            "POST",
            "/contact_lists",
            [Reply::new(201).json(&json!({ "list_id": LIST, "name": "Newsletter" }))],
        )
        .on("POST", "/contact_tags", [Reply::new(201).json(&json!({ "tag_id": TAG, "name": "vip" }))])
        .json_import([queued()])
        .job([all_in(3), activity("failed", json!({ "activity_errors": [{ "message": "too many" }] }))])
        .on("POST", "/activities/contacts_taggings_add", [queued()]);
    let api = json!({ "create_lists": true, "tags": ["vip"], "create_tags": true });
    assert_snapshot!(outcome(&run(&host, api)));
}

#[test]
fn a_dry_run_writes_nothing() {
    let host = bare().reads_only();
    let result = run_with(&host, options(create_all(), json!({})), planned());
    assert_snapshot!(asked(&host) + &outcome(&result));
    assert!(host.requests().iter().all(|sent| sent.head.reads));
}

#[test]
fn a_field_of_another_name_is_not_written_to() {
    let renamed = json!({ "custom_field_id": FIELD, "name": "plan_1", "label": "plan", "type": "string" });
    let host = bare()
        .on(
            "POST",
            "/contact_lists",
            [Reply::new(201).json(&json!({ "list_id": LIST, "name": "Newsletter" }))],
        )
        .on("POST", "/contact_custom_fields", [Reply::new(201).json(&renamed)]);
    let result = run_with(&host, options(create_all(), json!({})), planned());
    assert_snapshot!(outcome(&result));
}

#[test]
fn refusals_of_an_import() {
    let all = [
        refusal(400, "contacts.api.validation.error", "list_ids: not a list"),
        refusal(403, "contacts.api.forbidden", "Forbidden"),
        refusal(404, "contacts.api.not_found", "Not found"),
        refusal(415, "contacts.api.media_type", "Unsupported Media Type"),
        refusal(429, "quota_exceeded", "Limit Exceeded"),
        Reply::new(503).body("<html>"),
        Reply::new(201).json(&json!({ "id": 7 })),
        Reply::new(202).body("queued, thank you"),
    ];
    let told = all.map(|reply| {
        let host = MemoryHost::new().known().json_import((0..4).map(|_| reply.clone()));
        let host = host.activities((0..3).map(|_| json!([])));
        host.clock().advance_ms(3_600_000);
        outcome(&run(&host, json!({})))
    });
    assert_snapshot!(told.join("\n"));
}

#[test]
fn too_fast_and_a_full_queue_are_waited_for() {
    let host = MemoryHost::new().known().json_import([
        refusal(429, "throttled", "Too Many Requests"),
        refusal(429, "contacts.api.queue", "1000 queued activities"),
        queued(),
    ]);
    let host = host.job([refusal(429, "throttled", "Too Many Requests"), all_in(3)]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!(written.report.confirmed.count, 3);
    assert!(host.clock().slept_ms() > 31_000, "{}", host.clock().slept_ms());
    // Not for ever.
    let host = MemoryHost::new().known().json_import((0..40).map(|_| Reply::new(429)));
    let text = outcome(&run(&host, json!({})));
    assert!(text.contains("stopped: import.throttled"), "{text}");
    assert!(text.contains("unknown 0"), "what was refused is not unknown: {text}");
}

#[test]
fn a_token_that_is_refused_is_replaced() {
    let no =
        || Reply::new(401).json(&json!({ "error_key": "unauthorized", "error_message": "Unauthorized" }));
    let host = MemoryHost::new().known().token([token(2)]).json_import([no(), queued()]).job([all_in(3)]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!(written.report.confirmed.count, 3);
    let bearers: Vec<&str> = host
        .requests()
        .iter()
        .filter(|sent| sent.head.url.ends_with("json_import"))
        .map(|sent| if sent.header("authorization") == Some("Bearer hush-access-1") { "1" } else { "2" })
        .collect();
    assert_eq!(bearers, ["1", "2"]);
}

#[test]
fn an_import_that_is_not_listed_yet_is_not_sent_again() {
    let host = good().job([Reply::new(404), Reply::new(404), all_in(3)]);
    assert_eq!(run(&host, json!({})).unwrap().report.confirmed.count, 3);
}

#[test]
fn units_stay_below_the_limits() {
    let host = (0..4).fold(MemoryHost::new().known(), |host, _| host.json_import([queued()]));
    let wide = "x".repeat(250);
    let emails: Vec<String> = (0..20_000).map(|i| format!("user{i}@example.com")).collect();
    let batch = text_batch(&[
        ("email", emails.iter().map(|e| Some(e.as_str())).collect()),
        ("street", vec![Some(wide.as_str()); emails.len()]),
    ]);
    // What becomes of them does not matter here.
    let _ = run_with(&host, options(json!({}), json!({})), batch.clone());
    let sizes = |host: &MemoryHost| -> Vec<usize> {
        let imports = host.requests().into_iter().filter(|sent| sent.head.url.ends_with("_import"));
        imports.map(|sent| sent.body.len()).collect()
    };
    assert!(
        sizes(&host).len() == 2 && sizes(&host).iter().all(|size| *size < 4_000_000),
        "{:?}",
        sizes(&host)
    );
    let csv = |batch| {
        let host = (0..4).fold(MemoryHost::new().known(), |host, _| host.file_import([queued()]));
        let _ = run_with(&host, options(json!({ "format": "csv" }), json!({})), batch);
        host
    };
    assert!(sizes(&csv(batch)).iter().all(|size| *size < 4_000_000));
    // Lines within cells are lines, too.
    let batch = text_batch(&[
        ("email", emails.iter().map(|e| Some(e.as_str())).collect()),
        ("street", vec![Some("1\n2\n3"); emails.len()]),
    ]);
    let lines: Vec<usize> = csv(batch)
        .requests()
        .iter()
        .filter(|sent| sent.head.url.ends_with("_import"))
        .map(|sent| sent.text().matches('\n').count())
        .collect();
    assert!(lines.len() == 2 && lines.iter().all(|lines| *lines < 40_000 + 20), "{lines:?}");
}

#[test]
fn problems_that_need_no_account() {
    let cases = [
        json!({ "deliver": "api", "consent": "consent" }),
        options(
            json!({ "client_id": " ", "refresh_token": "", "auth_base": "http://example.com", "first_line": 3,
            "tags": ["", "x"], "canary": 3 }),
            json!({ "lists": [], "max_rows": 40_000 }),
        ),
        options(
            json!({ "explicit_consent": true, "format": "csv", "create_tags": true }),
            json!({ "consent": { "not_needed": "they are customers" } }),
        ),
        options(json!({ "format": "csv" }), json!({ "lists": vec!["x"; 51] })),
        json!({ "consent": "consent", "api": { "client_id": "app" } }),
    ];
    let columns = ["email", "work_phone", "home_country", "sms_number", "cf:a b"];
    let told = cases.map(|options| {
        // Options that are wrong ask for nothing: the host has no replies.
        told(&check(plugin(), Role::Sink, "contacts", options, &columns))
    });
    assert_snapshot!(told.join("\n"));
    let json = options(json!({}), json!({}));
    let host = MemoryHost::new().known().on("GET", "/contact_custom_fields?limit=100", [fields(&[], None)]);
    assert_snapshot!(
        "columns_of_the_json_import",
        common::told(&problems(&host, &json, &["email", "work_phone", "home_country"]))
    );
}

#[test]
fn what_cannot_be_created_leaves_all_rows_unsent() {
    let host = bare().on("POST", "/contact_lists", [refusal(403, "contacts.api.forbidden", "Forbidden")]);
    let written = run_with(&host, options(create_all(), json!({})), planned()).unwrap();
    let report = &written.report;
    assert_eq!([report.confirmed.count, report.accepted.count, report.unknown.count], [0; 3]);
    assert_snapshot!(outcome(&Ok(written)));
}

#[test]
fn tags_that_are_not_given_to_all_are_told() {
    let status = json!({ "status": { "items_total_count": 3, "items_completed_count": 2 } });
    let host = bare()
        .on(
            "POST",
            "/contact_lists",
            [Reply::new(201).json(&json!({ "list_id": LIST, "name": "Newsletter" }))],
        )
        .on("POST", "/contact_tags", [Reply::new(201).json(&json!({ "tag_id": TAG, "name": "vip" }))])
        .json_import([queued()])
        .job([all_in(3), activity("completed", status)])
        .on("POST", "/activities/contacts_taggings_add", [queued()]);
    let api = json!({ "create_lists": true, "tags": ["vip"], "create_tags": true });
    let warnings = run(&host, api).unwrap().receipt.warnings;
    assert!(warnings.iter().any(|warning| warning.contains("has done 2 of 3 contacts")), "{warnings:?}");
}

#[test]
fn what_is_not_understood_is_kept_without_tokens() {
    let riddle = "queued for hush-access-1, hush-refresh-1 and hush-option with hush-secret";
    let host = MemoryHost::new().known().json_import([Reply::new(202).body(riddle)]);
    run(&host, json!({ "client_secret": "hush-secret" })).unwrap();
    let kept: Vec<String> = host.parts().iter().map(|part| part.text()).collect();
    assert!(kept.iter().any(|text| text == "queued for ***, *** and *** with ***"), "{kept:?}");
}

#[test]
fn an_answer_that_is_no_text_is_kept_too() {
    let host = MemoryHost::new().known().json_import([Reply::new(201).body(vec![0xff, 0xfe])]);
    let written = run(&host, json!({})).unwrap();
    assert_eq!(written.report.unknown.count, 3);
    assert!(
        written.receipt.warnings.iter().any(|w| w.contains("not understood")),
        "{:?}",
        written.receipt.warnings
    );
}
