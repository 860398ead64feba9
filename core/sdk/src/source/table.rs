//! The stream over delimited text.

use std::{ops::Range, time::Duration};

use usher_abi::{Error, Reject, Report, Split};

use super::{
    Stream,
    builders::{Builders, WAITING, Wanted},
    delimited::{DelimitedReader, Record},
    header::Header,
    json,
    rejects::{REJECTS_A_CALL, origin},
    row::{Cell, RowScratch, from_text},
    separators::undoubled,
    starts::Learner,
};
use crate::{Host, Records};

/// A wanted column and the cell it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The column.
    pub wanted: Wanted,
    /// The place of its cell in the file; none: this file has no such column, every value is null.
    pub cell: Option<usize>,
}

/// How long a stream waits to be told where its first record begins, before it looks for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Batches of the wanted cells of one split.
///
/// An empty cell is null: delimited text cannot say whether nothing or an empty text was meant. A record that cannot
/// be read is a reject: `csv.after-quote`, `csv.cells`, `encoding.utf8`, `value.type`, `record.too-long`. A quote that
/// is not closed is the error `csv.unterminated`.
///
/// No byte of a file tells whether it lies inside quotes. A stream that does not know where its first record begins reads
/// from where one seems to begin, and hands its first batch out when the stream of the split before has come to its end
/// and it was so; else it reads again from where it is.
#[derive(Debug)]
pub struct TableStream {
    host: Host,
    header: Header,
    split: Range<u64>,
    /// Where a checkpoint says that the first record begins.
    from: Option<u64>,
    /// Tells the split behind this one where it begins.
    end: Learner,
    reader: Option<DelimitedReader>,
    limit: usize,
    columns: Vec<TableColumn>,
    apostrophe: bool,
    builders: Builders,
    /// The cells of the rows that wait.
    text: String,
}

impl TableStream {
    /// Opens a split of a file, or what is left of it behind the records of a checkpoint.
    ///
    /// `apostrophe`: every text was given one leading `'`, which is taken off again, exactly one. Cells of columns that
    /// are no text (booleans, numbers) lose one in any case.
    pub fn open(
        host: &Host,
        header: &Header,
        columns: Vec<TableColumn>,
        apostrophe: bool,
        split: &Split,
        checkpoint: &[u8],
        limit: usize,
    ) -> Result<Self, Error> {
        Ok(Self {
            host: host.clone(),
            header: header.clone(),
            split: split.start..split.end,
            end: header.starts.learner(split.end),
            from: json::offset(checkpoint)?,
            reader: None,
            limit,
            builders: builders(&columns),
            columns,
            apostrophe,
            text: String::new(),
        })
    }

    /// Where the first record begins, if that is known.
    fn start(&self) -> Option<u64> {
        let first = (self.split.start == 0).then_some(self.header.body);
        self.from.or(first).or_else(|| self.header.starts.of(self.split.start))
    }

    /// The reader of the records between these places, the first of which begins at `start`.
    fn reader(&self, bytes: Range<u64>, start: u64) -> Result<DelimitedReader, Error> {
        let Header { file, dialect, .. } = &self.header;
        DelimitedReader::open_split(&self.host.input()?, file, bytes, start, *dialect, self.limit)
    }

    /// Begins with the first record.
    fn begin(&mut self, start: u64) -> Result<(), Error> {
        let bytes = self.from.unwrap_or(self.split.start)..self.split.end;
        self.reader = Some(self.reader(bytes, start)?);
        Ok(())
    }

    /// Reads the first batch from where a record seems to begin; none where that was wrong, and it is to be read again.
    fn guess(&mut self, report: &mut Report) -> Result<Option<Option<Records>>, Error> {
        let Header { file, dialect, .. } = &self.header;
        let (input, split) = (self.host.input()?, self.split.clone());
        let (reader, guess) = DelimitedReader::guess(&input, file, split, *dialect, self.limit)?;
        self.reader = guess.map(|_| reader);
        // What is wrong with the records may be the guess.
        let mut held = Report::default();
        let read = self.read(&mut held);
        let start = self.find()?;
        let right = |reader: &&mut DelimitedReader| guess == Some(start) && !reader.has_given_up();
        if let Some(reader) = self.reader.as_mut().filter(right) {
            reader.trust();
            report.merge(held);
            return read.map(Some);
        }
        self.builders = builders(&self.columns);
        self.text.clear();
        self.begin(start)?;
        Ok(None)
    }

    /// Where the first record begins: where the split before ends. If nobody says so, it is read.
    fn find(&self) -> Result<u64, Error> {
        let (starts, cut) = (&self.header.starts, self.split.start);
        if let Some(start) = starts.wait_for(cut, PATIENCE) {
            return Ok(start);
        }
        let from = starts.before(cut).unwrap_or(self.header.body);
        let (mut reader, mut report) = (self.reader(from.min(cut)..cut, from)?, Report::default());
        while reader.next(&mut report)?.is_some() {
            report.rejects.clear();
            self.host.stop_if_cancelled()?;
        }
        starts.learn(cut, reader.position());
        Ok(reader.position())
    }

