//! Records of every kind one behind the other, in each form: good ones become rows in their order, with their places, and those
//! that are rejected leave nothing behind.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use arrow_array::{Array, Int64Array, StringArray, UInt64Array, cast::AsArray};
use proptest::prelude::*;
use serde_json::json;
use usher_sdk::{
    Host,
    abi::{Report, Split, ValueKind},
    source::{JsonStream, Projection, Stream, Wanted},
};
use usher_testkit::MemoryHost;

const LIMIT: usize = 4_000;

/// A record, and what is to come of it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    /// Texts with escapes, numbers as texts.
    Escaped,
    /// A key with an escape, which only the slow way reads.
    Slow,
    /// No columns at all.
    Blank,
    /// Longer than anything that waits.
    Large,
    /// The number is none; the texts before it are good.
    Mismatch,
    TooLong,
    /// Only among lines.
    Broken,
    /// Only among lines.
    NotUtf8,
}

use Kind::{Blank, Broken, Escaped, Large, Mismatch, NotUtf8, Plain, Slow, TooLong};

/// Name and number.
type Row = (Option<String>, Option<i64>);

/// Rows with their offsets, and how many records were rejected.
type Found = (Vec<(u64, Row)>, usize);

/// The text of record `n`, and the row that it makes.
fn record(kind: Kind, n: usize) -> (Vec<u8>, Option<Row>) {
    let row = |name: String, logins: usize| Some((Some(name), Some(logins as i64)));
    let text = |text: String| text.into_bytes();
    match kind {
        Plain => {
            (text(format!(r#"{{"name":"Ada {n}","other":[1,2],"logins":{n}}}"#)), row(format!("Ada {n}"), n))
        }
        Escaped => {
            (text(format!(r#"{{"logins":"{n}","name":"\u00c4da\n{n}"}}"#)), row(format!("Äda\n{n}"), n))
        }
        Slow => (text(format!(r#"{{"n\u0061me":"Eve {n}","logins":{n}}}"#)), row(format!("Eve {n}"), n)),
        Blank => (text("{}".to_owned()), Some((None, None))),
        Large => {
            let name = format!("{n}").repeat(3_000 / format!("{n}").len());
            (text(format!(r#"{{"name":"{name}","logins":{n}}}"#)), row(name, n))
        }
        Mismatch => (text(format!(r#"{{"name":"not \"{n}\"","logins":"many"}}"#)), None),
        TooLong => (text(format!(r#"{{"name":"{}"}}"#, "x".repeat(LIMIT))), None),
        Broken => (text(format!(r#"{{"name":"broken {n}""#)), None),
        NotUtf8 => (b"{\"name\":\"\xFF\"}".to_vec(), None),
    }
}

fn read(mut stream: JsonStream) -> Found {
    let (mut rows, mut report) = (Vec::new(), Report::default());
    while let Some(records) = stream.next(&mut report).unwrap() {
        let batch = &records.batch;
        let names: &StringArray = batch.column(0).as_string();
        let logins: &Int64Array = batch.column(1).as_primitive();
        let offsets: &UInt64Array = batch.column(2).as_primitive();
        for row in 0..batch.num_rows() {
            let name = names.is_valid(row).then(|| names.value(row).to_owned());
            rows.push((offsets.value(row), (name, logins.is_valid(row).then(|| logins.value(row)))));
        }
    }
    (rows, report.rejects.len())
}

fn projection() -> Projection {
    let wanted = [Wanted::new("name", ValueKind::Text), Wanted::new("logins", ValueKind::Integer)];
    Projection::new(&wanted, &[])
}

/// The stream over a text, as lines or as an array.
fn stream(text: &[u8], open: impl Fn(&Host, &Split) -> JsonStream) -> Found {
    let memory = MemoryHost::new().with_input("users", text.to_vec());
    let services = memory.services();
    let host = Host::new(services.table(), Default::default());
    let input = host.input().unwrap().open("users").unwrap().remove(0).id;
    read(open(&host, &Split { input, start: 0, end: u64::MAX, ..Split::default() }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn lines_and_elements_of_every_kind(
        kinds in prop::collection::vec(prop::sample::select(vec![
            Plain, Plain, Escaped, Slow, Blank, Large, Mismatch, TooLong, Broken, NotUtf8,
        ]), 0..120),
    ) {
        let (mut lines, mut rows, mut rejects) = (Vec::new(), Vec::new(), 0);
        for (n, kind) in kinds.iter().enumerate() {
            let (text, row) = record(*kind, n);
            match row {
                Some(row) => rows.push((lines.len() as u64, row)),
                None => rejects += 1,
            }
            lines.extend(text);
            lines.push(b'\n');
        }
        let found = stream(&lines, |host, split| JsonStream::lines(host, projection(), split, &[], LIMIT).unwrap());
        prop_assert_eq!(found, (rows, rejects));

        let (mut array, mut rows, mut rejects) = (b"[".to_vec(), Vec::new(), 0);
        for (n, kind) in kinds.iter().enumerate().filter(|(_, kind)| !matches!(kind, Broken | NotUtf8)) {
            if array.len() > 1 {
                array.push(b',');
            }
            let (text, row) = record(*kind, n);
            match row {
                Some(row) => rows.push((array.len() as u64, row)),
                None => rejects += 1,
            }
            array.extend(text);
        }
        array.push(b']');
        let found = stream(&array, |host, split| JsonStream::array(host, projection(), split, &[], LIMIT).unwrap());
        prop_assert_eq!(found, (rows, rejects));
    }
}

/// Records without any wanted value are much shorter than their rows.
#[test]
fn many_short_records_make_as_many_rows() {
    let text = "{}\n".repeat(70_000) + &json!({ "name": "last", "logins": 7 }).to_string();
    let open = |host: &Host, split: &Split| JsonStream::lines(host, projection(), split, &[], LIMIT).unwrap();
    let (rows, rejects) = stream(text.as_bytes(), open);
    assert_eq!((rows.len(), rejects), (70_001, 0));
    assert_eq!(rows[70_000], (210_000, (Some("last".to_owned()), Some(7))));
    assert!(rows[..70_000].iter().all(|(_, row)| *row == (None, None)));
}
