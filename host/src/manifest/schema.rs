//! JSON Schema, the part of 2020-12 that plugins describe their options with: what `schemars` makes of plain
//! structs and enums. Words that are not listed here are passed over.
//!
//! | Word | |
//! |---|---|
//! | `type` | also a list of types; `integer` takes no `5.0` |
//! | `properties`, `required`, `additionalProperties` | |
//! | `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems` | |
//! | `enum`, `const` | |
//! | `oneOf`, `anyOf`, `allOf` | one branch that fits is enough; else the branch that was meant is reported |
//! | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum` | |
//! | `minLength`, `maxLength` | in Unicode scalar values |
//! | `$ref` | into the same document |
//! | `writeOnly` | a secret: never shown in a message |

use std::cell::Cell;

use serde_json::{Map, Value};
use usher_abi::nearest;

use super::expected;
use crate::report::list;

/// How deep schemas are followed: more than any options need, less than a `$ref` to itself.
const MAX_DEPTH: usize = 64;
/// How many schemas are looked at for one value: more than any options need, less than references in circles.
const MAX_STEPS: u32 = 100_000;

/// Something in a value that its schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// JSON pointer to the value; for a missing key, to where it would be.
    pub pointer: String,
    /// What is wrong, with the nearest right spelling where there is one.
    pub message: String,
    /// What to do, where the schema says more.
    pub help: Option<String>,
    /// Which rule was broken.
    pub(super) kind: Broken,
}

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Another type.
    Type,
    /// Another value than those listed.
    Value,
    /// A key that is not there to be given.
    UnknownKey,
    /// A key that is not given.
    Missing,
    /// Too small, too large, too many.
    Limit,
}

/// All that `schema` does not allow in `value`, in the order of the value.
pub fn schema_check(schema: &Value, value: &Value) -> Vec<SchemaProblem> {
    let mut problems = Vec::new();
    Checker { root: schema, steps: Cell::new(MAX_STEPS) }.check(schema, value, "", 0, &mut problems);
    problems
}

pub(super) struct Checker<'s> {
    pub(super) root: &'s Value,
    /// Steps left.
    steps: Cell<u32>,
}

