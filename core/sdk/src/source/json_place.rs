//! Taking the wanted values out of a JSON record by serde_json: slower than [`Decoder`](super::json_record::Decoder)'s own way,
//! and it takes everything that is JSON.

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    json_record::Slots,
    json_scan::Seen,
    projection::{Keys, Node},
    row::Cell,
};

/// The value at a node, by serde_json.
pub(super) struct Place<'a, 'b> {
    pub(super) node: usize,
    pub(super) slots: &'a mut Slots<'b>,
    /// Address of the record's first byte; places in it are told from the addresses of the raw values, which borrow
    /// from it.
    pub(super) base: usize,
}

impl<'b> Place<'_, 'b> {
    fn below(&mut self, node: usize) -> Place<'_, 'b> {
        Place { node, slots: self.slots, base: self.base }
    }

    fn here(&self) -> &'b Node {
        &self.slots.nodes[self.node]
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let start = raw.as_ptr() as usize - self.base;
        let seen = Seen { escaped: raw.contains('\\'), spaced: raw.contains([' ', '\t', '\r', '\n']) };
        self.slots.take(self.node, Cell::Json(start as u32, (start + raw.len()) as u32, seen));
        if self.here().is_leaf() || !raw.starts_with(['{', '[']) {
            return Ok(());
        }
        serde_json::Deserializer::from_str(raw).deserialize_any(self).map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(KeyOf(&self.here().keys))? {
            match found {
                Some(node) => map.next_value_seed(self.below(node))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        for index in 0.. {
            let more = match self.here().item(index) {
                Some(node) => seq.next_element_seed(self.below(node))?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }
}

/// The node behind a key.
struct KeyOf<'a>(&'a Keys);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.find(key.as_bytes()))
    }
}
