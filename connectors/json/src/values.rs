//! Values as JSON.

use std::{fmt, io::Write as _};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use usher_sdk::{
    Cells, Value,
    abi::{Error, LeftOut, OnInvalid, Origin, ValueKind},
    checks::Fault,
};

use crate::layout::{Node, Object};

/// A column of the records.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its place in the batch.
    pub(crate) index: usize,
    /// What the source said of it.
    pub(crate) kind: ValueKind,
    pub(crate) on_invalid: OnInvalid,
}

/// Why a record cannot be written.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The row is not to be taken, because of the column at this place.
    Row(usize, Fault),
    /// A defect.
    Error(Error),
}

impl From<serde_json::Error> for Stop {
    fn from(e: serde_json::Error) -> Self {
        Self::Error(Error::bug("json.write", e.to_string()))
    }
}

impl From<std::io::Error> for Stop {
    fn from(e: std::io::Error) -> Self {
        Self::Error(Error::bug("json.write", e.to_string()))
    }
}

/// Writes records; its buffers are used again and again.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) write_nulls: bool,
    text: String,
    /// Values left out of the record that is being written.
    pub(crate) left_out: Vec<LeftOut>,
}

impl Writer {
    pub(crate) fn new(write_nulls: bool) -> Self {
        Self { write_nulls, text: String::new(), left_out: Vec::new() }
    }

    /// Appends an object; answers whether it has a key.
    pub(crate) fn object(
        &mut self,
        object: &Object,
        columns: &[Column],
        cells: &[Cells<'_>],
        (row, origin): (usize, Origin),
        into: &mut Vec<u8>,
    ) -> Result<bool, Stop> {
        into.push(b'{');
        let mut filled = false;
        for member in &object.members {
            let mark = into.len();
            if filled {
                into.push(b',');
            }
            into.extend_from_slice(&member.key);
            let wrote = match &member.node {
                Node::Object(object) => self.object(object, columns, cells, (row, origin), into)?,
                Node::Column(place) => match self.value(columns[*place].kind, &cells[*place], row, into)? {
                    Ok(wrote) => wrote,
                    Err(fault) => {
                        self.bad(*place, &columns[*place], origin, fault)?;
                        self.null(into)
                    }
                },
            };
            if wrote {
                filled = true;
            } else {
                into.truncate(mark);
            }
        }
        into.push(b'}');
        Ok(filled)
    }

    fn null(&self, into: &mut Vec<u8>) -> bool {
        if self.write_nulls {
            into.extend_from_slice(b"null");
        }
        self.write_nulls
    }

    /// Appends a value; answers whether there was one to be written, or why it cannot be.
    #[inline]
    fn value(
        &mut self,
        kind: ValueKind,
        cells: &Cells<'_>,
        row: usize,
        into: &mut Vec<u8>,
    ) -> Result<Result<bool, Fault>, Stop> {
        match cells.value(row) {
            Value::Null => return Ok(Ok(self.null(into))),
            Value::Text(text) => self::text(kind, text, into)?,
            Value::Boolean(value) => into.extend_from_slice(if value { b"true" } else { b"false" }),
            Value::Integer(value) => write!(into, "{value}")?,
            Value::Number(value) if !value.is_finite() => {
                return Ok(Err(Fault::new(
                    "value.not-number",
                    format!("{value} is a number that JSON cannot say"),
                )));
            }
            Value::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => write!(into, "{value}")?,
            Value::Number(value) => serde_json::to_writer(into, &value)?,
            Value::Timestamp(_) | Value::Date(_) => {
                self.text.clear();
                cells.append_text(row, &mut self.text);
                if self.text.is_empty() {
                    let fault =
                        Fault::new("value.not-date", "the time lies outside of the years -9999 to 9999");
                    return Ok(Err(fault));
                }
                serde_json::to_writer(into, &self.text)?;
            }
            Value::List => {
                into.push(b'[');
                for (i, item) in cells.items(row).enumerate() {
                    if i > 0 {
                        into.push(b',');
                    }
                    serde_json::to_writer(&mut *into, item)?;
                }
                into.push(b']');
            }
        }
        Ok(Ok(true))
    }

    fn bad(&mut self, place: usize, column: &Column, origin: Origin, fault: Fault) -> Result<(), Stop> {
        if column.on_invalid == OnInvalid::RejectRow {
            return Err(Stop::Row(place, fault));
        }
        self.left_out.push(LeftOut {
            origin,
            column: column.name.as_str().into(),
            value: String::new().into(),
            code: fault.code.into(),
            message: fault.message.into(),
        });
        Ok(())
    }
}

/// A text: by what the source said of the column a boolean, a number, an array or an object, if it really is one; else a
/// string.
#[inline]
fn text(kind: ValueKind, text: &str, into: &mut Vec<u8>) -> Result<(), Stop> {
    let as_it_stands = match kind {
        ValueKind::Boolean => matches!(text, "true" | "false"),
        ValueKind::Integer | ValueKind::Number => is_number(text),
        _ => false,
    };
    let as_json = match kind {
        ValueKind::Any => text.starts_with(['{', '[']),
        ValueKind::List => text.starts_with('['),
        _ => false,
    };
    if as_it_stands {
        into.extend_from_slice(text.as_bytes());
    } else if as_json && is_json(text) {
        compact(text, into);
    } else {
        serde_json::to_writer(into, text)?;
    }
    Ok(())
}

/// Whether a text is a number as JSON writes it, and one that a 64-bit float can hold.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let zeros = unsigned.starts_with('0') && digits > 1;
    let rest = unsigned
        .bytes()
        .skip(digits)
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let dot =
        unsigned.split_once('.').is_some_and(|(_, after)| !after.starts_with(|c: char| c.is_ascii_digit()));
    digits > 0 && !zeros && rest && !dot && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a text is JSON that other parsers will read, too: no lone surrogates, not too deep, no endless numbers.
fn is_json(text: &str) -> bool {
    let mut json = serde_json::Deserializer::from_str(text);
    Any.deserialize(&mut json).is_ok() && json.end().is_ok()
}

/// JSON without white space between its parts: a line end there would end the record.
fn compact(json: &str, into: &mut Vec<u8>) {
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json.as_bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        into.push(byte);
    }
}

