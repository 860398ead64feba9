//! Text columns of which most rows stay nearly as they are: those are copied many at a time.

use std::ops::Range;

use arrow_buffer::BooleanBuffer;

use super::column::{Column, Texts};
use super::text::TextFilter;
use super::write::TextWriter;

/// What a filter does to the rows that are plain to it, and which these are; `None` for a filter that is to see every row.
pub(super) struct Plain {
    is_plain: fn(&str) -> bool,
    change: fn(&mut str),
}

impl Plain {
    pub(super) fn new(filter: &TextFilter) -> Option<Plain> {
        Some(match filter {
            TextFilter::Lower => Plain { is_plain: str::is_ascii, change: str::make_ascii_lowercase },
            TextFilter::Upper => Plain { is_plain: str::is_ascii, change: str::make_ascii_uppercase },
            TextFilter::Trim => Plain { is_plain: is_trimmed, change: |_| {} },
            _ => return None,
        })
    }

    /// Writes all rows: nulls stay, those that are not plain are for `other`.
    pub(super) fn write(
        &self,
        texts: &Texts,
        rows: usize,
        writer: &mut TextWriter,
        mut other: impl FnMut(usize, &str, &mut TextWriter),
    ) {
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
