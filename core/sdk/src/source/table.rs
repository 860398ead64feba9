//! The stream over delimited text.

use usher_abi::{Error, Reject, Report};

use super::{
    Stream,
    builders::{Builders, WAITING, Wanted},
    delimited::{DelimitedReader, Record},
    header::Header,
    json,
    rejects::{REJECTS_A_CALL, origin},
    row::{Cell, RowScratch, from_text},
    separators::undoubled,
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

/// Batches of the wanted cells of one file.
///
/// An empty cell is null: delimited text cannot say whether nothing or an empty text was meant. A record that cannot
/// be read is a reject: `csv.after-quote`, `csv.cells`, `encoding.utf8`, `value.type`, `record.too-long`. A quote that
/// is not closed is the error `csv.unterminated`. A file is one split, as no byte of it tells whether it lies inside
/// quotes.
#[derive(Debug)]
pub struct TableStream {
    host: Host,
    reader: DelimitedReader,
    headings: Vec<String>,
    columns: Vec<TableColumn>,
    apostrophe: bool,
    input: u32,
    builders: Builders,
    /// The cells of the rows that wait.
    text: String,
}

impl TableStream {
    /// Opens a file behind its header, or after the records of a checkpoint.
    ///
    /// `apostrophe`: every text was given one leading `'`, which is taken off again, exactly one. Cells of columns that
    /// are no text (booleans, numbers) lose one in any case.
    pub fn open(
        host: &Host,
        header: &Header,
        columns: Vec<TableColumn>,
        apostrophe: bool,
        checkpoint: &[u8],
        limit: usize,
    ) -> Result<Self, Error> {
        let start = json::offset(checkpoint)?.unwrap_or(header.body);
        let wanted: Vec<Wanted> = columns.iter().map(|c| c.wanted.clone()).collect();
        Ok(Self {
            host: host.clone(),
            reader: DelimitedReader::open(&host.input()?, &header.file, start, header.dialect, limit)?,
            headings: header.headings.clone(),
            builders: Builders::new(&wanted),
            columns,
            apostrophe,
            input: header.file.id,
            text: String::new(),
        })
    }
}

impl Stream for TableStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.host.stop_if_cancelled()?;
        while !self.builders.is_full() && report.rejects.len() < REJECTS_A_CALL {
            let Some(record) = self.reader.next(report)? else {
                if self.builders.is_empty() {
                    return Ok(None);
                }
                break;
            };
            let mut bad = |column: &str, code: &str, message: String| {
                let place = origin(self.input, record.offset, record.length as u64);
                report.rejects.push(Reject::new(place, column, code, message));
            };
            let (found, expected) = (record.len(), self.headings.len());
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
                let (index, message) = not_utf8(&record, &self.headings);
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
        let mut records = self.builders.finish(self.input)?;
        records.checkpoint = json::checkpoint(self.reader.position());
        Ok(Some(records))
    }
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
