//! The options of the sink `users`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use usher_sdk::{
    abi::{OnInvalid, Problem, nearest},
    check_names, check_on_invalid,
    checks::{self, Check},
    field_pointer, find_rule, option_pointer,
    options::{problem, warning},
};

use crate::{
    columns::{COLUMNS, EMAIL},
    limits,
};

/// How users reach Cohort.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The account's custom properties and their types, by the Name or the Reference ID, exactly as the heading shall be
    /// (`{ plan = "text", "Member since" = "date" }`). The Reference ID is the better handle: people edit names
    pub(crate) properties: BTreeMap<String, Property>,
    /// What a bad value does, by column, where it is to be something else than the column's own rule
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Who may be delivered: a condition, or `{ not_needed = "reason" }`
    pub(crate) consent: Option<Value>,
    /// Most rows of a file; Cohort states no limit
    #[schemars(range(min = 1))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file, the header counted; not more than 9,999,999
    #[schemars(range(min = 1, max = 9_999_999))]
    pub(crate) max_bytes: Option<u64>,
}

/// Type of a custom property (CUSTOM); it cannot be changed once the property exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Property {
    /// Any text
    Text,
    /// A number with `.` as the decimal sign
    Number,
    /// `true` or `false`
    Boolean,
    /// A calendar date, `YYYY-MM-DD`
    Date,
}

impl Property {
    /// What its values must pass.
    pub(crate) fn check(self) -> Check {
        match self {
            Self::Text => checks::any,
            Self::Number => checks::number,
            Self::Boolean => checks::boolean,
            Self::Date => checks::iso_date,
        }
    }

    /// As Cohort names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }
}

/// The rule of a column that is no custom property.
pub(crate) fn core(column: &str) -> Option<&'static str> {
    find_rule(COLUMNS, column).map(|rule| rule.name).filter(|name| !name.ends_with('*'))
}

impl Options {
    /// Whether the manifest says nothing of a column and Cohort's own names do not cover it.
    pub(crate) fn is_undeclared(&self, column: &str) -> bool {
        core(column).is_none() && !self.properties.contains_key(column)
    }

    /// What is wrong with the options, and with these columns.
    pub(crate) fn problems(&self, columns: &[String]) -> Vec<Problem> {
        let mut problems = check_names(COLUMNS, columns);
        if !columns.iter().any(|column| core(column) == Some(EMAIL)) {
            let message = format!("Cohort needs an address in every row: fill the column `{EMAIL}`");
            problems.push(problem(field_pointer(EMAIL), "column.missing", message));
        }
        for (i, column) in columns.iter().enumerate().filter(|(_, column)| core(column).is_none()) {
            problems.extend(self.check_custom(column, &columns[..i]));
        }
        for property in self.properties.keys() {
            problems.extend(check_property(property, columns));
        }
        for (name, choice) in &self.on_invalid {
            let message = match (core(name), choice) {
                (Some(EMAIL), OnInvalid::LeaveOut | OnInvalid::Truncate) => {
                    format!("`{EMAIL}` is the key: a row with a bad one is rejected")
                }
                (_, OnInvalid::Truncate) => {
                    format!(
                        "Cohort states no longest text, so `{name}` cannot be cut; choose `leave_out` or `reject_row`"
                    )
                }
                _ => continue,
            };
            problems.push(problem(option_pointer("on_invalid", name), "option.invalid", message));
        }
        problems.extend(check_on_invalid(COLUMNS, columns, &self.on_invalid));
        problems.extend(usher_sdk::options::consent(&self.consent).err());
        if self.max_bytes.is_some_and(|max| max == 0 || max > limits::BYTES) {
            problems.push(problem("/max_bytes", "option.invalid", "`max_bytes` is from 1 to 9999999"));
        }
        if self.max_rows == Some(0) {
            problems.push(problem("/max_rows", "option.invalid", "`max_rows` is at least 1"));
        }
        problems
    }

    /// What is wrong with the heading of a custom property.
    fn check_custom(&self, column: &str, before: &[String]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let pointer = field_pointer(column);
        if let Some(message) = untidy(column) {
            problems.push(problem(&*pointer, "heading.untidy", message));
        }
        if before.iter().any(|other| other == column) {
            problems.push(problem(
                &*pointer,
                "column.twice",
                format!("`{column}` comes twice; keep one of them"),
            ));
        }
        if self.is_undeclared(column) && untidy(column).is_none() {
            let known =
                self.properties.keys().map(String::as_str).chain(COLUMNS.iter().map(|rule| rule.name));
            let message = format!(
                "`{column}` is not in `properties`: a property of that name must exist in the account, and its type is \
                 not checked{}",
                nearest(column, known.filter(|name| !name.ends_with('*')))
            );
            problems.push(warning(&*pointer, "property.undeclared", message));
        }
        problems
    }
}

/// What is wrong with a key of `properties`.
fn check_property(property: &str, columns: &[String]) -> Vec<Problem> {
    let pointer = option_pointer("properties", property);
    if let Some(name) = core(property) {
        let message = format!(
            "`{property}` is no custom property but Cohort's own `{name}`; take it out of `properties`"
        );
        return vec![problem(pointer, "option.invalid", message)];
    }
    if let Some(message) = untidy(property) {
        return vec![problem(pointer, "heading.untidy", message)];
    }
    if columns.iter().any(|column| column == property) {
        return Vec::new();
    }
    let near = nearest(property, columns.iter().map(String::as_str).filter(|column| core(column).is_none()));
    let message = format!("the property `{property}` is declared, but no column fills it{near}");
    vec![warning(pointer, "property.unused", message)]
}

/// A heading that nobody would find again by its name.
fn untidy(heading: &str) -> Option<String> {
    let mut clean = String::new();
    match checks::clean_key(heading, &mut clean) {
        _ if heading.trim().is_empty() => Some("a heading must not be blank".to_owned()),
        checks::Verdict::Keep => None,
        _ => Some(format!(
            "{} has white space around it or invisible characters; write `{clean}`",
            checks::shown(heading)
        )),
    }
}
