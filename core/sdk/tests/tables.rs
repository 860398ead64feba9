//! Splits of delimited text, through the services: wherever a file is cut, whoever reads the splits and in which order, each
//! record comes once, and what is wrong is told alike.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::thread;

use arrow_array::{Array, StringArray, UInt64Array};
use proptest::prelude::*;
use usher_sdk::{
    Host,
    abi::{Error, Report, Split, ValueKind},
    source::{Delimiter, Header, Stream, TableColumn, TableStream, Wanted},
};
use usher_testkit::MemoryHost;

/// In which order splits are read.
#[derive(Clone, Copy, Debug)]
enum Order {
    Forward,
    /// Each is opened and read before the one in front of it is opened.
    Backward,
    /// On threads of their own.
    AtOnce,
}

/// Offsets and first cells of rows, then offsets and codes of rejects.
type Found = (Vec<(u64, Option<String>)>, Vec<(u64, String)>);

struct File {
    host: Host,
    header: Header,
}

impl File {
    fn open(host: Host) -> Self {
        let input = host.input().unwrap();
        let file = input.open("people.csv").unwrap().remove(0);
        let header = Header::read(&input, &file, Delimiter::Auto, b'"', LIMIT).unwrap().unwrap();
        Self { host, header }
    }

    fn stream(&self, start: u64, end: u64, checkpoint: &[u8]) -> TableStream {
        let split = Split { input: self.header.file.id, start, end, ..Split::default() };
        let wanted = Wanted::new("name", ValueKind::Text);
        let columns = vec![TableColumn { wanted, cell: Some(0) }];
        TableStream::open(&self.host, &self.header, columns, false, &split, checkpoint, LIMIT).unwrap()
    }
}

const LIMIT: usize = 40;

fn drain(mut stream: TableStream) -> Result<Found, Error> {
    let (mut rows, mut report) = (Vec::new(), Report::default());
    while let Some(records) = stream.next(&mut report)? {
        let column = |name: &str| records.batch.column_by_name(name).unwrap();
        let names = column("name").as_any().downcast_ref::<StringArray>().unwrap();
        let offsets = column("_offset").as_any().downcast_ref::<UInt64Array>().unwrap();
        rows.extend(offsets.values().iter().copied().zip(names.iter().map(|name| name.map(str::to_owned))));
    }
    let rejects = report.rejects.into_iter().map(|reject| (reject.origin.offset, reject.code.to_string()));
    Ok((rows, rejects.collect()))
}

fn read(text: &[u8], slab: usize, bounds: &[u64], order: Order) -> Result<Found, String> {
    let memory = MemoryHost::new().with_input("people.csv", text).slab_size(slab);
    let services = memory.services();
    let file = File::open(Host::new(services.table(), Default::default()));
    let splits = bounds.windows(2).map(|pair| (pair[0], pair[1]));
    let found: Vec<Result<Found, Error>> = match order {
        Order::Forward => splits.map(|(start, end)| drain(file.stream(start, end, &[]))).collect(),
        Order::Backward => {
            let mut found: Vec<_> =
                splits.rev().map(|(start, end)| drain(file.stream(start, end, &[]))).collect();
            found.reverse();
            found
        }
        Order::AtOnce => {
            let streams: Vec<TableStream> = splits.map(|(start, end)| file.stream(start, end, &[])).collect();
            thread::scope(|scope| {
                let readers: Vec<_> =
                    streams.into_iter().map(|stream| scope.spawn(|| drain(stream))).collect();
                readers.into_iter().map(|reader| reader.join().unwrap()).collect()
            })
        }
    };
    let mut all = Found::default();
    for one in found {
        let (rows, rejects) = one.map_err(|error| error.message.to_string())?;
        all.0.extend(rows);
        all.1.extend(rejects);
    }
    Ok(all)
}

