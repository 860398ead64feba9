//! What the sink writes is what it was given.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::{str::FromStr, sync::Arc};

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use proptest::prelude::*;
use serde_json::json;
use usher_csv::plugin;
use usher_testkit::{MemoryHost, balance, hostile_texts, read, records, write};

fn batch(rows: &[Vec<Option<String>>]) -> RecordBatch {
    let columns = (0..rows[0].len()).map(|c| {
        let cells: StringArray = rows.iter().map(|row| row[c].as_deref()).collect();
        (format!("c{c}"), Arc::new(cells) as ArrayRef, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn text() -> impl Strategy<Value = Option<String>> {
    let hostile: Vec<String> =
        hostile_texts().into_iter().map(|(_, text)| text).filter(|t| t.len() < 100).collect();
    prop::option::of(prop_oneof![
        "[ a,;\"'\r\n\té🙂|=]{0,12}",
        prop::sample::select(hostile),
        any::<String>()
    ])
}

proptest! {
    #[test]
    fn cells_parse_back(
        rows in (1..5usize).prop_flat_map(|columns| prop::collection::vec(prop::collection::vec(text(), columns), 1..20)),
        delimiter in prop::sample::select(vec![",", ";", "tab", "|"]),
        quoting in prop::sample::select(vec!["necessary", "all"]),
        line_end in prop::sample::select(vec!["lf", "crlf"]),
        bom: bool,
        max_rows in 1..30usize,
    ) {
        let host = MemoryHost::new();
        let options = json!({
            "delimiter": delimiter, "quoting": quoting, "line_end": line_end, "bom": bom, "max_rows": max_rows,
        });
        let written = write(plugin(), "rows", options, &host, vec![batch(&rows)]).unwrap();
        prop_assert_eq!(balance(&written.report, rows.len() as u64), Ok(()));
        prop_assert_eq!(written.report.written.count, rows.len() as u64);
        let mut back = Vec::new();
        for part in host.parts() {
            let delimiter = char::from_str(delimiter).map_or(b'\t', |c| c as u8);
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(part.bytes.as_slice());
            let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            prop_assert_eq!(names, (0..rows[0].len()).map(|c| format!("c{c}")).collect::<Vec<_>>());
            let records = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
            back.extend(records);
        }
        let given: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect()).collect();
        prop_assert_eq!(back, given);
    }
}

/// Our own source reads the sink's file, and the sink writes the same file again.
#[test]
fn source_and_sink_understand_each_other() {
    let texts: Vec<Vec<Option<String>>> =
        hostile_texts().into_iter().map(|(what, text)| vec![Some(what.into()), Some(text)]).collect();
    let host = MemoryHost::new();
    write(plugin(), "rows", json!({}), &host, vec![batch(&texts)]).unwrap();
    let file = host.parts().remove(0).bytes;

    let reader = MemoryHost::new().with_input("file.csv", file.clone());
    let found =
        read(plugin(), "rows", json!({ "input": "file.csv", "delimiter": "," }), &reader, None).unwrap();
    assert_eq!(found.rows(), texts.len() as u64, "{}", records(&found.batches));
    let again = MemoryHost::new();
    write(plugin(), "rows", json!({}), &again, found.batches).unwrap();
    assert_eq!(again.parts().remove(0).bytes, file);
}
