//! JSON text: is it one, what are its elements, and how lists of texts print.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::Error};
use serde_json::Value;

use super::cell::Cell;

/// Whether the text is one JSON list or map and nothing else.
pub(super) fn is_container(text: &str) -> bool {
    text.starts_with(['[', '{']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Calls `each` with the elements of a JSON list, in order, without building them. False if the text is no
/// JSON list; `each` may have been called by then.
pub(super) fn elements(text: &str, mut each: impl FnMut(Cell<'_>)) -> bool {
    if !text.starts_with('[') {
        return false;
    }
    if plain_texts(text, |_| {}) {
        return plain_texts(text, |text| each(Cell::Text(text)));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let done = deserializer.deserialize_seq(List(&mut each)).is_ok();
    done && deserializer.end().is_ok()
}

/// Calls `each` with the elements of a JSON list of texts in which nothing is escaped, as most are; `text` begins with `[`.
/// False: it is no such list; `each` may have been called by then.
fn plain_texts<'t>(text: &'t str, mut each: impl FnMut(&'t str)) -> bool {
    let byte = |at: usize| text.as_bytes().get(at).copied().unwrap_or_default();
    let next = |mut at: usize| {
        while byte(at) == b' ' {
            at += 1;
        }
        at
    };
    let mut at = next(1);
    if byte(at) == b']' {
        return at + 1 == text.len();
    }
    while byte(at) == b'"' {
        let from = at + 1;
        at = from;
        while !matches!(byte(at), b'"' | b'\\' | ..b' ') {
            at += 1;
        }
        match text.get(from..at).filter(|_| byte(at) == b'"') {
            Some(text) => each(text),
            None => return false,
        }
        at = next(at + 1);
        match byte(at) {
            b',' => at = next(at + 1),
            b']' => return at + 1 == text.len(),
            _ => return false,
        }
    }
    false
}

/// The number of entries of a JSON list or map.
pub(super) fn length(text: &str) -> Option<usize> {
    let mut count = 0;
    if text.starts_with('[') {
        return elements(text, |_| count += 1).then_some(count);
    }
    let map: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
    Some(map.len())
}

/// Appends a JSON list of texts, compact; absent items are null.
pub(super) fn print_texts<'a>(items: impl Iterator<Item = Option<&'a str>>, out: &mut String) {
    out.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        match item {
            None => out.push_str("null"),
            Some(text) if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Some(text) => out.push_str(&Value::from(text).to_string()),
        }
    }
    out.push(']');
}

/// Calls `use_cell` with a parsed value as expressions see it.
pub(super) fn with_cell<T>(value: &Value, use_cell: impl FnOnce(Cell<'_>) -> T) -> T {
    match value {
        Value::Null => use_cell(Cell::Null),
        Value::Bool(value) => use_cell(Cell::Bool(*value)),
        Value::String(text) => use_cell(Cell::Text(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => use_cell(Cell::Integer(integer)),
            (None, Some(float)) if number.is_f64() => use_cell(Cell::Float(float)),
            // Integers beyond 64 bits with sign keep their digits.
            _ => use_cell(Cell::Text(&number.to_string())),
        },
        Value::Array(_) | Value::Object(_) => use_cell(Cell::Json(&value.to_string())),
    }
}

/// The elements of a list, in order.
struct List<'f, F>(&'f mut F);

impl<'de, F: FnMut(Cell<'_>)> Visitor<'de> for List<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Element(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// One element of a list.
struct Element<'f, F>(&'f mut F);

impl<'de, F: FnMut(Cell<'_>)> DeserializeSeed<'de> for Element<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Cell<'_>)> Visitor<'de> for Element<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        (self.0)(Cell::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        (self.0)(Cell::Bool(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        (self.0)(Cell::Integer(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        with_cell(&Value::from(value), self.0);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        (self.0)(Cell::Float(value));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        (self.0)(Cell::Text(value));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        let value = Value::deserialize(SeqAccessDeserializer::new(list))?;
        with_cell(&value, self.0);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(map))?;
        with_cell(&value, self.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        elements(text, |cell| texts.push(cell.to_text().into_owned())).then_some(texts)
    }

    #[test]
    fn elements_print_as_cells() {
        let all = r#"["a\n",1,-2,1.0,18446744073709551615,true,null,[ 1 ],{"b": 2}]"#;
        let expected = ["a\n", "1", "-2", "1.0", "18446744073709551615", "true", "", "[1]", "{\"b\":2}"];
        assert_eq!(texts(all).unwrap(), expected);
        assert_eq!(texts("[1"), None);
        assert_eq!(texts("[1] x"), None);
        assert_eq!(texts("{}"), None);
    }

    #[test]
    fn lists_of_texts_are_compact_json() {
        let mut out = String::new();
        print_texts([Some("a"), None, Some("\"\u{1}"), Some("ß")].into_iter(), &mut out);
        assert_eq!(out, r#"["a",null,"\"\u0001","ß"]"#);
    }

    proptest! {
        #[test]
        fn lists_of_texts_are_what_they_are_to_serde(text in r#"\[("[a,\]é ]{0,3}",? ?|[,"\\\[\] a\n1]{0,2}){0,4}\]?"#) {
            let expected: Option<Vec<Value>> = serde_json::from_str(&text).ok();
            let expected = expected.map(|list| {
                list.iter().map(|value| with_cell(value, |cell| cell.to_text().into_owned())).collect::<Vec<_>>()
            });
            prop_assert_eq!(texts(&text), expected);
        }
    }
}
