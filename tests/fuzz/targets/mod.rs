//! What must hold of any bytes, one file for each kind of input. `tests/fuzz/main.rs` runs them over the kept inputs, the crate
//! `cargo-fuzz` over inputs of a fuzzer's making.

pub(crate) mod arrow;
pub(crate) mod csv;
pub(crate) mod description;
pub(crate) mod expression;
pub(crate) mod http;
pub(crate) mod library;
pub(crate) mod manifest;
pub(crate) mod ndjson;
pub(crate) mod packed;
pub(crate) mod paths;
pub(crate) mod replies;
pub(crate) mod reports;
pub(crate) mod worker;

mod reading;

/// A target: its name, which is that of its corpus, what it does with an input, and inputs to begin with that are made by
/// code.
pub(crate) type Target = (&'static str, fn(&[u8]), fn() -> Vec<Vec<u8>>);

/// All of them.
pub(crate) const ALL: [Target; 13] = [
    ("arrow", arrow::run, arrow::seeds),
    ("csv", csv::run, Vec::new),
    ("description", description::run, description::seeds),
    ("expression", expression::run, Vec::new),
    ("http", http::run, Vec::new),
    ("library", library::run, library::seeds),
    ("manifest", manifest::run, Vec::new),
    ("ndjson", ndjson::run, Vec::new),
    ("packed", packed::run, packed::seeds),
    ("paths", paths::run, Vec::new),
    ("replies", replies::run, Vec::new),
    ("reports", reports::run, reports::seeds),
    ("worker", worker::run, worker::seeds),
];

/// The input as a file, which is gone when this is dropped.
fn file(input: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), input).expect("room for it");
    file
}

/// An input of two pieces: the length of the first in two bytes, then both.
fn halves(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_le_bytes(*length).into())
}

/// Such an input.
fn joined(first: &[u8], second: &[u8]) -> Vec<u8> {
    let length = u16::try_from(first.len()).expect("a short first piece");
    [&length.to_le_bytes(), first, second].concat()
}
