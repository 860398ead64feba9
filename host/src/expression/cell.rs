//! One value of a row, as both ways of running see it: what it prints, and what it is as a condition.

use std::borrow::Cow;
use std::fmt::Write;

use super::json;

/// One value, borrowed. What arrow and minijinja hold becomes this before anything is decided about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    /// Null, undefined and `none`.
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
    /// A list or map, as JSON text.
    Json(&'a str),
}

impl<'a> Cell<'a> {
    /// The value of dynamic text: true and false in any case are booleans, JSON lists and maps are what
    /// they say, all else is text.
    pub(super) fn dynamic(text: &'a str) -> Cell<'a> {
        match text.as_bytes().first() {
            Some(b'[' | b'{') if json::is_container(text) => Cell::Json(text),
            Some(b't' | b'T' | b'f' | b'F') => boolean(text).map_or(Cell::Text(text), Cell::Bool),
            _ => Cell::Text(text),
        }
    }

    /// True or false, also as text in any case; null is false. Anything else is no condition.
    pub(super) fn condition(self) -> Result<bool, NotBoolean> {
        match self {
            Cell::Null => Ok(false),
            Cell::Bool(value) => Ok(value),
            Cell::Text(text) => boolean(text).ok_or(NotBoolean),
            Cell::Integer(_) | Cell::Float(_) | Cell::Json(_) => Err(NotBoolean),
        }
    }

    /// Appends what the value prints: null nothing, the others as the module documents.
    pub(super) fn print(self, out: &mut String) {
        match self {
            Cell::Null => {}
            Cell::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Cell::Integer(value) => out.push_str(itoa::Buffer::new().format(value)),
            Cell::Float(value) => print_float(value, out),
            Cell::Text(text) | Cell::Json(text) => out.push_str(text),
        }
    }

    pub(super) fn to_text(self) -> Cow<'a, str> {
        match self {
            Cell::Text(text) | Cell::Json(text) => Cow::Borrowed(text),
            _ => {
                let mut text = String::new();
                self.print(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// Whether `default` replaces it: null or empty text.
    pub(super) fn is_absent(self) -> bool {
        matches!(self, Cell::Null | Cell::Text(""))
    }
}

/// A value that is no condition.
#[derive(Debug)]
pub(super) struct NotBoolean;

/// The message about `label`, an expression whose value `cell` is no condition.
pub(super) fn not_boolean(label: &str, cell: Cell<'_>) -> String {
    match cell.to_text().as_ref() {
        "" => format!("`{label}` is empty text, not true or false"),
        text => format!("`{label}` is `{}`, not true or false", short(text)),
    }
}

/// The start of a text, for messages on one line.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    const LIMIT: usize = 40;
    if text.len() <= LIMIT && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut start: String =
        text.chars().take(LIMIT).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    Cow::Owned(start)
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// As minijinja prints floats: always with a point.
fn print_float(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    let start = out.len();
    // Writing to a string cannot fail.
    let _ = write!(out, "{value}");
    if value.is_finite() && !out[start..].contains('.') {
        out.push_str(".0");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dynamic_text_is_what_it_says() {
        assert_eq!(Cell::dynamic("TRUE"), Cell::Bool(true));
        assert_eq!(Cell::dynamic("falsey"), Cell::Text("falsey"));
        assert_eq!(Cell::dynamic("[1]"), Cell::Json("[1]"));
        assert_eq!(Cell::dynamic("[1"), Cell::Text("[1"));
        assert_eq!(Cell::dynamic("42"), Cell::Text("42"));
    }

    #[test]
    fn floats_print_as_minijinja_prints_them() {
        for value in [0.0, -0.0, 1.0, 1.5, 1e300, 1e-7, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let ours = Cell::Float(value).to_text().into_owned();
            assert_eq!(ours, minijinja::Value::from(value).to_string());
        }
    }
}
