//! Samples of exports: see `fixtures/` and the README for where they come from.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use common::{plain, users};
use serde_json::{Value, json};

const CONSTRUCTED: &str = include_str!("fixtures/auth0_export_constructed.csv");
const EXPECTED: &str = include_str!("fixtures/auth0_export_constructed.expected.ndjson");
const RENAMED: &str = include_str!("fixtures/auth0_export_renamed_keys.ndjson");
const UNQUOTED: &str = include_str!("fixtures/auth0_export_unquoted_fixture.csv");
const PROFILES: &str = include_str!("fixtures/auth0_profiles_by_provider.ndjson");

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_constructed_csv_is_what_it_should_be() {
    let read = users(CONSTRUCTED, json!({}), None);
    assert_eq!(plain(&read), lines(EXPECTED));
    assert!(read.report.rejects.is_empty());
    assert!(!read.catalog.open);
    assert_eq!(read.catalog.notes, ["escape: on for users (15 of 15 text cells begin with ')"]);
}

#[test]
fn the_third_party_csv_without_quotes_is_read() {
    let read = users(UNQUOTED, json!({}), None);
    let expected = [
        json!({
            "user_id": "auth0|u1", "email": "u1@example.com", "email_verified": true, "username": "u1",
            "blocked": false, "updated_at": "2024-01-01T12:00:00+00:00",
        }),
        json!({ "user_id": "auth0|u2", "email": "u2@example.com", "updated_at": "2024-01-02T12:00:00+00:00" }),
    ];
    assert_eq!(plain(&read), expected);
}

#[test]
fn renamed_keys_are_the_attributes_that_the_extension_means() {
    let wanted =
        ["user_id", "nickname", "name", "email", "identities[0].connection", "created_at", "updated_at"];
    let read = users(RENAMED, json!({}), Some(&wanted));
    let keys = ["Id", "Nickname", "Name", "email", "Connection", "Created At", "Updated At"];
    let expected: Vec<Value> = lines(RENAMED)
        .iter()
        .map(|row| {
            wanted.iter().zip(keys).map(|(path, key)| ((*path).to_owned(), row[key].clone())).collect()
        })
        .collect();
    assert_eq!(plain(&read), expected);
}

#[test]
fn an_array_gives_what_its_lines_give() {
    let array = Value::from(lines(PROFILES));
    for text in [array.to_string(), serde_json::to_string_pretty(&array).unwrap()] {
        assert_eq!(plain(&users(text, json!({}), None)), plain(&users(PROFILES, json!({}), None)));
    }
}

#[test]
fn attributes_that_nobody_knows_are_read_too() {
    let read = users(
        PROFILES,
        json!({}),
        Some(&["user_id", "emails", "emails[1]", "upn", "identities[0].isSocial", "nope"]),
    );
    let rows = plain(&read);
    assert_eq!(rows[1]["emails[1]"], "bobdoe@example.com");
    assert_eq!(rows[1]["emails"], r#"["bobdoe@example.com","bobdoe@example.com"]"#);
    assert_eq!(rows[2]["upn"], "jeff@example.org");
    assert_eq!(rows[2]["identities[0].isSocial"], false);
    assert!(rows.iter().all(|row| row.get("nope").is_none()));
}
