//! What the sink writes is JSON, and what it was given.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use usher_json::plugin;
use usher_sdk::records::KIND;
use usher_testkit::{MemoryHost, balance, hostile_texts, read, write};

const NAMES: [&str; 4] = ["a", "b.x", "b.y", "c \"\n"];

/// Text columns of a kind.
fn batch(kind: &str, rows: &[Vec<Option<String>>]) -> RecordBatch {
    let metadata = || std::collections::HashMap::from([(KIND.to_owned(), kind.to_owned())]);
    let fields: Vec<Field> =
        NAMES.iter().map(|name| Field::new(*name, DataType::Utf8, true).with_metadata(metadata())).collect();
    let columns = (0..NAMES.len())
        .map(|c| Arc::new(rows.iter().map(|row| row[c].as_deref()).collect::<StringArray>()) as ArrayRef)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn text() -> impl Strategy<Value = Option<String>> {
    let hostile: Vec<String> =
        hostile_texts().into_iter().map(|(_, text)| text).filter(|t| t.len() < 100).collect();
    let json = prop::sample::select(vec![
        "{\"a\" : [ 1,\n{} ]}",
        "[]",
        "[1",
        "{\"a\\ud800\":1}",
        "12",
        "-0.5e3",
        "true",
        "007",
    ]);
    prop::option::of(prop_oneof![
        json.prop_map(str::to_owned),
        prop::sample::select(hostile),
        any::<String>()
    ])
}

/// The records of all parts.
fn parsed(host: &MemoryHost, array: bool) -> Vec<Map<String, Value>> {
    let parts = host.parts();
    let parts = parts.iter().map(|part| part.text());
    if array {
        return parts
            .flat_map(|text| serde_json::from_str::<Vec<Map<String, Value>>>(&text).unwrap())
            .collect();
    }
    let lines = |text: String| -> Vec<_> {
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    parts.flat_map(lines).collect()
}

proptest! {
    #[test]
    fn records_parse_back(
        rows in prop::collection::vec(prop::collection::vec(text(), NAMES.len()), 1..20),
        kind in prop::sample::select(vec!["text", "boolean", "integer", "number", "list", "any", "date"]),
        array: bool,
        nested: bool,
        omit: bool,
        max_rows in 1..30usize,
    ) {
        let host = MemoryHost::new();
        let options = json!({
            "format": if array { "array" } else { "ndjson" }, "nested": nested, "nulls": if omit { "omit" } else { "write" },
            "max_rows": max_rows,
        });
        let written = write(plugin(), "records", options, &host, vec![batch(kind, &rows)]).unwrap();
        prop_assert_eq!(balance(&written.report, rows.len() as u64), Ok(()));
        let records = parsed(&host, array);
        prop_assert_eq!(records.len(), rows.len());
        for (record, row) in records.iter().zip(&rows) {
            for (name, cell) in NAMES.iter().zip(row) {
                let found = match name.split_once('.') {
                    Some((above, below)) if nested => record.get(above).and_then(|o| o.get(below)),
                    _ => record.get(*name),
                };
                match (cell, found) {
                    (None, None) => prop_assert!(omit),
                    (None, Some(Value::Null)) => prop_assert!(!omit),
                    (Some(text), Some(Value::String(found))) => prop_assert_eq!(text, found),
                    // Only what says the same as JSON may be no string.
                    (Some(text), Some(found)) => {
                        prop_assert!(kind != "text" && kind != "date");
                        prop_assert_eq!(&serde_json::from_str::<Value>(text).unwrap(), found);
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}

/// Our own source reads the sink's file, and the sink writes the same file again.
#[test]
fn source_and_sink_understand_each_other() {
    let rows: Vec<Vec<Option<String>>> = hostile_texts()
        .into_iter()
        .map(|(what, text)| vec![Some(what.into()), Some(text), None, Some("[1,{}]".into())])
        .collect();
    for options in [json!({}), json!({ "format": "array" })] {
        let host = MemoryHost::new();
        write(plugin(), "records", options.clone(), &host, vec![batch("any", &rows)]).unwrap();
        let file = host.parts().remove(0).bytes;
        let reader = MemoryHost::new().with_input("file", file.clone());
        let found = read(plugin(), "records", json!({ "input": "file" }), &reader, None).unwrap();
        assert_eq!(found.rows(), rows.len() as u64);
        let again = MemoryHost::new();
        write(plugin(), "records", options, &again, found.batches).unwrap();
        assert_eq!(parsed(&again, file.starts_with(b"[\n")), parsed(&host, file.starts_with(b"[\n")));
    }
}
