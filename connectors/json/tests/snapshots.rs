//! The sink `records`: every output that a person or a program sees.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{Field, Schema};
use serde_json::{Value, json};
use usher_json::plugin;
use usher_sdk::{
    abi::{Problem, Role},
    records::KIND,
};
use usher_testkit::{MemoryHost, Written, balance, check, description, show, text_batch, write};

fn run(options: Value, batch: RecordBatch) -> (Written, MemoryHost) {
    let (host, rows) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "records", options, &host, vec![batch]).unwrap();
    balance(&written.report, rows).unwrap();
    (written, host)
}

fn shown(options: Value, batch: RecordBatch) -> String {
    let (written, host) = run(options, batch);
    show(&written, &host)
}

fn problems(options: Value, columns: &[&str]) -> String {
    let line = |p: &Problem| format!("{} {} {}\n", p.pointer, p.code, p.message);
    check(plugin(), Role::Sink, "records", options, columns).unwrap().iter().map(line).collect()
}

fn people() -> RecordBatch {
    text_batch(&[
        ("email", vec![Some("ada@example.com"), Some(" Bob@Example.com "), None]),
        ("user_metadata.plan", vec![Some("pro"), None, None]),
        ("name", vec![Some("Ada \"A\" Lovelace"), Some(""), None]),
        ("user_metadata.consent.given", vec![Some("true"), Some("two\nlines"), None]),
    ])
}

fn typed() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("b \"c\"")]);
    list.append_value([] as [Option<&str>; 0]);
    list.append_null();
    let text = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let columns: Vec<(&str, &str, ArrayRef)> = vec![
        ("roles", "list", Arc::new(list.finish())),
        ("tags", "list", text([Some("[\"p\", \"q\"]"), Some("[not a list"), None])),
        ("any", "any", text([Some("{\"a\": [1, null]}"), Some("true"), Some("[1, 2")])),
        ("text", "text", text([Some("{\"a\":1}"), Some("12"), None])),
        ("flag", "boolean", text([Some("true"), Some("True"), None])),
        ("count", "integer", text([Some("12"), Some("012"), None])),
        ("vip", "boolean", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("logins", "integer", Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(0), None]))),
        ("score", "number", Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN), Some(2e300)]))),
        (
            "seen",
            "timestamp",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1), Some(i64::MAX), None]).with_timezone("UTC"),
            ),
        ),
        ("born", "date", Arc::new(Date32Array::from(vec![Some(0), Some(-1), None]))),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, kind, column)| {
            let metadata = HashMap::from([(KIND.to_owned(), (*kind).to_owned())]);
            Field::new(*name, column.data_type().clone(), true).with_metadata(metadata)
        })
        .collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|(.., column)| column).collect(),
    )
    .unwrap()
}

#[test]
fn describes_itself() {
    let sink = description(plugin()).components.into_iter().find(|c| c.role == Role::Sink).unwrap();
    insta::assert_json_snapshot!(sink);
}

#[test]
fn ordinary_people_in_every_form() {
    let mut text = String::new();
    for format in ["ndjson", "array"] {
        for (nested, nulls) in [(false, "write"), (false, "omit"), (true, "write"), (true, "omit")] {
            text += &format!("{format} nested={nested} nulls={nulls}\n");
            text += &shown(json!({ "format": format, "nested": nested, "nulls": nulls }), people());
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn types_stay() {
    insta::assert_snapshot!(shown(json!({}), typed()));
}

#[test]
fn bad_values_reject_the_row_on_demand() {
    let score = shown(json!({ "on_invalid": { "score": "reject_row" } }), typed());
    let seen = shown(json!({ "on_invalid": { "seen": "reject_row" }, "nulls": "omit" }), typed());
    insta::assert_snapshot!(format!("{score}\n{seen}"));
}

#[test]
fn parts_stay_within_their_limits() {
    let values: Vec<String> = (1..=7).map(|i| format!("{i}")).collect();
    let batch = || text_batch(&[("a", values.iter().map(|v| Some(v.as_str())).collect())]);
    let mut text = String::new();
    for options in [
        json!({ "max_rows": 3 }),
        // A line has 10 bytes.
        json!({ "max_bytes": 30 }),
        json!({ "max_bytes": 29 }),
        // The frame has 5 bytes, a record 9, and 2 between two: 36 bytes hold three records exactly.
        json!({ "format": "array", "max_bytes": 36 }),
        json!({ "format": "array", "max_bytes": 35 }),
    ] {
        text += &format!("{options}\n{}\n", shown(options.clone(), batch()));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_record_that_fits_no_part_is_rejected() {
    let batch = || text_batch(&[("a", vec![Some("short"), Some("much too long for it"), Some("short")])]);
    let lines = shown(json!({ "max_bytes": 16 }), batch());
    let array = shown(json!({ "max_bytes": 20, "format": "array" }), batch());
    insta::assert_snapshot!(format!("{lines}\n{array}"));
}

#[test]
fn no_records_are_an_empty_file() {
    let (_, host) = run(json!({}), people().slice(0, 0));
    assert_eq!(
        (host.parts()[0].text(), host.parts()[0].name.as_str()),
        (String::new(), "test-sink-run-records-0001.ndjson")
    );
    let (_, host) = run(json!({ "format": "array" }), people().slice(0, 0));
    assert_eq!(serde_json::from_slice::<Value>(&host.parts()[0].bytes).unwrap(), json!([]));
}

#[test]
fn receipt() {
    let options = json!({ "max_rows": 2, "consent": "consent", "format": "array" });
    insta::assert_json_snapshot!(run(options, people()).0.receipt);
}

#[test]
fn problems_with_columns_and_options() {
    let options = json!({
        "max_rows": 0, "max_bytes": 0, "on_invalid": { "name": "truncate", "nmae": "leave_out" }, "consent": {},
    });
    let all = problems(options, &["email", "name", "email"]);
    let none = problems(json!({ "format": "array", "max_bytes": 4 }), &[]);
    let nested = problems(json!({ "nested": true }), &["a.b", "a", "a.b.c", "x..y", "d.e"]);
    let flat = problems(json!({}), &["a.b", "a", "a.b.c", "x..y", ""]);
    insta::assert_snapshot!(format!("{all}\n{none}\n{nested}\n{flat}"));
}
