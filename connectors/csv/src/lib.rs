//! CSV and other delimited files: `rows` reads any of them, and `rows` writes them.

mod cells;
mod columns;
mod guide;
mod options;
mod sink;
mod source;

usher_sdk::export! {
    name = "csv",
    summary = "CSV and other delimited files",
    sources = { "rows" => source::Rows },
    sinks = { "rows" => sink::RowsFile },
    wants = ["input", "output"],
}
