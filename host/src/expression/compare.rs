//! Comparisons of two values; the meaning is the module's, not Jinja's.

use std::cmp::Ordering;

use super::ast::Comparison;
use super::cell::{Cell, boolean, short};

/// The result of a comparison other than `in`. The error is the message for the row.
pub(super) fn compare(comparison: Comparison, left: Cell<'_>, right: Cell<'_>) -> Result<bool, String> {
    match comparison {
        Comparison::Equal | Comparison::In => Ok(equal(left, right)),
        Comparison::Unequal => Ok(!equal(left, right)),
        Comparison::Less => Ok(order(left, right)?.is_some_and(Ordering::is_lt)),
        Comparison::LessEqual => Ok(order(left, right)?.is_some_and(Ordering::is_le)),
        Comparison::Greater => Ok(order(left, right)?.is_some_and(Ordering::is_gt)),
        Comparison::GreaterEqual => Ok(order(left, right)?.is_some_and(Ordering::is_ge)),
    }
}

/// Missing equals only missing; text is read as what stands on the other side.
pub(super) fn equal(left: Cell<'_>, right: Cell<'_>) -> bool {
    match (left, right) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Bool(left), Cell::Bool(right)) => left == right,
        (Cell::Bool(value), Cell::Text(text)) | (Cell::Text(text), Cell::Bool(value)) => {
            boolean(text) == Some(value)
        }
        (Cell::Text(left) | Cell::Json(left), Cell::Text(right) | Cell::Json(right)) => left == right,
        (Cell::Null | Cell::Bool(_) | Cell::Json(_), _) | (_, Cell::Null | Cell::Bool(_) | Cell::Json(_)) => {
            false
        }
        (Cell::Integer(_) | Cell::Float(_) | Cell::Text(_), _) => {
            matches!((Number::read(left), Number::read(right)), (Some(left), Some(right)) if left.order(right) == Some(Ordering::Equal))
        }
    }
}

/// None where one side is missing or not a number that can be ordered.
fn order(left: Cell<'_>, right: Cell<'_>) -> Result<Option<Ordering>, String> {
    match (left, right) {
        (Cell::Null, _) | (_, Cell::Null) => Ok(None),
        (Cell::Text(left), Cell::Text(right)) => Ok(Some(left.cmp(right))),
        _ => match (Number::read(left), Number::read(right)) {
            (Some(left), Some(right)) => Ok(left.order(right)),
            (None, _) => Err(not_a_number(left)),
            (_, None) => Err(not_a_number(right)),
        },
    }
}

fn not_a_number(cell: Cell<'_>) -> String {
    format!("`{}` is not a number; compare numbers with numbers and texts with texts", short(&cell.to_text()))
}

#[derive(Clone, Copy)]
enum Number {
    Integer(i64),
    Float(f64),
}

impl Number {
    fn read(cell: Cell<'_>) -> Option<Number> {
        match cell {
            Cell::Integer(value) => Some(Number::Integer(value)),
            Cell::Float(value) => Some(Number::Float(value)),
            // Rust would also read `inf` and `nan`.
            Cell::Text(text)
                if text
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) =>
            {
                match text.parse() {
                    Ok(value) => Some(Number::Integer(value)),
                    Err(_) => text.parse().ok().map(Number::Float),
                }
            }
            _ => None,
        }
    }

    fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => Some(left.cmp(&right)),
            (left, right) => left.float().partial_cmp(&right.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            Number::Integer(value) => value as f64,
            Number::Float(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Cell::{Bool, Float, Integer, Json, Null, Text};

    #[test]
    fn text_is_read_as_the_other_side() {
        assert!(equal(Text("42"), Integer(42)));
        assert!(equal(Text("4.20"), Float(4.2)));
        assert!(equal(Text("TRUE"), Bool(true)));
        assert!(!equal(Text("TRUE"), Text("true")));
        assert!(!equal(Bool(true), Integer(1)));
        assert!(!equal(Text("inf"), Float(f64::INFINITY)));
    }

    #[test]
    fn missing_equals_only_missing_and_has_no_order() {
        assert!(equal(Null, Null));
        assert!(!equal(Null, Text("")));
        assert_eq!(compare(Comparison::Less, Null, Integer(5)), Ok(false));
        assert_eq!(compare(Comparison::GreaterEqual, Null, Integer(5)), Ok(false));
    }

    #[test]
    fn order_needs_two_numbers_or_two_texts() {
        assert_eq!(compare(Comparison::Greater, Text("10"), Integer(9)), Ok(true));
        assert_eq!(compare(Comparison::Greater, Text("10"), Text("9")), Ok(false));
        insta::assert_snapshot!(
            compare(Comparison::Less, Text("many"), Integer(9)).unwrap_err(),
            @"`many` is not a number; compare numbers with numbers and texts with texts"
        );
        assert!(compare(Comparison::Less, Bool(true), Integer(9)).is_err());
        assert!(compare(Comparison::Less, Json("[]"), Text("x")).is_err());
    }
}
