//! Our filters and tests in minijinja: thin covers over the functions that column operations use too.

use std::collections::HashMap;

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters};

use super::ast::{Comparison, Const};
use super::cell::{Cell, not_boolean};
use super::compare::{compare, equal};
use super::json;
use super::list::{self, End, Split};
use super::text::{LONGEST, TextFilter, input, too_long};
use super::value::{from_cell, to_const, with_cell};

/// Replaces every filter and test whose Jinja meaning is not ours, and adds our own.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    operators(environment);
    for name in ["lower", "upper", "trim", "replace", "e164", "date", "sha256"] {
        environment.add_filter(name, move |value: Value, arguments: Rest<Value>| {
            text_filter(name, &value, &arguments)
        });
    }
    for name in ["default", "d"] {
        // Not `Option<Value>`: that would make no argument of an undefined one.
        environment.add_filter(name, |value: Value, arguments: Rest<ValueOrKwargs>| {
            match with_cell(&value, |cell| cell.is_absent()) {
                true => arguments.first().map_or_else(|| Value::from(""), |other| (**other).clone()),
                false => value,
            }
        });
    }
    for name in ["length", "count"] {
        environment.add_filter(name, |value: Value| with_cell(&value, list::length).map_err(invalid));
    }
    for end in [End::First, End::Last] {
        environment.add_filter(end.filter(), move |value: Value| {
            with_cell(&value, |cell| end.take(cell, from_cell)).map_err(invalid)
        });
    }
    environment.add_filter("join", join);
    environment.add_filter("split", split);
    environment.add_filter("string", |value: Value| to_text(&value));
    environment.add_filter("bool", |value: Value| condition(&value, "bool"));
    // Filters on texts that stay minijinja's: they see the text we print, not the one it would.
    textual(environment, "title", Value::from_function(filters::title));
    textual(environment, "capitalize", Value::from_function(filters::capitalize));
    textual(environment, "indent", Value::from_function(filters::indent));
    textual(environment, "lines", Value::from_function(filters::lines));
    textual(environment, "format", Value::from_function(filters::format));
    let escape = Value::from_function(|text: String| minijinja::HtmlEscape(&text).to_string());
    textual(environment, "escape", escape.clone());
    textual(environment, "e", escape);
    for name in ["pprint", "safe"] {
        environment.remove_filter(name);
    }
    environment.remove_global("debug");
}

