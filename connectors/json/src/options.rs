//! The options of the sink `records`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::{
    Framing, PartLimits,
    abi::{OnInvalid, Problem, service::PartFormat},
    check_on_invalid, field_pointer, option_pointer,
    options::problem,
};

use crate::{columns::COLUMNS, layout};

/// How the file is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// One object a line, or one array of objects
    pub(crate) format: Format,
    /// Make objects of dotted names: the columns `a.b` and `a.c` become `{"a":{"b":…,"c":…}}`. Otherwise a name is a key as
    /// it stands, dots and all
    pub(crate) nested: bool,
    /// What stands for a value that is null or missing
    pub(crate) nulls: Nulls,
    /// Most records of a file; more go into further files
    #[schemars(range(min = 1))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file; more go into further files
    #[schemars(range(min = 1))]
    pub(crate) max_bytes: Option<u64>,
    /// What a bad value does, by column: `leave_out` (unless said otherwise) or `reject_row`. Bad is only what JSON cannot
    /// say: a number that is infinite or none, a time that no calendar has
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Who may be delivered: a condition, or `{ not_needed = "reason" }`
    pub(crate) consent: Option<Value>,
}

/// The form of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// One object a line (also known as JSON Lines)
    #[default]
    Ndjson,
    /// One array of objects
    Array,
}

/// Null and missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Nulls {
    /// `"key":null`
    #[default]
    Write,
    /// No key; an object without any key is left out itself
    Omit,
}

impl Options {
    pub(crate) fn framing(&self) -> Framing {
        let bytes = |text: &str| text.as_bytes().to_vec();
        match self.format {
            Format::Ndjson => Framing {
                extension: "ndjson".to_owned(),
                format: PartFormat::ndjson(),
                prefix: Vec::new(),
                between: Vec::new(),
                suffix: Vec::new(),
            },
            Format::Array => Framing {
                extension: "json".to_owned(),
                format: PartFormat::json(),
                prefix: bytes("[\n"),
                between: bytes(",\n"),
                suffix: bytes("\n]\n"),
            },
        }
    }

    pub(crate) fn limits(&self) -> PartLimits {
        PartLimits { rows: self.max_rows, bytes: self.max_bytes, row_bytes: None }
    }

    /// What is wrong with the options, and with these columns.
    pub(crate) fn problems(&self, columns: &[String]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong =
            |pointer: String, message: String| problems.push(problem(pointer, "option.invalid", message));
        if self.max_rows == Some(0) {
            wrong("/max_rows".to_owned(), "`max_rows` is at least 1".to_owned());
        }
        let framing = self.framing();
        let frame = (framing.prefix.len() + framing.suffix.len()).max(1) as u64;
        if self.max_bytes.is_some_and(|max| max < frame) {
            wrong("/max_bytes".to_owned(), format!("`max_bytes` is at least {frame} in this format"));
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
        if columns.is_empty() {
            let message = "no column is delivered, so there is nothing to write; say in `fields` what the file shall hold";
            problems.push(problem("/fields", "column.none", message));
        }
        for (i, column) in columns.iter().enumerate() {
            if columns[..i].contains(column) {
                let message = format!("`{column}` comes twice; an object has a key only once");
                problems.push(problem(field_pointer(column), "column.twice", message));
            }
        }
        if self.nested {
            problems.extend(layout::problems(columns));
        }
        problems
    }
}
