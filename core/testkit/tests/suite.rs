//! The suite takes a plugin that does everything right, and finds every single thing done wrong.

mod toy;

use serde_json::json;
use usher_abi::Role;
use usher_testkit::{
    Call, Case, Check, Extent, Failure, MemoryHost, Sample, Suite, Verdict, check, conformance, description,
    read, text_batch, transform, write,
};

usher_sdk::export! {
    name = "toy",
    summary = "a plugin for tests",
    sources = { "lines" => crate::toy::Lines },
    transforms = { "capitals" => crate::toy::Capitals },
    sinks = { "people" => crate::toy::People },
}

fn lines(fault: &str) -> Case {
    let sample =
        Sample::lines("\"row {n} \u{1f98a}\"\n\"a\\nb\"\n").with_text("text", |text| json!(text).to_string());
    Case::source("lines", json!({ "input": "lines.txt", "fault": fault })).input("lines.txt", sample)
}

fn people(fault: &str) -> Case {
    Case::sink("people", json!({ "fault": fault }))
        .column("email", ["ada{n}@example.com", "b{n}@example.com"])
        .column("name", ["Ada", "Bo \"B\" B, the {n}th"])
}

fn capitals(fault: &str) -> Case {
    Case::transform("capitals", json!({ "fault": fault })).column("a", ["x", "y"])
}

#[test]
fn a_good_plugin_passes() {
    let cases = [
        lines("").refuses(json!({ "input": "" }), "/input").refuses(json!({}), ""),
        people("").refuses(json!({ "fault": "refuse-me" }), "/fault"),
        capitals("").refuses(json!({ "fault": 1 }), ""),
    ];
    let outcome = conformance(plugin(), &cases);
    outcome.assert();
    let left_out = |check: &Check| match &check.verdict {
        Verdict::Skipped(why) => why.contains("`usher test` runs it"),
        _ => false,
    };
    let skipped: Vec<_> = outcome.skipped().filter(|check| !left_out(check)).collect();
    assert!(skipped.is_empty(), "{skipped:?}");
}

/// The failure of the check of that name, the only one that is run; it must fail.
fn failure(cases: &[Case], name: &str) -> String {
    let module = plugin();
    let suite = Suite::new(module, cases, Extent::Shared);
    let place = suite.names().position(|(_, known)| known == name).expect("a check of that name");
    match suite.run(place).verdict {
        Verdict::Failed(text) => text,
        other => panic!("`{name}` did not fail: {other:?}"),
    }
}

#[test]
fn wrong_sources_are_found() {
    for (fault, name) in [
        ("panic", "an input with any byte replaced is no panic"),
        ("slab", "slabs of any size give the same rows"),
        ("swallow", "a failing service is an error of its class"),
        ("order", "the sample is read"),
        ("offset", "the sample is read"),
        ("projection", "only the attributes asked for come, in that order"),
        ("lose", "0, 1, 2, 100 and 10,000 records are as many rows"),
        ("split", "any number of splits gives the same rows"),
        ("mark", "a stream goes on from its checkpoint"),
        ("random", "the same input gives the same rows"),
        ("trim", "hostile texts come through unharmed"),
        ("once", "asked again, and read on many threads, it gives the same rows"),
        ("leak", "an input cut anywhere is no panic"),
    ] {
        failure(&[lines(fault)], name);
    }
}

#[test]
fn wrong_sinks_are_found() {
    for (fault, name) in [
        ("lose", "nulls are no panic and balance"),
        ("quote", "hostile texts are no panic and balance"),
        ("stranger", "nulls are no panic and balance"),
        ("swallow", "a failing service is an error of its class"),
        ("receipt", "the sample is written and the books balance"),
        ("batch", "batches of any size give the same bytes"),
        ("flush", "`flush` between batches changes nothing"),
        ("any-column", "unknown columns are problems"),
    ] {
        failure(&[people(fault)], name);
    }
}

#[test]
fn wrong_transforms_are_found() {
    failure(&[capitals("panic")], "nulls and hostile texts are no panic");
    for (fault, says) in [
        ("lose", "1 of 1 rows are lost"),
        ("input", "Origin { input: 2, length: 99, offset: 0 } comes out, but was never given"),
        ("survivor", "is a survivor, but is itself merged"),
        ("silent", "is rejected without a code or a message"),
    ] {
        let text = failure(&[capitals(fault)], "every row comes out, is rejected or is merged, once");
        assert!(text.contains(says), "{fault}: {text}");
    }
}

