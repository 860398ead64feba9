//! The checker, one line per rule.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::manifest::{schema_check, secret_pointers};

fn said(schema: &Value, value: Value) -> String {
    let line = |p: &crate::manifest::SchemaProblem| {
        let help = p.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{}: {}{help}", p.pointer, p.message)
    };
    schema_check(schema, &value).iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What `schemars` makes of an ordinary set of options.
fn options() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Options",
        "type": "object",
        "properties": {
            "input": { "description": "A path or a glob.\nMore.", "type": "string", "minLength": 1 },
            "token": { "type": ["string", "null"], "writeOnly": true, "maxLength": 3 },
            "rows": { "type": "integer", "format": "uint32", "minimum": 0, "maximum": 2000 },
            "share": { "type": "number", "exclusiveMinimum": 0 },
            "tags": { "type": "array", "items": { "type": "string" }, "uniqueItems": true, "maxItems": 2 },
            "mode": { "$ref": "#/$defs/Mode", "default": "create" },
            "deliver": { "anyOf": [{ "$ref": "#/$defs/Deliver" }, { "type": "null" }] },
            "escape": { "$ref": "#/$defs/Escape" },
            "pair": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] },
            "headings": { "type": "object", "additionalProperties": { "type": "string" } }
        },
        "additionalProperties": false,
        "required": ["input"],
        "$defs": {
            "Mode": { "oneOf": [
                { "description": "New ones.", "type": "string", "const": "create" },
                { "type": "string", "enum": ["update", "upsert"] }
            ] },
            "Deliver": { "oneOf": [
                { "type": "object", "required": ["type", "folder"], "additionalProperties": false,
                  "properties": { "type": { "type": "string", "const": "files" }, "folder": { "type": "string" } } },
                { "type": "object", "required": ["type", "key"], "additionalProperties": false,
                  "properties": { "type": { "type": "string", "const": "api" },
                                  "key": { "type": "string", "writeOnly": true } } }
            ] },
            "Escape": { "oneOf": [
                { "type": "string", "enum": ["auto", "none"] },
                { "type": "object", "required": ["character"], "additionalProperties": false,
                  "properties": { "character": { "type": "string" } } },
                { "type": "object", "required": ["double"], "additionalProperties": false,
                  "properties": { "double": { "type": "boolean" } } }
            ] }
        }
    })
}

fn with(key: &str, value: Value) -> String {
    let mut options = json!({ "input": "x" });
    options[key] = value;
    said(&self::options(), options)
}

#[test]
fn what_fits() {
    let fitting = [
        ("token", Value::Null),
        ("rows", json!(2000)),
        ("share", json!(1)),
        ("tags", json!(["a", "b"])),
        ("mode", json!("upsert")),
        ("deliver", json!({ "type": "api", "key": "k" })),
        ("deliver", Value::Null),
        ("escape", json!("auto")),
        ("escape", json!({ "double": true })),
        ("pair", json!(["a", 1])),
        ("headings", json!({ "anything": "goes" })),
    ];
    for (key, value) in fitting {
        assert_eq!(with(key, value.clone()), "", "{key} = {value}");
    }
    assert_eq!(said(&Value::Bool(true), json!(1)), "");
}

