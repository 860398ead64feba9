//! A vendor's columns as a table.

use std::collections::BTreeMap;

use usher_abi::{Column, OnInvalid, Problem, ValueKind, nearest};

use crate::{checks::Check, options::problem};

/// One row of a connector's column table: name, claim, type, limit, check, and the source of each rule.
///
/// Written as `ColumnRule { name: "notes", summary: "…", source: "KB-USR", ..ColumnRule::TEXT }`.
#[derive(Clone, Copy, Debug)]
pub struct ColumnRule {
    /// The name in the file, or a pattern that ends in `*` (`custom_fields.*`).
    pub name: &'static str,
    /// Other spellings that `fields` accepts.
    pub aliases: &'static [&'static str],
    /// What the values are.
    pub kind: ValueKind,
    /// The expression over claims that fills the column when `fields` does not.
    pub default: Option<&'static str>,
    /// Must be filled in every row; a bad value rejects the row.
    pub required: bool,
    /// Longest text (of a list: of an item), in Unicode scalar values.
    pub max_chars: Option<u32>,
    /// Most items of a list.
    pub max_items: Option<u32>,
    /// Between the items of a list.
    pub separator: char,
    /// Looks at a value (of a list: at each item) and may change it.
    pub check: Check,
    /// What a bad value does unless the manifest says otherwise.
    pub on_invalid: OnInvalid,
    /// The rule in words.
    pub summary: &'static str,
    /// Where the rule stands.
    pub source: &'static str,
}

impl ColumnRule {
    /// Free text without a limit.
    pub const TEXT: Self = Self {
        name: "",
        aliases: &[],
        kind: ValueKind::Text,
        default: None,
        required: false,
        max_chars: None,
        max_items: None,
        separator: ',',
        check: crate::checks::any,
        on_invalid: OnInvalid::LeaveOut,
        summary: "",
        source: "",
    };
    /// A list of texts, joined with `,` unless the row says otherwise.
    pub const LIST: Self = Self { kind: ValueKind::List, ..Self::TEXT };
    /// `true` or `false`.
    pub const BOOLEAN: Self = Self { kind: ValueKind::Boolean, check: crate::checks::boolean, ..Self::TEXT };

    /// Whether the rule speaks of the column `name`, in any spelling.
    pub fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            None => self.name == name || self.aliases.contains(&name),
        }
    }

    /// The rule as `describe()` shows it.
    pub fn describe(&self) -> Column {
        Column {
            name: self.name.to_owned(),
            aliases: self.aliases.iter().map(|&a| a.to_owned()).collect(),
            kind: self.kind,
            default: self.default.map(str::to_owned),
            required: self.required,
            max_chars: self.max_chars,
            max_items: self.max_items,
            on_invalid: if self.required { OnInvalid::RejectRow } else { self.on_invalid },
            summary: self.summary.to_owned(),
            source: self.source.to_owned(),
        }
    }
}

/// The rule for a column, exact names before patterns.
pub fn find_rule<'t>(table: &'t [ColumnRule], name: &str) -> Option<&'t ColumnRule> {
    let mut covering = table.iter().filter(|rule| rule.covers(name));
    let first = covering.next()?;
    if first.name.ends_with('*') {
        covering.find(|r| !r.name.ends_with('*')).or(Some(first))
    } else {
        Some(first)
    }
}

/// The whole table as `describe()` shows it.
pub fn describe_columns(table: &[ColumnRule]) -> Vec<Column> {
    table.iter().map(ColumnRule::describe).collect()
}

/// Problems with the names of columns: unknown ones (with the nearest right spelling), and two spellings of one.
pub fn check_names(table: &[ColumnRule], columns: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (i, name) in columns.iter().enumerate() {
        let pointer = field_pointer(name);
        match find_rule(table, name) {
            None => {
                let spellings =
                    table.iter().flat_map(|r| std::iter::once(r.name).chain(r.aliases.iter().copied()));
                let message = format!("unknown column `{name}`{}", nearest(name, spellings));
                problems.push(problem(pointer, "column.unknown", message));
            }
            Some(rule) if !rule.name.ends_with('*') => {
                if let Some(other) = columns[..i].iter().find(|other| rule.covers(other)) {
                    let message = format!("`{name}` and `{other}` are the same column; keep one of them");
                    problems.push(problem(pointer, "column.twice", message));
                }
            }
            Some(_) => {}
        }
    }
    problems
}

/// Problems with the option `on_invalid`: columns that are neither in the table nor among those that come.
pub fn check_on_invalid(
    table: &[ColumnRule],
    columns: &[String],
    on_invalid: &BTreeMap<String, OnInvalid>,
) -> Vec<Problem> {
    let known = |name: &String| {
        columns.contains(name) || find_rule(table, name).is_some_and(|rule| !rule.name.ends_with('*'))
    };
    let unknown = on_invalid.keys().filter(|name| !known(name));
    unknown
        .map(|name| {
            let fixed = table.iter().flat_map(|r| std::iter::once(r.name).chain(r.aliases.iter().copied()));
            let spellings = fixed.filter(|n| !n.ends_with('*')).chain(columns.iter().map(String::as_str));
            let message = format!("no column `{name}` is delivered{}", nearest(name, spellings));
            problem(option_pointer("on_invalid", name), "column.unknown", message)
        })
        .collect()
}

/// The pointer that names a key of an option that is a table.
pub fn option_pointer(option: &str, key: &str) -> String {
    format!("/{option}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The pointer that names a column in a [`Problem`].
pub fn field_pointer(column: &str) -> String {
    format!("/fields/{}", column.replace('~', "~0").replace('/', "~1"))
}
