//! Which options are secrets, by their schema.

use serde_json::Value;

use super::schema::{child, is_secret, resolve};

/// JSON pointers to all strings in `value` that `schema` marks with `writeOnly: true`.
pub fn secret_pointers(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Walk { root: schema, steps: 100_000, found: &mut found }.walk(schema, value, "", 0);
    found.sort();
    found.dedup();
    found
}

/// A walk through schema and value at once.
struct Walk<'a> {
    root: &'a Value,
    /// Steps left: references may go in circles.
    steps: u32,
    found: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn walk(&mut self, schema: &Value, value: &Value, pointer: &str, depth: usize) {
        let Value::Object(schema) = schema else { return };
        if depth > 64 || self.steps == 0 {
            return;
        }
        self.steps -= 1;
        if is_secret(schema) {
            strings(value, pointer, self.found);
            return;
        }
        let same =
            ["oneOf", "anyOf", "allOf"].iter().filter_map(|word| schema.get(*word)?.as_array()).flatten();
        for other in same.chain(resolve(self.root, schema)) {
            self.walk(other, value, pointer, depth + 1);
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let property = schema.get("properties").and_then(|known| known.get(key));
                    if let Some(property) = property.or_else(|| schema.get("additionalProperties")) {
                        self.walk(property, value, &child(pointer, key), depth + 1);
                    }
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    let prefix = schema.get("prefixItems").and_then(|prefix| prefix.get(at));
                    if let Some(schema) = prefix.or_else(|| schema.get("items")) {
                        self.walk(schema, item, &child(pointer, &at.to_string()), depth + 1);
                    }
                }
            }
            _ => {}
        }
    }
}

fn strings(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => found.push(pointer.to_owned()),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| strings(item, &child(pointer, &at.to_string()), found));
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| strings(value, &child(pointer, key), found))
        }
        _ => {}
    }
}
