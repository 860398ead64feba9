//! The source `records`.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use insta::{assert_json_snapshot, assert_snapshot};
use proptest::prelude::*;
use serde_json::{Value, json};
use usher_json::plugin;
use usher_testkit::{Case, MemoryHost, Read, ReadPlan, Sample, conformance, read_with, records};

fn try_records(input: &[u8], mut options: Value, projection: Option<&[&str]>, slab: usize) -> Read {
    options["input"] = json!("in");
    let host = MemoryHost::new().with_input("in", input).slab_size(slab);
    read_with(plugin(), "records", options, &host, ReadPlan { projection, max_splits: 2 }).unwrap()
}

fn story(read: &Read) -> String {
    let rejects =
        read.report.rejects.iter().map(|r| {
            format!("{} {}+{} {}: {}\n", r.code, r.origin.offset, r.origin.length, r.column, r.message)
        });
    records(&read.batches) + &rejects.collect::<String>()
}

/// The suite, for the source alone; the plugin's sink has a case of its own.
fn conforms(sample: Sample) {
    let case = Case::source("records", json!({ "input": "people" }))
        .input("people", sample)
        .refuses(json!({ "input": "people", "kinds": { "a": "complex" } }), "")
        .refuses(json!({ "input": "people", "max_record_bytes": -1 }), "");
    let outcome = conformance(plugin(), &[case]);
    let failures: Vec<String> = outcome.failures().map(|f| format!("{f:?}")).collect();
    let own: Vec<&String> = failures.iter().filter(|f| !f.contains("every component has a case")).collect();
    assert!(own.is_empty(), "{own:#?}");
}

#[test]
fn ndjson_conforms() {
    let lines =
        "{\"email\":\"a{n}@example.com\",\"n\":{n}}\n{\"name\":\"B\\\"{n}\",\"tags\":[\"x\", \"y\"]}\n";
    conforms(Sample::lines(lines).with_text("name", |text| json!({ "name": text }).to_string()));
}

#[test]
fn an_array_conforms() {
    let items = [r#"{"email":"a{n}@example.com","o":{"x":[{}]}}"#, r#"{"name":"]},{"}"#];
    conforms(Sample::json_array(items).with_text("name", |text| json!({ "name": text }).to_string()));
}

#[test]
fn the_catalog_is_what_the_first_records_hold() {
    let input = "{\"email\":\"a@example.com\",\"n\":1}\n{\"Mail\":\"b\",\"user\":{\"age\":\"41\"}}\nbroken\n";
    let options = json!({ "claims": { "email": "Mail" }, "kinds": { "user.age": "integer", "n": "number" } });
    let read = try_records(input.as_bytes(), options, None, 9);
    assert_json_snapshot!(json!({
        "catalog": serde_json::to_value(&read.catalog).unwrap(),
        "rows": story(&read).lines().collect::<Vec<_>>(),
    }));
}

#[test]
fn every_reject() {
    let mut input =
        b"{\"a\":1}\n[]\n{\"a\":}\n{\"a\":\"x\"}\n{\"a\":\"\xff\"}\n{\"a\":\"\\ud83e\"}\n{\"a\":\"".to_vec();
    input.extend(b"0".repeat(40));
    input.extend(b"\"}\n{\"a\":2.0}\n");
    let options = json!({ "kinds": { "a": "integer" }, "max_record_bytes": 30 });
    let lines = story(&try_records(&input, options.clone(), Some(&["a"]), 7));
    let array =
        "[{\"a\":1}, [], {\"a\":}, {\"a\":\"x\"}, {\"a\":\"0000000000000000000000000000000\"}, {\"a\":2}] x";
    let array = story(&try_records(array.as_bytes(), options.clone(), Some(&["a"]), 7));
    let cut = story(&try_records(b"[{\"a\":1},{\"a\":", options, Some(&["a"]), 7));
    assert_snapshot!([lines, array, cut].join("--\n"));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-z .\\[\\]\"\\\\]{0,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_serde_json_writes_comes_back(
        values in prop::collection::vec(value(), 1..6), slab in 1usize..100, form in 0u8..3,
    ) {
        let objects: Vec<Value> = values.iter().map(|v| json!({ "v": v, "other": v })).collect();
        let text = match form {
            0 => objects.iter().map(|o| format!("{o}\n")).collect(),
            1 => serde_json::to_string(&objects).unwrap(),
            _ => serde_json::to_string_pretty(&objects).unwrap(),
        };
        let read = try_records(text.as_bytes(), json!({}), Some(&["v"]), slab);
        prop_assert!(read.report.rejects.is_empty(), "{}", story(&read));
        let got: Vec<Value> = records(&read.batches).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(got.len(), values.len());
        for (got, value) in got.iter().zip(&values) {
            // Texts as they are, everything else as compact JSON text.
            let expected = match value {
                Value::Null | Value::String(_) => value.clone(),
                other => json!(other.to_string()),
            };
            prop_assert_eq!(&got["v"], &expected);
        }
    }
}
