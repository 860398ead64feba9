//! Arrow builders of a stream's columns.

use std::{collections::HashMap, sync::Arc};

use arrow_array::{
    ArrayRef, RecordBatch, UInt32Array, UInt64Array,
    builder::{BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder},
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use usher_abi::{Error, ValueKind};

use super::{
    row::{Cell, RowScratch, other_type},
    texts::Texts,
    waiting::Waiting,
};
use crate::records::{KIND, Records, origin_fields};

/// Rows of a batch, unless its records reach [`BATCH_BYTES`] first.
pub const BATCH_ROWS: usize = 8_192;
/// Bytes of the records of a batch.
pub const BATCH_BYTES: usize = 4_000_000;

/// Bytes of records that wait outside of a block, unless one is longer: what lies in the caches.
pub(crate) const WAITING: usize = 64 * 1024;

/// A column that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The attribute; also the column's name.
    pub name: String,
    /// What its values are; says which Arrow type the column has: text for `Text`, `Timestamp`, `Date` and `Any`.
    pub kind: ValueKind,
}

impl Wanted {
    /// A column.
    pub fn new(name: impl Into<String>, kind: ValueKind) -> Self {
        Self { name: name.into(), kind }
    }

    /// Whether the column is text, so that any value is taken as it stands.
    #[inline]
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.kind, ValueKind::Text | ValueKind::Timestamp | ValueKind::Date | ValueKind::Any)
    }

    fn field(&self) -> Field {
        let data = match self.kind {
            ValueKind::Text | ValueKind::Timestamp | ValueKind::Date | ValueKind::Any => DataType::Utf8,
            ValueKind::Boolean => DataType::Boolean,
            ValueKind::Integer => DataType::Int64,
            ValueKind::Number => DataType::Float64,
            ValueKind::List => DataType::new_list(DataType::Utf8, true),
        };
        let kind = HashMap::from([(KIND.to_owned(), self.kind.name().to_owned())]);
        Field::new(&self.name, data, true).with_metadata(kind)
    }
}

#[derive(Debug)]
enum Builder {
    Text(Texts),
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    List(ListBuilder<StringBuilder>),
}

impl Builder {
    fn new(kind: ValueKind) -> Self {
        match kind {
            ValueKind::Text | ValueKind::Timestamp | ValueKind::Date | ValueKind::Any => {
                Self::Text(Texts::with_capacity(0, 0))
            }
            ValueKind::Boolean => Self::Boolean(BooleanBuilder::with_capacity(0)),
            ValueKind::Integer => Self::Integer(Int64Builder::with_capacity(0)),
            ValueKind::Number => Self::Number(Float64Builder::with_capacity(0)),
            ValueKind::List => Self::List(ListBuilder::with_capacity(StringBuilder::new(), 0)),
        }
    }

