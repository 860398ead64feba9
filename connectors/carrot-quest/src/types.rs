//! Types of properties: which column is checked as what.

use arrow_schema::{DataType, Field};
use serde_json::Value;
use usher_sdk::{
    Columns,
    abi::{Problem, ValueKind, nearest},
    checks, option_pointer,
    options::problem,
    records,
};

use crate::{
    headings::heading,
    limits,
    options::{Lists, Options, Phone, PropertyType},
    values,
};

/// Between the items of a list until it is written as JSON: a character that no text has.
const UNIT: char = '\u{1F}';

/// What a source says of a column's values.
pub(crate) fn of_field(field: &Field) -> PropertyType {
    match (records::kind(field), field.data_type()) {
        (Some(ValueKind::List), _) | (_, DataType::List(_)) => PropertyType::List,
        (Some(ValueKind::Boolean), _) | (_, DataType::Boolean) => PropertyType::Boolean,
        (Some(ValueKind::Integer), _) | (_, DataType::Int64) => PropertyType::Integer,
        (Some(ValueKind::Timestamp | ValueKind::Date), _)
        | (_, DataType::Timestamp(..) | DataType::Date32) => PropertyType::Date,
        _ => PropertyType::Text,
    }
}

/// What the bound columns hold beside checked text.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// Lists to be written as JSON.
    pub(crate) json: Vec<usize>,
    /// Texts of your own properties, whose type the import may guess.
    pub(crate) guessed: Vec<usize>,
    /// What every column holds.
    pub(crate) kinds: Vec<PropertyType>,
}

/// Puts the right check to every bound column. `of` answers what the source says of a column.
pub(crate) fn apply(columns: &mut Columns, options: &Options, of: impl Fn(&str) -> PropertyType) -> Types {
    let mut types = Types::default();
    types.kinds.resize(columns.names().len(), PropertyType::Text);
    let names: Vec<String> = columns.names().map(str::to_owned).collect();
    for (column, name) in names.iter().enumerate() {
        match name.as_str() {
            "$phone" if options.phone == Phone::Digits => {
                columns.override_check_at(column, values::digits);
                continue;
            }
            "$user_id" | "$email" | "$name" | "$phone" => continue,
            _ => {}
        }
        let chosen = options.property_types.iter().find(|(key, _)| heading(key) == *name);
        types.kinds[column] = chosen.map_or_else(|| of(name), |(_, chosen)| *chosen);
        match types.kinds[column] {
            PropertyType::Text if name.starts_with('$') => {}
            PropertyType::Text => types.guessed.push(column),
            PropertyType::Integer => columns.override_check_at(column, values::integer),
            PropertyType::Date => columns.override_check_at(column, checks::iso_datetime_utc),
            PropertyType::Boolean => columns.override_check_at(column, checks::boolean),
            PropertyType::List if options.lists == Lists::Refuse => {
                columns.override_check_at(column, values::no_list)
            }
            PropertyType::List => {
                let rule = columns.rule_mut(column);
                (rule.kind, rule.max_items) = (ValueKind::List, Some(limits::LIST_ITEMS));
                if options.lists == Lists::Json {
                    rule.separator = UNIT;
                    types.json.push(column);
                }
            }
        }
    }
    types
}

/// What is wrong with `property_types`.
pub(crate) fn check(columns: &[String], options: &Options) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, chosen) in &options.property_types {
        let (pointer, key) = (option_pointer("property_types", name), heading(name));
        if matches!(key.as_ref(), "$user_id" | "$email" | "$name" | "$phone") && *chosen != PropertyType::Text
        {
            let message = format!("`{key}` is text to Carrot quest");
            problems.push(problem(&pointer, "option.invalid", message));
        }
        if !columns.iter().any(|column| heading(column) == key) {
            let hint = nearest(name, columns.iter().map(String::as_str));
            let message = format!("no column `{name}` is delivered{hint}");
            problems.push(problem(&pointer, "column.unknown", message));
        }
    }
    problems
}

/// A cell as what it holds, in the form that the API takes and shows (PROPS). Texts stay texts: the vendor guesses their
/// type.
pub(crate) fn value(cell: &str, kind: PropertyType, lists: Lists) -> Value {
    let read = match kind {
        PropertyType::Integer => cell.parse::<i64>().ok().map(Value::from),
        PropertyType::Boolean => cell.parse::<bool>().ok().map(Value::from),
        PropertyType::List if lists == Lists::Json => serde_json::from_str(cell).ok(),
        PropertyType::List => Some(cell.split(',').collect()),
        PropertyType::Text | PropertyType::Date => None,
    };
    read.unwrap_or_else(|| Value::from(cell))
}

/// Writes the items of a list, which stand in a cell with [`UNIT`] between them, as a JSON array into `json`.
pub(crate) fn write_json<'a>(
    items: impl Iterator<Item = &'a str>,
    json: &mut Vec<u8>,
) -> serde_json::Result<()> {
    json.clear();
    json.push(b'[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            json.push(b',');
        }
        serde_json::to_writer(&mut *json, item)?;
    }
    json.push(b']');
    Ok(())
}
