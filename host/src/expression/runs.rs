//! Text columns of which most rows stay nearly as they are: those are copied many at a time, or not at all.

use std::ops::Range;

use arrow_array::{Array, StringArray};
use arrow_buffer::BooleanBuffer;

use super::column::{Column, Texts};
use super::text::TextFilter;
use super::write::TextWriter;

/// What a filter does to the rows that are plain to it, and which these are; `None` for a filter that is to see every row.
pub(super) struct Plain {
    is_plain: fn(&str) -> bool,
    /// Whether all rows are, by the bytes of all; where these tell it.
    are_plain: Option<fn(&[u8]) -> bool>,
    change: fn(&mut str),
}

impl Plain {
    pub(super) fn new(filter: &TextFilter) -> Option<Plain> {
        Some(match filter {
            TextFilter::Lower => Plain::of_ascii(str::make_ascii_lowercase),
            TextFilter::Upper => Plain::of_ascii(str::make_ascii_uppercase),
            TextFilter::Trim => Plain { is_plain: is_trimmed, are_plain: None, change: |_| {} },
            _ => return None,
        })
    }

    fn of_ascii(change: fn(&mut str)) -> Plain {
        Plain { is_plain: str::is_ascii, are_plain: Some(<[u8]>::is_ascii), change }
    }

    /// Writes all rows: nulls stay, those that are not plain are for `other`.
    pub(super) fn write(
        &self,
        texts: &Texts,
        rows: usize,
        writer: &mut TextWriter,
        mut other: impl FnMut(usize, &str, &mut TextWriter),
    ) {
        if let (Texts::Utf8(array), Some(is_plain)) = (texts, self.are_plain)
            && is_plain(bytes(array))
        {
            return self.copy(texts, 0..rows, writer);
        }
        let mut from = 0;
        for row in 0..rows {
            if let Some(text) = texts.get(row).filter(|text| !(self.is_plain)(text)) {
                self.copy(texts, from..row, writer);
                other(row, text, writer);
                from = row + 1;
            }
        }
        self.copy(texts, from..rows, writer);
    }

    fn copy(&self, texts: &Texts, rows: Range<usize>, writer: &mut TextWriter) {
        let start = writer.text().len();
        writer.copy(texts, rows);
        if let Some(copied) = writer.text().get_mut(start..) {
            (self.change)(copied);
        }
    }
}

/// The bytes of all texts.
fn bytes(array: &StringArray) -> &[u8] {
    let offsets = array.offsets();
    &array.value_data()[offsets[0] as usize..offsets[array.len()] as usize]
}

/// Whether there is plainly nothing to be trimmed off any text.
pub(super) fn are_trimmed(array: &StringArray) -> bool {
    let bytes = array.value_data();
    let is_good = |at: i32| bytes.get(at as usize).is_some_and(u8::is_ascii_graphic);
    array.offsets().windows(2).all(|ends| ends[0] == ends[1] || (is_good(ends[0]) && is_good(ends[1] - 1)))
}

/// Which rows hold something: neither null nor an empty text.
pub(super) fn filled(array: &StringArray) -> BooleanBuffer {
    let ends = array.offsets();
    let filled = BooleanBuffer::collect_bool(array.len(), |row| ends[row] < ends[row + 1]);
    match array.nulls() {
        Some(nulls) => &filled & nulls.inner(),
        None => filled,
    }
}

/// Whether there is plainly nothing to be trimmed: white space that is no ASCII begins and ends with other bytes, too.
fn is_trimmed(text: &str) -> bool {
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.iter().flatten().all(|byte| byte.is_ascii_graphic())
}

/// Writes what two columns print, of `left` where `choose` is set, else of `right`.
pub(super) fn choose(choose: &BooleanBuffer, left: &Column, right: &Column, writer: &mut TextWriter) {
    let mut from = 0;
    for (start, end) in choose.set_slices() {
        print(right, from..start, writer);
        print(left, start..end, writer);
        from = end;
    }
    print(right, from..choose.len(), writer);
}

/// Writes what rows of a column print.
pub(super) fn print(column: &Column, rows: Range<usize>, writer: &mut TextWriter) {
    if let Column::Text(texts, _) = column {
        return writer.copy(texts, rows);
    }
    for row in rows {
        if column.is_null(row) {
            writer.end_null();
        } else {
            column.print(row, writer.text());
            writer.end();
        }
    }
}
