//! The sink `users`: every output that a person or the vendor sees.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use proptest::prelude::*;
use serde_json::{Value, json};
use usher_cohort::plugin;
use usher_sdk::abi::{Problem, Role};
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
    let line = |p: &Problem| {
        format!("{} {} {}{}\n", p.pointer, p.code, p.message, if p.warning { " (warning)" } else { "" })
    };
    check(plugin(), Role::Sink, "users", options, columns).unwrap().iter().map(line).collect()
}

fn people() -> RecordBatch {
    text_batch(&[
        ("plan", vec![Some("pro, yearly"), None, Some("free")]),
        ("last_name", vec![Some("Lovelace"), Some("Durand"), None]),
        ("First Name", vec![Some("Ada"), Some("Éloïse"), None]),
        ("email", vec![Some(" Ada@example.com"), Some("eloise@example.com"), Some("cy@example.com")]),
    ])
}

#[test]
fn describes_itself() {
    let sink = description(plugin()).components.into_iter().find(|c| c.role == Role::Sink).unwrap();
    insta::assert_json_snapshot!(sink);
}

#[test]
fn ordinary_people() {
    insta::assert_snapshot!(shown(json!({ "properties": { "plan": "text" } }), people()));
}

#[test]
fn every_reject_and_every_value_left_out() {
    let batch = text_batch(&[
        (
            "Email",
            vec![
                Some("a@example.com"),
                None,
                Some("n/a"),
                Some("A@EXAMPLE.COM"),
                Some(" "),
                Some("b@example.com"),
                Some("c@example.com"),
            ],
        ),
        ("score", vec![Some("many"), None, None, None, None, Some(" 1.5 "), Some("-2e3")]),
        ("vip", vec![Some("yes"), None, None, None, None, Some("TRUE"), Some("false")]),
        ("since", vec![Some("soon"), None, None, None, None, Some("2024-02-29T23:30:00Z"), Some("2024/3/1")]),
        ("undeclared", vec![Some("any thing"), None, None, None, None, Some(" kept "), None]),
    ]);
    let properties = json!({ "score": "number", "vip": "boolean", "since": "date" });
    let left_out = shown(json!({ "properties": properties }), batch.clone());
    let on_invalid = json!({ "score": "reject_row" });
    let rejected = shown(json!({ "properties": properties, "on_invalid": on_invalid }), batch);
    insta::assert_snapshot!(format!("{left_out}\n{rejected}"));
}

#[test]
fn values_of_other_types_are_written_as_the_vendor_reads_them() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("Email", Arc::new(StringArray::from(vec!["a@example.com", "b@example.com"]))),
        ("vip", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("logins", Arc::new(Int64Array::from(vec![Some(17), Some(-1)]))),
        ("score", Arc::new(Float64Array::from(vec![Some(0.5), Some(f64::NAN)]))),
        ("born", Arc::new(Date32Array::from(vec![Some(0), None]))),
    ];
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let properties = json!({ "vip": "boolean", "logins": "number", "score": "number", "born": "date" });
    insta::assert_snapshot!(shown(json!({ "properties": properties }), batch));
}

#[test]
fn parts_stay_within_their_limits() {
    let keys: Vec<String> = (1..=7).map(|i| format!("{i}@ex.com")).collect();
    let batch = || text_batch(&[("Email", keys.iter().map(|k| Some(k.as_str())).collect())]);
    let by_rows = shown(json!({ "max_rows": 3 }), batch());
    // The header has 6 bytes, a row 9: 33 bytes hold three rows exactly.
    let by_bytes = shown(json!({ "max_bytes": 33 }), batch());
    let one_less = shown(json!({ "max_bytes": 32 }), batch());
    insta::assert_snapshot!(format!("{by_rows}\n{by_bytes}\n{one_less}"));
}

#[test]
fn the_vendors_limit_holds_unless_a_lower_one_is_given() {
    // Rows of 10,000 bytes, a header of 11: 999 rows fit below 10,000,000 bytes, 1,000 do not.
    let keys: Vec<String> = (0..1_500).map(|i| format!("{i:06}@example.com")).collect();
    let note = "x".repeat(10_000 - 18 - 2);
    let batch = text_batch(&[
        ("Email", keys.iter().map(|k| Some(k.as_str())).collect()),
        ("note", vec![Some(note.as_str()); keys.len()]),
    ]);
    let (_, host) = run(json!({ "properties": { "note": "text" } }), batch);
    let sizes: Vec<(u64, usize)> = host.parts().iter().map(|p| (p.records, p.bytes.len())).collect();
    assert_eq!(sizes, [(999, 9_990_011), (501, 5_010_011)]);
}

#[test]
fn a_row_that_fits_no_file_is_rejected_and_its_address_stays_free() {
    let long = "x".repeat(60);
    let batch = text_batch(&[
        ("Email", vec![Some("a@example.com"), Some("a@example.com")]),
        ("note", vec![Some(long.as_str()), Some("short")]),
    ]);
    insta::assert_snapshot!(shown(json!({ "max_bytes": 50, "properties": { "note": "text" } }), batch));
}

#[test]
fn guide() {
    let consent = json!({ "not_needed": "members agreed when they joined" });
    let options = json!({ "properties": { "plan": "text" }, "max_rows": 2, "consent": consent });
    let (written, _) = run(options, people());
    insta::assert_json_snapshot!(
        "guide_of_two_files",
        json!({ "problems": written.problems, "receipt": written.receipt })
    );

    let (written, _) = run(json!({ "consent": "consent" }), people());
    insta::assert_json_snapshot!(
        "guide_undeclared",
        json!({ "problems": written.problems, "receipt": written.receipt })
    );

    let (written, host) = run(json!({}), text_batch(&[("Email", vec![None])]));
    assert!(host.parts().is_empty());
    insta::assert_json_snapshot!("guide_nobody", written.receipt);
}

#[test]
fn problems_with_columns_and_options() {
    let options = json!({
        "properties": { "plan": "text", "since": "date", " x": "text", "Email": "text" },
        "on_invalid": { "Email": "leave_out", "plan": "truncate", "paln": "leave_out", "First Name": "reject_row" },
        "consent": "", "max_rows": 0, "max_bytes": 10_000_000,
    });
    let all = problems(
        options,
        &["email", "Email", "plan", "sinces", "Last name", " ", "tags\u{200B}", "tags\u{200B}"],
    );
    let no_key = problems(json!({}), &["First Name"]);
    insta::assert_snapshot!(format!("{all}\n{no_key}"));
}

proptest! {
    #[test]
    fn values_parse_back(values in prop::collection::vec(prop::option::of("[ a,;\"'\r\n\té🙂|=]{0,12}"), 1..20)) {
        let keys: Vec<String> = (0..values.len()).map(|i| format!("{i}@example.com")).collect();
        let batch = text_batch(&[
            ("note", values.iter().map(Option::as_deref).collect()),
            ("Email", keys.iter().map(|k| Some(k.as_str())).collect()),
        ]);
        let (_, host) = run(json!({ "max_rows": 7, "properties": { "note": "text" } }), batch);
        let mut back = Vec::new();
        for part in host.parts() {
            let mut reader = csv::Reader::from_reader(part.bytes.as_slice());
            prop_assert_eq!(reader.headers().unwrap(), &csv::StringRecord::from(vec!["Email", "note"]));
            back.extend(reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()));
        }
        let given = keys.into_iter().zip(values).map(|(key, value)| vec![key, value.unwrap_or_default()]);
        prop_assert_eq!(back, given.collect::<Vec<_>>());
    }
}
