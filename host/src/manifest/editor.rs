//! The JSON Schema of the manifest, for editors: what a manifest may say with the plugins at hand.
//!
//! Written in 2020-12 so that tools which stop at draft 7 read it alike: no `$ref` has a neighbour, and nothing is
//! used that draft 7 lacks but `$defs`, which is only a place for references to lead to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use usher_abi::{Component, Consent, Description, Role};

use super::{chain, connector, model::Isolation, retention};

/// The schema of a manifest that may use these plugins, each under the name by which manifests call it.
pub fn json_schema(plugins: &[(String, Description)]) -> Value {
    let mut definitions = fixed();
    let mut rules = Vec::new();
    for (name, plugin) in plugins {
        for component in &plugin.components {
            define(&mut definitions, name, component);
        }
        rules.extend(plugin_rules(name, plugin));
    }
    let names: Vec<Value> = plugins
        .iter()
        .map(|(name, plugin)| json!({ "const": name, "description": plugin.summary }))
        .collect();
    let mut any = names;
    any.push(json!({ "type": "string" }));
    let mut connector = connector_schema(any);
    if !rules.is_empty() {
        connector["allOf"] = Value::Array(rules);
    }
    definitions.insert("connector".to_owned(), connector);
    let name = json!({ "pattern": "^[a-z0-9_-]{1,64}$" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Usher manifest",
        "type": "object",
        "required": ["version", "connectors", "chains"],
        "additionalProperties": false,
        "properties": {
            "version": { "const": 1, "description": "The version of the manifest's form." },
            "out": string("Where runs leave their files, relative to the manifest.", Some("out")),
            "state": string("Where state and ledger are kept, relative to the manifest.", Some(".usher")),
            "plugins": {
                "type": "array",
                "items": { "type": "string" },
                "description": "More folders to search for plugins, relative to the manifest.",
            },
            "retention": retention_schema(),
            "rejects": {
                "type": "object",
                "description": "What runs keep of records that were not taken.",
                "additionalProperties": false,
                "properties": { "record": {
                    "enum": ["full", "masked"],
                    "default": "full",
                    "description": "The record and words that may quote it, or neither.",
                } },
            },
            "connectors": {
                "type": "object",
                "description": "Named instances of plugins.",
                "minProperties": 1,
                "propertyNames": name,
                "additionalProperties": reference("connector"),
            },
            "chains": {
                "type": "object",
                "description": "What is read, how it is shaped and who takes it.",
                "minProperties": 1,
                "propertyNames": name,
                "additionalProperties": reference("chain"),
            },
        },
        "$defs": definitions,
    })
}

