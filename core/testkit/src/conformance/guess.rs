//! Cases for a plugin that comes without any: what its description allows to guess.

use serde_json::{Map, Value, json};
use usher_abi::{Column, Component, Consent, Role, ValueKind};

use super::Case;

impl Case {
    /// A case from the description alone: options with their defaults, columns with plausible values. Rejects of such
    /// values are no failure, as they are nobody's promise.
    ///
    /// # Errors
    ///
    /// Why it cannot be guessed, as a sentence: sources need a sample of their input, and a required option may be
    /// anything.
    pub fn guess(component: &Component) -> Result<Self, String> {
        type Make = fn(&str, Value) -> Case;
        let make: Make = match component.role {
            Role::Source => {
                return Err("a source needs a sample of its input, which only a case can give".to_owned());
            }
            Role::Transform => Self::transform,
            Role::Sink => Self::sink,
        };
        let mut case = make(&component.name, Value::Object(options(component)?));
        case.guessed = true;
        for (name, value) in columns(component) {
            case = case.column(name, [value]);
        }
        Ok(case)
    }
}

/// The options that must be given.
fn options(component: &Component) -> Result<Map<String, Value>, String> {
    let schema = &component.options;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut options = Map::new();
    for name in required.filter_map(Value::as_str) {
        let of = schema.get("properties").and_then(|p| p.get(name)).unwrap_or(&Value::Null);
        let value = choice(schema, of)
            .ok_or_else(|| format!("the option `{name}` is required, and only a case can give it"))?;
        options.insert(name.to_owned(), value);
    }
    if component.consent == Consent::Required {
        options
            .insert("consent".to_owned(), json!({ "not_needed": "made-up rows of the conformance suite" }));
    }
    Ok(options)
}

/// The first value that a schema lists.
fn choice(root: &Value, schema: &Value) -> Option<Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return choice(root, root.pointer(reference.strip_prefix('#')?)?);
    }
    let listed = || schema.get("enum")?.as_array()?.first().cloned();
    let nested =
        || ["oneOf", "anyOf"].iter().find_map(|k| choice(root, schema.get(*k)?.as_array()?.first()?));
    schema.get("default").or(schema.get("const")).cloned().or_else(listed).or_else(nested)
}

/// Columns that a chain would fill by itself, and those that must be filled.
fn columns(component: &Component) -> Vec<(&str, &'static str)> {
    let described = component.columns.iter().filter(|c| !c.name.ends_with('*'));
    let filled: Vec<_> = described
        .filter(|c| c.required || c.default.is_some())
        .map(|c| (c.name.as_str(), value(c)))
        .collect();
    match filled.is_empty() {
        true => vec![("email", "ada{n}@example.com"), ("name", "Ada {n}")],
        false => filled,
    }
}

fn value(column: &Column) -> &'static str {
    let claim = column.default.as_deref().unwrap_or(&column.name);
    match (claim, column.kind) {
        (claim, _) if claim.contains("email") => "ada{n}@example.com",
        (claim, _) if claim.contains("phone") => "+442071838750",
        ("locale", _) => "en",
        ("zoneinfo", _) => "Europe/Paris",
        (_, ValueKind::Boolean) => "true",
        (_, ValueKind::Integer | ValueKind::Number) => "1",
        (_, ValueKind::Timestamp) => "2024-02-29T12:00:00Z",
        (_, ValueKind::Date) => "2024-02-29",
        _ => "a{n}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(role: &str, options: Value) -> Component {
        let json = json!({ "name": "users", "role": role, "summary": "", "options": options });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_cannot_be_guessed_is_said() {
        let source = component("source", json!({ "type": "object" }));
        assert!(Case::guess(&source).unwrap_err().contains("needs a sample"));
        let sink = component(
            "sink",
            json!({ "properties": { "list": { "type": "string" } }, "required": ["list"] }),
        );
        assert!(Case::guess(&sink).unwrap_err().starts_with("the option `list` is required"));
    }

    #[test]
    fn columns_and_options_are_guessed_from_the_description() {
        let schema = json!({
            "properties": { "plan": { "$ref": "#/$defs/Plan" } },
            "required": ["plan"],
            "$defs": { "Plan": { "oneOf": [{ "const": "team", "description": "…" }] } },
        });
        let mut sink = component("sink", schema);
        sink.columns = vec![
            Column { name: "emails".into(), default: Some("email".into()), ..Column::default() },
            Column { name: "since".into(), kind: ValueKind::Date, required: true, ..Column::default() },
            Column { name: "notes".into(), ..Column::default() },
        ];
        let case = Case::guess(&sink).unwrap();
        assert_eq!(case.options, json!({ "plan": "team" }));
        assert_eq!(case.column_names(), ["emails", "since"]);
    }
}