#[test]
fn what_does_not() {
    assert_snapshot!(said(&options(), json!({})), @"/input: missing (write `input = …`: A path or a glob)");
    assert_snapshot!(said(&options(), json!({ "inptu": "x", "zzz": 1 })), @r"
    /inptu: unknown key; did you mean `input`?
    /zzz: unknown key (known here: `input`, `token`, `rows`, `share`, `tags`, `mode`, `deliver`, `escape`, `pair`, `headings`)
    ");
    assert_snapshot!(with("input", json!("")), @"/input: expected at least 1 character, found 0");
    assert_snapshot!(with("input", json!(5)), @r#"/input: expected a string, found an integer (write it in quotes: `"5"`)"#);
    assert_snapshot!(with("token", json!("s3cr3t")), @"/token: expected at most 3 characters, found 6");
    assert_snapshot!(with("rows", json!(-1)), @"/rows: `-1` is out of range, expected at least 0");
    assert_snapshot!(with("rows", json!(2001)), @"/rows: `2001` is out of range, expected at most 2000");
    assert_snapshot!(with("rows", json!(5.0)), @"/rows: expected an integer, found a number");
    assert_snapshot!(with("rows", json!("5")), @"/rows: expected an integer, found a string (write it without quotes)");
    assert_snapshot!(with("share", json!(0.0)), @"/share: `0.0` is out of range, expected more than 0");
    assert_snapshot!(with("tags", json!("a")), @r#"/tags: expected a list, found a string (write it in brackets: `["…"]`)"#);
    assert_snapshot!(with("tags", json!(["a", 1, "a"])), @r#"
    /tags: expected at most 2 items, found 3
    /tags/1: expected a string, found an integer (write it in quotes: `"1"`)
    /tags/2: given twice (take one out)
    "#);
    assert_snapshot!(with("pair", json!([1, "a"])), @r#"
    /pair/0: expected a string, found an integer (write it in quotes: `"1"`)
    /pair/1: expected an integer, found a string (write it without quotes)
    "#);
    assert_snapshot!(with("headings", json!({ "a/b": 1 })), @r#"/headings/a~1b: expected a string, found an integer (write it in quotes: `"1"`)"#);
    assert_snapshot!(with("headings", json!([])), @"/headings: expected a table, found a list");
}

#[test]
fn alternatives() {
    assert_snapshot!(with("mode", json!("udpate")), @"/mode: unknown value `udpate`; did you mean `update`? (one of `create`, `update`, `upsert`)");
    assert_snapshot!(with("mode", json!(true)), @r#"/mode: expected a string, found `true` (write it in quotes: `"true"`)"#);
    assert_snapshot!(with("deliver", json!("api")), @"/deliver: expected a table, found a string");
    assert_snapshot!(with("deliver", json!({ "type": "file", "folder": "x" })), @"/deliver/type: unknown value `file`; did you mean `files`? (one of `files`, `api`)");
    assert_snapshot!(with("deliver", json!({ "folder": "x" })), @"/deliver/type: missing (one of `files`, `api`)");
    assert_snapshot!(with("deliver", json!({ "type": "api", "folder": "x" })), @r"
    /deliver/folder: unknown key (known here: `type`, `key`)
    /deliver/key: missing (write `key = …`)
    ");
    assert_snapshot!(with("deliver", json!({ "type": "files", "folder": 5 })), @r#"/deliver/folder: expected a string, found an integer (write it in quotes: `"5"`)"#);
    assert_snapshot!(with("escape", json!("atuo")), @"/escape: unknown value `atuo`; did you mean `auto`? (one of `auto`, `none`)");
    assert_snapshot!(with("escape", json!({ "doubel": true })), @"/escape/doubel: unknown key; did you mean `double`?");
    assert_snapshot!(with("escape", json!({ "double": "yes" })), @"/escape/double: expected true or false, found a string (write it without quotes)");
    assert_snapshot!(with("escape", json!({})), @"/escape: empty, expected one of `character`, `double`");
    assert_snapshot!(with("escape", json!(1)), @"/escape: expected a string or a table, found an integer");
    let secret = json!({ "oneOf": [{ "const": "aaa", "writeOnly": true }, { "const": "bbb" }] });
    assert!(!said(&secret, json!("s3cr3t")).contains("s3cr3t"));
}

#[test]
fn references_that_go_in_circles_end() {
    let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "$ref": "#/$defs/A" } } });
    assert_eq!(said(&schema, json!(1)), "");
    assert!(secret_pointers(&schema, &json!("x")).is_empty());
    let schema = json!({ "$ref": "#/$defs/A", "$defs": { "A": { "anyOf": [
        { "$ref": "#/$defs/A" }, { "$ref": "#/$defs/A" }, { "type": "string" } ] } } });
    let _ = said(&schema, json!(1));
    assert_eq!(said(&json!({ "$ref": "#/$defs/Gone" }), json!(1)), "");
}

#[test]
fn secrets_are_found() {
    let value = json!({ "token": "t", "input": "i", "deliver": { "type": "api", "key": "k" } });
    assert_eq!(secret_pointers(&options(), &value), ["/deliver/key", "/token"]);
    let all = json!({ "type": "object", "additionalProperties": { "writeOnly": true } });
    assert_eq!(
        secret_pointers(&all, &json!({ "a/b": ["x", { "y": "z" }], "n": 1 })),
        ["/a~1b/0", "/a~1b/1/y"]
    );
}