fn operators(environment: &mut Environment<'static>) {
    environment.add_filter("__condition", |value: Value, label: String| condition(&value, &label));
    environment.add_filter("__text", |value: Value| match value.as_str() {
        Some(_) => value,
        None => with_cell(&value, |cell| Value::from(cell.to_text().as_ref())),
    });
    for comparison in Comparison::ALL {
        let run = move |left: Value, right: Value| compare_values(comparison, &left, &right).map_err(invalid);
        environment.add_filter(comparison.filter(), run);
        for test in comparison.tests() {
            environment.add_test(*test, run);
        }
    }
    let missing = |value: Value| value.is_undefined() || value.is_none();
    environment.add_test("none", missing);
    environment.add_test("undefined", missing);
    environment.add_test("defined", move |value: Value| !missing(value));
    for expected in [true, false] {
        environment.add_test(if expected { "true" } else { "false" }, move |value: Value| {
            with_cell(&value, |cell| {
                cell != Cell::Null && matches!(cell.condition(), Ok(found) if found == expected)
            })
        });
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn condition(value: &Value, label: &str) -> Result<bool, Error> {
    with_cell(value, |cell| cell.condition().map_err(|_| invalid(not_boolean(label, cell))))
}

/// As the text it prints; undefined stays undefined.
fn to_text(value: &Value) -> Value {
    with_cell(value, |cell| input(cell).map_or(Value::UNDEFINED, |text| Value::from(text.as_ref())))
}

fn compare_values(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, String> {
    with_cell(left, |left| {
        with_cell(right, |right| match comparison {
            Comparison::In => contains(right, left),
            comparison => compare(comparison, left, right),
        })
    })
}

/// An element of a list, a key of a map, or a part of a text.
fn contains(container: Cell<'_>, item: Cell<'_>) -> Result<bool, String> {
    match container {
        Cell::Null => Ok(false),
        Cell::Text(text) => Ok(item != Cell::Null && text.contains(item.to_text().as_ref())),
        Cell::Json(text) if text.starts_with('[') => {
            let mut found = false;
            json::elements(text, |element| found |= equal(item, element));
            Ok(found)
        }
        Cell::Json(text) => {
            let keys: HashMap<String, serde::de::IgnoredAny> = serde_json::from_str(text).unwrap_or_default();
            Ok(keys.contains_key(item.to_text().as_ref()))
        }
        other => Err(format!("`in` needs a list, map or text on its right, not `{}`", other.to_text())),
    }
}

fn text_filter(name: &str, value: &Value, arguments: &[Value]) -> Result<Value, Error> {
    let arguments: Vec<Const> = arguments.iter().map(to_const).collect();
    let Some(filter) = TextFilter::new(name, &arguments).map_err(invalid)? else {
        return Err(Error::from(ErrorKind::UnknownFilter));
    };
    apply(&filter, value)
}

fn apply(filter: &TextFilter, value: &Value) -> Result<Value, Error> {
    with_cell(value, |cell| {
        let Some(input) = input(cell) else { return Ok(Value::UNDEFINED) };
        let mut out = String::new();
        let some = filter.apply(&input, &mut out).map_err(invalid)?;
        Ok(if some { Value::from(out) } else { Value::UNDEFINED })
    })
}

fn join(
    value: Value,
    separator: Option<Value>,
    attribute: Option<Value>,
    named: Kwargs,
) -> Result<Value, Error> {
    let separator = match separator {
        Some(separator) => Some(separator),
        None => named.get("d")?,
    };
    let attribute = match attribute {
        Some(attribute) => Some(attribute),
        None => named.get::<Option<Value>>("attribute")?,
    };
    named.assert_all_used()?;
    let separator = separator.map_or(Const::Null, |separator| to_const(&separator));
    let filter = TextFilter::Join(separator.cell().to_text().into_owned());
    let Some(attribute) = attribute.filter(|attribute| !attribute.is_undefined()) else {
        return apply(&filter, &value);
    };
    let mut items = Vec::new();
    for item in value.try_iter()? {
        let mut found = item;
        for name in attribute.to_string().split('.') {
            found = found.get_attr(name).unwrap_or_default();
        }
        items.push(found);
    }
    apply(&filter, &Value::from(items))
}

fn split(value: Value, arguments: Rest<Value>) -> Result<Value, Error> {
    let arguments: Vec<Const> = arguments.iter().map(to_const).collect();
    let split = Split::new(&arguments).map_err(invalid)?;
    Ok(with_cell(&value, |cell| {
        if cell == Cell::Null {
            return Value::UNDEFINED;
        }
        let mut pieces = Vec::new();
        split.pieces(cell, |piece| pieces.push(piece.map_or(Value::UNDEFINED, Value::from)));
        Value::from(pieces)
    }))
}

/// How much room `indent` and `format` would add, by what a number or a text says that may stand in a record.
fn check_widths(name: &str, arguments: &[Value]) -> Result<(), String> {
    let lines = |text: &Value| text.as_str().map_or(1, |text| text.lines().count().max(1));
    let room = match (name, arguments) {
        ("indent", [text, width, ..]) => {
            let width =
                if width.is_kwargs() { width.get_attr("width").unwrap_or_default() } else { width.clone() };
            usize::try_from(width).unwrap_or(0).saturating_mul(lines(text))
        }
        ("format", [text, ..]) => widths(text.as_str().unwrap_or_default()),
        _ => 0,
    };
    if room > LONGEST { Err(too_long()) } else { Ok(()) }
}

/// The sum of all numbers behind a `%`.
fn widths(text: &str) -> usize {
    let mut sum = 0_usize;
    for spec in text.split('%').skip(1) {
        let named = spec.strip_prefix('(').and_then(|spec| spec.split_once(')'));
        let spec = named.map_or(spec, |(_, spec)| spec);
        let spec = spec.split(|char: char| char.is_ascii_alphabetic()).next().unwrap_or_default();
        for number in spec.split(|char: char| !char.is_ascii_digit()).filter(|number| !number.is_empty()) {
            sum = sum.saturating_add(number.parse().unwrap_or(usize::MAX));
        }
    }
    sum
}

/// A builtin filter that sees the text its input prints; undefined stays undefined.
fn textual(environment: &mut Environment<'static>, name: &'static str, builtin: Value) {
    environment.add_filter(name, move |state: &mut State, value: Value, arguments: Rest<ValueOrKwargs>| {
        let text = to_text(&value);
        if text.is_undefined() {
            return Ok(Value::UNDEFINED);
        }
        let arguments = arguments.iter().map(|argument| match argument.kind() {
            // `format` prints what it is given; it needs numbers for `%d`.
            ValueKind::Number | ValueKind::String => (**argument).clone(),
            _ if name != "format" || argument.is_kwargs() => (**argument).clone(),
            _ => with_cell(argument, |cell| Value::from(cell.to_text().as_ref())),
        });
        let arguments: Vec<Value> = std::iter::once(text).chain(arguments).collect();
        check_widths(name, &arguments).map_err(invalid)?;
        builtin.call(state, &arguments)
    });
}
