//! What is wrong with a manifest, and where.

use std::fmt::Write as _;

use serde::Serialize;

use super::place::{KeyPath, Location};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is run.
    Error,
    /// Worth saying.
    Warning,
}

/// Something wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The dotted key it is about; empty when it is about the whole file.
    pub key: String,
    /// Where it stands; `None` when it stands in no file (a missing manifest, a value given with `--set`).
    pub location: Option<Location>,
    /// What to do, where the message does not say it already.
    pub help: Option<String>,
    /// Whether it is about a value given with `--set`.
    pub from_flag: bool,
    /// The stable code, where a run says what is wrong and not the manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Diagnostic {
    /// An error about the whole file.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: message.into(),
            key: String::new(),
            location: None,
            help: None,
            from_flag: false,
            code: None,
        }
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same, about `key`.
    #[must_use]
    pub fn about(mut self, key: &KeyPath) -> Self {
        self.key = key.to_string();
        self
    }

    /// The same, standing at `location`.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with a code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// One line: ``connectors.toml:12:3: connectors.support.plugn: unknown key; did you mean `plugin`?``
    pub fn compact(&self, source_name: &str) -> String {
        let mut line = source_name.to_owned();
        if let Some(Location { line: row, column, .. }) = self.location {
            let _ = write!(line, ":{row}:{column}");
        }
        line.push_str(": ");
        if self.severity == Severity::Warning {
            line.push_str("warning: ");
        }
        line.push_str(&self.headline());
        if let Some(help) = &self.help {
            let _ = write!(line, " ({help})");
        }
        printable(&line)
    }

    /// Key and message.
    pub(super) fn headline(&self) -> String {
        let flag = if self.from_flag { "--set " } else { "" };
        if self.key.is_empty() {
            self.message.clone()
        } else {
            format!("{flag}{}: {}", self.key, self.message)
        }
    }
}

/// The text with control characters written as escapes: names in messages come from files.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}
