//! The columns of `rows`: any.

use usher_sdk::ColumnRule;

/// A file that no vendor speaks for takes every column, as it comes.
pub(crate) const COLUMNS: &[ColumnRule] = &[ColumnRule {
    name: "*",
    summary: "any column, under its own name; text exactly as it comes, lists joined with `list_separator`",
    source: "RFC 4180",
    ..ColumnRule::TEXT
}];
