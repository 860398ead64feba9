//! Every output that a person or a vendor sees.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use serde_json::{Value, json};
use usher_carrot_quest::plugin;
use usher_testkit::{MemoryHost, Written, balance, check, description, show, text_batch, write};

fn run(options: Value, batch: RecordBatch) -> (Written, MemoryHost) {
    let (host, rows) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "users", options, &host, vec![batch]).unwrap();
    balance(&written.report, rows).unwrap();
    (written, host)
}

fn shown(options: Value, batch: RecordBatch) -> String {
    let (written, host) = run(options, batch);
    show(&written, &host)
}

fn problems(options: Value, columns: &[&str]) -> String {
    let found = check(plugin(), usher_sdk::abi::Role::Sink, "users", options, columns).unwrap();
    let line = |p: &usher_sdk::abi::Problem| {
        format!("{} {} {}{}\n", p.pointer, p.code, p.message, if p.warning { " (warning)" } else { "" })
    };
    found.iter().map(line).collect()
}

fn people() -> RecordBatch {
    text_batch(&[
        ("Действие", vec![Some("пролила масло"), Some("посетил \"Патриаршие\"\tпруды"), None]),
        ("$email", vec![Some("anna@example.com"), None, Some("ada@example.com")]),
        ("$name", vec![Some("Аннушка"), Some("Воланд"), Some("Ada, Countess")]),
        ("$user_id", vec![Some("135"), Some("666"), Some("auth0|1")]),
        ("$phone", vec![Some("79120000000"), None, Some("+44 20 7946 0000")]),
    ])
}

#[test]
fn describes_itself() {
    insta::assert_json_snapshot!(description(plugin()));
}

#[test]
fn ordinary_people_by_user_id() {
    insta::assert_snapshot!(shown(json!({}), people()));
}

#[test]
fn ordinary_people_by_email_and_every_delimiter() {
    let mut text = String::new();
    for delimiter in ["tab", ",", "|", ";", "space"] {
        text +=
            &shown(json!({ "merge_field": "email", "delimiter": delimiter, "phone": "digits" }), people());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_reject_and_every_value_left_out() {
    let long = "я".repeat(256);
    let batch = text_batch(&[
        (
            "$user_id",
            vec![
                Some("1"),
                None,
                Some("\u{200B} "),
                Some("1\u{FEFF}"),
                Some(&long),
                Some("2"),
                Some("3"),
                Some("a"),
                Some("A"),
            ],
        ),
        ("$email", vec![Some("n/a"), None, None, None, None, Some("ok@example.com\u{A0}"), None, None, None]),
        ("$phone", vec![Some("ask Ada"), None, None, None, None, Some("+7 (912) 0"), None, None, None]),
        (
            "seats",
            vec![Some("1.5"), None, None, None, None, Some("9007199254740993"), Some(" 7"), None, None],
        ),
        (
            "since",
            vec![
                Some("soon"),
                None,
                None,
                None,
                None,
                Some("2024-01-01T01:00:00+02:00"),
                Some("2024-02-29"),
                None,
                None,
            ],
        ),
        ("vip", vec![Some("yes"), None, None, None, None, Some("TRUE"), Some("false"), None, None]),
        ("likes", vec![Some("[\"a\"]"), None, None, None, None, Some("[]"), None, None, None]),
        (
            "note",
            vec![
                Some(&long),
                None,
                None,
                None,
                None,
                Some(" \u{FEFF}می\u{200C}خواهم "),
                Some("00123"),
                None,
                None,
            ],
        ),
    ]);
    let types = json!({ "seats": "integer", "since": "date", "vip": "boolean", "likes": "list" });
    insta::assert_snapshot!(shown(json!({ "property_types": types, "phone": "digits" }), batch));
}

#[test]
fn duplicate_addresses_whatever_their_case_and_a_row_too_long() {
    let batch = text_batch(&[
        (
            "$email",
            vec![
                Some("Ada@example.com"),
                Some("ada@EXAMPLE.com"),
                Some("bad"),
                Some("x@example.com"),
                Some("x@example.com"),
            ],
        ),
        ("note", vec![None, None, None, Some("this note makes the row longer than the file may be"), None]),
    ]);
    insta::assert_snapshot!(shown(json!({ "merge_field": "email", "max_bytes": 50 }), batch));
}

fn lists() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), Some(" say \"b\" "), None]);
    list.append_value([Some("a,b")]);
    list.append_value((0..32).map(|i| Some(i.to_string())));
    list.append_null();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("$user_id", Arc::new(StringArray::from(vec!["1", "2", "3", "4"]))),
        ("likes", Arc::new(list.finish())),
        ("seats", Arc::new(Int64Array::from(vec![Some(1), Some(1 << 53), Some((1 << 53) + 1), None]))),
        ("vip", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, None]))),
        (
            "since",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_440_457_820_011_000), None, None, None])
                    .with_timezone("UTC"),
            ),
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap()
}

