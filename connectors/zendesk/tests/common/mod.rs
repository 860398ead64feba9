//! Runs and what came of them, as text.

use std::fmt::Write as _;

use arrow_array::RecordBatch;
use serde_json::Value;
use usher_sdk::abi::{Error, Problem, Role};
use usher_testkit::{MemoryHost, Written, balance, check, text_batch, write};
use usher_zendesk::plugin;

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

/// Runs the sink; the books must balance.
pub(crate) fn run(options: Value, batch: RecordBatch) -> Result<(Written, MemoryHost), Error> {
    let (host, count) = (MemoryHost::new(), batch.num_rows() as u64);
    let written = write(plugin(), "users", options, &host, vec![batch])?;
    balance(&written.report, count).expect("the books balance");
    Ok((written, host))
}

/// The problems of a check, as text.
pub(crate) fn problems(options: Value, columns: &[&str]) -> String {
    listed(&check(plugin(), Role::Sink, "users", options, columns).expect("a check"))
}

pub(crate) fn listed(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, p| {
        let kind = if p.warning { "warning" } else { "problem" };
        let _ = writeln!(text, "{kind} {} {}: {}", p.pointer, p.code, p.message);
        text
    })
}
