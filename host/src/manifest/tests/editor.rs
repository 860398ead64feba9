//! The schema for editors, checked with our own checker as far as that goes.

use serde_json::{Value, json};
use usher_abi::{Column, Component, Consent, Description, Role};

use crate::manifest::{json_schema, schema_check};

fn component(name: &str, role: Role, options: Value, consent: Consent) -> Component {
    let column =
        |name: &str| Column { name: name.to_owned(), summary: "A column.".to_owned(), ..Column::default() };
    Component {
        name: name.to_owned(),
        role,
        summary: "…".to_owned(),
        options,
        attributes: Vec::new(),
        open: false,
        columns: vec![column("First Name"), column("custom_fields.*")],
        limits: Vec::new(),
        rate_limits: Vec::new(),
        custom_claim: None,
        consent,
        suspend: None,
    }
}

fn plugins() -> Vec<(String, Description)> {
    let described = |name: &str, components| {
        let summary = format!("The plugin {name}.");
        (name.to_owned(), Description { name: name.to_owned(), version: "1".to_owned(), summary, components })
    };
    let nested = json!({
        "$schema": "x", "title": "Options", "type": "object", "required": ["input"], "additionalProperties": false,
        "properties": { "mode": { "$ref": "#/$defs/Mode", "default": "a" }, "input": { "type": "string" } },
        "$defs": { "Mode": { "anyOf": [{ "enum": ["a"] }, { "$ref": "#/$defs/Other" }] }, "Other": { "const": 5 } }
    });
    let plain = json!({ "type": "object" });
    vec![
        described("auth0", vec![component("users", Role::Source, nested, Consent::None)]),
        described(
            "cohort",
            vec![
                component("users", Role::Source, plain.clone(), Consent::None),
                component("users", Role::Sink, plain.clone(), Consent::Required),
                component("events", Role::Source, plain, Consent::None),
            ],
        ),
    ]
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get("$ref") {
                assert_eq!(object.len(), 1, "a reference has a neighbour: {value}");
                found.push(target.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let schema = json_schema(&plugins());
    let mut found = Vec::new();
    references(&schema, &mut found);
    assert!(found.contains(&"#/$defs/auth0.source.users.options.Mode".to_owned()), "{found:?}");
    for target in found {
        assert!(schema.pointer(target.trim_start_matches('#')).is_some(), "{target}");
    }
}

#[test]
fn every_key_is_described() {
    let schema = json_schema(&[]);
    for pointer in ["/properties", "/$defs/connector/properties", "/$defs/chain/properties"] {
        for (key, property) in schema.pointer(pointer).unwrap().as_object().unwrap() {
            let target =
                property["$ref"].as_str().and_then(|target| schema.pointer(target.trim_start_matches('#')));
            assert!(target.unwrap_or(property)["description"].is_string(), "{pointer}/{key}");
        }
    }
}

#[test]
fn plugins_have_their_rules() {
    let schema = json_schema(&plugins());
    insta::assert_json_snapshot!(schema["$defs"]["connector"]["allOf"], @r##"
    [
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "auth0"
            }
          },
          "required": [
            "plugin"
          ]
        },
        "then": {
          "properties": {
            "component": {
              "enum": [
                "users"
              ]
            }
          }
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "auth0"
            }
          },
          "required": [
            "plugin"
          ],
          "not": {
            "required": [
              "component"
            ]
          }
        },
        "then": {
          "properties": {
            "options": {
              "$ref": "#/$defs/auth0.source.users.options"
            }
          },
          "required": [
            "options"
          ]
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "auth0"
            },
            "component": {
              "const": "users"
            }
          },
          "required": [
            "plugin",
            "component"
          ]
        },
        "then": {
          "properties": {
            "options": {
              "$ref": "#/$defs/auth0.source.users.options"
            }
          },
          "required": [
            "options"
          ]
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "cohort"
            }
          },
          "required": [
            "plugin"
          ]
        },
        "then": {
          "properties": {
            "component": {
              "enum": [
                "events",
                "users"
              ]
            }
          }
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "cohort"
            }
          },
          "required": [
            "plugin"
          ],
          "not": {
            "required": [
              "component"
            ]
          }
        },
        "then": {
          "properties": {
            "options": {
              "anyOf": [
                {
                  "$ref": "#/$defs/cohort.source.users.options"
                },
                {
                  "$ref": "#/$defs/cohort.sink.users.options"
                }
              ]
            },
            "fields": {
              "$ref": "#/$defs/cohort.sink.users.fields"
            }
          }
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "cohort"
            },
            "component": {
              "const": "events"
            }
          },
          "required": [
            "plugin",
            "component"
          ]
        },
        "then": {
          "properties": {
            "options": {
              "$ref": "#/$defs/cohort.source.events.options"
            }
          }
        }
      },
      {
        "if": {
          "properties": {
            "plugin": {
              "const": "cohort"
            },
            "component": {
              "const": "users"
            }
          },
          "required": [
            "plugin",
            "component"
          ]
        },
        "then": {
          "properties": {
            "options": {
              "anyOf": [
                {
                  "$ref": "#/$defs/cohort.source.users.options"
                },
                {
                  "$ref": "#/$defs/cohort.sink.users.options"
                }
              ]
            },
            "fields": {
              "$ref": "#/$defs/cohort.sink.users.fields"
            }
          }
        }
      }
    ]
    "##);
    insta::assert_json_snapshot!(schema["$defs"]["cohort.sink.users.options"], @r##"
    {
      "type": "object",
      "properties": {
        "consent": {
          "$ref": "#/$defs/consent"
        }
      },
      "required": [
        "consent"
      ]
    }
    "##);
    insta::assert_json_snapshot!(schema["$defs"]["cohort.sink.users.fields"], @r##"
    {
      "type": "object",
      "properties": {
        "First Name": {
          "description": "A column.",
          "allOf": [
            {
              "$ref": "#/$defs/expression"
            }
          ]
        }
      },
      "patternProperties": {
        "^custom_fields\\.": {
          "description": "A column.",
          "allOf": [
            {
              "$ref": "#/$defs/expression"
            }
          ]
        }
      },
      "additionalProperties": false
    }
    "##);
    insta::assert_json_snapshot!(schema["$defs"]["auth0.source.users.options"], @r##"
    {
      "type": "object",
      "required": [
        "input"
      ],
      "additionalProperties": false,
      "properties": {
        "mode": {
          "default": "a",
          "allOf": [
            {
              "$ref": "#/$defs/auth0.source.users.options.Mode"
            }
          ]
        },
        "input": {
          "type": "string"
        }
      }
    }
    "##);
}

#[test]
fn a_manifest_is_checked() {
    let schema = json_schema(&plugins());
    let manifest = json!({
        "version": 1,
        "connectors": { "users": { "plugin": "auth0", "max_rejects": "5%" }, "x": { "plugin": "./x.so" } },
        "chains": { "main": { "from": "users", "to": ["x"], "unique": { "key": "email", "keep": { "max": "n" } } } },
    });
    assert_eq!(schema_check(&schema, &manifest), []);
    let mut wrong = manifest.clone();
    wrong["chains"]["main"]["to"] = json!([]);
    wrong["connectors"]["users"]["plugn"] = json!("x");
    assert_eq!(schema_check(&schema, &wrong).len(), 2);
}