#[test]
fn lists_are_left_out_unless_their_form_is_chosen_and_types_come_from_the_source() {
    let mut text = String::new();
    for form in ["refuse", "json", "comma"] {
        text += &shown(json!({ "lists": form, "delimiter": ";" }), lists());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn headings_are_cleaned() {
    let batch = text_batch(&[
        (" \u{FEFF}$user_id", vec![Some("1")]),
        ("пол\u{200B}е\u{A0}", vec![Some("x\u{200D}y")]),
    ]);
    insta::assert_snapshot!(shown(json!({}), batch));
}

#[test]
fn parts_stay_within_their_limits() {
    let keys: Vec<String> = (1..=7).map(|i| format!("user-{i}")).collect();
    let batch = || text_batch(&[("$user_id", keys.iter().map(|k| Some(k.as_str())).collect())]);
    let by_rows = shown(json!({ "max_rows": 3 }), batch());
    // The header has 9 bytes, a row 7: 30 bytes hold three rows exactly.
    let by_bytes = shown(json!({ "deliver": "api-file", "max_bytes": 30 }), batch());
    let one_less = shown(json!({ "deliver": "api-file", "max_bytes": 29 }), batch());
    insta::assert_snapshot!(format!("{by_rows}\n{by_bytes}\n{one_less}"));
}

#[test]
fn the_vendors_limits_hold_unless_lower_ones_are_given() {
    let keys: Vec<String> = (0..4_001).map(|i| i.to_string()).collect();
    let batch = || text_batch(&[("$user_id", keys.iter().map(|k| Some(k.as_str())).collect())]);
    let rows = |options| run(options, batch()).1.parts().iter().map(|p| p.records).collect::<Vec<_>>();
    assert_eq!(rows(json!({})), [4_000, 1]);
    assert_eq!(rows(json!({ "deliver": "api-file" })), [4_001]);
    // Eight values of 255 four-byte characters make a row of about 8 kB, all rows more than 30 MB.
    let wide = "🦊".repeat(255);
    let columns: Vec<String> = (0..8).map(|i| format!("c{i}")).collect();
    let mut cells: Vec<(&str, Vec<Option<&str>>)> =
        columns.iter().map(|c| (c.as_str(), vec![Some(wide.as_str()); 4_001])).collect();
    cells.push(("$user_id", keys.iter().map(|k| Some(k.as_str())).collect()));
    let (_, host) = run(json!({ "deliver": "api-file" }), text_batch(&cells));
    let parts = host.parts();
    let sizes: Vec<usize> = parts.iter().map(|p| p.bytes.len()).collect();
    let next_row = parts[1].text().lines().nth(1).unwrap().len() + 1;
    assert_eq!(sizes.len(), 2);
    assert!(sizes[0] < 30_000_000 && sizes[0] + next_row >= 30_000_000, "{sizes:?} {next_row}");
}

#[test]
fn guide_for_the_admin_panel() {
    let batch = text_batch(&[
        ("$email", vec![Some("a@example.com"), Some("b@example.com"), Some("c@example.com")]),
        ("code", vec![Some("007"), Some("7"), Some("01")]),
        ("zip", vec![Some("01234"), None, None]),
    ]);
    let consent = json!({ "not_needed": "they are customers" });
    let options = json!({ "merge_field": "email", "max_rows": 2, "consent": consent, "tags": ["unused"] });
    let (written, _) = run(options, batch);
    insta::assert_json_snapshot!(json!({ "problems": written.problems, "receipt": written.receipt }));
}

#[test]
fn guide_for_the_api() {
    let options = json!({
        "deliver": "api-file", "max_rows": 2, "consent": "consent", "app": "123-abc", "delimiter": ";",
        "tags": ["super_tag", "it's \"new\", `really`"],
    });
    let (written, _) = run(options, people());
    insta::assert_json_snapshot!(written.receipt);
}

#[test]
fn problems_with_columns_and_options() {
    let columns = [
        "$user_id",
        "$emial",
        "$last_seen",
        "$event_1_count",
        "email",
        "plan",
        "plan ",
        "\u{200B}",
        "$mood",
        "$user_id\u{FEFF}",
    ];
    let refused = problems(json!({}), &columns);
    let allowed =
        problems(json!({ "unknown_system_columns": "allow" }), &["$user_id", "$mood", "$last_seen"]);
    let no_key = problems(json!({ "merge_field": "email" }), &["$user_id"]);
    let many: Vec<String> = (0..251).map(|i| format!("c{i}")).chain(["$user_id".to_owned()]).collect();
    let many = problems(json!({}), &many.iter().map(String::as_str).collect::<Vec<_>>());
    let options = problems(
        json!({
            "app": "", "api_base": "https://x/?y", "max_bytes": 0, "max_rows": 0, "tags": ["a\u{200B}"], "consent": {},
            "on_invalid": { "$user_id": "truncate", "$email": "truncate", "$nmae": "leave_out" },
            "property_types": { "pln": "integer", "$name": "list" },
        }),
        &["$user_id", "plan", "$name"],
    );
    let unread = problems(json!({ "merge_fields": "email" }), &["$user_id"]);
    insta::assert_snapshot!([refused, allowed, no_key, many, options, unread].join("\n"));
}