impl<'s> Checker<'s> {
    pub(super) fn check(
        &self,
        schema: &'s Value,
        value: &Value,
        pointer: &str,
        depth: usize,
        out: &mut Vec<SchemaProblem>,
    ) {
        let Value::Object(schema) = schema else { return };
        if depth > MAX_DEPTH || self.steps.get() == 0 {
            return;
        }
        self.steps.update(|steps| steps - 1);
        if let Some(target) = resolve(self.root, schema) {
            self.check(target, value, pointer, depth + 1, out);
        }
        if !expected::type_fits(schema, value) {
            let types = expected::of_types(schema);
            out.push(wrong_type(pointer, &types, value));
            return;
        }
        self.listed(schema, value, pointer, out);
        for (word, all) in [("allOf", true), ("oneOf", false), ("anyOf", false)] {
            let Some(Value::Array(branches)) = schema.get(word) else { continue };
            if all {
                branches.iter().for_each(|branch| self.check(branch, value, pointer, depth + 1, out));
            } else {
                self.alternatives(branches, value, pointer, depth, out);
            }
        }
        match value {
            Value::Object(object) => self.object(schema, object, pointer, depth, out),
            Value::Array(items) => self.array(schema, items, pointer, depth, out),
            Value::String(text) => {
                let length = text.chars().count() as f64;
                limits(schema, ["minLength", "maxLength"], length, "characters", pointer, out);
            }
            Value::Number(number) => numbers(schema, number, pointer, out),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn listed(
        &self,
        schema: &'s Map<String, Value>,
        value: &Value,
        pointer: &str,
        out: &mut Vec<SchemaProblem>,
    ) {
        let allowed: Vec<&Value> = match (schema.get("const"), schema.get("enum")) {
            (Some(one), _) => vec![one],
            (None, Some(Value::Array(many))) => many.iter().collect(),
            _ => return,
        };
        if !allowed.contains(&value) {
            out.push(not_listed(pointer, value, &allowed, is_secret(schema)));
        }
    }

    fn object(
        &self,
        schema: &'s Map<String, Value>,
        object: &Map<String, Value>,
        pointer: &str,
        depth: usize,
        out: &mut Vec<SchemaProblem>,
    ) {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut meant = Vec::new();
        for (key, value) in object {
            let at = child(pointer, key);
            if let Some(property) = properties.and_then(|known| known.get(key)) {
                self.check(property, value, &at, depth + 1, out);
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) if !schema.contains_key("patternProperties") => {
                    let known = properties.unwrap_or(&empty);
                    // A key that is given already was not meant again.
                    let free = known.keys().map(String::as_str).filter(|name| !object.contains_key(*name));
                    let (problem, near) = unknown_key(at, key, free, known.keys().map(String::as_str));
                    out.push(problem);
                    meant.extend(near);
                }
                Some(other) => self.check(other, value, &at, depth + 1, out),
                None => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| !object.contains_key(*key)) {
            if meant.iter().any(|near| near == key) {
                continue;
            }
            let described = properties.and_then(|known| known.get(key)).and_then(|p| self.description(p));
            out.push(SchemaProblem {
                pointer: child(pointer, key),
                message: "missing".to_owned(),
                help: Some(match described {
                    Some(described) => format!("write `{key} = …`: {described}"),
                    None => format!("write `{key} = …`"),
                }),
                kind: Broken::Missing,
            });
        }
    }

    fn array(
        &self,
        schema: &'s Map<String, Value>,
        items: &[Value],
        pointer: &str,
        depth: usize,
        out: &mut Vec<SchemaProblem>,
    ) {
        limits(schema, ["minItems", "maxItems"], items.len() as f64, "items", pointer, out);
        let prefix = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (at, item) in items.iter().enumerate() {
            let here = child(pointer, &at.to_string());
            if let Some(schema) = prefix.get(at).or_else(|| schema.get("items")) {
                self.check(schema, item, &here, depth + 1, out);
            }
            if schema.get("uniqueItems") == Some(&Value::Bool(true)) && items[..at].contains(item) {
                let message = "given twice".to_owned();
                let help = Some("take one out".to_owned());
                out.push(SchemaProblem { pointer: here, message, help, kind: Broken::Value });
            }
        }
    }

    /// The first line of what a property's schema says of it.
    fn description(&self, property: &'s Value) -> Option<String> {
        let own = property.get("description");
        let found = own.or_else(|| resolve(self.root, property.as_object()?)?.get("description"));
        let line = found?.as_str()?.lines().next()?.trim();
        (!line.is_empty()).then(|| line.trim_end_matches('.').to_owned())
    }
}

/// Where `$ref` leads; `None` without one, and for one that leads nowhere.
pub(super) fn resolve<'s>(root: &'s Value, schema: &Map<String, Value>) -> Option<&'s Value> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// Whether the schema marks a secret.
pub(super) fn is_secret(schema: &Map<String, Value>) -> bool {
    schema.get("writeOnly") == Some(&Value::Bool(true))
}

/// The pointer to an entry.
pub(super) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

pub(super) fn wrong_type(pointer: &str, types: &[&str], value: &Value) -> SchemaProblem {
    let given: Vec<&str> = types.iter().copied().filter(|name| *name != "null").collect();
    let help = match (given.as_slice(), value) {
        (["string"], Value::Number(_) | Value::Bool(_)) => Some(format!("write it in quotes: `\"{value}\"`")),
        (["array"], Value::String(_)) => Some("write it in brackets: `[\"…\"]`".to_owned()),
        (["integer" | "number" | "boolean"], Value::String(_)) => Some("write it without quotes".to_owned()),
        _ => None,
    };
    SchemaProblem {
        pointer: pointer.to_owned(),
        message: format!("expected {}, found {}", expected::words(types), expected::found(value)),
        help,
        kind: Broken::Type,
    }
}

pub(super) fn not_listed(pointer: &str, value: &Value, allowed: &[&Value], secret: bool) -> SchemaProblem {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let names: Vec<String> =
        allowed.iter().filter(|value| !value.is_null()).map(|value| shown(value)).collect();
    let near = nearest(&shown(value), names.iter().map(String::as_str));
    SchemaProblem {
        pointer: pointer.to_owned(),
        message: if secret {
            "unknown value".to_owned()
        } else {
            format!("unknown value `{}`{near}", shown(value))
        },
        help: Some(match names.as_slice() {
            [one] => format!("write `{one}`"),
            _ => format!("one of {}", list(names.iter().map(String::as_str))),
        }),
        kind: Broken::Value,
    }
}

/// A key that is not known, and the one that was probably meant.
pub(super) fn unknown_key<'k>(
    pointer: String,
    key: &str,
    free: impl IntoIterator<Item = &'k str>,
    known: impl IntoIterator<Item = &'k str>,
) -> (SchemaProblem, Option<String>) {
    let near = nearest(key, free);
    let help = near.name().is_none().then(|| format!("known here: {}", list(known)));
    let message = format!("unknown key{near}");
    (SchemaProblem { pointer, message, help, kind: Broken::UnknownKey }, near.name().map(str::to_owned))
}

fn numbers(
    schema: &Map<String, Value>,
    number: &serde_json::Number,
    pointer: &str,
    out: &mut Vec<SchemaProblem>,
) {
    let Some(value) = number.as_f64() else { return };
    let shown = if is_secret(schema) { "the value".to_owned() } else { format!("`{number}`") };
    let limit = |word: &str| schema.get(word).and_then(Value::as_f64);
    let rules = [
        ("minimum", limit("minimum").is_some_and(|limit| value < limit), "at least"),
        ("maximum", limit("maximum").is_some_and(|limit| value > limit), "at most"),
        ("exclusiveMinimum", limit("exclusiveMinimum").is_some_and(|limit| value <= limit), "more than"),
        ("exclusiveMaximum", limit("exclusiveMaximum").is_some_and(|limit| value >= limit), "less than"),
    ];
    for (word, broken, relation) in rules {
        if broken {
            let limit = &schema[word];
            let message = format!("{shown} is out of range, expected {relation} {limit}");
            out.push(SchemaProblem { pointer: pointer.to_owned(), message, help: None, kind: Broken::Limit });
        }
    }
}

fn limits(
    schema: &Map<String, Value>,
    words: [&str; 2],
    length: f64,
    unit: &str,
    pointer: &str,
    out: &mut Vec<SchemaProblem>,
) {
    let [least, most] = words.map(|word| schema.get(word).and_then(Value::as_f64));
    let mut push = |relation: &str, limit: f64| {
        let unit = if limit == 1.0 { unit.trim_end_matches('s') } else { unit };
        let message = format!("expected {relation} {limit} {unit}, found {length}");
        out.push(SchemaProblem { pointer: pointer.to_owned(), message, help: None, kind: Broken::Limit });
    };
    if let Some(least) = least.filter(|least| length < *least) {
        push("at least", least);
    }
    if let Some(most) = most.filter(|most| length > *most) {
        push("at most", most);
    }
}