#[test]
fn wrong_cases_are_found() {
    let cases = [lines(""), people("").refuses(json!({}), ""), Case::sink("strangers", json!({}))];
    assert_eq!(
        failure(&cases, "every component has a case"),
        "no case for the transform capitals: write one"
    );
    let outcome = conformance(plugin(), &cases[1..]);
    let failed: Vec<_> = outcome.failures().map(|c| (c.subject.as_str(), &c.verdict)).collect();
    assert!(failed.contains(&("sink people", &Verdict::Failed("{} is taken".to_owned()))), "{outcome}");
    assert!(failed.iter().any(|(subject, _)| *subject == "sink strangers"), "{outcome}");
}

#[test]
fn failures_are_told_with_the_smallest_input() {
    let text = failure(&[lines("panic")], "an input cut anywhere is no panic");
    assert!(
        text.starts_with(
            "the input cut to 8 bytes, `\"row 0 \\xf0`: bug error `plugin.panic`: panicked in `next` at"
        ),
        "{text}"
    );
    let text = failure(&[people("quote")], "hostile texts are no panic and balance");
    assert!(text.starts_with("a quote in `email`: bug error `output.quote`"), "{text}");
    let text = failure(&[people("lose")], "nulls are no panic and balance");
    assert!(
        text.starts_with("three rows with `name` null: 3 rows were given, 0 are accounted for"),
        "{text}"
    );
}

#[test]
fn the_harness_runs_each_role() {
    let host = MemoryHost::new().with_input("a", "\"x\"\n\"y\"\nz\n").with_input("a", "\"w\"").slab_size(1);
    let found = read(plugin(), "lines", json!({ "input": "a" }), &host, None).unwrap();
    assert_eq!((found.inputs.as_slice(), found.splits.len(), found.rows()), (&[1, 2][..], 2, 3));
    assert_eq!(
        usher_testkit::records(&found.batches),
        "{\"text\":\"x\",\"_offset\":0,\"_length\":3}\n{\"text\":\"y\",\"_offset\":4,\"_length\":3}\n\
         {\"text\":\"w\",\"_offset\":0,\"_length\":3}\n"
    );
    assert_eq!(found.report.rejects.len(), 1);

    let rows = text_batch(&[("email", vec![Some("a@b"), None]), ("name", vec![None, Some("x")])]);
    let host = MemoryHost::new();
    let written = write(plugin(), "people", json!({}), &host, vec![rows.clone(), rows.clone()]).unwrap();
    usher_testkit::balance(&written.report, 4).unwrap();
    let offsets: Vec<u64> = written.report.rejects.iter().map(|r| r.origin.offset).collect();
    assert_eq!(offsets, [100, 300]);
    let part = &host.parts()[0];
    assert_eq!((part.name.as_str(), part.records), ("test-sink-run-people-0001.csv", 2));
    assert_eq!(part.text(), "email,name\n\"a@b\",\"\"\n\"a@b\",\"\"\n");

    let done = transform(plugin(), "capitals", json!({}), &MemoryHost::new(), vec![rows]).unwrap();
    assert!(usher_testkit::records(&done.batches).starts_with("{\"email\":\"A@B\",\"name\":null"));

    assert_eq!(description(plugin()).components.len(), 3);
    let problems = check(plugin(), Role::Sink, "people", json!({}), &["email", "nmae"]).unwrap();
    assert_eq!(problems[0].pointer, "/fields/nmae");
    let error =
        write(plugin(), "people", json!({}), &host, vec![text_batch(&[("nmae", vec![])])]).unwrap_err();
    assert_eq!(error.to_string(), "/fields/nmae: no column is named `nmae`");
}

#[test]
fn the_host_fails_and_waits_on_demand() {
    let host = MemoryHost::new().with_input("a", "\"x\"\n");
    host.fail(Failure::new(Call::Read, 2));
    let error = read(plugin(), "lines", json!({ "input": "a" }), &host, None).unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("transient", "test.fault"));
    assert_eq!(host.open_readers(), 0);

    let services = host.services();
    let clock = services.clock.clone().unwrap();
    host.clock().set_ms(1000);
    clock.sleep_ms(500).unwrap();
    assert_eq!((clock.now_ms(), host.clock().slept_ms()), (1500, 500));
    host.cancel();
    assert_eq!(clock.sleep_ms(1).unwrap_err().class.name(), "cancelled");
    assert!(services.log.is_cancelled());
}
