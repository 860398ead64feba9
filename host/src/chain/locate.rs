//! Which record a written row was made from. Nothing is noted of it while a run goes on: the sink's work is done again,
//! and shown to be the same.

use std::{collections::HashMap, sync::Arc};

use usher_abi::{Error, Origin};

use super::{engine::Engine, outcome::Failure, replay::Replay, same};
use crate::{
    runs::{self, Receipt, Run},
    services::Part,
};

/// The record that a row was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The input, by its name in reports.
    pub input: String,
    /// The input's path, relative to the manifest's folder, or to the run's for what the run keeps.
    pub path: String,
    /// The record's line, from 1.
    pub line: u64,
    /// Its first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u32,
    /// The value of `unique` of the sink or the chain, else the address; empty where there is none.
    pub key: String,
    /// The record itself.
    pub raw: Vec<u8>,
}

/// The records of rows that `connector` wrote in `run`, in the order of `rows`: each a part's path in the run's folder and
/// the row's number in it, from 1. The parts are those that the run wrote.
///
/// Rows keep the order of records, so the n-th row was made from the n-th record that the sink took. Of a sink that
/// divides its rows among files of different columns it is found by trial: after how many records does the file have it?
pub fn locate(
    engine: &mut Engine,
    run: &Run,
    connector: &str,
    rows: &[(String, u64)],
) -> Result<Vec<Located>, Failure> {
    engine.settings.retry = runs::read_again(run)?.map(Arc::new);
    let receipt = Receipt::read(&run.folder)?;
    same::check(engine, run, &receipt, connector)?;
    let runs::Summary { read, inputs, .. } = runs::summary(&run.folder)?;
    let mut work = Work {
        limit: read.limited.then_some(read.records),
        held_back: same::has_held_back(&receipt, connector),
        extra: receipt.extra_parts(),
        engine,
        run,
        connector,
        known: HashMap::new(),
    };
    let replay = work.again(usize::MAX)?;
    same::prove(work.engine, run, &receipt, connector, &replay)?;
    let streams = work.streams(&replay);
    let written = replay.of_written();
    let mut found = Vec::new();
    for (path, row) in rows {
        let wanted = place(&streams, path, *row);
        let given = match (wanted, streams.len()) {
            (None, _) => None,
            (Some((_, before)), 1) => written.get(before as usize).copied(),
            (Some((stream, before)), _) => work.search(&streams[stream], before, replay.given())?,
        };
        let taken = given.filter(|given| written.binary_search(given).is_ok());
        let record = taken.and_then(|given| replay.record(given));
        let (origin, key) = record.ok_or_else(|| {
            Error::bug("locate.lost", format!("no record was found for row {row} of `{path}`; report this"))
        })?;
        found.push((origin, key.to_owned()));
    }
    Ok(read_records(&replay, &inputs, found)?)
}

/// Parts that follow each other: of one stem, with the same headings.
struct Stream {
    stem: String,
    headings: Vec<u8>,
    /// Their paths and rows, in order.
    parts: Vec<(String, u64)>,
}

/// In which stream a row is, and how many rows are before it there.
fn place(streams: &[Stream], path: &str, row: u64) -> Option<(usize, u64)> {
    streams.iter().enumerate().find_map(|(number, stream)| {
        let mut before = 0;
        for (part, rows) in &stream.parts {
            if part == path {
                return (1..=*rows).contains(&row).then_some((number, before + row - 1));
            }
            before += rows;
        }
        None
    })
}

/// What is done again, as often as must be.
struct Work<'a> {
    engine: &'a mut Engine,
    run: &'a Run,
    connector: &'a str,
    limit: Option<u64>,
    /// Rows were held back because they had not changed.
    held_back: bool,
    extra: Vec<String>,
    /// By how many records were given: the rows of each stream, by stem and headings.
    known: HashMap<usize, Vec<(String, Vec<u8>, u64)>>,
}

impl Work<'_> {
    fn again(&mut self, most: usize) -> Result<Replay, Failure> {
        Replay::new(self.engine, self.run, self.connector, self.limit, most, self.held_back)
    }

    fn streams(&self, replay: &Replay) -> Vec<Stream> {
        let mut streams: Vec<Stream> = Vec::new();
        for part in &replay.parts {
            let (path, stem, headings) = (path_of(part), &part.stem, headings_of(part));
            if self.extra.contains(&path) {
                continue;
            }
            match streams.iter_mut().find(|known| known.stem == *stem && known.headings == headings) {
                Some(known) => known.parts.push((path, part.rows)),
                None => {
                    streams.push(Stream { stem: stem.clone(), headings, parts: vec![(path, part.rows)] });
                }
            }
        }
        streams
    }

    /// The record with which a stream gets its row number `before` (from 0), by its number among all that were given.
    fn search(&mut self, stream: &Stream, before: u64, given: usize) -> Result<Option<usize>, Failure> {
        let (mut without, mut with) = (0, given);
        while with - without > 1 {
            let middle = without + (with - without) / 2;
            if self.rows(stream, middle)? > before { with = middle } else { without = middle }
        }
        let found = self.rows(stream, with)? == before + 1 && self.rows(stream, without)? == before;
        Ok(found.then_some(without))
    }

    /// How many rows a stream has after so many records.
    fn rows(&mut self, stream: &Stream, given: usize) -> Result<u64, Failure> {
        if !self.known.contains_key(&given) {
            let replay = self.again(given)?;
            // Names of parts are others when there are fewer, and what is beside the rows has other headings.
            let rows = replay.parts.iter().map(|part| (part.stem.clone(), headings_of(part), part.rows));
            self.known.insert(given, rows.collect());
        }
        let of_stream = self.known[&given].iter();
        let of_stream =
            of_stream.filter(|(stem, headings, _)| (stem, headings) == (&stream.stem, &stream.headings));
        Ok(of_stream.map(|(.., rows)| rows).sum())
    }
}

fn path_of(part: &Part) -> String {
    format!("{}/{}", part.connector, part.name)
}

fn headings_of(part: &Part) -> Vec<u8> {
    let is_table = part.format.header && part.format.name == "csv";
    let headings = part.head.split(|byte| *byte == b'\n').next().filter(|_| is_table);
    headings.unwrap_or_default().to_vec()
}

/// Reads the records, each input once; the inputs are named as the run named them.
fn read_records(
    replay: &Replay,
    names: &[runs::Input],
    found: Vec<(Origin, String)>,
) -> Result<Vec<Located>, Error> {
    let mut texts: HashMap<Origin, (u64, Vec<u8>)> = HashMap::new();
    let mut origins: Vec<Origin> = found.iter().map(|(origin, _)| *origin).collect();
    replay.inputs.read_records(&mut origins, |origin, raw, line| {
        texts.entry(origin).or_insert_with(|| (line, raw.to_vec()));
        Ok(())
    })?;
    let located = |(origin, key): (Origin, String)| {
        let (line, raw) = texts.get(&origin).cloned().unwrap_or_default();
        let named = names.get(origin.input as usize);
        let [input, path] = named.map(|of| [of.name.clone(), of.path.clone()]).unwrap_or_default();
        Located { input, path, line, offset: origin.offset, length: origin.length, key, raw }
    };
    Ok(found.into_iter().map(located).collect())
}