    /// Appends the cells of rows that stand in `text`.
    fn extend<'a>(
        &mut self,
        cells: impl Iterator<Item = &'a Cell>,
        text: &[u8],
        scratch: &RowScratch,
    ) -> Result<(), Error> {
        match self {
            Self::Text(b) => b.extend(cells, text, &scratch.text),
            typed => cells.into_iter().try_for_each(|cell| typed.append(*cell, scratch)),
        }
    }

    /// Appends a cell that is no text.
    #[inline]
    fn append(&mut self, cell: Cell, scratch: &RowScratch) -> Result<(), Error> {
        match (self, cell) {
            (Self::Boolean(b), Cell::Boolean(value)) => b.append_value(value),
            (Self::Boolean(b), Cell::Null) => b.append_null(),
            (Self::Integer(b), Cell::Integer(value)) => b.append_value(value),
            (Self::Integer(b), Cell::Null) => b.append_null(),
            (Self::Number(b), Cell::Number(value)) => b.append_value(value),
            (Self::Number(b), Cell::Null) => b.append_null(),
            (Self::List(b), Cell::List(from, to)) => {
                for item in scratch.items.get(from as usize..to as usize).unwrap_or_default() {
                    b.values().append_value(scratch.text.get(item.clone()).ok_or_else(|| {
                        Error::bug("source.cell", format!("{item:?} is no part of the text of lists"))
                    })?);
                }
                b.append(true);
            }
            (Self::List(b), Cell::Null) => b.append(false),
            (_, cell) => return Err(other_type(cell)),
        }
        Ok(())
    }

    /// The column; the builder is left empty, with room for one like it.
    fn finish(&mut self) -> Result<ArrayRef, Error> {
        Ok(match self {
            Self::Text(b) => {
                let bytes = b.bytes();
                Arc::new(std::mem::replace(b, Texts::with_capacity(BATCH_ROWS, bytes + bytes / 8)).finish()?)
            }
            Self::Boolean(b) => {
                Arc::new(std::mem::replace(b, BooleanBuilder::with_capacity(BATCH_ROWS)).finish())
            }
            Self::Integer(b) => {
                Arc::new(std::mem::replace(b, Int64Builder::with_capacity(BATCH_ROWS)).finish())
            }
            Self::Number(b) => {
                Arc::new(std::mem::replace(b, Float64Builder::with_capacity(BATCH_ROWS)).finish())
            }
            Self::List(b) => Arc::new(b.finish()),
        })
    }
}

/// Collects rows into batches: the wanted columns in their order, then the two origin columns.
///
/// A row is added to [`waiting`](Self::waiting) first, then either [kept](Self::keep) or taken back; before the text goes
/// away that rows stand in, they must be [settled](Self::settle).
#[derive(Debug)]
pub(crate) struct Builders {
    schema: SchemaRef,
    columns: Vec<Builder>,
    offsets: Vec<u64>,
    lengths: Vec<u32>,
    bytes: usize,
    /// Rows that are kept but not yet appended.
    pub(crate) waiting: Waiting,
}

impl Builders {
    pub(crate) fn new(wanted: &[Wanted]) -> Self {
        let fields: Vec<Field> = wanted.iter().map(Wanted::field).chain(origin_fields()).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: wanted.iter().map(|w| Builder::new(w.kind)).collect(),
            offsets: Vec::new(),
            lengths: Vec::new(),
            bytes: 0,
            waiting: Waiting::new(wanted.len()),
        }
    }

    /// Whether the batch is large enough.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.offsets.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Keeps the row that was added to [`waiting`](Self::waiting) last, whose cells are all good, with its record's place.
    #[inline]
    pub(crate) fn keep(&mut self, offset: u64, length: usize) {
        self.offsets.push(offset);
        self.lengths.push(length as u32);
        self.bytes += length;
    }

    /// Appends the rows that wait; `text` is what they stand in.
    pub(crate) fn settle(&mut self, text: &[u8]) -> Result<(), Error> {
        // As many rows as these, or as many bytes, make a batch.
        let rows = BATCH_ROWS.min(BATCH_BYTES * self.offsets.len() / self.bytes.max(1));
        for (at, column) in self.columns.iter_mut().enumerate() {
            column.extend(self.waiting.column(at), text, &self.waiting.scratch)?;
            if let Builder::Text(texts) = column {
                texts.expect(rows);
            }
        }
        self.waiting.clear();
        Ok(())
    }

    /// The rows so far; none is an empty batch.
    pub(crate) fn finish(&mut self, input: u32) -> Result<Records, Error> {
        let room = self.offsets.len().max(1);
        let offsets = std::mem::replace(&mut self.offsets, Vec::with_capacity(room));
        let lengths = std::mem::replace(&mut self.lengths, Vec::with_capacity(room));
        self.bytes = 0;
        let mut columns: Vec<ArrayRef> =
            self.columns.iter_mut().map(Builder::finish).collect::<Result<_, _>>()?;
        columns.push(Arc::new(UInt64Array::from(offsets)));
        columns.push(Arc::new(UInt32Array::from(lengths)));
        let batch = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|e| Error::bug("source.batch", format!("the columns are no batch: {e}")))?;
        Ok(Records::new(batch, input))
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }
}
