//! The transform `columns`: what a manifest's author and a chain see of it.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use arrow_schema::{Field, Schema};
use serde_json::{Value, json};
use usher_pii::plugin;
use usher_sdk::records::KIND;
use usher_testkit::{MemoryHost, Transformed, description, records, text_batch, transform};

fn run(columns: Value, batch: RecordBatch) -> Result<Transformed, usher_sdk::abi::Error> {
    let options = json!({ "columns": columns, "key": "0123456789abcdef" });
    transform(plugin(), "columns", options, &MemoryHost::new(), vec![batch])
}

fn shown(columns: Value, batch: RecordBatch) -> String {
    let done = run(columns, batch).unwrap();
    let mut text = String::new();
    for field in done.schema.fields() {
        let kind = field.metadata().get(KIND).map_or("", String::as_str);
        text += &format!("{} {} {kind}\n", field.name(), field.data_type());
    }
    text += &records(&done.batches);
    for change in &done.report.changed {
        text += &format!("{}: {} {}\n", change.column, change.rule, change.count);
    }
    text
}

#[test]
fn describes_itself() {
    insta::assert_json_snapshot!(description(plugin()));
}

#[test]
fn people() {
    let batch = text_batch(&[
        ("sub", vec![Some("auth0|1"), Some("auth0|2"), Some("auth0|3")]),
        ("email", vec![Some("ada@example.com"), Some("ada@example.com"), None]),
        ("phone_number", vec![Some("+33612345678"), Some(""), Some("call me")]),
        ("name", vec![Some("Ève O'Neil"), Some("李小龍"), Some("x")]),
        ("user_metadata.note", vec![Some("secret"), None, None]),
    ]);
    let columns = json!({
        "email": "hash", "phone_number": "mask", "name": { "truncate": 2 }, "user_metadata": "drop",
    });
    insta::assert_snapshot!(shown(columns, batch));
}

#[test]
fn values_of_every_type() {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("vip"), Some("beta")]);
    list.append_null();
    let columns: Vec<(&str, &str, ArrayRef)> = vec![
        ("roles", "list", Arc::new(list.finish())),
        ("tags", "list", Arc::new(StringArray::from(vec![Some("[\"vip\",\"beta\"]"), Some("[broken")]))),
        ("vip", "boolean", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        (
            "seen",
            "timestamp",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(1_700_000_000_000_000), None]).with_timezone("UTC"),
            ),
        ),
    ];
    let field = |name: &str, kind: &str, column: &ArrayRef| {
        let kind = HashMap::from([(KIND.to_owned(), kind.to_owned())]);
        Field::new(name, column.data_type().clone(), true).with_metadata(kind)
    };
    let fields: Vec<Field> = columns.iter().map(|(name, kind, column)| field(name, kind, column)).collect();
    let arrays = columns.into_iter().map(|(.., column)| column).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    let cut = json!({ "roles": { "truncate": 1 }, "tags": "mask", "vip": "hash", "seen": { "truncate": 4 } });
    insta::assert_snapshot!(shown(cut, batch));
}

/// The longest name is meant, whatever stands above it.
#[test]
fn what_is_said_more_precisely_wins() {
    let batch = text_batch(&[
        ("user_metadata.note", vec![Some("secret")]),
        ("user_metadata.plan", vec![Some("premium")]),
    ]);
    let columns = json!({ "user_metadata": { "truncate": 3 }, "user_metadata.note": "drop" });
    let done = run(columns, batch).unwrap();
    assert_eq!(records(&done.batches), "{\"user_metadata.plan\":\"pre\",\"_offset\":0,\"_length\":99}\n");
}

#[test]
fn a_value_is_not_carried_past_in_a_whole() {
    let batch = text_batch(&[("user_metadata", vec![Some("{\"note\":\"secret\"}")])]);
    let refused = run(json!({ "user_metadata.note": "drop" }), batch).unwrap_err();
    insta::assert_snapshot!(refused.to_string());
}
