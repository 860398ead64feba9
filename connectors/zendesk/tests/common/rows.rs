//! Rows from text, and problems as text.

use std::fmt::Write as _;

use arrow_array::RecordBatch;
use usher_sdk::abi::Problem;
use usher_testkit::text_batch;

/// Rows from CSV text; the cell `∅` is null.
pub(crate) fn rows(csv: &str) -> RecordBatch {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::None).from_reader(csv.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let records: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a record")).collect();
    let column = |i: usize| records.iter().map(|r| Some(&r[i]).filter(|cell| *cell != "∅")).collect();
    let columns: Vec<(&str, Vec<Option<&str>>)> =
        header.iter().enumerate().map(|(i, name)| (name, column(i))).collect();
    text_batch(&columns)
}

pub(crate) fn listed(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, p| {
        let kind = if p.warning { "warning" } else { "problem" };
        let _ = writeln!(text, "{kind} {} {}: {}", p.pointer, p.code, p.message);
        text
    })
}
