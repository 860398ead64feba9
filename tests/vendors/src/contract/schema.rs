//! Values against schemas: as much of JSON Schema as the four descriptions use.

use regex::Regex;
use serde_json::Value;

use super::document::Document;

/// Whether a value goes to the vendor or comes from it: what is read-only must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Request,
    Reply,
}

impl Document {
    /// Where a value departs from a schema.
    pub(crate) fn departures(&self, schema: &Value, value: &Value, way: Way) -> Vec<String> {
        let mut found = Vec::new();
        self.check(schema, value, "", way, &mut found);
        found
    }

    fn fits(&self, schema: &Value, value: &Value, way: Way) -> bool {
        self.departures(schema, value, way).is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, way: Way, found: &mut Vec<String>) {
        let schema = self.resolved(schema);
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        let mut tell = |what: String| found.push(format!("{}: {what}", if at.is_empty() { "/" } else { at }));
        if !has_type(&schema["type"], value) {
            tell(format!("{} where {} is described", kind(value), schema["type"]));
            return;
        }
        if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
            tell(format!("{value} is none of {}", Value::Array(allowed.clone())));
        }
        if let Some(what) = scalar(schema, value) {
            tell(what);
        }
        for all in schema["allOf"].as_array().into_iter().flatten() {
            self.check(all, value, at, way, found);
        }
        self.check_choice(schema, value, at, way, found);
        match value {
            Value::Array(items) => self.check_items(schema, items, at, way, found),
            Value::Object(_) => self.check_object(schema, value, at, way, found),
            _ => {}
        }
    }

    fn check_choice(&self, schema: &Value, value: &Value, at: &str, way: Way, found: &mut Vec<String>) {
        if let Some(any) = schema["anyOf"].as_array()
            && !any.iter().any(|choice| self.fits(choice, value, way))
        {
            found.push(format!("{at}: fits none of the described forms"));
        }
        let Some(one) = schema["oneOf"].as_array() else { return };
        let by = schema["discriminator"]["propertyName"]
            .as_str()
            .and_then(|name| value[name].as_str().zip(Some(name)));
        if let Some((tag, name)) = by {
            let names = |choice: &&Value| {
                let property = &self.resolved(choice)["properties"][name];
                property["enum"].as_array().is_some_and(|tags| tags.iter().any(|known| known == tag))
            };
            match one.iter().find(names) {
                Some(choice) => self.check(choice, value, at, way, found),
                None => found.push(format!("{at}: {name} {tag} is not described")),
            }
            return;
        }
        let fitting = one.iter().filter(|choice| self.fits(choice, value, way)).count();
        if fitting != 1 {
            found.push(format!("{at}: fits {fitting} of the described forms, not one"));
        }
    }

    fn check_items(&self, schema: &Value, items: &[Value], at: &str, way: Way, found: &mut Vec<String>) {
        let count = items.len() as u64;
        if schema["maxItems"].as_u64().is_some_and(|most| count > most)
            || schema["minItems"].as_u64().is_some_and(|least| count < least)
        {
            found.push(format!("{at}: {count} items are too many or too few"));
        }
        if !schema["items"].is_null() {
            for (index, item) in items.iter().enumerate() {
                self.check(&schema["items"], item, &format!("{at}/{index}"), way, found);
            }
        }
    }

    fn check_object(&self, schema: &Value, value: &Value, at: &str, way: Way, found: &mut Vec<String>) {
        let is_sent = way == Way::Request;
        let is_read_only = |name: &str| schema["properties"][name]["readOnly"] == true;
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() && !(is_sent && is_read_only(name)) {
                found.push(format!("{at}/{name}: is missing"));
            }
        }
        for (name, inner) in value.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            match schema["properties"].get(name) {
                Some(property) => {
                    if is_sent && is_read_only(name) {
                        found.push(format!("{place}: is read-only"));
                    }
                    self.check(property, inner, &place, way, found);
                }
                None if schema["additionalProperties"] == false => {
                    found.push(format!("{place}: is not described"))
                }
                None if schema["additionalProperties"].is_object() => {
                    self.check(&schema["additionalProperties"], inner, &place, way, found);
                }
                None => {}
            }
        }
    }
}

