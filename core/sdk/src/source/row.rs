//! One record's values on their way into Arrow builders.
//!
//! Two steps: every value of a row becomes a [`Cell`] first, and only a row whose cells are all good waits to be appended.
//! So a rejected row leaves nothing behind, and the builders never have to be rolled back.

use usher_abi::{Error, ValueKind};

use super::{json_scan::Seen, rejects::shown};
use crate::read_list;

/// A value. Ranges are bytes of the text that the record stands in, or of the scratch text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    /// Text in the text that the record stands in.
    Record(u32, u32),
    /// A JSON value in that text, which is still to be read.
    Json(u32, u32, Seen),
    /// Text in [`RowScratch::text`].
    Scratch(u32, u32),
    Boolean(bool),
    Integer(i64),
    Number(f64),
    /// Items in [`RowScratch::items`].
    List(u32, u32),
}

/// A cell that is in the wrong column.
#[cold]
pub(crate) fn other_type(cell: Cell) -> Error {
    Error::bug("source.cell", format!("{cell:?} is in a column of another type"))
}

/// What rows need besides the text they stand in; reused.
#[derive(Debug, Default)]
pub(crate) struct RowScratch {
    pub(crate) text: String,
    pub(crate) items: Vec<std::ops::Range<usize>>,
    /// A value that is read before it is known what it is.
    pub(crate) value: String,
}

impl RowScratch {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.items.clear();
    }

    /// The text appended since `start`, as a cell.
    pub(crate) fn since(&self, start: usize) -> Cell {
        Cell::Scratch(start as u32, self.text.len() as u32)
    }
}

/// A text as a cell of a kind: `place` where it is taken as it stands. An empty text is no value of any kind but text.
///
/// The error says what is wrong, without the attribute.
pub(crate) fn from_text(
    kind: ValueKind,
    text: &str,
    place: Cell,
    scratch: &mut RowScratch,
) -> Result<Cell, String> {
    match kind {
        ValueKind::Text | ValueKind::Timestamp | ValueKind::Date | ValueKind::Any => return Ok(place),
        _ if text.is_empty() => return Ok(Cell::Null),
        ValueKind::Boolean => boolean(text).map(Cell::Boolean),
        ValueKind::Integer => integer(text).map(Cell::Integer),
        ValueKind::Number => number(text).map(Cell::Number),
        ValueKind::List => {
            let first = scratch.items.len() as u32;
            if !read_list(text, &mut scratch.text, &mut scratch.items) {
                let start = scratch.text.len();
                scratch.text.push_str(text);
                scratch.items.push(start..scratch.text.len());
            }
            Some(Cell::List(first, scratch.items.len() as u32))
        }
    }
    .ok_or_else(|| mismatch(kind, text))
}

/// What to say of a value that is not of its kind.
pub(crate) fn mismatch(kind: ValueKind, value: &str) -> String {
    let wanted = match kind {
        ValueKind::Boolean => "true or false",
        ValueKind::Integer => "a whole number",
        ValueKind::Number => "a number",
        ValueKind::List => "a list",
        _ => "a text",
    };
    format!("{} is not {wanted}", shown(value))
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// `12`, and what is the same number: `12.0`, `1.2e1`.
fn integer(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(value);
    }
    // Beyond 2^53 a double does not say which integer was meant.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = number(text)?;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

fn number(text: &str) -> Option<f64> {
    // `parse` also takes `inf`, `nan` and `infinity`.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|value| plain && value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Cell, RowScratch, ValueKind, from_text};

    #[test]
    fn texts_become_values_of_their_kind_or_say_why_not() {
        let mut scratch = RowScratch::default();
        let mut cell = |kind, text| from_text(kind, text, Cell::Record(0, 0), &mut scratch);
        for text in ["true", "True", "TRUE"] {
            assert_eq!(cell(ValueKind::Boolean, text), Ok(Cell::Boolean(true)));
        }
        assert_eq!(cell(ValueKind::Boolean, "FALSE"), Ok(Cell::Boolean(false)));
        assert_eq!(cell(ValueKind::Boolean, ""), Ok(Cell::Null));
        assert_eq!(cell(ValueKind::Boolean, "yes"), Err("\"yes\" is not true or false".to_owned()));
        for text in ["12", "12.0", "1.2e1", "+12"] {
            assert_eq!(cell(ValueKind::Integer, text), Ok(Cell::Integer(12)), "{text}");
        }
        for text in ["12.5", "1e300", "inf", "x", "92233720368547758080"] {
            assert!(cell(ValueKind::Integer, text).is_err(), "{text}");
        }
        assert_eq!(cell(ValueKind::Number, "-2.5"), Ok(Cell::Number(-2.5)));
        for text in ["nan", "inf", "1e999", "1,5"] {
            assert!(cell(ValueKind::Number, text).is_err(), "{text}");
        }
        assert_eq!(cell(ValueKind::Any, "nan"), Ok(Cell::Record(0, 0)));
        assert_eq!(cell(ValueKind::List, r#"["a","b"]"#), Ok(Cell::List(0, 2)));
        assert_eq!(cell(ValueKind::List, "duo"), Ok(Cell::List(2, 3)));
        let long = cell(ValueKind::Integer, &"é".repeat(50)).unwrap_err();
        assert_eq!(long, format!("\"{}…\" is not a whole number", "é".repeat(40)));
    }
}
