//! Raw JSON values (already known to be well-formed) as cells.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use usher_abi::ValueKind;

use super::{
    json_scan::Seen,
    row::{Cell, RowScratch, from_text, mismatch},
};

/// Why a value cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ValueError {
    /// It is not of the kind that its column has.
    Kind(String),
    /// It is no JSON after all (half a surrogate pair).
    Syntax(String),
}

/// The value `raw`, which begins at byte `start` of the record, as a cell of a column of `kind`. Keys in `hidden` are
/// left out of arrays and objects.
pub(crate) fn cell(
    kind: ValueKind,
    raw: &str,
    start: u32,
    seen: Seen,
    hidden: &[&str],
    scratch: &mut RowScratch,
) -> Result<Cell, ValueError> {
    let whole = Cell::Record(start, start + raw.len() as u32);
    let as_text = matches!(kind, ValueKind::Text | ValueKind::Timestamp | ValueKind::Date | ValueKind::Any);
    match raw.as_bytes().first() {
        Some(b'"') => {
            let inner = &raw[1..raw.len() - 1];
            if !seen.escaped {
                let place = Cell::Record(start + 1, start + raw.len() as u32 - 1);
                return if as_text {
                    Ok(place)
                } else {
                    from_text(kind, inner, place, scratch).map_err(ValueError::Kind)
                };
            }
            let from = scratch.text.len();
            unescape(inner, &mut scratch.text).map_err(ValueError::Syntax)?;
            let place = scratch.since(from);
            if as_text {
                return Ok(place);
            }
            let text = scratch.text[from..].to_owned();
            from_text(kind, &text, place, scratch).map_err(ValueError::Kind)
        }
        Some(b'n') => Ok(Cell::Null),
        Some(b'{' | b'[') if as_text => {
            let from = scratch.text.len();
            if hidden.iter().any(|key| memmem::find(raw.as_bytes(), key.as_bytes()).is_some()) {
                leave_out(raw, hidden, &mut scratch.text).map_err(|e| ValueError::Syntax(e.to_string()))?;
            } else if seen.spaced {
                compact(raw, &mut scratch.text);
            } else {
                return Ok(whole);
            }
            Ok(scratch.since(from))
        }
        Some(b'[') if kind == ValueKind::List => {
            from_list(raw, scratch).ok_or_else(|| ValueError::Kind(mismatch(kind, raw)))
        }
        Some(b'{' | b'[') => Err(ValueError::Kind(mismatch(kind, raw))),
        _ if as_text => Ok(whole),
        Some(b't' | b'f') if matches!(kind, ValueKind::Integer | ValueKind::Number) => {
            Err(ValueError::Kind(mismatch(kind, raw)))
        }
        _ => from_text(kind, raw, whole, scratch).map_err(ValueError::Kind),
    }
}

/// An array of scalars; `None` when it holds anything else.
fn from_list(raw: &str, scratch: &mut RowScratch) -> Option<Cell> {
    let first = scratch.items.len() as u32;
    let good = crate::read_list(raw, &mut scratch.text, &mut scratch.items);
    good.then_some(Cell::List(first, scratch.items.len() as u32))
}

/// Appends the text of a JSON string literal's inside.
fn unescape(mut inner: &str, into: &mut String) -> Result<(), String> {
    while let Some(at) = memchr(b'\\', inner.as_bytes()) {
        into.push_str(&inner[..at]);
        let (character, length) = match inner.as_bytes().get(at + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'u') => code_point(&inner[at..])?,
            Some(other) => (char::from(*other), 2),
            None => return Err("the text ends in an escape".to_owned()),
        };
        into.push(character);
        inner = &inner[at + length..];
    }
    into.push_str(inner);
    Ok(())
}

/// The character of `\uXXXX`, or of two of them, and the bytes they take.
fn code_point(escape: &str) -> Result<(char, usize), String> {
    let unit = |from: usize| {
        let digits = escape.get(from..from + 6).and_then(|e| e.strip_prefix("\\u"))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let half = || format!("{} is half of a surrogate pair", escape.get(..6).unwrap_or(escape));
    let first = unit(0).ok_or_else(|| "an escape is cut short".to_owned())?;
    if !(0xD800..0xE000).contains(&first) {
        return char::from_u32(first).map(|c| (c, 6)).ok_or_else(half);
    }
    let second = unit(6).filter(|low| (0xDC00..0xE000).contains(low) && first < 0xDC00).ok_or_else(half)?;
    let scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    char::from_u32(scalar).map(|c| (c, 12)).ok_or_else(half)
}

/// Appends JSON text without the blanks between its tokens.
fn compact(raw: &str, into: &mut String) {
    let bytes = raw.as_bytes();
    let (mut kept, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b' ' | b'\t' | b'\n' | b'\r' => {
                into.push_str(&raw[kept..at]);
                at += 1;
                kept = at;
            }
            _ => at += 1,
        }
    }
    into.push_str(&raw[kept..]);
}

/// The byte after the string literal that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(found) = memchr2(b'"', b'\\', &bytes[at.min(bytes.len())..]) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    bytes.len()
}

/// Appends compact JSON text without the hidden keys of its objects, at any depth.
fn leave_out(raw: &str, hidden: &[&str], into: &mut String) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(raw);
    LeaveOut { hidden, into }.deserialize(&mut json)
}

struct LeaveOut<'a> {
    hidden: &'a [&'a str],
    into: &'a mut String,
}

