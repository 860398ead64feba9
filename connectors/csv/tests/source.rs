//! The source `rows`.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use insta::{assert_json_snapshot, assert_snapshot};
use proptest::prelude::*;
use serde_json::{Value, json};
use usher_csv::plugin;
use usher_sdk::abi::{Error, Problem, Role};
use usher_testkit::{MemoryHost, Read, read, records};

fn try_rows(inputs: &[&[u8]], mut options: Value, slab: usize) -> Result<Read, Error> {
    options["input"] = json!("in");
    let host =
        inputs.iter().fold(MemoryHost::new(), |host, input| host.with_input("in", *input)).slab_size(slab);
    read(plugin(), "rows", options, &host, None)
}

fn rows(input: &str, options: Value) -> Read {
    try_rows(&[input.as_bytes()], options, 64).unwrap()
}

fn story(read: &Read) -> String {
    let rejects =
        read.report.rejects.iter().map(|r| {
            format!("{} {}+{} {}: {}\n", r.code, r.origin.offset, r.origin.length, r.column, r.message)
        });
    records(&read.batches) + &rejects.collect::<String>()
}

#[test]
fn rows_of_any_dialect() {
    let tables = [
        ("a,b\n1,\"x, \"\"y\"\"\"\n\n2,\n", json!({})),
        ("\u{feff}a\tb\r\n1\tx y\r\n", json!({})),
        ("a;b\n'1;\"x\ny\"", json!({})),
        ("a|b\n1|2", json!({ "delimiter": "|" })),
        ("a b\n1 'x y'\n", json!({ "delimiter": " ", "quote": "'" })),
    ];
    let stories: Vec<String> =
        tables.into_iter().map(|(input, options)| story(&rows(input, options))).collect();
    assert_snapshot!(stories.join("--\n"));
}

#[test]
fn claims_and_kinds_are_declared() {
    let options = json!({ "claims": { "email": "E-Mail", "plan": "Plan" }, "kinds": { "Age": "integer", "ok": "boolean" } });
    let read = rows("E-Mail,email,name,Age,ok,Plan\na@example.com,b,Ada,41,True,pro\n", options);
    assert_json_snapshot!(json!({
        "catalog": serde_json::to_value(&read.catalog).unwrap(),
        "rows": records(&read.batches).lines().collect::<Vec<_>>(),
    }));
}

#[test]
fn every_reject() {
    let mut input = b"id,age\n1\n2,x\n\xc3\xa9,4\n3,\xff\n4,".to_vec();
    input.extend(b"9".repeat(40));
    input.extend(b"\n5,5\n6,\"six\"th\n\"7\n\",\"");
    input.extend(b"7\n".repeat(20));
    input.extend(b"\"\n");
    let options = json!({ "kinds": { "age": "integer" }, "max_record_bytes": 30 });
    assert_snapshot!(story(&try_rows(&[&input], options, 7).unwrap()));
}

#[test]
fn files_of_one_glob_are_joined_by_heading() {
    let read = try_rows(&[b"a,b\n1,2\n", b"", b"b;c\n3;4\n"], json!({}), 5).unwrap();
    let paths: Vec<&str> = read.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    assert_eq!(paths, ["a", "b", "c"]);
    assert_eq!(read.catalog.notes, ["`in#2` is empty"]);
    assert_snapshot!(story(&read));
}

#[test]
fn errors() {
    let error = |input: &str, options: Value| {
        let error = try_rows(&[input.as_bytes()], options, 64).err();
        error.map_or_else(|| "no error".to_owned(), |e| format!("{}: {e}", e.code))
    };
    let errors = [
        error("a,b,c\n", json!({ "claims": { "email": "B" }, "kinds": { "x": "integer" } })),
        error("a,,c\n", json!({})),
        error("a,a\n", json!({})),
        error("a\0,b\n", json!({})),
        error("\"a", json!({})),
        error("a,b\n1,2\n3,\"open\n4,5\n", json!({})),
        error("a,b\n1,2\n3,\"open\n\"4\",5\n", json!({})),
        error("a,b\n", json!({ "delimiter": "::" })),
    ];
    assert_snapshot!(errors.join("\n"));
}

#[test]
fn problems() {
    let options =
        json!({ "input": "in", "quote": "\u{e9}", "claims": { "emial": "E-Mail", "plan": "Plan" } });
    let problems: Vec<Problem> = usher_testkit::check(plugin(), Role::Source, "rows", options, &[]).unwrap();
    assert_json_snapshot!(problems);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_the_csv_crate_writes_comes_back(
        cells in prop::collection::vec(prop::collection::vec(any::<String>(), 3), 1..6),
        slab in 1usize..100, delimiter in prop::sample::select(b",;\t|".to_vec()),
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let read = try_rows(&[&text], json!({}), slab).unwrap();
        prop_assert!(read.report.rejects.is_empty());
        let got: Vec<Value> = records(&read.batches).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(got.len(), cells.len());
        for (got, row) in got.iter().zip(&cells) {
            for (name, cell) in ["a", "b", "c"].iter().zip(row) {
                // An empty cell is null.
                let expected = if cell.is_empty() { Value::Null } else { json!(cell) };
                prop_assert_eq!(&got[*name], &expected);
            }
        }
    }
}
