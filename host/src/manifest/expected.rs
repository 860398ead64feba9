//! The types that a schema asks for, and their words.

use serde_json::{Map, Value};

use super::schema::resolve;

/// Whether `value` is of one of the schema's own types; true if it names none.
pub(super) fn type_fits(schema: &Map<String, Value>, value: &Value) -> bool {
    let types = of_types(schema);
    types.is_empty() || types.iter().any(|name| is(name, value))
}

/// The schema's own types.
pub(super) fn of_types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// All types that a schema takes, through references and alternatives, without repetition.
pub(super) fn of_schema<'s>(root: &'s Value, schema: &'s Value, depth: usize, out: &mut Vec<&'s str>) {
    let Value::Object(schema) = schema else { return };
    if depth > 6 {
        return;
    }
    let mut add = |name: &'s str| {
        if !out.contains(&name) {
            out.push(name);
        }
    };
    of_types(schema).into_iter().for_each(&mut add);
    if !schema.contains_key("type") {
        let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        listed.chain(schema.get("const")).map(|value| -> &'s str { name(value) }).for_each(&mut add);
    }
    if let Some(target) = resolve(root, schema) {
        of_schema(root, target, depth + 1, out);
    }
    for word in ["oneOf", "anyOf", "allOf"] {
        for branch in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
            of_schema(root, branch, depth + 1, out);
        }
    }
}

/// The name of a value's type.
pub(super) fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value is of the type of that name.
pub(super) fn is(expected: &str, value: &Value) -> bool {
    let name = name(value);
    name == expected || (expected == "number" && name == "integer")
}

/// What was expected: `a string or a table`. Null is left out: TOML has none.
pub(super) fn words(types: &[&str]) -> String {
    let words: Vec<&str> = types.iter().filter(|name| **name != "null").map(|name| word(name)).collect();
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((one, [])) => (*one).to_owned(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
    }
}

/// What was found.
pub(super) fn found(value: &Value) -> &'static str {
    match value {
        Value::Bool(true) => "`true`",
        Value::Bool(false) => "`false`",
        other => word(name(other)),
    }
}

fn word(name: &str) -> &str {
    match name {
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
}
