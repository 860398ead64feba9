//! Building a text column: one buffer, one list of ends, no allocation per row.

use std::ops::Range;

use arrow_array::{Array, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use usher_abi::text_column;

use super::column::Texts;
use super::error::EvalError;

/// Fewer rows are copied one by one.
const AT_ONCE: usize = 4;

/// A text column under construction. The text of a row is appended to `text()`, then `end` closes the row.
#[derive(Debug)]
pub(super) struct TextWriter {
    text: String,
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    overflow: bool,
}

impl TextWriter {
    pub(super) fn new(rows: usize, bytes: usize) -> TextWriter {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        TextWriter {
            // More no column holds, whatever views of one text add up to.
            text: String::with_capacity(bytes.min(i32::MAX as usize)),
            ends,
            nulls: NullBufferBuilder::new(rows),
            overflow: false,
        }
    }

    /// Where the current row is appended; what stands before may change, but in no length.
    pub(super) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Closes the row with the text appended since the last one.
    pub(super) fn end(&mut self) {
        self.nulls.append_non_null();
        self.close();
    }

    /// Adds rows of a column as they are.
    pub(super) fn copy(&mut self, texts: &Texts, rows: Range<usize>) {
        if let Texts::Utf8(array) = texts
            && rows.len() >= AT_ONCE
            && self.copy_at_once(array, rows.clone()).is_some()
        {
            return;
        }
        for row in rows {
            match texts.get(row) {
                Some(text) => {
                    self.text.push_str(text);
                    self.end();
                }
                None => self.end_null(),
            }
        }
    }

    /// `None`: the column would be too large; nothing is added.
    fn copy_at_once(&mut self, array: &StringArray, rows: Range<usize>) -> Option<()> {
        let ends = array.offsets().get(rows.start..=rows.end)?;
        let (first, last) = (ends.first()?, ends.last()?);
        let text = array.value_data().get(usize::try_from(*first).ok()?..usize::try_from(*last).ok()?)?;
        let moved = i32::try_from(self.text.len()).ok().filter(|_| !self.overflow)?;
        moved.checked_add(last - first)?;
        self.text.push_str(simdutf8::basic::from_utf8(text).ok()?);
        self.ends.extend(ends[1..].iter().map(|end| end - first + moved));
        match array.nulls() {
            Some(nulls) => self.nulls.append_buffer(&nulls.slice(rows.start, rows.len())),
            None => self.nulls.append_n_non_nulls(rows.len()),
        }
        Some(())
    }

    /// Closes the row as null and forgets what was appended for it.
    pub(super) fn end_null(&mut self) {
        let start = self.ends.last().copied().and_then(|end| usize::try_from(end).ok()).unwrap_or(0);
        self.text.truncate(start);
        self.nulls.append_null();
        self.close();
    }

    fn close(&mut self) {
        if i32::try_from(self.text.len()).is_err() {
            self.overflow = true;
            self.text.clear();
        }
        self.ends.push(if self.overflow { 0 } else { self.text.len() as i32 });
    }

    /// The error says that the column is larger than 2 GB.
    pub(super) fn finish(mut self) -> Result<StringArray, EvalError> {
        if self.overflow {
            return Err(EvalError::new("the result of one batch is larger than 2 GB; use smaller batches"));
        }
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        text_column(ends, Buffer::from_vec(self.text.into_bytes()), self.nulls.finish())
            .map_err(|error| EvalError::new(error.message))
    }
}
