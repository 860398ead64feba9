//! Reading records again, for rejects: by origin, with line numbers.

use std::{
    ops::Range,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use usher_abi::{Error, Origin};

use super::{
    decode::{Decoder, Packing},
    registry::InputRegistry,
};
use crate::services::clock::Cancel;

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// Bytes of records that are handed over at once, and one record more; no longer one is read ahead.
const BATCH: usize = 256 * 1024;
/// Records that are handed over at once; fewer are not read ahead.
const RECORDS: usize = 1_024;
/// Batches that wait.
const AHEAD: usize = 2;

impl InputRegistry {
    /// The bytes of one record. Of a compressed input everything before it is unpacked again, so ask for many with
    /// [`read_records`](Self::read_records).
    pub fn read_record(&self, origin: Origin) -> Result<Vec<u8>, Error> {
        let entry = self.entry(origin.input)?;
        let plain = entry.head.packing == Packing::Plain;
        let from = if plain { origin.offset.min(entry.stored.len()) } else { 0 };
        let mut pass = Pass::new(self, origin.input, from)?;
        pass.go_to(origin.offset)?;
        Ok(pass.record(origin.length)?.to_vec())
    }

    /// Hands out the bytes and the line number (from 1) of each record, in one pass over each input that has any.
    /// `origins` are sorted by input and offset first, and handed out in that order, repeated ones as often as they
    /// stand there. The first error, of `take` or of reading, ends it.
    pub fn read_records(
        &self,
        origins: &mut [Origin],
        mut take: impl FnMut(Origin, &[u8], u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        origins.sort_unstable_by_key(|origin| (origin.input, origin.offset, origin.length));
        let origins: &[Origin] = origins;
        // A batch may be as long as its longest record, and several are in memory.
        if origins.len() < RECORDS || origins.iter().any(|origin| origin.length as usize > BATCH) {
            return self.each_record(origins, take);
        }
        let (sender, batches) = sync_channel(AHEAD);
        thread::scope(|scope| {
            // Reading on, and counting lines, takes about as long as what is done with the records.
            let started = thread::Builder::new()
                .name("usher-read".to_owned())
                .spawn_scoped(scope, move || self.send_records(origins, &sender));
            if started.is_err() {
                return self.each_record(origins, take);
            }
            for batch in batches {
                let Batch { bytes, records } = batch?;
                for (origin, line, place) in records {
                    take(origin, &bytes[place], line)?;
                }
            }
            Ok(())
        })
    }

    /// Hands out records, which are in their order.
    fn each_record(
        &self,
        origins: &[Origin],
        mut take: impl FnMut(Origin, &[u8], u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for of_input in origins.chunk_by(|a, b| a.input == b.input) {
            let Some(first) = of_input.first() else { continue };
            let mut pass = Pass::new(self, first.input, 0)?;
            for origin in of_input {
                pass.go_to(origin.offset)?;
                let line = pass.line;
                take(*origin, pass.record(origin.length)?, line)?;
            }
        }
        Ok(())
    }

    /// Sends records in batches, and what is wrong behind those before. When nobody listens any more, nothing is left to say.
    fn send_records(&self, origins: &[Origin], to: &SyncSender<Result<Batch, Error>>) {
        let mut batch = Batch::default();
        let read = self.each_record(origins, |origin, bytes, line| {
            let from = batch.bytes.len();
            batch.bytes.extend_from_slice(bytes);
            batch.records.push((origin, line, from..batch.bytes.len()));
            if batch.bytes.len() < BATCH && batch.records.len() < RECORDS {
                return Ok(());
            }
            to.send(Ok(std::mem::take(&mut batch))).map_err(|_| Error::cancelled())
        });
        let sent = to.send(Ok(batch));
        if let (Ok(()), Err(error)) = (sent, read) {
            let _ = to.send(Err(error));
        }
    }
}

/// Records that were read.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Each with its line and its place in the bytes.
    records: Vec<(Origin, u64, Range<usize>)>,
}

/// One pass over an input: a window of bytes that moves forward only.
struct Pass {
    name: String,
    decoder: Decoder,
    cancel: Cancel,
    buffer: Vec<u8>,
    /// Where in `buffer` the window begins.
    start: usize,
    /// Offset in the input of the window's first byte.
    offset: u64,
    /// Its line, if the pass began at 0.
    line: u64,
}

impl Pass {
    fn new(registry: &InputRegistry, input: u32, from: u64) -> Result<Self, Error> {
        let entry = registry.entry(input)?;
        let name = registry.name(input);
        let decoder = Decoder::new(&name, &entry.stored, entry.head.packing, from, registry.limit)?;
        let cancel = registry.cancel.clone();
        Ok(Self { name, decoder, cancel, buffer: Vec::new(), start: 0, offset: from, line: 1 })
    }

    /// Moves the beginning of the window to `offset`, counting the lines passed over.
    fn go_to(&mut self, offset: u64) -> Result<(), Error> {
        while self.offset < offset {
            if self.start == self.buffer.len() && !self.more()? {
                return Err(self.past_the_end(offset));
            }
            let window = &self.buffer[self.start..];
            let step = usize::try_from(offset - self.offset).unwrap_or(usize::MAX).min(window.len());
            self.line += memchr::memchr_iter(b'\n', &window[..step]).count() as u64;
            self.start += step;
            self.offset += step as u64;
        }
        Ok(())
    }

    /// The next `length` bytes, without moving on.
    fn record(&mut self, length: u32) -> Result<&[u8], Error> {
        let length = length as usize;
        while self.buffer.len() - self.start < length {
            if !self.more()? {
                return Err(self.past_the_end(self.offset));
            }
        }
        Ok(&self.buffer[self.start..self.start + length])
    }

    /// Reads on; false at the end of the input.
    fn more(&mut self) -> Result<bool, Error> {
        self.cancel.check()?;
        self.buffer.drain(..self.start);
        self.start = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = self.decoder.fill(&mut self.buffer[filled..])?;
        self.buffer.truncate(filled + read);
        Ok(read > 0)
    }

    fn past_the_end(&self, offset: u64) -> Error {
        Error::bug(
            "input.no-record",
            format!(
                "`{}` ends before the record at offset {offset} does; its source named a wrong place",
                self.name
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::input::{
        InputOptions, Inputs,
        decode::tests::{gzip, zstd},
    };
    use std::sync::Arc;
    use usher_abi::service::InputService;

    /// Three files of the same records: plain, gzip, zstd; ids 0, 1, 2.
    fn three(text: &[u8]) -> (tempfile::TempDir, Arc<InputRegistry>, Inputs) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in [("a", text.to_vec()), ("b", gzip(text)), ("c", zstd(text))] {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let registry = InputRegistry::new(InputOptions::new(folder.path(), folder.path(), Cancel::new()));
        let view = registry.view(&serde_json::json!("?"));
        assert_eq!(view.open("?").unwrap().len(), 3);
        (folder, registry, view)
    }

    /// Lines of many lengths, some longer than a chunk; their origins (of input 0) and numbers.
    fn lines() -> (Vec<u8>, Vec<(Origin, u64)>) {
        let (mut text, mut origins) = ("\u{feff}".as_bytes().to_vec(), Vec::new());
        for (index, length) in [3, 0, 70, CHUNK, 1, CHUNK * 2 + 7, 9, 500, CHUNK - 1, 4].iter().enumerate() {
            let offset = text.len() as u64;
            text.extend(std::iter::repeat_n(b'a' + index as u8, *length));
            text.push(b'\n');
            origins.push((Origin { input: 0, length: *length as u32, offset }, index as u64 + 1));
        }
        (text, origins)
    }

    #[test]
    fn records_come_back_with_their_lines_packed_or_not() {
        let (text, lines) = lines();
        let (_folder, registry, _view) = three(&text);
        let mut origins: Vec<Origin> = (0..3)
            .flat_map(|input| lines.iter().map(move |(origin, _)| Origin { input, ..*origin }))
            .rev()
            .collect();
        origins.push(origins[5]);
        let mut seen = Vec::new();
        registry
            .read_records(&mut origins, |origin, bytes, line| {
                let from = origin.offset as usize;
                assert_eq!(bytes, &text[from..from + origin.length as usize]);
                seen.push((origin.input, line));
                Ok(())
            })
            .unwrap();
        let mut expected: Vec<_> = (0..3).flat_map(|input| (1..=10).map(move |line| (input, line))).collect();
        expected.push((2, 5));
        expected.sort_unstable();
        assert_eq!(seen, expected);
        for (origin, _) in &lines {
            for input in 0..3 {
                let from = origin.offset as usize;
                assert_eq!(
                    registry.read_record(Origin { input, ..*origin }).unwrap(),
                    &text[from..from + origin.length as usize]
                );
            }
        }
    }

    #[test]
    fn a_wrong_origin_is_an_error() {
        let (_folder, registry, _view) = three(b"one\ntwo\n");
        for input in 0..3 {
            for (offset, length) in [(7, 2), (9, 0), (u64::MAX, 1)] {
                let origin = Origin { input, length, offset };
                assert_eq!(registry.read_record(origin).unwrap_err().code, "input.no-record", "{origin:?}");
            }
        }
        let origin = Origin { input: 3, ..Origin::default() };
        assert_eq!(registry.read_record(origin).unwrap_err().code, "input.unknown");
    }

    #[test]
    fn the_first_error_of_the_taker_ends_it() {
        let (_folder, registry, _view) = three(b"one\ntwo\n");
        let mut calls = 0;
        let error = registry
            .read_records(&mut [Origin::default(), Origin { offset: 4, ..Origin::default() }], |_, _, _| {
                calls += 1;
                Err(Error::cancelled())
            })
            .unwrap_err();
        assert_eq!((error.code.as_str(), calls), ("cancelled", 1));
    }

    /// Many short lines and their origins, of input 0.
    fn many() -> (Vec<u8>, Vec<Origin>) {
        let (mut text, mut origins) = (Vec::new(), Vec::new());
        for number in 0..RECORDS as u64 * 5 + 7 {
            let line = format!("record {number} {}\n", "x".repeat(number as usize % 500));
            origins.push(Origin { input: 0, offset: text.len() as u64, length: line.len() as u32 - 1 });
            text.extend(line.bytes());
        }
        (text, origins)
    }

    #[test]
    fn many_records_are_read_ahead_and_come_in_order() {
        let (text, origins) = many();
        let (_folder, registry, _view) = three(&text);
        let mut expected: Vec<Origin> =
            (0..3).flat_map(|input| origins.iter().map(move |o| Origin { input, ..*o })).collect();
        expected.push(expected[9]);
        let mut seen = Vec::new();
        let mut asked: Vec<Origin> = expected.iter().rev().copied().collect();
        let read = registry.read_records(&mut asked, |origin, bytes, line| {
            let from = origin.offset as usize;
            assert_eq!(bytes, &text[from..from + origin.length as usize]);
            assert!(bytes.starts_with(format!("record {} ", line - 1).as_bytes()));
            seen.push(origin);
            Ok(())
        });
        read.unwrap();
        expected.sort_unstable_by_key(|o| (o.input, o.offset));
        assert_eq!(seen, expected);
    }

    #[test]
    fn what_ends_the_reading_ahead_is_told() {
        let (text, mut origins) = many();
        let (_folder, registry, _view) = three(&text);
        let mut calls = 0;
        let refused = registry.read_records(&mut origins, |_, _, _| {
            calls += 1;
            Err(Error::bug("test", "no more"))
        });
        assert_eq!((refused.unwrap_err().code.as_str(), calls), ("test", 1));
        let good = origins.len();
        origins.push(Origin { offset: text.len() as u64 + 1, ..Origin::default() });
        let mut calls = 0;
        let ended = registry.read_records(&mut origins, |_, _, _| {
            calls += 1;
            Ok(())
        });
        assert_eq!((ended.unwrap_err().code.as_str(), calls), ("input.no-record", good));
    }
}
