//! Where a written row comes from, for people.

use std::fmt::Write as _;

use crate::{
    chain::Located,
    runs::{PartFile, Run},
};

/// A row, its run, and the record that it was made from.
pub fn located(run: &Run, part: &PartFile, row: u64, found: &Located) -> String {
    let Located { path, line, offset, length, key, .. } = found;
    let mut text = format!("{}, row {row}\n", part.path);
    let _ = writeln!(text, "  chain {}, run {}, connector {}", run.chain, run.id, part.connector);
    let _ = writeln!(text, "  from {path}:{line} (offset {offset}, {length} bytes)");
    if !key.is_empty() {
        let _ = writeln!(text, "  key {key}");
    }
    text
}

/// A value that nobody is to read: its first character, so that whoever knows it sees that it may be the one.
pub fn masked(value: &str) -> String {
    value.chars().next().map_or(String::new(), |first| format!("{first}…"))
}