/// Types by name, or one of several names (OpenAPI 3.1); no type allows any.
fn has_type(described: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        "number" => value.is_number(),
        name => name == kind(value) || name == "file",
    };
    match described {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What is wrong with a text or a number by itself.
pub(crate) fn scalar(schema: &Value, value: &Value) -> Option<String> {
    if let Some(number) = value.as_f64() {
        let is_out = schema["minimum"].as_f64().is_some_and(|least| number < least)
            || schema["maximum"].as_f64().is_some_and(|most| number > most);
        return is_out.then(|| format!("{number} is out of range"));
    }
    let text = value.as_str()?;
    let length = text.chars().count() as u64;
    if schema["maxLength"].as_u64().is_some_and(|most| length > most)
        || schema["minLength"].as_u64().is_some_and(|least| length < least)
    {
        return Some(format!("{length} characters are too many or too few"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).expect("patterns of the descriptions are good").is_match(text)
    {
        return Some(format!("{text} does not fit {pattern}"));
    }
    let fits = match schema["format"].as_str().unwrap_or_default() {
        "uuid" => is_uuid(text),
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        _ => true,
    };
    (!fits).then(|| format!("{text} is no {}", schema["format"]))
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: Value, value: Value) -> Vec<String> {
        let document = Document::new(
            "test",
            "",
            &json!({ "definitions": { "name": { "type": "string", "maxLength": 3 } } }).to_string(),
        );
        document.departures(&schema, &value, Way::Request)
    }

    #[test]
    fn departures_are_told_with_their_place() {
        let schema = json!({
            "type": "object", "required": ["a", "id"], "additionalProperties": false,
            "properties": {
                "a": { "type": "array", "maxItems": 2, "items": { "$ref": "#/definitions/name" } },
                "id": { "type": "integer", "readOnly": true },
                "kind": { "type": "string", "enum": ["x"] },
                "when": { "type": "string", "format": "date-time", "nullable": true },
            },
        });
        let good = json!({ "a": ["abc"], "kind": "x", "when": null });
        assert_eq!(found(schema.clone(), good), [""; 0]);
        let bad = json!({ "a": ["abcd", 1, "x"], "id": 1, "kind": "y", "when": "today", "more": 1 });
        assert_eq!(
            found(schema.clone(), bad),
            [
                "/a: 3 items are too many or too few",
                "/a/0: 4 characters are too many or too few",
                "/a/1: number where \"string\" is described",
                "/id: is read-only",
                "/kind: \"y\" is none of [\"x\"]",
                "/when: today is no \"date-time\"",
                "/more: is not described",
            ]
        );
        assert_eq!(found(schema, json!({})), ["/a: is missing"]);
    }

    #[test]
    fn choices_are_made_by_form_or_by_name() {
        let one = json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }, { "type": "number" }] });
        assert_eq!(found(one.clone(), json!("x")).len(), 0);
        assert_eq!(found(one, json!(1)), [": fits 2 of the described forms, not one"]);
        let form = |tag: &str, field: &str| json!({ "required": [field], "properties": { "type": { "enum": [tag] } } });
        let by_name =
            json!({ "oneOf": [form("a", "x"), form("b", "y")], "discriminator": { "propertyName": "type" } });
        assert_eq!(found(by_name.clone(), json!({ "type": "b", "y": 1 })).len(), 0);
        assert_eq!(found(by_name, json!({ "type": "b" })), ["/y: is missing"]);
        let any = json!({ "anyOf": [{ "type": ["string", "null"] }, { "type": "array" }] });
        assert_eq!((found(any.clone(), Value::Null).len(), found(any, json!(1)).len()), (0, 1));
    }

    #[test]
    fn texts_have_patterns_and_formats() {
        let id = json!({ "type": "string", "pattern": "^con_[A-Za-z0-9]{16}$" });
        assert_eq!(found(id.clone(), json!("con_0000000000000001")).len(), 0);
        assert_eq!(found(id, json!("con_1")).len(), 1);
        let uuid = json!({ "type": "string", "format": "uuid" });
        assert_eq!(found(uuid.clone(), json!("5c8f2b4e-0000-4000-a000-000000000000")).len(), 0);
        assert_eq!(found(uuid, json!("Newsletter")).len(), 1);
    }
}
