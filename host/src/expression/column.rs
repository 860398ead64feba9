//! A column as expressions see it: a value for each row, or one value for all.

use arrow_array::{
    Array, BooleanArray, Float64Array, Int64Array, LargeStringArray, ListArray, StringArray, StringViewArray,
};

use super::ast::Const;
use super::cell::{Cell, NotBoolean, boolean};
use super::error::EvalError;
use super::json;
use super::write::TextWriter;

/// A column whose rows are [`Cell`]s.
#[derive(Debug, Clone)]
pub(super) enum Column {
    Const(Const),
    Bool(BooleanArray),
    Integer(Int64Array),
    Float(Float64Array),
    Text(Texts, Reading),
}

/// What the texts of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Text.
    Text,
    /// Dynamic text ([`Cell::dynamic`]); true and false are in lower case.
    Dynamic,
    /// JSON lists or maps.
    Json,
    /// Texts next to printed values of other types. Only their text is known, so nothing may depend on
    /// their type.
    Mixed,
}

/// The arrow arrays that hold texts.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    Utf8(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

impl Texts {
    pub(super) fn get(&self, row: usize) -> Option<&str> {
        match self {
            Texts::Utf8(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Texts::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }

    /// The bytes of all texts together, roughly.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Texts::Utf8(array) => (array.offsets()[array.len()] - array.offsets()[0]) as usize,
            Texts::Large(array) => (array.offsets()[array.len()] - array.offsets()[0]) as usize,
            Texts::View(array) => array.lengths().map(|length| length as usize).sum(),
        }
    }
}

impl Column {
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        fn some<T>(
            array: &impl Array,
            row: usize,
            value: impl FnOnce() -> T,
            cell: fn(T) -> Cell<'static>,
        ) -> Cell<'static> {
            if array.is_valid(row) { cell(value()) } else { Cell::Null }
        }
        match self {
            Column::Const(value) => value.cell(),
            Column::Bool(array) => some(array, row, || array.value(row), Cell::Bool),
            Column::Integer(array) => some(array, row, || array.value(row), Cell::Integer),
            Column::Float(array) => some(array, row, || array.value(row), Cell::Float),
            Column::Text(texts, reading) => match (texts.get(row), reading) {
                (None, _) => Cell::Null,
                (Some(text), Reading::Text | Reading::Mixed) => Cell::Text(text),
                (Some(text), Reading::Dynamic) => Cell::dynamic(text),
                (Some(text), Reading::Json) => Cell::Json(text),
            },
        }
    }

    /// The text the value prints, or `None` for null. Other types than text are printed into `scratch`.
    pub(super) fn text<'a>(&'a self, row: usize, scratch: &'a mut String) -> Option<&'a str> {
        if let Column::Text(texts, _) = self {
            return texts.get(row);
        }
        match self.cell(row) {
            Cell::Null => None,
            Cell::Text(text) => Some(text),
            cell => {
                scratch.clear();
                cell.print(scratch);
                Some(scratch)
            }
        }
    }

    /// The bytes that so many rows take when they are printed, roughly.
    pub(super) fn bytes(&self, rows: usize) -> usize {
        match self {
            Column::Text(texts, _) => texts.bytes(),
            Column::Const(Const::Text(text)) => text.len() * rows,
            _ => rows * 6,
        }
    }

    /// Appends the text the value prints; nothing for null.
    pub(super) fn print(&self, row: usize, out: &mut String) {
        match self {
            Column::Text(texts, _) => out.push_str(texts.get(row).unwrap_or_default()),
            other => other.cell(row).print(out),
        }
    }

    pub(super) fn condition(&self, row: usize) -> Result<bool, NotBoolean> {
        match self {
            // Whatever the text means, only true and false are conditions.
            Column::Text(texts, _) => {
                texts.get(row).map_or(Ok(false), |text| boolean(text).ok_or(NotBoolean))
            }
            other => other.cell(row).condition(),
        }
    }

    /// Null, or empty text.
    pub(super) fn is_absent(&self, row: usize) -> bool {
        match self {
            Column::Text(texts, _) => texts.get(row).is_none_or(str::is_empty),
            other => other.cell(row).is_absent(),
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Column::Const(value) => *value == Const::Null,
            Column::Bool(array) => array.is_null(row),
            Column::Integer(array) => array.is_null(row),
            Column::Float(array) => array.is_null(row),
            Column::Text(texts, _) => texts.get(row).is_none(),
        }
    }
}

/// A column of values, or of lists of texts.
#[derive(Debug, Clone)]
pub(super) enum Data {
    Cells(Column),
    /// The values are `Utf8`.
    Lists(ListArray),
}

impl Data {
    /// As cells: lists become JSON text.
    pub(super) fn cells(self) -> Result<Column, EvalError> {
        let lists = match self {
            Data::Cells(column) => return Ok(column),
            Data::Lists(lists) => lists,
        };
        let mut writer = TextWriter::new(lists.len(), 0);
        for row in 0..lists.len() {
            match items(&lists, row) {
                Some(items) => {
                    json::print_texts(items, writer.text());
                    writer.end();
                }
                None => writer.end_null(),
            }
        }
        Ok(Column::Text(Texts::Utf8(writer.finish()?), Reading::Json))
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self {
            Data::Cells(column) => column.is_null(row),
            Data::Lists(lists) => lists.is_null(row),
        }
    }

    pub(super) fn is_absent(&self, row: usize) -> bool {
        match self {
            Data::Cells(column) => column.is_absent(row),
            Data::Lists(lists) => lists.is_null(row),
        }
    }
}

/// The items of a list of texts, or `None` for null.
pub(super) fn items(
    lists: &ListArray,
    row: usize,
) -> Option<impl DoubleEndedIterator<Item = Option<&str>> + ExactSizeIterator> {
    let texts = lists.values().as_any().downcast_ref::<StringArray>()?;
    let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
    lists.is_valid(row).then(|| (start..end).map(|item| texts.is_valid(item).then(|| texts.value(item))))
}
