//! The columns of `records`: any.

use usher_sdk::{ColumnRule, abi::ValueKind};

/// A file that no vendor speaks for takes every column, as it comes.
pub(crate) const COLUMNS: &[ColumnRule] = &[ColumnRule {
    name: "*",
    kind: ValueKind::Any,
    summary: "any column, as a key of its own name; booleans, numbers and lists stay what they are",
    source: "RFC 8259",
    ..ColumnRule::TEXT
}];