impl LeaveOut<'_> {
    /// Scalars stand as they are written; containers are entered through the same deserialiser, which bounds the depth.
    fn value<E: serde::de::Error>(&mut self, raw: &RawValue, depth: usize) -> Result<(), E> {
        const DEPTH: usize = 100;
        if depth > DEPTH {
            return Err(E::custom("nested too deep"));
        }
        let text = raw.get();
        if !text.starts_with(['{', '[']) {
            self.into.push_str(text);
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_str(text);
        Container { out: self, depth }.deserialize(&mut json).map_err(E::custom)
    }
}

impl<'de> DeserializeSeed<'de> for LeaveOut<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        Container { out: &mut self, depth: 0 }.deserialize(deserializer)
    }
}

struct Container<'a, 'b> {
    out: &'a mut LeaveOut<'b>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Container<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Container<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.out.into.push('{');
        let mut first = true;
        while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &RawValue>()? {
            if self.out.hidden.contains(&&*key) {
                continue;
            }
            if !std::mem::take(&mut first) {
                self.out.into.push(',');
            }
            crate::json_text::push_string(&key, self.out.into);
            self.out.into.push(':');
            self.out.value(value, self.depth + 1)?;
        }
        self.out.into.push('}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.out.into.push('[');
        let mut first = true;
        while let Some(value) = seq.next_element::<&RawValue>()? {
            if !std::mem::take(&mut first) {
                self.out.into.push(',');
            }
            self.out.value(value, self.depth + 1)?;
        }
        self.out.into.push(']');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cell, RowScratch, Seen, ValueError, ValueKind, cell, compact, leave_out, unescape};

    fn text(kind: ValueKind, raw: &str) -> Result<Option<String>, ValueError> {
        let mut scratch = RowScratch::default();
        Ok(match cell(kind, raw, 0, Seen { escaped: raw.contains('\\'), spaced: true }, &[], &mut scratch)? {
            Cell::Null => None,
            Cell::Record(from, to) => Some(raw[from as usize..to as usize].to_owned()),
            Cell::Scratch(from, to) => Some(scratch.text[from as usize..to as usize].to_owned()),
            other => Some(format!("{other:?}")),
        })
    }

    #[test]
    fn text_columns_take_anything_as_it_stands() {
        for (raw, expected) in [
            (r#""plain""#, "plain"),
            (r#""a\"b\u00e9\ud83e\udd8a\n""#, "a\"bé🦊\n"),
            ("103547991597142817347", "103547991597142817347"),
            ("1.50", "1.50"),
            ("true", "true"),
            (r#"["user", "a b"]"#, r#"["user","a b"]"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#),
        ] {
            assert_eq!(text(ValueKind::Any, raw), Ok(Some(expected.to_owned())), "{raw}");
        }
        assert_eq!(text(ValueKind::Text, "null"), Ok(None));
        let half = text(ValueKind::Text, r#""\ud83e!""#);
        assert_eq!(half, Err(ValueError::Syntax(r"\ud83e is half of a surrogate pair".to_owned())));
    }

    #[test]
    fn typed_columns_take_their_type_in_any_spelling() {
        let value = |kind, raw| text(kind, raw).ok().flatten();
        for raw in ["true", r#""True""#, r#""TRU\u0045""#] {
            assert_eq!(value(ValueKind::Boolean, raw).as_deref(), Some("Boolean(true)"), "{raw}");
        }
        assert_eq!(value(ValueKind::Integer, r#""12""#).as_deref(), Some("Integer(12)"));
        assert_eq!(value(ValueKind::Integer, "12.0").as_deref(), Some("Integer(12)"));
        assert_eq!(value(ValueKind::List, r#"["a","b"]"#).as_deref(), Some("List(0, 2)"));
        assert_eq!(value(ValueKind::List, r#""a""#).as_deref(), Some("List(0, 1)"));
        for (kind, raw) in [
            (ValueKind::Boolean, "1"),
            (ValueKind::Boolean, "[true]"),
            (ValueKind::Integer, "true"),
            (ValueKind::Number, "{}"),
            (ValueKind::List, "[[1]]"),
        ] {
            assert!(matches!(text(kind, raw), Err(ValueError::Kind(_))), "{raw}");
        }
    }

    #[test]
    fn hidden_keys_are_left_out_at_any_depth_and_numbers_stay() {
        let raw = r#"[ {"user_id": 103547991597142817347, "access_token":"a", "x":{"refresh_token":{}, "y": "é"}} ]"#;
        let mut out = String::new();
        leave_out(raw, &["access_token", "refresh_token"], &mut out).unwrap();
        assert_eq!(out, r#"[{"user_id":103547991597142817347,"x":{"y":"é"}}]"#);
        let deep = format!("{}\"access_token\"{}", "[".repeat(5000), "]".repeat(5000));
        assert!(leave_out(&deep, &["access_token"], &mut out).is_err());
    }

    proptest! {
        #[test]
        fn escapes_come_back(text in any::<String>()) {
            let literal = serde_json::to_string(&text).unwrap();
            let mut out = String::new();
            unescape(&literal[1..literal.len() - 1], &mut out).unwrap();
            prop_assert_eq!(&out, &text);
            // Every character as an escape.
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            out.clear();
            unescape(&escaped, &mut out).unwrap();
            prop_assert_eq!(out, text);
        }

        #[test]
        fn compact_text_is_what_a_serialiser_writes(text in any::<String>(), number in any::<i64>()) {
            let value = serde_json::json!({ "a b": [text, number, null], "c": {} });
            let mut out = String::new();
            compact(&serde_json::to_string_pretty(&value).unwrap(), &mut out);
            prop_assert_eq!(out, value.to_string());
        }
    }
}
