//! What a source makes of broken and hostile inputs.

use super::{
    super::{
        bench::{Bench, Step, need, survive, tail},
        hostile::hostile_texts,
        outcome::{Stop, skip},
    },
    reading::well_formed,
};
use crate::{ReadPlan, batches::cells};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("an input cut anywhere is no panic", cut),
    ("an input with any byte replaced is no panic", replaced),
    ("inputs of another kind are no panic", foreign),
    ("hostile texts come through unharmed", texts),
];

/// A sample that is small enough to be tried at every byte.
fn small(bench: &Bench<'_>) -> Result<Vec<u8>, Stop> {
    let Some((_, sample)) = bench.case.inputs.first() else { return skip("the case gives no input") };
    let two = sample.rows(2);
    let mut bytes = if two.len() <= 2048 { two } else { sample.rows(1) };
    bytes.truncate(4096);
    Ok(bytes)
}

/// Reading these bytes ends well or with an honest error; what is read is in order.
fn try_bytes(bench: &Bench<'_>, bytes: &[u8], what: impl Fn() -> String) -> Result<(), String> {
    let host = bench.host_of_bytes(bytes).slab_size(64);
    let result = bench.read(&host);
    if let Some(read) = survive(result, "").map_err(|e| format!("{}{e}", what()))? {
        let paths: Vec<&str> = read.catalog.attributes.iter().map(|a| a.path.as_str()).collect();
        well_formed(&host, &read, &paths).map_err(|e| format!("{}: {e}", what()))?;
    }
    if host.open_readers() > 0 {
        return Err(format!("{}: a reader stays open", what()));
    }
    Ok(())
}

fn cut(bench: &Bench<'_>) -> Result<(), Stop> {
    let bytes = small(bench)?;
    for end in 0..bytes.len() {
        let cut = &bytes[..end];
        try_bytes(bench, cut, || format!("the input cut to {end} bytes, {}", tail(cut)))?;
    }
    Ok(())
}

fn replaced(bench: &Bench<'_>) -> Result<(), Stop> {
    let mut bytes = small(bench)?;
    bytes.truncate(1024);
    for at in 0..bytes.len() {
        let original = bytes[at];
        for byte in [0x00, 0xFF, b'"', b'\n', b'{', b'\\'] {
            bytes[at] = byte;
            try_bytes(bench, &bytes, || {
                format!("byte {at} replaced by 0x{byte:02x}, up to it {}", tail(&bytes[..=at]))
            })?;
        }
        bytes[at] = original;
    }
    Ok(())
}

fn foreign(bench: &Bench<'_>) -> Result<(), Stop> {
    let inputs: [(&str, Vec<u8>); 12] = [
        ("blank lines", b"\n\r\n\n".to_vec()),
        ("a byte order mark", b"\xEF\xBB\xBF".to_vec()),
        ("UTF-16", b"\xFF\xFEa\0\n\0".to_vec()),
        ("a gzip header", b"\x1F\x8B\x08\0\0\0\0\0\0\x03".to_vec()),
        ("NULs", vec![0; 5000]),
        ("no UTF-8", vec![0xC3; 5000]),
        ("quotes", vec![b'"'; 4999]),
        ("commas", vec![b','; 5000]),
        ("open brackets", vec![b'['; 100_000]),
        ("open objects", b"{\"a\":".repeat(50_000)),
        ("a page of HTML", b"<!doctype html><html><body>503</body></html>".to_vec()),
        ("a line of 1 MB", vec![b'x'; 1_000_000]),
    ];
    for (what, bytes) in inputs {
        try_bytes(bench, &bytes, || format!("an input of {what}"))?;
    }
    Ok(())
}

fn texts(bench: &Bench<'_>) -> Result<(), Stop> {
    let Some((_, sample)) = bench.case.inputs.first() else { return skip("the case gives no input") };
    for (what, text) in hostile_texts() {
        let Some((attribute, bytes)) = sample.text(&text) else {
            return skip(
                "the sample does not say how a text is written (`text` of its case in `conformance.toml`, `Sample::with_text` in a test)",
            );
        };
        let host = bench.host_of_bytes(&bytes).slab_size(4096);
        let only = [attribute];
        let plan = ReadPlan { projection: Some(&only), max_splits: 1 };
        let read = need(bench.read_with(&host, plan), what)?;
        let of_first: Vec<_> =
            read.batches.iter().zip(&read.inputs).filter(|(_, i)| **i == 1).map(|(b, _)| b.clone()).collect();
        let found = cells(&of_first, attribute);
        let rejected = read.report.rejects.len();
        if found.len() + rejected != 1 {
            Err(format!("{what}: one record is {} rows and {rejected} rejects", found.len()))?;
        }
        if found.first().is_some_and(|value| value.as_str() != Some(text.as_str())) {
            let value = super::super::bench::shorten(&found[0].to_string(), 80);
            Err(format!("{what}: {text:.80?} comes out as {value}"))?;
        }
    }
    Ok(())
}
