//! Files are split at every limit, and not before; what is written parses back.

mod common;

use common::{problems, rows, run};
use proptest::prelude::*;
use serde_json::json;
use usher_testkit::{MemoryHost, text_batch};

fn people(count: usize) -> String {
    let mut csv = "name,emails,external_id\n".to_owned();
    for n in 0..count {
        csv += &format!("Person {n},person{n}@example.com,auth0|{n}\n");
    }
    csv
}

fn sizes(host: &MemoryHost) -> Vec<(u64, usize)> {
    host.parts().iter().map(|part| (part.records, part.bytes.len())).collect()
}

fn read(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    reader.records().map(|r| r.expect("a record").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn rows_of_a_file() {
    let (_, host) = run(json!({ "max_rows": 3 }), rows(&people(7))).unwrap();
    assert_eq!(sizes(&host).iter().map(|s| s.0).collect::<Vec<_>>(), [3, 3, 1]);
    let (_, host) = run(json!({ "max_rows": 7 }), rows(&people(7))).unwrap();
    assert_eq!(host.parts().len(), 1);
}

#[test]
fn bytes_of_a_file_with_its_header() {
    let (_, host) = run(json!({}), rows(&people(30))).unwrap();
    let whole = host.parts()[0].bytes.len();
    let (_, host) = run(json!({ "max_bytes": whole }), rows(&people(30))).unwrap();
    assert_eq!(sizes(&host), [(30, whole)]);
    let (_, host) = run(json!({ "max_bytes": whole - 1 }), rows(&people(30))).unwrap();
    assert_eq!(sizes(&host).iter().map(|s| s.0).collect::<Vec<_>>(), [29, 1]);
    assert!(sizes(&host).iter().all(|s| s.1 < whole));
}

#[test]
fn bytes_of_a_row() {
    let fixed = "A,a@example.com,requested,,true\n".len();
    for (extra, taken) in [(0, true), (1, false)] {
        let notes = "x".repeat(128_000 - fixed + extra);
        let batch = text_batch(&[
            ("name", vec![Some("A")]),
            ("emails", vec![Some("a@example.com")]),
            ("notes", vec![Some(&notes)]),
        ]);
        let (written, host) = run(json!({}), batch).unwrap();
        assert_eq!(written.report.written.count == 1, taken);
        if taken {
            let text = host.parts()[0].text();
            assert_eq!(text.split_once('\n').unwrap().1.len(), 128_000);
        } else {
            assert_eq!(written.report.rejects[0].code, "row.too-long");
            assert!(host.parts().is_empty());
        }
    }
}

#[test]
fn columns_of_a_file() {
    // `ticket_restriction` and `skip_verify_email` come on top.
    let named = |count: usize| -> Vec<String> {
        let fixed = ["name", "emails"].map(str::to_owned);
        fixed.into_iter().chain((0..count).map(|n| format!("custom_fields.f{n}"))).collect()
    };
    let check = |count: usize| {
        let names = named(count);
        problems(json!({}), &names.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(check(196), "");
    assert_eq!(
        check(197),
        "problem /fields columns.too-many: 201 columns, the data importer takes 200; drop some\n"
    );
}

#[test]
fn organizations_of_a_user() {
    let names: Vec<String> = (0..51).map(|n| format!("Org {n:02}")).collect();
    let cell = serde_json::to_string(&names).unwrap();
    let batch = text_batch(&[
        ("name", vec![Some("A")]),
        ("emails", vec![Some("a@example.com")]),
        ("organizations", vec![Some(&cell)]),
    ]);
    let (written, host) = run(json!({ "plan": "professional" }), batch).unwrap();
    assert_eq!(written.report.left_out.len(), 1);
    assert_eq!(written.report.left_out[0].code, "list.too-many");
    assert_eq!(host.parts().iter().find(|p| p.stem == "organizations").unwrap().records, 50);
}

#[test]
fn a_merged_row_stays_below_the_longest() {
    let mut csv = "external_id,name,emails\n".to_owned();
    for n in 0..8_000 {
        csv += &format!("1,Ada,ada{n:05}@example.com\n");
    }
    let (written, host) = run(json!({}), rows(&csv)).unwrap();
    let rejected = written.report.rejects.len();
    assert!(rejected > 0 && written.report.rejects.iter().all(|r| r.code == "row.too-long"));
    assert_eq!(written.report.written.count, 1);
    let text = host.parts()[0].text();
    let row = text.split_once('\n').unwrap().1;
    assert!((127_900..=128_000).contains(&row.len()), "{}", row.len());
    assert_eq!(row.matches('@').count(), 8_000 - rejected);
}

#[test]
fn merged_rows_split_a_file_that_grows_past_its_limit() {
    let first = people(30);
    let (_, host) = run(json!({}), rows(&first)).unwrap();
    let whole = host.parts()[0].bytes.len();
    let mut csv = first;
    csv += "Person 3,another-address-of-person-3@example.com,auth0|3\n";
    csv += "Person 29,another-address-of-person-29@example.com,auth0|29\n";
    let (written, host) = run(json!({ "max_bytes": whole }), rows(&csv)).unwrap();
    assert_eq!(written.report.merged.len(), 2);
    assert!(host.parts().len() > 1);
    assert!(sizes(&host).iter().all(|s| s.1 <= whole), "{:?}", sizes(&host));
    let users: Vec<Vec<String>> = host.parts().iter().flat_map(|p| read(&p.bytes).split_off(1)).collect();
    assert_eq!(users.len(), 30);
    assert_eq!(users[3][1], "person3@example.com|another-address-of-person-3@example.com");
    assert_eq!(users[29][1], "person29@example.com|another-address-of-person-29@example.com");
    let names: Vec<_> = written.receipt.parts.iter().map(|p| p.name.clone()).collect();
    assert_eq!(names, host.parts().iter().map(|p| p.name.clone()).collect::<Vec<_>>());
}

/// What is known of rows is on disk by then.
#[test]
fn a_row_finds_its_survivor_far_back() {
    let mut csv = people(5_000);
    for n in (0..5_000).step_by(7) {
        csv += &format!("Person {n},second{n}@example.org,auth0|{n}\n");
    }
    let (written, host) = run(json!({ "max_rows": 999 }), rows(&csv)).unwrap();
    assert_eq!(written.report.merged.len(), 715);
    for merged in &written.report.merged {
        let row = merged.survivor.offset / 100;
        assert_eq!(row, (merged.origin.offset / 100 - 5_000) * 7);
        assert_eq!(merged.survivor.length, 99);
    }
    let users: Vec<Vec<String>> = host.parts().iter().flat_map(|p| read(&p.bytes).split_off(1)).collect();
    assert_eq!(users.len(), 5_000);
    for (n, user) in users.iter().enumerate() {
        assert_eq!(user[0], format!("Person {n}"));
        assert_eq!(user[1].contains('|'), n % 7 == 0, "{user:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Free text is delivered as it was given.
    #[test]
    fn what_is_written_parses_back(
        users in prop::collection::vec(("[a-zé]{1,8}", "[ a,;\"'\r\n\té🙂|=]{0,12}", "[ a,;\"'\r\n\té🙂|=]{0,12}"), 1..20),
        max_rows in 1u64..8,
    ) {
        let ids: Vec<String> = (0..users.len()).map(|n| format!("id|{n}")).collect();
        let batch = text_batch(&[
            ("custom_fields.text", users.iter().map(|u| Some(u.2.as_str())).collect()),
            ("notes", users.iter().map(|u| Some(u.1.as_str())).collect()),
            ("external_id", ids.iter().map(|id| Some(id.as_str())).collect()),
            ("name", users.iter().map(|u| Some(u.0.as_str())).collect()),
        ]);
        let (_, host) = run(json!({ "max_rows": max_rows }), batch).unwrap();
        let mut back = Vec::new();
        for part in host.parts() {
            let mut records = read(&part.bytes);
            let header = records.remove(0);
            prop_assert_eq!(header, ["name", "emails", "ticket_restriction", "external_id", "notes", "skip_verify_email", "custom_fields.text"]);
            prop_assert!(records.len() as u64 <= max_rows);
            back.extend(records);
        }
        let given: Vec<Vec<String>> = users.iter().zip(&ids).map(|(u, id)| {
            vec![u.0.clone(), String::new(), "requested".into(), id.clone(), u.1.clone(), "true".into(), u.2.clone()]
        }).collect();
        prop_assert_eq!(back, given);
    }
}

#[test]
fn items_that_stand_twice_are_dropped_from_lists_of_any_length() {
    for count in [3, 40] {
        let mut items: Vec<String> = (0..count).map(|n| format!("Ada{n}@example.com")).collect();
        items.push("ADA1@EXAMPLE.COM".to_owned());
        items.push("ada2@example.com".to_owned());
        let cell = serde_json::to_string(&items).unwrap();
        let (written, host) =
            run(json!({}), text_batch(&[("name", vec![Some("A")]), ("emails", vec![Some(&cell)])])).unwrap();
        assert_eq!(read(&host.parts()[0].bytes)[1][1], items[..count].join("|"));
        assert_eq!(written.report.changed.iter().find(|c| c.rule == "duplicate").unwrap().count, 2);
    }
}
