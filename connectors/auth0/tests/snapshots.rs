//! What the connector says of itself and of bad input, word for word.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::{plain, try_users, users};
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use usher_auth0::plugin;
use usher_sdk::abi::{Problem, Role};
use usher_testkit::{Read, records};

/// Rows and rejects, and what the rejected records are in the input.
fn story(input: &str, read: &Read) -> String {
    let mut text = records(&read.batches);
    for reject in &read.report.rejects {
        let from = reject.origin.offset as usize;
        let raw = input.as_bytes().get(from..from + reject.origin.length as usize).unwrap_or_default();
        let raw: String = String::from_utf8_lossy(raw).chars().take(50).collect();
        let column = if reject.column.is_empty() { "-" } else { reject.column.as_str() };
        text.push_str(&format!("{} {column} {:?}: {}\n", reject.code, raw, reject.message));
    }
    text
}

#[test]
fn description() {
    assert_json_snapshot!(serde_json::to_value(usher_testkit::description(plugin())).unwrap());
}

#[test]
fn rejects_of_ndjson() {
    let input = concat!(
        "{\"user_id\":\"a|1\",\"email\":\n",
        "[1,2]\n",
        "\n",
        "{\"user_id\":\"a|2\",\"email_verified\":\"maybe\"}\n",
        "{\"user_id\":\"a|3\",\"logins_count\":1.5}\n",
        "{\"user_id\":\"a|4\",\"multifactor\":{\"a\":1}}\r\n",
        "{\"user_id\":\"half \\ud83e\"}\n",
        "{\"user_id\":\"\u{e9}\u{e9}\", x}\n",
        "{\"user_id\":\"a|5\",\"email_verified\":\"TRUE\",\"logins_count\":\"7\",\"multifactor\":[\"duo\"]}\n",
        "{\"user_id\":\"a|6\",\"name\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}\n",
        "  {\"user_id\":\"a|7\"} \n",
        "{\"user_id\":\"a|8\"",
    );
    let wanted = ["user_id", "email_verified", "logins_count", "multifactor"];
    let read = users(input, json!({ "max_record_bytes": 90 }), Some(&wanted));
    assert_snapshot!(story(input, &read));
}

#[test]
fn rejects_of_text_that_is_no_utf8() {
    let input = b"{\"user_id\":\"a|1\"}\n{\"user_id\":\"\xff\"}\n{\"user_id\":\"a|3\"}\n";
    let read = users(*input, json!({}), Some(&["user_id"]));
    let table = b"user_id,name\n1,b\xc3\n\xc3,\xa9\n2,c\n";
    let csv = users(*table, json!({}), Some(&["user_id"]));
    assert_snapshot!(format!("{}{}", story("", &read), story("", &csv)));
}

#[test]
fn rejects_of_an_array() {
    let input = "[{\"user_id\":\"a|1\"},\n {\"user_id\":},\n{\n  \"user_id\": \"a|2\",\n  \"email\": x\n},\n3, {\"user_id\":\"a|3\"}";
    assert_snapshot!(story(input, &users(input, json!({}), Some(&["user_id"]))));
}

#[test]
fn rejects_of_csv() {
    let input = "user_id,email_verified,logins_count\n1,true\n2,perhaps,1\n3,'False,'4\n4,,x\n5,true,5,6\n6,,\"1\"1\n7,,";
    let read = users(input, json!({ "escape": "off" }), None);
    assert_snapshot!(story(input, &read));
}

#[test]
fn headings_in_any_language() {
    let input = "\u{feff}Id;Adresse courriel;Cr\u{e9}\u{e9} \u{e0};Prenom;Plan\r\n\
                 \"'a|1\";\"'ada@example.com\";2023-05-01T10:20:30.456Z;\"'Ada\";\"'pro\"\r\n";
    let headings = json!({
        "email": "Adresse courriel", "created_at": "Cr\u{e9}\u{e9} \u{e0}", "given_name": "Prenom", "user_metadata.plan": "Plan",
    });
    let read = users(input, json!({ "headings": headings }), None);
    assert_json_snapshot!(json!({
        "catalog": serde_json::to_value(&read.catalog).unwrap(),
        "rows": plain(&read),
    }));
}

/// Code, message and problems of an error.
fn error(input: impl Into<Vec<u8>>, options: Value, projection: Option<&[&str]>) -> String {
    let error = try_users(input, options, projection).err().map(|e| {
        let problems: Vec<Problem> = serde_json::from_str(&e.details).unwrap_or_default();
        let problems: Vec<String> =
            problems.iter().map(|p| format!("\n  {} {}: {}", p.pointer, p.code, p.message)).collect();
        format!("{}: {e}{}\n", e.code, problems.concat())
    });
    error.unwrap_or_else(|| "no error\n".to_owned())
}

#[test]
fn errors() {
    let csv = "user_id,email\n1,a@example.com\n";
    let secrets =
        ["email", "tenant", "identities[2].access_token", "identities[0].refresh_token", "blocked_for"];
    let all = [
        error("{}", json!({}), Some(&secrets)),
        error(csv, json!({}), Some(&["emial", "user_metadata.plan"])),
        error(csv, json!({ "headings": { "email": "E-Mail" } }), None),
        error(csv, json!({ "headings": { "name": "Emial" } }), None),
        error(csv, json!({ "headings": { "name": "email", "email": "user_id" } }), None),
        error("email,Mail\na,b\n", json!({ "headings": { "email": "Mail" } }), None),
        error("a,,c\n", json!({}), None),
        error("a,b,'a\n", json!({}), None),
        error("\"a,b\n", json!({}), None),
        error(*b"\xEF\xBB,email\n", json!({}), None),
        error("name,email\n'A,'a@b\n'B,'b@b\nC,c@b\n'D,'d@b\n", json!({}), None),
    ];
    assert_snapshot!(all.concat());
}

#[test]
fn utf16_is_named() {
    let text: Vec<u8> = "user_id\n1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = try_users([b"\xff\xfe".to_vec(), text].concat(), json!({}), None).unwrap_err();
    assert_snapshot!(format!("{}: {error}", error.code));
}

#[test]
fn problems_with_options() {
    let headings = json!({
        "email": "Mail", "name": "Mail", "a[x]": "A", "tenant": "T", "user_metadata.x": "'Mail",
        "u".repeat(101): "U",
    });
    let options = json!({ "input": "users", "headings": headings });
    let problems = usher_testkit::check(plugin(), Role::Source, "users", options, &[]).unwrap();
    assert_json_snapshot!(problems);
}

#[test]
fn notes_say_how_escape_was_decided() {
    let long = format!("name\n{}", "Ada\n".repeat(3000));
    let inputs = [
        "user_id,name,user_metadata.note\na|1,'t Hooft,'x\na|2,Ada,y\n",
        "user_id,name\n'a|1,''t Hooft\n'a|2,\n",
        "email_verified\ntrue\n",
        long.as_str(),
        "",
        "user_id,tenant\na|1,x\n",
    ];
    let notes: Vec<String> =
        inputs.iter().flat_map(|input| users(*input, json!({}), None).catalog.notes).collect();
    assert_snapshot!(notes.join("\n"));
    let names = |i: usize| users(inputs[i], json!({}), Some(&["name"]));
    assert_eq!(plain(&names(0))[0]["name"], "'t Hooft");
    assert_eq!(plain(&names(1))[0]["name"], "'t Hooft");
}