/// Reads any value, every string and number of it, and keeps nothing.
struct Any;

impl<'de> DeserializeSeed<'de> for Any {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Self)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Self)?.is_some() {
            map.next_value_seed(Self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(kind: ValueKind, value: &str) -> String {
        let mut into = Vec::new();
        assert!(text(kind, value, &mut into).is_ok());
        String::from_utf8(into).unwrap()
    }

    #[test]
    fn numbers() {
        for good in ["0", "-0", "12", "-1.5", "1e3", "1E-3", "0.5", "1.5e+10", "12345678901234567890"] {
            assert!(is_number(good), "{good}");
        }
        for bad in
            ["", "-", "+1", "01", "-01", ".5", "1.", "1.e3", "1e", "1e999", "NaN", "inf", "0x1", " 1", "1 "]
        {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn texts_are_what_the_source_said_if_they_are() {
        for (kind, value, json) in [
            (ValueKind::Text, "true", r#""true""#),
            (ValueKind::Text, "{}", r#""{}""#),
            (ValueKind::Boolean, "true", "true"),
            (ValueKind::Boolean, "True", r#""True""#),
            (ValueKind::Integer, "007", r#""007""#),
            (ValueKind::Number, "1.50", "1.50"),
            (ValueKind::List, r#"["a", 1]"#, r#"["a",1]"#),
            (ValueKind::List, "a", r#""a""#),
            (ValueKind::Any, "true", r#""true""#),
            (ValueKind::Any, "{ \"a b\" :\n[1, \" \\\" \\\\\" ] }", r#"{"a b":[1," \" \\"]}"#),
            (ValueKind::Any, "[1", r#""[1""#),
            (ValueKind::Any, "[] []", r#""[] []""#),
            (ValueKind::Any, r#"["\ud800"]"#, r#""[\"\\ud800\"]""#),
            (ValueKind::Any, "[1e999]", r#""[1e999]""#),
        ] {
            assert_eq!(write(kind, value), json);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(write(ValueKind::Any, &deep).starts_with('"'));
    }
}
