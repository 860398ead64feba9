//! Between our values and minijinja's.

use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

use super::ast::Const;
use super::cell::Cell;
use super::json;

/// The value as minijinja holds it; null is undefined.
pub(super) fn from_cell(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::UNDEFINED,
        Cell::Bool(value) => Value::from(value),
        Cell::Integer(value) => Value::from(value),
        Cell::Float(value) => Value::from(value),
        Cell::Text(text) => Value::from(text),
        Cell::Json(text) => Value::from_object(Json { text: text.to_owned(), parsed: OnceLock::new() }),
    }
}

/// Calls `use_cell` with a value of minijinja as we see it; lists and maps become JSON text.
pub(super) fn with_cell<T>(value: &Value, use_cell: impl FnOnce(Cell<'_>) -> T) -> T {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => use_cell(Cell::Null),
        ValueKind::Bool => use_cell(Cell::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => match i64::try_from(value.clone()) {
            Ok(integer) => use_cell(Cell::Integer(integer)),
            Err(_) => use_cell(Cell::Text(&value.to_string())),
        },
        ValueKind::Number => use_cell(Cell::Float(f64::try_from(value.clone()).unwrap_or(f64::NAN))),
        ValueKind::String => use_cell(Cell::Text(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => match value.downcast_object_ref::<Json>() {
            Some(json) => use_cell(Cell::Json(&json.text)),
            None => match serde_json::to_string(value) {
                Ok(text) => use_cell(Cell::Json(&text)),
                Err(_) => use_cell(Cell::Text(&value.to_string())),
            },
        },
        _ => use_cell(Cell::Text(&value.to_string())),
    }
}

/// The value as a constant of an expression; lists and maps become text.
pub(super) fn to_const(value: &Value) -> Const {
    with_cell(value, |cell| match cell {
        Cell::Null => Const::Null,
        Cell::Bool(value) => Const::Bool(value),
        Cell::Integer(value) => Const::Integer(value),
        Cell::Float(value) => Const::Float(value),
        Cell::Text(text) | Cell::Json(text) => Const::Text(text.to_owned()),
    })
}

/// A JSON list or map that keeps its text and is parsed when something looks inside.
#[derive(Debug)]
struct Json {
    text: String,
    parsed: OnceLock<serde_json::Value>,
}

impl Json {
    fn parsed(&self) -> &serde_json::Value {
        self.parsed.get_or_init(|| serde_json::from_str(&self.text).unwrap_or_default())
    }
}

impl Object for Json {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        if self.text.starts_with('[') { ObjectRepr::Seq } else { ObjectRepr::Map }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = match self.parsed() {
            serde_json::Value::Array(items) => items.get(key.as_usize()?),
            map => map.get(key.as_str()?),
        };
        found.map(|value| json::with_cell(value, from_cell))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.parsed() {
            serde_json::Value::Array(items) => Enumerator::Seq(items.len()),
            serde_json::Value::Object(map) => {
                Enumerator::Values(map.keys().map(|key| Value::from(key.as_str())).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}
