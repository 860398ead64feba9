//! Whatever the values are, no cell says `None`, `null`, `undefined` or `True` unless the input did.

use std::fs;

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::support::Bench;

const WORDS: [&str; 7] = ["None", "none", "null", "Null", "undefined", "True", "False"];

const MANIFEST: &str = r#"
version = 1

[connectors.users]
plugin = "auth0"
options = { input = "users.ndjson" }

[connectors.table]
plugin = "csv"

[connectors.objects]
plugin = "json"

[connectors.support]
plugin = "zendesk"

[chains.main]
from = "users"
claims = { plan = "user_metadata.plan", vip = "user_metadata.vip", score = "user_metadata.score", labels = "user_metadata.labels" }
to = ["table", "objects", "support"]
max_rejects = "100%"
allow_empty = true
"#;

/// Ways to fill a column; those of `zendesk` go into custom fields.
const FIELDS: [(&str, &str); 12] = [
    ("bare", "nickname"),
    ("template", "{{ given_name }} {{ family_name }}"),
    ("defaults", "given_name | default(nickname) | default('friend')"),
    ("choice", "given_name if email_verified else family_name"),
    ("one_armed", "given_name if email_verified"),
    ("flag", "vip"),
    ("flag_in_text", "it is {{ vip }}"),
    ("joined", "plan ~ '-' ~ score"),
    ("lowered", "plan | lower | trim"),
    ("looped", "{% for label in labels %}{{ label }};{% endfor %}"),
    ("listed", "labels"),
    ("nowhere", "{{ user_metadata.no.such.thing }}{{ user_metadata.labels[7] }}"),
];

fn fields(prefix: &str) -> String {
    // A row without a name is none for Zendesk.
    let name = if prefix.is_empty() { "" } else { "name = \"'Somebody'\"\n" };
    let fields = FIELDS.iter().map(|(column, text)| format!("\"{prefix}{column}\" = \"{text}\"\n"));
    fields.fold(name.to_owned(), |all, field| all + &field)
}

/// Nothing, null, blank, or something; `None` is "no such key".
fn value() -> impl Strategy<Value = Option<Value>> {
    let text = "[a-z0-9éß ,;\"'<>{}=-]{0,8}".prop_map(Value::from);
    prop_oneof![
        2 => Just(None),
        2 => Just(Some(Value::Null)),
        2 => select(vec!["", " "]).prop_map(|blank| Some(blank.into())),
        2 => any::<bool>().prop_map(|flag| Some(flag.into())),
        1 => (-1000i64..1000).prop_map(|number| Some(number.into())),
        1 => Just(Some(json!(1.5))),
        1 => prop::collection::vec("[a-z]{1,3}", 0..3).prop_map(|list| Some(list.into())),
        1 => Just(Some(json!({}))),
        4 => text.prop_map(Some),
    ]
}

fn user() -> impl Strategy<Value = Value> {
    const KEYS: [&str; 9] =
        ["given_name", "family_name", "nickname", "name", "phone_number", "locale", "plan", "vip", "score"];
    // What is asked `if` and looped over is what it has to be, or nothing: anything else is a reject.
    let flag =
        prop_oneof![Just(None), Just(Some(Value::Null)), any::<bool>().prop_map(|flag| Some(flag.into()))];
    let list = prop::collection::vec("[a-z]{1,3}", 0..3).prop_map(|list| Some(list.into()));
    let list = prop_oneof![Just(None), Just(Some(Value::Null)), list];
    (prop::collection::vec(value(), KEYS.len()), flag, list).prop_map(|(values, flag, list)| {
        let (mut user, mut metadata) = (Map::new(), Map::new());
        for (place, (key, value)) in KEYS.iter().zip(values).enumerate() {
            let object = if place < 6 { &mut user } else { &mut metadata };
            object.extend(value.map(|value| ((*key).to_owned(), value)));
        }
        user.extend(flag.map(|flag| ("email_verified".to_owned(), flag)));
        metadata.extend(list.map(|list| ("labels".to_owned(), list)));
        user.insert("user_metadata".to_owned(), metadata.into());
        user.into()
    })
}

fn check(text: &str, place: &str, input: &str) {
    let word = text.split(|c: char| !c.is_alphanumeric()).find(|word| WORDS.contains(word));
    assert!(word.is_none(), "{place}: `{text}` says {word:?}; the input was\n{input}");
}

/// The texts in a JSON value; that it says `null` outside of them is its language.
fn check_json(value: &Value, place: &str, input: &str) {
    match value {
        Value::String(text) => check(text, place, input),
        Value::Array(items) => items.iter().for_each(|item| check_json(item, place, input)),
        Value::Object(object) => object.iter().for_each(|(key, value)| check_json(value, key, input)),
        _ => {}
    }
}

/// Runs people through all three sinks; answers how many cells were looked at.
fn run(people: &[Value]) -> usize {
    let bench = Bench::new();
    let sections = [("table", ""), ("objects", ""), ("support", "custom_fields.")];
    let fields =
        sections.map(|(name, prefix)| format!("[connectors.{name}.fields]\n{}\n", fields(prefix))).concat();
    bench.write("connectors.toml", format!("{MANIFEST}\n{fields}"));
    let mut input = String::new();
    for (number, person) in people.iter().enumerate() {
        let mut person = person.clone();
        person["user_id"] = format!("auth0|{number}").into();
        person["email"] = format!("p{number}@example.com").into();
        input += &format!("{person}\n");
    }
    bench.write("users.ndjson", &input);
    bench.usher(&["run", "--quiet"]).expect(0);
    let mut cells = 0;
    for connector in ["table", "support"] {
        for part in bench.parts("main", connector) {
            let mut reader = csv::Reader::from_path(&part).unwrap();
            let headings = reader.headers().unwrap().clone();
            for record in reader.records().map(Result::unwrap) {
                cells += record.len();
                headings.iter().zip(&record).for_each(|(heading, cell)| check(cell, heading, &input));
            }
        }
    }
    for part in bench.parts("main", "objects") {
        for line in fs::read_to_string(part).unwrap().lines() {
            cells += 1;
            check_json(&serde_json::from_str(line).unwrap(), "objects", &input);
        }
    }
    cells
}

#[test]
fn the_worst_of_each_kind() {
    let every = |value: Value| {
        let metadata = json!({ "plan": value, "vip": value, "score": value });
        json!({ "given_name": value, "family_name": value, "nickname": value, "name": value, "user_metadata": metadata })
    };
    let metadata = |value: Value| json!({ "user_metadata": value });
    let people =
        [json!(null), json!(""), json!(" "), json!(true), json!(false), json!([]), json!({}), json!(["a"])];
    let mut people: Vec<Value> = people.into_iter().map(every).collect();
    people.extend([
        json!({}),
        metadata(json!(null)),
        metadata(json!({})),
        metadata(json!({ "labels": ["a"], "vip": true })),
    ]);
    let nothing = json!({ "email_verified": null, "user_metadata": { "labels": null } });
    people.extend([nothing, json!({ "email_verified": true }), json!({ "email_verified": false })]);
    assert!(run(&people) > 400);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_cell_says_a_word_of_ours(people in prop::collection::vec(user(), 20..60)) {
        prop_assert!(run(&people) > people.len() * 10, "hardly a row is written");
    }
}