fn same(body: &[u8], cuts: &[prop::sample::Index], slab: usize) -> Result<(), TestCaseError> {
    let text = [b"name,note\n", body].concat();
    let whole = read(&text, 1 << 20, &[0, u64::MAX], Order::Forward);
    let mut bounds: Vec<u64> = cuts.iter().map(|cut| 1 + cut.index(text.len()) as u64).collect();
    bounds.extend([0, u64::MAX]);
    bounds.sort_unstable();
    bounds.dedup();
    for order in [Order::Forward, Order::Backward, Order::AtOnce] {
        prop_assert_eq!(
            &read(&text, slab, &bounds, order),
            &whole,
            "{:?} of {:?}, {:?}",
            order,
            text.escape_ascii().to_string(),
            bounds
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_record_comes_once(
        rows in prop::collection::vec("(\"([a-z,é\r\n]|\"\"){0,9}\"|[a-z'é]{0,9}),(\"([a-z,é\n]|\"\"){0,30}\"|[a-z é]{0,30})(\r\n|\n|\n\n)", 0..24),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        slab in 1usize..300,
    ) {
        same(rows.concat().as_bytes(), &cuts, slab)?;
    }

    #[test]
    fn whatever_is_wrong_is_told_alike(
        body in "([a,\"\n]|\"\"|,\"){0,60}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        slab in 1usize..300,
    ) {
        same(body.as_bytes(), &cuts, slab)?;
    }
}

proptest! {
    #[test]
    fn characters_are_whole_or_told_alike(
        body in prop::collection::vec(
            prop::sample::select(vec![&b"a"[..], b",", b",", b"\n", b"\n", b"\xC3\xA9", b"\xC3", b"\xA9", b"\xF0\x9F\x99\x82", b"\xF0\x9F", b"\""]),
            0..200,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        slab in 1usize..300,
    ) {
        same(&body.concat(), &cuts, slab)?;
    }
}

#[test]
fn records_that_are_no_text_are_rejected_wherever_slabs_end() {
    let (mut text, mut bad, mut good) = (b"name,note\n".to_vec(), Vec::new(), Vec::new());
    for row in 0..60 {
        let place = text.len() as u64;
        match row % 7 {
            3 => text.extend(b"a\xC3\xA9\xC3,half a character\n"),
            // Both cells together would be text.
            5 => text.extend(b"a\xC3,\xA9b\n"),
            _ => text.extend(format!("é{row},\"🙂\"\n").bytes()),
        }
        if matches!(row % 7, 3 | 5) {
            bad.push((place, "encoding.utf8".to_owned()));
        } else {
            good.push((place, Some(format!("é{row}"))));
        }
    }
    for slab in (1..400).chain([1 << 20]) {
        assert_eq!(
            read(&text, slab, &[0, u64::MAX], Order::Forward),
            Ok((good.clone(), bad.clone())),
            "slabs of {slab}"
        );
    }
}

/// What stands in quotes looks like records, and is longer than any split.
#[test]
fn records_within_quotes_are_none() {
    let note = "x,y\n".repeat(8);
    let body = format!("ada,\"{note}\"\nbob,b\neve,\"{note}\"\n");
    let text = format!("name,note\n{body}");
    let names = |found: Found| found.0.into_iter().map(|(_, name)| name.unwrap()).collect::<Vec<_>>();
    for step in 1..text.len() as u64 {
        let bounds: Vec<u64> = (0..text.len() as u64).step_by(step as usize).chain([u64::MAX]).collect();
        let found = read(text.as_bytes(), 16, &bounds, Order::AtOnce).unwrap();
        assert_eq!(names(found), ["ada", "bob", "eve"], "splits of {step} bytes");
    }
}

/// Streams that one thread pulls in turn do not wait for each other for ever.
#[test]
fn streams_of_one_thread_are_pulled_in_any_order() {
    let memory = MemoryHost::new().with_input("people.csv", "name,note\nada,a\nbob,b\neve,e\n");
    let services = memory.services();
    let file = File::open(Host::new(services.table(), Default::default()));
    let (first, second) = (file.stream(0, 12, &[]), file.stream(12, u64::MAX, &[]));
    let names = |found: Found| found.0.into_iter().map(|(_, name)| name.unwrap()).collect::<Vec<_>>();
    assert_eq!(names(drain(second).unwrap()), ["bob", "eve"]);
    assert_eq!(names(drain(first).unwrap()), ["ada"]);
    // Behind a checkpoint, which is the place of a record.
    let rest = file.stream(0, 18, &16_u64.to_le_bytes());
    assert_eq!(names(drain(rest).unwrap()), ["bob"]);
}
