//! What every connector must do.

use serde_json::{Value, json};
use usher_auth0::plugin;
use usher_testkit::{Case, Sample, conformance};

fn case(input: &str, sample: Sample) -> Case {
    Case::source("users", json!({ "input": input }))
        .input(input, sample)
        .refuses(json!({ "input": input, "headings": { "email": "Mail", "name": "Mail" } }), "/headings/name")
        .refuses(json!({ "input": input, "headings": { "a..b": "Mail" } }), "/headings/a..b")
        .refuses(json!({ "input": input, "headings": { "tenant": "Tenant" } }), "/headings/tenant")
        .refuses(json!({ "input": input, "format": "xml" }), "")
        .refuses(json!({ "input": input, "delimiter": "::" }), "")
}

fn record(name: &str) -> String {
    json!({ "user_id": "auth0|1", "name": name }).to_string()
}

#[test]
fn ndjson_conforms() {
    let lines = r#"{"user_id":"auth0|{n}","email":"a{n}@example.com","logins_count":{n},"user_metadata":{"plan":"pro"}}
{"user_id":"sms|{n}","blocked":true,"multifactor":["duo"],"identities":[{"connection":"sms","isSocial":false}]}
{"user_id":"google-oauth2|{n}","name":"\u00c8ve \"{n}\"","created_at":"2023-05-01T10:20:30.456Z"}"#;
    let case = case("users.ndjson", Sample::lines(lines).with_text("name", record));
    conformance(plugin(), &[case]).assert();
}

#[test]
fn csv_conforms() {
    let table = "user_id,email,email_verified,name,user_metadata.plan\n\"'auth0|{n}\",\"'a{n}@example.com\",true,\"'Ada, \"\"{n}\"\"\",\"'pro\"\n\
                 \"'sms|{n}\",,,\"'two\nlines\",\n";
    let sample = Sample::csv(table).with_text("name", |text| {
        format!("\"'auth0|1\",\"'a@example.com\",true,\"'{}\",", text.replace('"', "\"\""))
    });
    conformance(plugin(), &[case("users.csv", sample)]).assert();
}

#[test]
fn an_array_conforms() {
    let items =
        [r#"{"user_id":"auth0|{n}","email":"a{n}@example.com"}"#, r#"{"user_id":"sms|{n}","name":"]}{["}"#];
    let sample = Sample::json_array(items).with_text("name", record);
    conformance(plugin(), &[case("users.json", sample)]).assert();
}

#[test]
fn the_options_have_no_surprises() {
    let description = usher_testkit::description(plugin());
    let options: &Value = &description.components[0].options;
    let mut names: Vec<&String> =
        options["properties"].as_object().map(|p| p.keys().collect()).unwrap_or_default();
    names.sort();
    assert_eq!(names, ["delimiter", "escape", "format", "headings", "input", "max_record_bytes"]);
}
