//! Small JSON texts inside cells.

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Appends a JSON string literal.
pub(crate) fn push_string(text: &str, into: &mut String) {
    // Writing a `&str` as JSON into a `Vec` cannot fail; an error would leave `into` as it was.
    if let Ok(literal) = serde_json::to_string(text) {
        into.push_str(&literal);
    }
}

/// Reads a cell that holds a JSON array of scalars: the items' texts are appended to `texts`, their places to `items`.
/// Answers whether it was one; nulls are left out. Reusing both buffers, nothing is allocated per cell.
pub fn read_list(cell: &str, texts: &mut String, items: &mut Vec<Range<usize>>) -> bool {
    if !cell.starts_with('[') {
        return false;
    }
    let (mark, count) = (texts.len(), items.len());
    let mut json = serde_json::Deserializer::from_str(cell);
    let good = List { texts, items }.deserialize(&mut json).is_ok() && json.end().is_ok();
    if !good {
        texts.truncate(mark);
        items.truncate(count);
    }
    good
}

struct List<'a> {
    texts: &'a mut String,
    items: &'a mut Vec<Range<usize>>,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of scalars")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Item { texts: self.texts, items: self.items })?.is_some() {}
        Ok(())
    }
}

struct Item<'a> {
    texts: &'a mut String,
    items: &'a mut Vec<Range<usize>>,
}

impl Item<'_> {
    fn push(self, text: &str) {
        let start = self.texts.len();
        self.texts.push_str(text);
        self.items.push(start..self.texts.len());
    }
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = ();
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a scalar")
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(text);
        Ok(())
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(if value { "true" } else { "false" });
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(&value.to_string());
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.push(&value.to_string());
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.push(&value.to_string());
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Err(serde::de::Error::custom("an array inside the array"))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(serde::de::Error::custom("an object inside the array"))
    }
}

#[cfg(test)]
mod tests {
    use super::read_list;

    #[test]
    fn arrays_of_scalars_are_lists_and_nothing_else_is() {
        let (mut texts, mut items) = (String::new(), Vec::new());
        assert!(read_list(r#"["a","b\n",1,true,null,2.5]"#, &mut texts, &mut items));
        let got: Vec<&str> = items.iter().map(|r| &texts[r.clone()]).collect();
        assert_eq!(got, ["a", "b\n", "1", "true", "2.5"]);
        for text in ["[x]", "[", "a", "", "[[1]]", r#"[{"a":1}]"#, "[1] 2"] {
            assert!(!read_list(text, &mut texts, &mut items), "{text}");
        }
        assert_eq!(items.len(), 5);
    }
}
