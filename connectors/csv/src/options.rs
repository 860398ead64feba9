//! The options of the sink `rows`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::{
    CsvDialect, CsvEncoder, PartLimits,
    abi::{OnInvalid, Problem, nearest},
    check_on_invalid, field_pointer, option_pointer,
    options::problem,
};

use crate::columns::COLUMNS;

/// How the file is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Between the cells: `tab`, or one ASCII character
    #[schemars(length(min = 1))]
    pub(crate) delimiter: String,
    /// Which cells stand in quotes
    pub(crate) quoting: Quoting,
    /// The end of each line
    pub(crate) line_end: LineEnd,
    /// A UTF-8 byte order mark at the beginning of each file
    pub(crate) bom: bool,
    /// A first line with the headings in each file
    pub(crate) header: bool,
    /// Headings by column, where they are not the columns' names
    pub(crate) headings: BTreeMap<String, String>,
    /// Between the items of a list
    #[schemars(length(min = 1))]
    pub(crate) list_separator: String,
    /// Put `'` before texts that a spreadsheet would run as a formula: those that begin with `=`, `+`, `-`, `@`, a tab or
    /// a carriage return. Counted as the change `formula-guard`. It changes phone numbers (`+33…`), too: only for files
    /// that people open in a spreadsheet
    pub(crate) formula_guard: bool,
    /// Most rows of a file, the header not counted; more go into further files
    #[schemars(range(min = 1))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file, header and quotes counted; more go into further files
    #[schemars(range(min = 1))]
    pub(crate) max_bytes: Option<u64>,
    /// What a bad value does, by column: `leave_out` (unless said otherwise) or `reject_row`. Bad is only an item of a
    /// list that holds `list_separator`, and a time that no calendar has
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Who may be delivered: a condition, or `{ not_needed = "reason" }`
    pub(crate) consent: Option<Value>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quoting: Quoting::Necessary,
            line_end: LineEnd::Lf,
            bom: false,
            header: true,
            headings: BTreeMap::new(),
            list_separator: ";".to_owned(),
            formula_guard: false,
            max_rows: None,
            max_bytes: None,
            on_invalid: BTreeMap::new(),
            consent: None,
        }
    }
}

/// Which cells stand in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quoting {
    /// Those with a delimiter, a quote or a line end in them
    Necessary,
    /// All
    All,
}

/// The end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineEnd {
    /// LF, as on Unix
    Lf,
    /// CR LF, as RFC 4180 has it and as on Windows
    Crlf,
}

impl Options {
    /// The delimiter; `None` when it is no good one.
    pub(crate) fn delimiter(&self) -> Option<u8> {
        match (self.delimiter.as_str(), self.delimiter.as_bytes()) {
            ("tab", _) => Some(b'\t'),
            (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(*byte),
            _ => None,
        }
    }

    pub(crate) fn dialect(&self) -> CsvDialect {
        CsvDialect {
            delimiter: self.delimiter().unwrap_or(b','),
            quote_all: self.quoting == Quoting::All,
            crlf: self.line_end == LineEnd::Crlf,
            bom: self.bom,
            header: self.header,
        }
    }

    pub(crate) fn limits(&self) -> PartLimits {
        PartLimits { rows: self.max_rows, bytes: self.max_bytes, row_bytes: None }
    }

    /// What stands above a column.
    pub(crate) fn heading<'a>(&'a self, column: &'a str) -> &'a str {
        self.headings.get(column).map_or(column, String::as_str)
    }

    /// What is wrong with the options, and with these columns.
    pub(crate) fn problems(&self, columns: &[String]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong =
            |pointer: String, message: String| problems.push(problem(pointer, "option.invalid", message));
        if self.delimiter().is_none() {
            let shown = self.delimiter.escape_debug();
            let message = format!(
                "the delimiter `{shown}` is neither `tab` nor one ASCII character; it cannot be a quote or a line end"
            );
            wrong("/delimiter".to_owned(), message);
        }
        if self.list_separator.is_empty() {
            wrong(
                "/list_separator".to_owned(),
                "something must stand between the items of a list".to_owned(),
            );
        }
        for (name, limit) in [("max_rows", self.max_rows), ("max_bytes", self.max_bytes)] {
            if limit == Some(0) {
                wrong(format!("/{name}"), format!("`{name}` is at least 1"));
            }
        }
        let header = self.header_bytes(columns);
        if self.max_bytes.is_some_and(|max| max > 0 && header > max) {
            let message = format!("the header alone has {header} bytes; allow more");
            wrong("/max_bytes".to_owned(), message);
        }
        for column in
            self.on_invalid.iter().filter(|(_, choice)| **choice == OnInvalid::Truncate).map(|(c, _)| c)
        {
            let message = format!(
                "nothing is too long here, so `{column}` cannot be cut; choose `leave_out` or `reject_row`"
            );
            wrong(option_pointer("on_invalid", column), message);
        }
        problems.extend(check_on_invalid(COLUMNS, columns, &self.on_invalid));
        problems.extend(usher_sdk::options::consent(&self.consent).err());
        self.check_columns(columns, &mut problems);
        problems
    }

    fn check_columns(&self, columns: &[String], problems: &mut Vec<Problem>) {
        for column in self.headings.keys().filter(|column| !columns.contains(column)) {
            let message = format!(
                "no column `{column}` is delivered{}",
                nearest(column, columns.iter().map(String::as_str))
            );
            problems.push(problem(option_pointer("headings", column), "column.unknown", message));
        }
        if columns.is_empty() {
            let message = "no column is delivered, so there is nothing to write; say in `fields` what the file shall hold";
            problems.push(problem("/fields", "column.none", message));
        }
        for (i, column) in columns.iter().enumerate().filter(|_| self.header) {
            let heading = self.heading(column);
            if heading.is_empty() {
                let message = format!("the column `{column}` has no heading; give it a name");
                problems.push(problem(field_pointer(column), "heading.missing", message));
            }
            if let Some(other) = columns[..i].iter().find(|other| self.heading(other) == heading) {
                let message = format!(
                    "`{other}` and `{column}` both have the heading `{heading}`; choose another in `headings`"
                );
                problems.push(problem(field_pointer(column), "heading.twice", message));
            }
        }
    }

    /// Bytes of what stands before the first row.
    fn header_bytes(&self, columns: &[String]) -> u64 {
        let mark = if self.bom { 3 } else { 0 };
        let mut encoder = CsvEncoder::new(self.dialect());
        let header =
            if self.header { encoder.encode(columns.iter().map(|c| self.heading(c))).len() } else { 0 };
        (mark + header) as u64
    }
}
