//! The values that an option's schema allows.

use serde_json::Value;

/// The values that a schema allows, where they can be counted; `root` is what its references lead into.
pub fn choices(root: &Value, schema: &Value) -> Vec<String> {
    let target = |reference: &str| root.pointer(reference.strip_prefix('#')?);
    if let Some(schema) = schema.get("$ref").and_then(Value::as_str).and_then(target) {
        return choices(root, schema);
    }
    if let Some(value) = schema.get("const") {
        return vec![plain(value)];
    }
    let lists =
        ["enum", "oneOf", "anyOf"].iter().filter_map(|key| Some((*key, schema.get(*key)?.as_array()?)));
    lists
        .flat_map(|(key, items)| items.iter().map(move |item| (key, item)))
        .flat_map(|(key, item)| match (key, item) {
            ("enum", Value::Null) => Vec::new(),
            ("enum", value) => vec![plain(value)],
            (_, schema) => choices(root, schema),
        })
        .collect()
}

/// A value as the manifest would say it, without the quotes of a string; empty lists and tables are not worth a word.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Object(entries) if entries.is_empty() => String::new(),
        other => other.to_string(),
    }
}
