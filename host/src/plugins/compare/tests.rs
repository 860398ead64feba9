//! One change a row: what is done to a plugin, and what is said of it.

use serde_json::{Value, json};
use usher_abi::{Attribute, Column, Component, Consent, Limit, OnInvalid, RateLimit, Suspend, ValueKind};

use super::*;

fn component(role: Role, name: &str) -> Component {
    Component {
        name: name.to_owned(),
        role,
        summary: String::new(),
        options: json!({
            "type": "object",
            "properties": {
                "input": { "type": "string", "description": "A path" },
                "level": { "type": "integer", "minimum": 1, "maximum": 9, "default": 3 },
                "escape": { "$ref": "#/$defs/Escape", "default": "auto" },
                "plan": { "anyOf": [{ "$ref": "#/$defs/Plan" }, { "type": "null" }], "default": null },
                "headings": { "type": "object", "additionalProperties": { "type": "string" } },
                "retry": { "type": "object", "properties": { "times": { "type": "integer" } } },
                "mixed": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] },
            },
            "required": ["input"],
            "$defs": {
                "Escape": { "oneOf": [{ "const": "auto", "description": "By itself" }, { "const": "never" }] },
                "Plan": { "type": "string", "enum": ["team", "growth"] },
            },
        }),
        attributes: vec![Attribute {
            path: "mail".to_owned(),
            claim: Some("email".to_owned()),
            ..Attribute::default()
        }],
        open: role == Role::Source,
        columns: vec![
            Column {
                name: "Email".to_owned(),
                aliases: vec!["mail".to_owned()],
                default: Some("email".to_owned()),
                required: true,
                max_chars: Some(80),
                ..Column::default()
            },
            Column { name: "Tags".to_owned(), kind: ValueKind::List, ..Column::default() },
        ],
        limits: vec![Limit {
            of: "rows".to_owned(),
            max: 5_000,
            deliver: String::new(),
            source: String::new(),
        }],
        rate_limits: vec![RateLimit {
            name: "api".to_owned(),
            requests: 4,
            per_seconds: 1,
            source: String::new(),
        }],
        custom_claim: Some("custom.{claim}".to_owned()),
        consent: Consent::Optional,
        suspend: Some(Suspend { key: "key".to_owned(), ..Suspend::default() }),
    }
}

fn description() -> Description {
    Description {
        name: "acme".to_owned(),
        version: "1.0.0".to_owned(),
        summary: String::new(),
        components: vec![component(Role::Source, "users"), component(Role::Sink, "users")],
    }
}

fn lines(changes: &[Change]) -> Vec<String> {
    let effect = |change: &Change| if change.breaking { "breaking" } else { "compatible" };
    changes.iter().map(|change| format!("{}: {}", effect(change), change.what)).collect()
}

/// Changes the sink and answers what is said.
fn said(change: impl FnOnce(&mut Component)) -> Vec<String> {
    let mut new = description();
    change(&mut new.components[1]);
    lines(&compare_descriptions(&description(), &new))
}

fn option(path: &str, value: Value) -> impl FnOnce(&mut Component) {
    move |component| *component.options.pointer_mut(path).expect("a place in the schema") = value
}

#[test]
fn the_same_is_the_same() {
    assert_eq!(said(|_| {}), [""; 0]);
    // Words for people are nobody's matter.
    assert_eq!(said(option("/properties/input/description", json!("Another path"))), [""; 0]);
    assert_eq!(said(|sink| sink.summary = "Another".to_owned()), [""; 0]);
    // Neither is where a schema keeps its parts.
    assert_eq!(
        said(option("/properties/escape", json!({ "enum": ["auto", "never"], "default": "auto" }))),
        [""; 0]
    );
}

