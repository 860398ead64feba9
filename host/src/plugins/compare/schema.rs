//! Options, before and after: the words of JSON Schema that `schemars` makes of option types.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Changes;
use crate::plugins::{choices, plain};

/// References inside references; a type that holds itself is cut off here.
const DEEPEST: usize = 8;
/// What says nothing of the values that are taken.
const REMARKS: [&str; 8] =
    ["$schema", "$defs", "$ref", "title", "description", "examples", "format", "writeOnly"];
/// What is compared word by word.
const KNOWN: [&str; 8] =
    ["type", "default", "const", "enum", "properties", "required", "items", "additionalProperties"];
/// Lower bounds, and then upper bounds.
const BOUNDS: [(&str, bool); 8] = [
    ("minimum", true),
    ("exclusiveMinimum", true),
    ("minLength", true),
    ("minItems", true),
    ("maximum", false),
    ("exclusiveMaximum", false),
    ("maxLength", false),
    ("maxItems", false),
];

/// Compares the schemas of all options of a component.
pub(super) fn compare(old: &Value, new: &Value, changes: &mut Changes) {
    properties("", &whole(old, old, 0), &whole(new, new, 0), changes);
}

fn properties(path: &str, old: &Value, new: &Value, changes: &mut Changes) {
    let of =
        |schema: &Value| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required = |schema: &Value, name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required == name))
    };
    let (before, after) = (of(old), of(new));
    let full = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let names = |map: &Map<String, Value>| map.keys().map(|name| full(name)).collect::<Vec<_>>();
    changes.names("option", &names(&before), &names(&after));
    for (name, schema) in &after {
        let path = full(name);
        if let Some(old) = before.get(name) {
            option(&path, old, schema, changes);
        }
        changes.demand(&format!("option `{path}`"), required(old, name), required(new, name));
    }
}

fn option(path: &str, old: &Value, new: &Value, changes: &mut Changes) {
    let of = |what: &str| format!("{what} of option `{path}`");
    let default = |schema: &Value| schema.get("default").map(plain).unwrap_or_default();
    changes.differ(true, &of("default"), &default(old), &default(new));
    let (before, after) = (types(old), types(new));
    let lost = !after.is_empty() && (before.is_empty() || !after.is_superset(&before));
    changes.differ(lost, &of("type"), &join(&before), &join(&after));
    match (choices(&Value::Null, old), choices(&Value::Null, new)) {
        (old, new) if old.is_empty() && !new.is_empty() => {
            changes.differ(true, &of("choice"), "any", &new.join(" "))
        }
        (old, new) if new.is_empty() && !old.is_empty() => {
            changes.differ(false, &of("choice"), &old.join(" "), "any")
        }
        (old, new) => changes.names(&of("value"), &old, &new),
    }
    for (word, lower) in BOUNDS {
        let bound = |schema: &Value| schema.get(word).and_then(Value::as_f64);
        let (before, after) = (bound(old), bound(new));
        let tighter =
            after.is_some_and(|new| before.is_none_or(|old| if lower { new > old } else { new < old }));
        let said = |bound: Option<f64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        changes.differ(tighter, &of(word), &said(before), &said(after));
    }
    properties(path, old, new, changes);
    for (word, below) in [("items", "[]"), ("additionalProperties", ".*")] {
        match (old.get(word), new.get(word)) {
            (Some(old), Some(new)) if old.is_object() && new.is_object() => {
                option(&format!("{path}{below}"), old, new, changes);
            }
            (old, new) if old != new => changes.note(true, format_args!("{}", of("form") + " is another")),
            _ => {}
        }
    }
    if rest(old) != rest(new) {
        changes.note(true, format_args!("{} is another", of("form")));
    }
}

fn types(schema: &Value) -> BTreeSet<String> {
    let listed: Vec<&Value> = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().collect(),
        other => other.into_iter().collect(),
    };
    // TOML has no null.
    listed.into_iter().filter_map(Value::as_str).filter(|t| *t != "null").map(str::to_owned).collect()
}

fn join(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(" or ")
}

/// What has not been compared word by word.
fn rest(schema: &Value) -> Map<String, Value> {
    let mut rest = schema.as_object().cloned().unwrap_or_default();
    rest.retain(|word, value| {
        let counted = ["oneOf", "anyOf"].contains(&word.as_str()) && all_counted(value);
        !counted && !KNOWN.contains(&word.as_str()) && BOUNDS.iter().all(|(bound, _)| bound != word)
    });
    rest
}

/// Whether alternatives are nothing but values.
fn all_counted(alternatives: &Value) -> bool {
    alternatives.as_array().is_some_and(|all| {
        all.iter().all(|one| {
            let nested = ["oneOf", "anyOf"].iter().filter_map(|word| one.get(*word)).any(all_counted);
            nested || one.get("const").is_some() || one.get("enum").is_some()
        })
    })
}

/// A schema without remarks, with what its references lead to in their place, and without the null of optional values.
fn whole(root: &Value, schema: &Value, depth: usize) -> Value {
    let Value::Object(words) = schema else { return schema.clone() };
    let mut out = Map::new();
    let target = words.get("$ref").and_then(Value::as_str).and_then(|r| root.pointer(r.strip_prefix('#')?));
    if let Some(target) = target.filter(|_| depth < DEEPEST) {
        merge(&mut out, whole(root, target, depth + 1));
    }
    for (word, value) in words.iter().filter(|(word, _)| !REMARKS.contains(&word.as_str())) {
        let inner = |value: &Value| whole(root, value, depth);
        let value = match (word.as_str(), value) {
            ("default" | "const" | "enum" | "required", value) => value.clone(),
            ("properties", Value::Object(all)) => {
                all.iter().map(|(name, schema)| (name.clone(), inner(schema))).collect()
            }
            ("anyOf" | "oneOf", Value::Array(all)) => {
                let is_null = |schema: &&Value| schema.get("type").is_some_and(|t| t == "null");
                let mut rest: Vec<Value> = all.iter().filter(|one| !is_null(one)).map(inner).collect();
                if let [_] = rest[..] {
                    merge(&mut out, rest.remove(0));
                    continue;
                }
                rest.into()
            }
            (_, Value::Array(all)) => all.iter().map(inner).collect(),
            (_, value) => inner(value),
        };
        out.insert(word.clone(), value);
    }
    if out.get("default").is_some_and(Value::is_null) {
        out.remove("default");
    }
    Value::Object(out)
}

fn merge(into: &mut Map<String, Value>, schema: Value) {
    if let Value::Object(words) = schema {
        into.extend(words);
    }
}