    /// The next rows, from the reader.
    fn read(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        while !self.builders.is_full() && report.rejects.len() < REJECTS_A_CALL {
            let Some(record) = reader.next(report)? else {
                if self.builders.is_empty() {
                    return Ok(None);
                }
                break;
            };
            let mut bad = |column: &str, code: &str, message: String| {
                let place = origin(self.header.file.id, record.offset, record.length as u64);
                report.rejects.push(Reject::new(place, column, code, message));
            };
            let (found, expected) = (record.len(), self.header.headings.len());
            if found != expected {
                bad(
                    "",
                    "csv.cells",
                    format!(
                        "the record has {found} {}, the header {expected}",
                        if found == 1 { "cell" } else { "cells" }
                    ),
                );
                continue;
            }
            let Some(text) = text(&record) else {
                let (index, message) = not_utf8(&record, &self.header.headings);
                let column = self.columns.iter().find(|c| c.cell.is_some() && c.cell == index);
                bad(column.map_or("", |c| &c.wanted.name), "encoding.utf8", message);
                continue;
            };
            if self.text.len() + text.len() > WAITING || self.builders.waiting.are_many() {
                self.builders.settle(&self.text)?;
                self.text.clear();
            }
            let base = self.text.len() as u32;
            self.text.push_str(text);
            self.builders.waiting.begin();
            let (cells, scratch) = self.builders.waiting.last();
            let mut fault = None;
            for (column, place) in self.columns.iter().zip(cells) {
                match cell(column, text, &record, self.apostrophe, scratch) {
                    Ok(Cell::Record(from, to)) => *place = Cell::Record(base + from, base + to),
                    Ok(cell) => *place = cell,
                    Err(message) => {
                        fault = Some((&*column.wanted.name, message));
                        break;
                    }
                }
            }
            match fault {
                None => self.builders.keep(record.offset, record.length),
                Some((name, message)) => {
                    bad(name, "value.type", format!("`{name}`: {message}"));
                    self.builders.waiting.forget();
                }
            }
        }
        self.builders.settle(&self.text)?;
        self.text.clear();
        let mut records = self.builders.finish(self.header.file.id)?;
        records.checkpoint = json::checkpoint(reader.position());
        Ok(Some(records))
    }
}

impl Stream for TableStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.host.stop_if_cancelled()?;
        let mut guessed = None;
        if self.reader.is_none() {
            match self.start() {
                Some(start) => self.begin(start)?,
                None => guessed = self.guess(report)?,
            }
        }
        let records = match guessed {
            Some(records) => records,
            None => self.read(report)?,
        };
        if let Some(reader) = self.reader.as_ref().filter(|reader| reader.has_ended()) {
            self.end.learn(reader.position());
        }
        Ok(records)
    }
}

fn builders(columns: &[TableColumn]) -> Builders {
    Builders::new(&columns.iter().map(|column| column.wanted.clone()).collect::<Vec<_>>())
}

/// The cells as one text, when each of them is one.
fn text<'a>(record: &Record<'a>) -> Option<&'a str> {
    let text = simdutf8::basic::from_utf8(record.bytes).ok()?;
    // Two halves of a character in neighbouring cells look whole together.
    record.places.iter().all(|place| text.is_char_boundary(place.to)).then_some(text)
}

/// Which cell is at fault, and what to say of it.
#[cold]
fn not_utf8(record: &Record<'_>, headings: &[String]) -> (Option<usize>, String) {
    for (index, heading) in headings.iter().enumerate() {
        if let Err(error) = simdutf8::compat::from_utf8(&record.cell(index)) {
            let byte = error.valid_up_to() + 1;
            return (Some(index), format!("the cell under `{heading}` is not UTF-8 at byte {byte}"));
        }
    }
    (None, "the record is not UTF-8".to_owned())
}

#[inline]
fn cell(
    column: &TableColumn,
    text: &str,
    record: &Record<'_>,
    apostrophe: bool,
    scratch: &mut RowScratch,
) -> Result<Cell, String> {
    use usher_abi::ValueKind::{Boolean, Integer, Number};
    let place = column.cell.and_then(|index| record.places.get(index)).filter(|place| place.from < place.to);
    let Some(place) = place else { return Ok(Cell::Null) };
    let (kind, is_text) = (column.wanted.kind, column.wanted.is_text());
    let may_be_guarded = apostrophe || matches!(kind, Boolean | Integer | Number);
    if !place.doubled {
        let guarded = may_be_guarded && text.as_bytes().get(place.from) == Some(&b'\'');
        let from = place.from + usize::from(guarded);
        let cell = Cell::Record(from as u32, place.to as u32);
        return if is_text { Ok(cell) } else { from_text(kind, &text[from..place.to], cell, scratch) };
    }
    let mut value = std::mem::take(&mut scratch.value);
    value.clear();
    let text = &text[place.from..place.to];
    undoubled(text.as_bytes(), record.quote)
        .for_each(|part| value.push_str(text.get(part).unwrap_or_default()));
    let text = &value[usize::from(may_be_guarded && value.starts_with('\''))..];
    let start = scratch.text.len();
    if is_text {
        scratch.text.push_str(text);
    }
    let cell = from_text(kind, text, scratch.since(start), scratch);
    scratch.value = value;
    cell
}
