//! The sink `rows`: every output that a person or a program sees.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{Field, Schema};
use serde_json::{Value, json};
use usher_csv::plugin;
use usher_sdk::{
    abi::{Problem, Role},
    records::KIND,
};
use usher_testkit::{MemoryHost, Written, balance, check, description, show, text_batch, write};

fn run(options: Value, batch: RecordBatch) -> (Written, MemoryHost) {
    let (host, rows) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "rows", options, &host, vec![batch]).unwrap();
    balance(&written.report, rows).unwrap();
    (written, host)
}

fn shown(options: Value, batch: RecordBatch) -> String {
    let (written, host) = run(options, batch);
    show(&written, &host)
}

fn problems(options: Value, columns: &[&str]) -> String {
    let line = |p: &Problem| format!("{} {} {}\n", p.pointer, p.code, p.message);
    check(plugin(), Role::Sink, "rows", options, columns).unwrap().iter().map(line).collect()
}

fn people() -> RecordBatch {
    text_batch(&[
        ("email", vec![Some("ada@example.com"), Some(" Bob@Example.com "), None]),
        ("name", vec![Some("Ada, Countess"), Some("Bob \"the builder\""), Some("")]),
        ("note", vec![Some("two\r\nlines"), Some("a;b\tc"), Some("null")]),
    ])
}

fn typed() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a"), None, Some("b c")]);
    list.append_value([Some("x;y"), Some("z")]);
    list.append_null();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("roles", Arc::new(list.finish())),
        ("tags", Arc::new(StringArray::from(vec![Some(r#"["p","q"]"#), Some("[not a list"), Some("[]")]))),
        ("raw", Arc::new(StringArray::from(vec![Some(r#"["p","q"]"#), None, None]))),
        ("vip", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        ("logins", Arc::new(Int64Array::from(vec![Some(-3), Some(0), None]))),
        ("score", Arc::new(Float64Array::from(vec![Some(0.1), Some(2.0), None]))),
        (
            "seen",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(0), Some(i64::MAX), None]).with_timezone("UTC"),
            ),
        ),
        ("born", Arc::new(Date32Array::from(vec![Some(0), Some(-1), None]))),
    ];
    let field = |name: &str, column: &ArrayRef| {
        let kind = if name == "tags" { "list" } else { "any" };
        let metadata = std::collections::HashMap::from([(KIND.to_owned(), kind.to_owned())]);
        Field::new(name, column.data_type().clone(), true).with_metadata(metadata)
    };
    let fields: Vec<Field> = columns.iter().map(|(name, column)| field(name, column)).collect();
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns.into_iter().map(|(_, column)| column).collect(),
    )
    .unwrap()
}

#[test]
fn describes_itself() {
    let sink = description(plugin()).components.into_iter().find(|c| c.role == Role::Sink).unwrap();
    insta::assert_json_snapshot!(sink);
}

#[test]
fn text_stays_exactly_as_it_comes() {
    insta::assert_snapshot!(shown(json!({}), people()));
}

#[test]
fn every_dialect() {
    let mut text = String::new();
    for options in [
        json!({ "delimiter": ";", "line_end": "crlf", "headings": { "email": "E-mail; work" } }),
        json!({ "delimiter": "tab", "quoting": "all", "bom": true }),
        json!({ "delimiter": "|", "header": false }),
    ] {
        let (written, host) = run(options, people());
        text +=
            &host.parts()[0].text().replace('\u{FEFF}', "<bom>").replace('\r', "<cr>").replace('\t', "<tab>");
        text += &format!("-- {}\n\n", written.receipt.guide.expect[1]);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn lists_numbers_and_times() {
    insta::assert_snapshot!(shown(json!({}), typed()));
}

#[test]
fn bad_values_reject_the_row_on_demand() {
    let on_invalid = json!({ "roles": "reject_row", "seen": "reject_row" });
    insta::assert_snapshot!(shown(json!({ "on_invalid": on_invalid }), typed()));
    let other = json!({ "on_invalid": on_invalid, "list_separator": ", " });
    insta::assert_snapshot!(shown(other, typed()));
}

#[test]
fn formulas_are_guarded_on_demand() {
    let batch = || {
        text_batch(&[
            ("phone", vec![Some("+33199001234"), Some("0199"), Some("-1"), None]),
            ("note", vec![Some("=1+1"), Some("@SUM(1)"), Some("\t=1"), Some("\r=1")]),
            ("plain", vec![Some("a=b"), Some(" =1"), Some("'=1"), Some("")]),
        ])
    };
    let guarded = shown(json!({ "formula_guard": true }), batch());
    let numbers = shown(json!({ "formula_guard": true, "list_separator": "|" }), typed());
    insta::assert_snapshot!(format!("{guarded}\n{numbers}"));
}

#[test]
fn parts_stay_within_their_limits() {
    let values: Vec<String> = (1..=7).map(|i| format!("row {i}")).collect();
    let batch = || text_batch(&[("a", values.iter().map(|v| Some(v.as_str())).collect())]);
    let by_rows = shown(json!({ "max_rows": 3 }), batch());
    // The header has 2 bytes, a row 6: 20 bytes hold three rows exactly.
    let by_bytes = shown(json!({ "max_bytes": 20 }), batch());
    let one_less = shown(json!({ "max_bytes": 19 }), batch());
    insta::assert_snapshot!(format!("{by_rows}\n{by_bytes}\n{one_less}"));
}

#[test]
fn a_row_that_fits_no_part_is_rejected() {
    let batch = text_batch(&[("a", vec![Some("short"), Some("much too long for it"), Some("short")])]);
    insta::assert_snapshot!(shown(json!({ "max_bytes": 16 }), batch));
}

#[test]
fn no_rows_are_a_header() {
    let (written, host) = run(json!({}), people().slice(0, 0));
    assert_eq!(host.parts()[0].text(), "email,name,note\n");
    assert_eq!((written.receipt.parts.len(), written.receipt.parts[0].rows), (1, 0));
    let (_, host) = run(json!({ "header": false }), people().slice(0, 0));
    assert_eq!(host.parts()[0].text(), "");
}

#[test]
fn one_blank_column_is_no_blank_line() {
    let (_, host) = run(json!({}), text_batch(&[("a", vec![Some(""), None, Some("x")])]));
    assert_eq!(host.parts()[0].text(), "a\n\"\"\n\"\"\nx\n");
}

#[test]
fn receipt() {
    let consent = json!({ "not_needed": "a file for ourselves" });
    let options = json!({ "max_rows": 2, "consent": consent, "formula_guard": true, "delimiter": " " });
    insta::assert_json_snapshot!(run(options, people()).0.receipt);
}

#[test]
fn problems_with_columns_and_options() {
    let options = json!({
        "delimiter": "::", "list_separator": "", "max_rows": 0, "max_bytes": 0, "headings": { "emial": "E", "name": "email" },
        "on_invalid": { "name": "truncate", "nmae": "leave_out" }, "consent": "",
    });
    let all = problems(options, &["email", "name", "a/b", ""]);
    let none = problems(json!({}), &[]);
    let small = problems(json!({ "max_bytes": 5, "bom": true }), &["id", "name"]);
    let no_header =
        problems(json!({ "max_bytes": 1, "header": false, "headings": { "a": "b" } }), &["a", "b"]);
    insta::assert_snapshot!(format!("{all}\n{none}\n{small}\n{no_header}"));
}