#[test]
fn options() {
    for (path, value, expected) in [
        ("/required", json!([]), "compatible: sink users: option `input` is no longer required"),
        ("/required", json!(["input", "plan"]), "breaking: sink users: option `plan` is now required"),
        (
            "/properties/level/default",
            json!(4),
            "breaking: sink users: default of option `level` is `4`, was `3`",
        ),
        (
            "/properties/level/minimum",
            json!(2),
            "breaking: sink users: minimum of option `level` is `2`, was `1`",
        ),
        (
            "/properties/level/minimum",
            json!(0),
            "compatible: sink users: minimum of option `level` is `0`, was `1`",
        ),
        (
            "/properties/level/maximum",
            json!(8),
            "breaking: sink users: maximum of option `level` is `8`, was `9`",
        ),
        (
            "/properties/level/maximum",
            json!(10),
            "compatible: sink users: maximum of option `level` is `10`, was `9`",
        ),
        (
            "/properties/input/type",
            json!("boolean"),
            "breaking: sink users: type of option `input` is `boolean`, was `string`",
        ),
        (
            "/properties/input/type",
            json!(["string", "array", "null"]),
            "compatible: sink users: type of option `input` is `array or string`, was `string`",
        ),
        (
            "/$defs/Escape/oneOf",
            json!([{ "const": "auto" }]),
            "breaking: sink users: value of option `escape` `never` removed",
        ),
        (
            "/$defs/Plan/enum",
            json!(["team", "growth", "suite"]),
            "compatible: sink users: value of option `plan` `suite` added",
        ),
        (
            "/properties/plan",
            json!({ "type": "string" }),
            "compatible: sink users: choice of option `plan` is `any`, was `team growth`",
        ),
        (
            "/properties/input",
            json!({ "type": "string", "enum": ["a", "b"] }),
            "breaking: sink users: choice of option `input` is `a b`, was `any`",
        ),
        (
            "/properties/headings/additionalProperties/type",
            json!("integer"),
            "breaking: sink users: type of option `headings.*` is `integer`, was `string`",
        ),
        (
            "/properties/headings/additionalProperties",
            json!(false),
            "breaking: sink users: form of option `headings` is another",
        ),
        ("/properties/retry/properties", json!({}), "breaking: sink users: option `retry.times` removed"),
        (
            "/properties/mixed/anyOf/1/type",
            json!("integer"),
            "breaking: sink users: form of option `mixed` is another",
        ),
    ] {
        assert_eq!(said(option(path, value.clone())), [expected], "{path} = {value}");
    }
    let renamed = |sink: &mut Component| {
        let properties = sink.options["properties"].as_object_mut().expect("properties");
        let mixed = properties.remove("mixed").expect("an option");
        properties.insert("either".to_owned(), mixed);
    };
    assert_eq!(
        said(renamed),
        ["breaking: sink users: option `mixed` removed", "compatible: sink users: option `either` added"]
    );
}