/// The definitions that are the same for all plugins.
fn fixed() -> Map<String, Value> {
    let expression = json!({
        "type": ["string", "boolean", "integer", "number"],
        "description": "An expression over attributes and claims, or a template with {{ }}.",
    });
    let unique = json!({
        "description": "Rows with the same key, trimmed and in lower case, become one.",
        "anyOf": [
            { "type": "string" },
            {
                "type": "object",
                "required": ["key"],
                "additionalProperties": false,
                "properties": {
                    "key": string("The attribute or claim.", None),
                    "keep": {
                        "description": "The row that stays: the first, the last, or the one with the largest value.",
                        "default": "first",
                        "anyOf": [
                            { "enum": ["first", "last"] },
                            {
                                "type": "object",
                                "required": ["max"],
                                "additionalProperties": false,
                                "properties": { "max": string("The attribute or claim to compare.", None) },
                            },
                        ],
                    },
                },
            },
        ],
    });
    let max_rejects = json!({
        "description": "How many rejects a sink may have: rows, or a share of them.",
        "default": "5%",
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^\\s*[0-9]*\\.?[0-9]*\\s*%\\s*$" },
        ],
    });
    let consent = json!({
        "description": "Who agreed to be written to: a condition, or why none is needed.",
        "anyOf": [
            { "type": "string", "minLength": 1 },
            {
                "type": "object",
                "required": ["not_needed"],
                "additionalProperties": false,
                "properties": { "not_needed": string("The reason.", None) },
            },
        ],
    });
    let shared = [
        ("expression", expression),
        ("unique", unique),
        ("max_rejects", max_rejects),
        ("consent", consent),
        ("chain", chain_schema()),
    ];
    shared.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn retention_schema() -> Value {
    let age = |what: &str| json!({ "type": "string", "pattern": "^[0-9]+(h|d|w)$", "description": what });
    let properties = json!({
        "runs": age("Whole runs, but for the latest of a chain and those that wait for something."),
        "rejects": age("Files of a run with rejected, left-out, withdrawn or missing values."),
        "inputs": age("What a run has downloaded, or read again."),
    });
    debug_assert!(retention::KEYS.iter().all(|key| properties.get(key).is_some()));
    json!({
        "type": "object",
        "description": "How long what is kept of runs, for `usher runs prune`: hours, days or weeks (`30d`).",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn chain_schema() -> Value {
    let properties = json!({
        "from": string("The connector that is read.", None),
        "through": strings("The connectors that transform, in order.", 0),
        "claims": {
            "type": "object",
            "description": "Claims of the chain's own: name and attribute.",
            "additionalProperties": { "type": "string", "minLength": 1 },
        },
        "where": string("The rows that are taken: a condition, true or false for every row.", None),
        "unique": reference("unique"),
        "exclude": {
            "type": "object",
            "description": "Rows whose key another source has are left out.",
            "required": ["from", "key"],
            "additionalProperties": false,
            "properties": {
                "from": string("The connector that is read.", None),
                "key": string("The key in both.", None),
            },
        },
        "to": strings("The connectors that take the records.", 1),
        "max_rejects": reference("max_rejects"),
        "max_change": {
            "description": "By how much the rows may differ from the last good run's, before anything is sent: a share of them.",
            "type": "string",
            "pattern": "^\\s*[0-9]*\\.?[0-9]*\\s*%\\s*$",
        },
        "allow_empty": boolean("No rows at all are fine.", false),
    });
    debug_assert!(chain::KEYS.iter().all(|key| properties.get(key).is_some()));
    json!({ "type": "object", "required": ["from", "to"], "additionalProperties": false, "properties": properties })
}

fn connector_schema(plugins: Vec<Value>) -> Value {
    let properties = json!({
        "plugin": { "description": "The plugin: a name, or a path such as ./libusher_x.so.", "anyOf": plugins },
        "component": string("Which of the plugin's components; only where it offers several for that place.", None),
        "options": {
            "type": "object",
            "description": "What the plugin takes. Strings may hold ${env:NAME} and ${file:path}.",
        },
        "fields": {
            "type": "object",
            "description": "What fills the columns of a sink.",
            "additionalProperties": reference("expression"),
        },
        "where": string("The rows that a sink takes: a condition, true or false for every row.", None),
        "unique": reference("unique"),
        "max_rejects": reference("max_rejects"),
        "allow_empty": boolean("No rows at all are fine.", false),
        "hosts": strings("The network hosts that it may reach, of those that the plugin asks for; without it, all of those.", 0),
        "store": boolean("Keep what it downloads in the run's folder, below `inputs`.", true),
        "isolation": {
            "description": "Where the plugin's code runs: in the host's process, or in a jailed one of its own. Without it: in the host's what came with it or is locked, apart everything else.",
            "enum": Isolation::NAMES,
        },
        "jail": jail_schema(),
        "sync": choice("Which rows go out to a sink: all, or those that are new or not as the vendor last confirmed them.", &["all", "changed"]),
        "on_missing": choice("With `sync = \"changed\"`: what is done about people who were delivered and are gone from the source: nothing, a list in `missing.csv`, or that and the vendor told to suspend them.", &["ignore", "report", "suspend"]),
        "max_missing": {
            "description": "With `on_missing`: how many of the people delivered may be gone, before anything is sent: a share of them.",
            "default": "0.5%",
            "type": "string",
            "pattern": "^\\s*[0-9]*\\.?[0-9]*\\s*%\\s*$",
        },
    });
    debug_assert!(connector::KEYS.iter().all(|key| properties.get(key).is_some()));
    json!({ "type": "object", "required": ["plugin"], "additionalProperties": false, "properties": properties })
}

fn jail_schema() -> Value {
    let with = |description: &str, default: &str, pattern: &str| json!({ "description": description, "type": "string", "default": default, "pattern": pattern });
    let properties = json!({
        "memory": with("How much memory the plugin's process may have.", "1GB", "^[0-9]+(MB|GB)$"),
        "deadline": with("How long a call of the plugin may take, the host's own time not counted.", "120s", "^[0-9]+[smh]$"),
        "grants": strings("What the plugin may have of the system, of what it wants: \"network\", absolute paths.", 0),
    });
    debug_assert!(super::jail::KEYS.iter().all(|key| properties.get(key).is_some()));
    json!({
        "description": "What the plugin's process may do.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// If the plugin is this one, the component is one of its own, and options and fields are that component's.
fn plugin_rules(plugin: &str, description: &Description) -> Vec<Value> {
    let mut by_name: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
    let mut defaults: Vec<&Component> = Vec::new();
    for component in &description.components {
        by_name.entry(&component.name).or_default().push(component);
        if defaults.iter().all(|other| other.role != component.role) {
            defaults.push(component);
        }
    }
    let names: Vec<&str> = by_name.keys().copied().collect();
    let is = json!({ "const": plugin });
    let mut rules = vec![json!({
        "if": { "properties": { "plugin": is }, "required": ["plugin"] },
        "then": { "properties": { "component": { "enum": names } } },
    })];
    if !defaults.is_empty() {
        rules.push(json!({
            "if": { "properties": { "plugin": is }, "required": ["plugin"], "not": { "required": ["component"] } },
            "then": then(plugin, &defaults),
        }));
    }
    for (name, components) in by_name {
        let condition = json!({ "plugin": is, "component": { "const": name } });
        rules.push(json!({
            "if": { "properties": condition, "required": ["plugin", "component"] },
            "then": then(plugin, &components),
        }));
    }
    rules
}

fn then(plugin: &str, components: &[&Component]) -> Value {
    let any = |kind: &str, of: Vec<&&Component>| match of.as_slice() {
        [one] => reference(&format!("{}.{kind}", prefix(plugin, one))),
        _ => {
            let refs: Vec<Value> =
                of.iter().map(|c| reference(&format!("{}.{kind}", prefix(plugin, c)))).collect();
            json!({ "anyOf": refs })
        }
    };
    let mut properties = Map::new();
    properties.insert("options".to_owned(), any("options", components.iter().collect()));
    let sinks: Vec<&&Component> =
        components.iter().filter(|component| component.role == Role::Sink).collect();
    if !sinks.is_empty() {
        properties.insert("fields".to_owned(), any("fields", sinks));
    }
    let mut rule = json!({ "properties": properties });
    if components.iter().all(|component| needs_options(component)) {
        rule["required"] = json!(["options"]);
    }
    rule
}

fn needs_options(component: &Component) -> bool {
    let required = component.options.get("required").and_then(Value::as_array);
    component.consent == Consent::Required || required.is_some_and(|keys| !keys.is_empty())
}

/// Adds the component's options, their own definitions, and a sink's fields.
fn define(definitions: &mut Map<String, Value>, plugin: &str, component: &Component) {
    let prefix = prefix(plugin, component);
    let own = format!("{prefix}.options");
    let mut options = component.options.clone();
    if let Some(object) = options.as_object_mut() {
        object.shift_remove("$schema");
        object.shift_remove("title");
        if let Some(Value::Object(nested)) = object.shift_remove("$defs") {
            for (name, schema) in nested {
                definitions.insert(format!("{own}.{name}"), lifted(schema, &own));
            }
        }
    }
    options = lifted(options, &own);
    if component.consent != Consent::None {
        add_consent(&mut options, component.consent);
    }
    definitions.insert(own, options);
    if component.role == Role::Sink {
        definitions.insert(format!("{prefix}.fields"), fields(component));
    }
}

/// The host evaluates `consent`, so its form is the host's.
fn add_consent(options: &mut Value, consent: Consent) {
    let Some(object) = options.as_object_mut() else { return };
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("consent".to_owned(), reference("consent"));
    }
    let required = object.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut()
        && consent == Consent::Required
        && !required.contains(&json!("consent"))
    {
        required.push(json!("consent"));
    }
}

/// The schema with its references led to where the definitions are now.
fn lifted(schema: Value, own: &str) -> Value {
    match schema {
        Value::Object(object) => {
            let mut out = Map::with_capacity(object.len());
            let mut all_of = Vec::new();
            let alone = object.len() == 1;
            for (key, value) in object {
                match (key.as_str(), value) {
                    ("$ref", Value::String(target)) => {
                        let target = match target.strip_prefix("#/$defs/") {
                            Some(name) => format!("#/$defs/{own}.{name}"),
                            None => format!("#/$defs/{own}{}", target.trim_start_matches('#')),
                        };
                        all_of.push(json!({ "$ref": target }));
                    }
                    ("allOf", Value::Array(more)) => {
                        all_of.extend(more.into_iter().map(|one| lifted(one, own)))
                    }
                    (_, value) => {
                        out.insert(key, lifted(value, own));
                    }
                }
            }
            match all_of.pop() {
                Some(only) if alone && all_of.is_empty() => return only,
                Some(last) => {
                    all_of.push(last);
                    out.insert("allOf".to_owned(), Value::Array(all_of));
                }
                None => {}
            }
            Value::Object(out)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| lifted(item, own)).collect()),
        other => other,
    }
}

fn fields(component: &Component) -> Value {
    let (mut named, mut patterns) = (Map::new(), Map::new());
    for column in &component.columns {
        let field = json!({ "description": column.summary, "allOf": [reference("expression")] });
        match column.name.strip_suffix('*') {
            Some(start) => {
                patterns.insert(format!("^{}", escaped(start)), field);
            }
            None => {
                for name in std::iter::once(&column.name).chain(&column.aliases) {
                    named.insert(name.clone(), field.clone());
                }
            }
        }
    }
    let others = if component.open { reference("expression") } else { Value::Bool(false) };
    json!({
        "type": "object",
        "properties": named,
        "patternProperties": patterns,
        "additionalProperties": others,
    })
}

fn escaped(text: &str) -> String {
    let special = |c: char| !c.is_alphanumeric() && !matches!(c, ' ' | '_' | '-' | ':') && c.is_ascii();
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

fn prefix(plugin: &str, component: &Component) -> String {
    let plain = |name: &str| name.replace(['/', '~', '%', '#'], "_");
    format!("{}.{}.{}", plain(plugin), super::references::word(component.role), plain(&component.name))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn string(description: &str, default: Option<&str>) -> Value {
    let mut schema = json!({ "type": "string", "minLength": 1, "description": description });
    if let Some(default) = default {
        schema["default"] = Value::from(default);
    }
    schema
}

fn strings(description: &str, least: u64) -> Value {
    json!({
        "type": "array",
        "items": { "type": "string", "minLength": 1 },
        "minItems": least,
        "description": description,
    })
}

fn choice(description: &str, of: &[&str]) -> Value {
    json!({ "enum": of, "default": of[0], "description": description })
}

fn boolean(description: &str, default: bool) -> Value {
    json!({ "type": "boolean", "default": default, "description": description })
}
