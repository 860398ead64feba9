//! The rows that records of delimited text become.

use usher_abi::{Reject, Report};

use super::{
    builders::{Builders, Wanted},
    delimited::Record,
    header::Header,
    rejects::origin,
    row::{Cell, RowScratch, from_text},
    separators::{Place, undoubled},
};

/// A wanted column and the cell it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The column.
    pub wanted: Wanted,
    /// The place of its cell in the file; none: this file has no such column, every value is null.
    pub cell: Option<usize>,
}

/// Rows of the wanted cells.
#[derive(Debug)]
pub(super) struct TableRows {
    input: u32,
    headings: Vec<String>,
    columns: Vec<TableColumn>,
    /// Every text was given one leading `'`.
    apostrophe: bool,
    pub(super) builders: Builders,
}

impl TableRows {
    pub(super) fn new(header: &Header, columns: Vec<TableColumn>, apostrophe: bool) -> Self {
        let (input, headings) = (header.file.id, header.headings.clone());
        Self { input, headings, builders: builders(&columns), columns, apostrophe }
    }

    /// Forgets all rows.
    pub(super) fn clear(&mut self) {
        self.builders = builders(&self.columns);
    }

    /// Adds a record that begins at `from` of the bytes that its row will be settled with; or rejects it.
    #[inline]
    pub(super) fn take(&mut self, record: &Record<'_>, from: usize, report: &mut Report) {
        let mut bad = |column: &str, code: &str, message: String| {
            let place = origin(self.input, record.offset, record.length as u64);
            report.rejects.push(Reject::new(place, column, code, message));
        };
        let (found, expected) = (record.len(), self.headings.len());
        if found != expected {
            let cells = if found == 1 { "cell" } else { "cells" };
            bad("", "csv.cells", format!("the record has {found} {cells}, the header {expected}"));
            return;
        }
        if !record.is_text && !are_texts(record) {
            let (index, message) = not_utf8(record, &self.headings);
            let column = self.columns.iter().find(|c| c.cell.is_some() && c.cell == index);
            bad(column.map_or("", |c| &c.wanted.name), "encoding.utf8", message);
            return;
        }
        let base = from as u32;
        self.builders.waiting.begin();
        let (cells, scratch) = self.builders.waiting.last();
        let mut fault = None;
        for (column, place) in self.columns.iter().zip(cells) {
            match cell(column, record, self.apostrophe, scratch) {
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
}

fn builders(columns: &[TableColumn]) -> Builders {
    Builders::new(&columns.iter().map(|column| column.wanted.clone()).collect::<Vec<_>>())
}

/// Whether each cell is text.
fn are_texts(record: &Record<'_>) -> bool {
    // Two halves of a character in neighbouring cells look whole together.
    simdutf8::basic::from_utf8(record.bytes)
        .is_ok_and(|text| record.places.iter().all(|place| text.is_char_boundary(place.to)))
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

/// A cell of a record whose cells are text.
#[inline]
fn cell(
    column: &TableColumn,
    record: &Record<'_>,
    apostrophe: bool,
    scratch: &mut RowScratch,
) -> Result<Cell, String> {
    let place = column.cell.and_then(|index| record.places.get(index)).filter(|place| place.from < place.to);
    let Some(place) = place else { return Ok(Cell::Null) };
    if !place.doubled && column.wanted.is_text() && !apostrophe {
        return Ok(Cell::Record(place.from as u32, place.to as u32));
    }
    typed(column, record, *place, apostrophe, scratch)
}

/// A cell that is looked at.
fn typed(
    column: &TableColumn,
    record: &Record<'_>,
    place: Place,
    apostrophe: bool,
    scratch: &mut RowScratch,
) -> Result<Cell, String> {
    use usher_abi::ValueKind::{Boolean, Integer, Number};
    let (kind, is_text) = (column.wanted.kind, column.wanted.is_text());
    let may_be_guarded = apostrophe || matches!(kind, Boolean | Integer | Number);
    let bytes = record.bytes.get(place.from..place.to).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| "the cell is not UTF-8".to_owned())?;
    if !place.doubled {
        let guarded = usize::from(may_be_guarded && text.starts_with('\''));
        let cell = Cell::Record((place.from + guarded) as u32, place.to as u32);
        return from_text(kind, &text[guarded..], cell, scratch);
    }
    let mut value = std::mem::take(&mut scratch.value);
    value.clear();
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