#[test]
fn columns_claims_and_limits() {
    type Edit = fn(&mut Component);
    let table: &[(Edit, &str)] = &[
        (
            |c| c.columns[0].default = Some("mail".to_owned()),
            "breaking: default of column `Email` is `mail`, was `email`",
        ),
        (|c| c.columns[0].required = false, "compatible: column `Email` is no longer required"),
        (|c| c.columns[1].required = true, "breaking: column `Tags` is now required"),
        (|c| c.columns[0].max_chars = Some(50), "breaking: longest text of column `Email` is `50`, was `80`"),
        (
            |c| c.columns[0].max_chars = Some(90),
            "compatible: longest text of column `Email` is `90`, was `80`",
        ),
        (|c| c.columns[0].max_chars = None, "compatible: longest text of column `Email` is none, was `80`"),
        (|c| c.columns[1].max_items = Some(3), "breaking: most items of column `Tags` is `3`, was none"),
        (|c| c.columns[0].aliases.clear(), "breaking: other spelling of column `Email` `mail` removed"),
        (|c| c.columns[1].kind = ValueKind::Text, "breaking: type of column `Tags` is `text`, was `list`"),
        (
            |c| c.columns[0].on_invalid = OnInvalid::LeaveOut,
            "breaking: fate of bad values of column `Email` is `leave_out`, was `reject_row`",
        ),
        (|c| drop(c.columns.pop()), "breaking: column `Tags` removed"),
        (
            |c| c.columns.push(Column { name: "Phone".to_owned(), ..Column::default() }),
            "compatible: column `Phone` added",
        ),
        (|c| c.open = true, "compatible: columns: there may be others now than those listed"),
        (|c| c.attributes[0].claim = None, "breaking: claim of attribute `mail` is none, was `email`"),
        (
            |c| c.attributes[0].kind = ValueKind::Any,
            "breaking: type of attribute `mail` is `any`, was `text`",
        ),
        (|c| c.attributes.clear(), "breaking: attribute `mail` removed"),
        (|c| c.limits[0].max = 4_000, "breaking: limit of `rows` is `4000`, was `5000`"),
        (|c| c.limits[0].max = 6_000, "compatible: limit of `rows` is `6000`, was `5000`"),
        (|c| c.limits.clear(), "compatible: limit of `rows` is none, was `5000`"),
        (|c| c.rate_limits[0].requests = 10, "compatible: rate limit `api` is `10 in 1 s`, was `4 in 1 s`"),
        (|c| c.rate_limits.clear(), "compatible: rate limit `api` is none, was `4 in 1 s`"),
        (|c| c.custom_claim = None, "breaking: column of custom claims is none, was `custom.{claim}`"),
        (
            |c| {
                c.suspend =
                    Some(Suspend { key: "key".to_owned(), deliver: "api".to_owned(), ..Suspend::default() })
            },
            "breaking: how people are suspended, or in which form of delivery, is another",
        ),
        (|c| c.suspend = None, "breaking: column by which people are suspended is none, was `key`"),
        (|c| c.consent = Consent::Required, "breaking: consent is `required`, was `optional`"),
        (|c| c.consent = Consent::None, "breaking: consent is none, was `optional`"),
    ];
    for (edit, expected) in table {
        let (effect, what) = expected.split_once(": ").expect("an effect");
        assert_eq!(said(edit), [format!("{effect}: sink users: {what}")]);
    }
    let required = Column { name: "Phone".to_owned(), required: true, ..Column::default() };
    assert_eq!(
        said(|c| c.columns.push(required)),
        [
            "compatible: sink users: column `Phone` added",
            "breaking: sink users: column `Phone` is now required"
        ]
    );
    assert_eq!(
        said(|c| c.limits[0].deliver = "api".to_owned()),
        [
            "compatible: sink users: limit of `rows` is none, was `5000`",
            "breaking: sink users: limit of `rows` in the form `api` is `5000`, was none",
        ]
    );
}

#[test]
fn components() {
    let mut new = description();
    new.components[1].name = "people".to_owned();
    new.components.insert(0, component(Role::Source, "events"));
    assert_eq!(
        lines(&compare_descriptions(&description(), &new)),
        [
            "compatible: source `events` added",
            "breaking: default source is `events`, was `users`",
            "breaking: sink `users` removed",
            "compatible: sink `people` added",
            "breaking: default sink is `people`, was `users`",
        ]
    );
}

#[test]
fn files() {
    let old = r#"{"usher":"plugin","abi":[0,1],"name":"csv","version":"1.0.0","summary":"Tables","sdk":"0.1.0","rustc":"r",
        "target":"t","panic":"unwind","components":[],"wants":["input"],"hosts":[]}"#;
    let read = |text: &str| Preamble::parse(text.as_bytes()).unwrap();
    for (from, to, expected) in [
        ("\"csv\"", "\"dsv\"", "breaking: name is `dsv`, was `csv`"),
        ("\"1.0.0\"", "\"1.1.0\"", "compatible: version is `1.1.0`, was `1.0.0`"),
        ("[0,1]", "[0,2]", "breaking: ABI is `0.2`, was `0.1`"),
        ("\"0.1.0\"", "\"0.2.0\"", "compatible: SDK is `0.2.0`, was `0.1.0`"),
        (
            "[\"input\"]",
            "[\"input\",\"state\"]",
            "compatible: list of services is `input state`, was `input`",
        ),
        ("\"hosts\":[]", "\"hosts\":[\"a.com\"]", "compatible: list of hosts is `a.com`, was none"),
    ] {
        assert_eq!(lines(&compare_preambles(&read(old), &read(&old.replace(from, to)))), [expected]);
    }
    assert_eq!(compare_preambles(&read(old), &read(old)), []);
}
