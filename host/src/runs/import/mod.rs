//! A vendor's error report: a table that a person downloads from the history of imports. No vendor's form of it is
//! documented, so that the person says which columns hold what.
//!
//! | File | What it holds |
//! |---|---|
//! | `columns.rs` | which columns of the report hold what |
//! | `report.rs` | its lines |
//! | `rows.rs` | the rows of the run that these are about |

mod columns;
mod report;
mod rows;

pub use columns::Columns;
pub use report::{Place, Reported, read_report};
pub use rows::{Match, rows_of};

/// Headings and keys are compared so.
fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
