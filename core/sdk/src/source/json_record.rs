//! Taking the wanted values out of JSON records.

use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    builders::Wanted,
    json_order::Order,
    json_scan::{Scan, Seen},
    json_value::{ValueError, cell},
    projection::{Keys, Node, Projection},
    row::{Cell, RowScratch},
};

/// Where a column's value stands in the text.
#[derive(Clone, Copy, Debug)]
struct Slot {
    start: u32,
    end: u32,
    /// The node that gave it, and how much that spelling counts; 0: there is no value.
    node: u32,
    weight: u8,
    seen: Seen,
}

const EMPTY: Slot =
    Slot { start: 0, end: 0, node: 0, weight: 0, seen: Seen { escaped: false, spaced: false } };

/// Why a record is not taken.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is no JSON.
    Json(serde_json::Error),
    /// It is JSON, but no object.
    NotObject,
    /// The value of a column.
    Value(usize, ValueError),
}

/// Takes the wanted values out of records, one after the other, reusing what it needs for that.
///
/// Plain records are read by [`Scan`]; what that gives up on is left to serde_json.
#[derive(Debug)]
pub(crate) struct Decoder {
    projection: Projection,
    /// One a node.
    orders: Vec<Order>,
    slots: Vec<Slot>,
    cells: Vec<Cell>,
    scratch: RowScratch,
}

impl Decoder {
    pub(crate) fn new(projection: Projection) -> Self {
        let columns = projection.columns().len();
        let cells = Vec::with_capacity(columns);
        let orders = projection.nodes().iter().map(|_| Order::default()).collect();
        Self { projection, orders, slots: vec![EMPTY; columns], cells, scratch: RowScratch::default() }
    }

    pub(crate) fn columns(&self) -> &[Wanted] {
        self.projection.columns()
    }

    /// Where the value of a column begins in the text that was read last.
    pub(crate) fn start(&self, column: usize) -> usize {
        self.slots[column].start as usize
    }

    /// Reads the line that begins at `at`, if it is plain; answers the place of its line feed, or of the block's end.
    #[inline]
    pub(crate) fn line(&mut self, block: &str, at: usize) -> Option<usize> {
        let scan = Scan::<true>(block.as_bytes());
        let end = scan.blank(self.record(scan, scan.blank(at))?);
        (end == block.len() || scan.byte(end) == b'\n').then_some(end)
    }

    /// Reads a text that is one record.
    pub(crate) fn whole(&mut self, record: &str) -> Result<(), Fault> {
        let scan = Scan::<false>(record.as_bytes());
        let end = self.record(scan, scan.blank(0));
        if end.is_some_and(|end| scan.blank(end) == record.len()) {
            return Ok(());
        }
        self.slots.fill(EMPTY);
        let mut json = serde_json::Deserializer::from_str(record);
        if !record.trim_start().starts_with('{') {
            IgnoredAny::deserialize(&mut json).and_then(|_| json.end()).map_err(Fault::Json)?;
            return Err(Fault::NotObject);
        }
        let nodes = self.projection.nodes();
        let root = Place { nodes, node: 0, slots: &mut self.slots, base: record.as_ptr() as usize };
        json.deserialize_map(root).and_then(|()| json.end()).map_err(Fault::Json)
    }

    /// The cells, one a column, of what was read last, which stands in `text`.
    #[inline]
    pub(crate) fn cells(&mut self, text: &str) -> Result<(&[Cell], &RowScratch), Fault> {
        self.scratch.clear();
        self.cells.clear();
        for (column, (slot, wanted)) in self.slots.iter().zip(self.projection.columns()).enumerate() {
            let bytes = text.as_bytes();
            self.cells.push(if slot.weight == 0 {
                Cell::Null
            } else if wanted.is_text() && !slot.seen.escaped && bytes.get(slot.start as usize) == Some(&b'"')
            {
                // Nearly all values are of this sort.
                Cell::Record(slot.start + 1, slot.end - 1)
            } else {
                let raw = &text[slot.start as usize..slot.end as usize];
                cell(
                    wanted.kind,
                    raw,
                    slot.start,
                    slot.seen,
                    self.projection.hidden(column),
                    &mut self.scratch,
                )
                .map_err(|e| Fault::Value(column, e))?
            });
        }
        Ok((&self.cells, &self.scratch))
    }

    /// Reads the object that begins here; answers the place after it.
    #[inline]
    fn record<const LINES: bool>(&mut self, scan: Scan<'_, LINES>, at: usize) -> Option<usize> {
        self.slots.fill(EMPTY);
        if scan.byte(at) != b'{' {
            return None;
        }
        let nodes = self.projection.nodes();
        Taker { scan, nodes, orders: &mut self.orders, slots: &mut self.slots }.object(0, at)
    }
}

/// Puts a value into the columns of a node.
#[inline]
fn take(nodes: &[Node], node: usize, slots: &mut [Slot], start: usize, end: usize, seen: Seen) {
    for (column, weight) in &nodes[node].columns {
        let slot = &mut slots[*column];
        if *weight >= slot.weight {
            *slot = Slot { start: start as u32, end: end as u32, node: node as u32, weight: *weight, seen };
        }
    }
    // A key that comes again takes back what stood under it before.
    for (column, leaf) in &nodes[node].below {
        if slots[*column].node == *leaf as u32 {
            slots[*column] = EMPTY;
        }
    }
}

/// The fast way.
struct Taker<'a, const LINES: bool> {
    scan: Scan<'a, LINES>,
    nodes: &'a [Node],
    orders: &'a mut [Order],
    slots: &'a mut [Slot],
}

impl<const LINES: bool> Taker<'_, LINES> {
    /// The object at `at`.
    fn object(&mut self, node: usize, at: usize) -> Option<usize> {
        let scan = self.scan;
        let mut at = scan.blank(at + 1);
        if scan.byte(at) == b'}' {
            return Some(at + 1);
        }
        let mut hint = 0;
        loop {
            let rest = scan.0.get(at..)?;
            let found = match self.orders[node].guess(hint, rest) {
                Some((place, length, found)) => {
                    hint = place + 1;
                    at += length;
                    found
                }
                None => {
                    let (found, next) = self.key(node, at, &mut hint)?;
                    at = next;
                    found
                }
            };
            at = scan.blank(at);
            at = scan.blank(self.value(found, at)?);
            match scan.byte(at) {
                b',' => at = scan.blank(at + 1),
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// The key at `at`: its node, and the place after its colon.
    fn key(&mut self, node: usize, at: usize, hint: &mut usize) -> Option<(Option<usize>, usize)> {
        let scan = self.scan;
        if scan.byte(at) != b'"' {
            return None;
        }
        let (end, escaped) = scan.string(at + 1)?;
        if escaped {
            return None;
        }
        let found = self.nodes[node].keys.find(scan.0.get(at + 1..end)?);
        let colon = scan.blank(end + 1);
        if scan.byte(colon) != b':' {
            return None;
        }
        if colon == end + 1 {
            *hint = self.orders[node].learn(*hint, scan.0.get(at..=colon)?, found);
        }
        Some((found, colon + 1))
    }

    /// The array at `at`.
    fn array(&mut self, node: usize, at: usize) -> Option<usize> {
        let (scan, nodes) = (self.scan, self.nodes);
        let mut at = scan.blank(at + 1);
        if scan.byte(at) == b']' {
            return Some(at + 1);
        }
        for index in 0.. {
            at = scan.blank(self.value(nodes[node].item(index), at)?);
            match scan.byte(at) {
                b',' => at = scan.blank(at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
        None
    }

    /// The value at `at`, wanted if there is a node.
    #[inline]
    fn value(&mut self, node: Option<usize>, at: usize) -> Option<usize> {
        let Some(node) = node else { return self.scan.value(at).map(|(end, _)| end) };
        let here = &self.nodes[node];
        if here.is_leaf() || !here.columns.is_empty() {
            let (end, seen) = self.scan.value(at)?;
            take(self.nodes, node, self.slots, at, end, seen);
            if here.is_leaf() {
                return Some(end);
            }
        } else {
            take(self.nodes, node, self.slots, at, at, Seen::default());
        }
        match self.scan.byte(at) {
            b'{' => self.object(node, at),
            b'[' => self.array(node, at),
            // A path that leads into a scalar leads nowhere.
            _ => self.scan.value(at).map(|(end, _)| end),
        }
    }
}

/// The value at a node, by serde_json.
struct Place<'a> {
    nodes: &'a [Node],
    node: usize,
    slots: &'a mut [Slot],
    /// Address of the record's first byte; places in it are told from the addresses of the raw values, which borrow
    /// from it.
    base: usize,
}

impl Place<'_> {
    fn below(&mut self, node: usize) -> Place<'_> {
        Place { nodes: self.nodes, node, slots: self.slots, base: self.base }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let start = raw.as_ptr() as usize - self.base;
        let seen = Seen { escaped: raw.contains('\\'), spaced: raw.contains([' ', '\t', '\r', '\n']) };
        take(self.nodes, self.node, self.slots, start, start + raw.len(), seen);
        if self.nodes[self.node].is_leaf() || !raw.starts_with(['{', '[']) {
            return Ok(());
        }
        serde_json::Deserializer::from_str(raw).deserialize_any(self).map_err(D::Error::custom)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(found) = map.next_key_seed(KeyOf(&self.nodes[self.node].keys))? {
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
            let more = match self.nodes[self.node].item(index) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usher_abi::ValueKind;

    use super::{
        super::projection::{Projection, Rename},
        Cell, Decoder, Fault, Wanted,
    };

    fn decoder(paths: &[&str], renames: &[Rename]) -> Decoder {
        let wanted: Vec<Wanted> = paths.iter().map(|p| Wanted::new(*p, ValueKind::Any)).collect();
        Decoder::new(Projection::new(&wanted, renames).hide("identities", &["access_token"]))
    }

    fn values(decoder: &mut Decoder, record: &str) -> Vec<Option<String>> {
        decoder.whole(record).unwrap();
        let (cells, scratch) = decoder.cells(record).unwrap();
        let text = |text: &str, from: u32, to: u32| Some(text[from as usize..to as usize].to_owned());
        cells
            .iter()
            .map(|cell| match *cell {
                Cell::Null => None,
                Cell::Record(from, to) => text(record, from, to),
                Cell::Scratch(from, to) => text(&scratch.text, from, to),
                _ => unreachable!(),
            })
            .collect()
    }

    #[test]
    fn nested_flat_and_half_flat_spellings_serve() {
        let mut d = decoder(
            &["user_metadata.consent.given", "identities[0].connection", "https://acme.example/roles"],
            &[],
        );
        let expected = vec![Some("true".to_owned()), Some("c".to_owned()), Some("[]".to_owned())];
        for record in [
            r#"{"user_metadata":{"consent":{"given":true}},"identities":[{"connection":"c"},{"connection":"d"}],"https://acme.example/roles":[]}"#,
            r#"{"user_metadata.consent.given":true,"identities[0].connection":"c","https://acme.example/roles":[]}"#,
            r#"{"user_metadata.consent":{"given":true},"identities[0]":{"connection":"c"},"https://acme.example/roles":[]}"#,
            r#" {"user_metadata":1,"user_metadata.consent":{"given":1,"given":true},"identities":[{"\u0063onnection":"c"}],"https://acme.example/roles":[]} "#,
        ] {
            assert_eq!(values(&mut d, record), expected, "{record}");
        }
        assert_eq!(values(&mut d, r#"{"user_metadata":[],"identities":[]}"#), [None, None, None]);
    }

    #[test]
    fn a_value_may_be_wanted_whole_and_in_parts() {
        let mut d = decoder(&["a", "a.b", "a.b[1]", "identities"], &[]);
        let got = values(&mut d, r#"{"a":{"b":[1,2]},"identities":[{"x":1,"access_token":"s"}]}"#);
        let expected = [r#"{"b":[1,2]}"#, "[1,2]", "2", r#"[{"x":1}]"#];
        assert_eq!(got, expected.map(|t| Some(t.to_owned())));
    }

    #[test]
    fn renames_win_or_give_way() {
        let rename = |path: &str, key: &str, wins| Rename { path: path.into(), key: key.into(), wins };
        let renames =
            [rename("email", "Mail", true), rename("name", "Name", false), rename("a.b", "AB", false)];
        let mut d = decoder(&["email", "name", "a.b.c"], &renames);
        let got = values(&mut d, r#"{"Mail":"1","email":"2","name":"3","Name":"4","AB":{"c":"5"}}"#);
        assert_eq!(got, ["1", "3", "5"].map(|t| Some(t.to_owned())));
        let got = values(&mut d, r#"{"email":"2","Name":"4"}"#);
        assert_eq!(got, [Some("2".to_owned()), Some("4".to_owned()), None]);
    }

    #[test]
    fn what_is_no_object_or_no_json_says_so() {
        let mut d = decoder(&["a"], &[]);
        for record in ["1", "[]", "null", r#""x""#] {
            assert!(matches!(d.whole(record), Err(Fault::NotObject)), "{record}");
        }
        for record in ["", "{", r#"{"a":1,}"#, r#"{"a":1} x"#, "{]", r#"{"b":[1}"#, r#"{"a":"\x"}"#, "tru"] {
            assert!(matches!(d.whole(record), Err(Fault::Json(_))), "{record}");
        }
        let deep = format!("{{\"b\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(d.whole(&deep).is_ok(), "what is not wanted may be nested to any depth");
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let mut d = decoder(&["a.b", "a.c", "x"], &[]);
        for escape in ["x", r"\u0078"] {
            let record = format!(r#"{{"a":{{"b":1,"c":2}},"a":{{"c":3}},"{escape}":4,"x":5}}"#);
            assert_eq!(
                values(&mut d, &record),
                [None, Some("3".to_owned()), Some("5".to_owned())],
                "{record}"
            );
        }
        let flat = values(&mut d, r#"{"a.b":1,"a":{}}"#);
        assert_eq!(flat[0].as_deref(), Some("1"), "another spelling is no repetition");
    }

    #[test]
    fn keys_of_any_length_are_told_apart() {
        let names = [
            "a",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "bbcdefghi",
            "abcdefgh01234567",
            "abcdefgh?1234567",
            "abcdefgh 8 01234567",
            "abcdefgh 9 01234567",
        ];
        let mut d = decoder(&names, &[]);
        for (i, name) in names.iter().enumerate() {
            let got = values(&mut d, &serde_json::json!({ *name: i }).to_string());
            let expected: Vec<_> = (0..names.len()).map(|n| (n == i).then(|| i.to_string())).collect();
            assert_eq!(got, expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_give_the_same(
            keys in prop::collection::vec(prop::sample::select(vec!["a", "a.b", "a.b[1]", "b", "c", "l"]), 0..6),
            shapes in prop::collection::vec(0u8..6, 6), text in any::<String>(), pretty in any::<bool>(),
        ) {
            use serde_json::json;
            // Written by hand, for keys that come twice.
            let parts: Vec<String> = keys.iter().zip(&shapes).map(|(key, shape)| {
                let value = match shape {
                    0 => json!({ "b": [1, { "b": text }], "l": null }),
                    1 => json!({ "b": { "1": true } }),
                    2 => json!([text, 2.5]),
                    3 => json!(text),
                    4 => json!(null),
                    _ => json!({ "b": [text] }),
                };
                let value = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
                format!("\"{key}\" : {}", value.unwrap())
            }).collect();
            let record = format!("{{{}}}", parts.join(", "));
            // An escaped key sends the second one to serde_json.
            let slow = format!("{{{}{}\"\\u007a\":0}}", parts.join(", "), if parts.is_empty() { "" } else { ", " });
            let mut d = decoder(&["a.b", "a", "a.b[1].b", "b", "l", "a.l", "a.b[0]"], &[]);
            prop_assert!(d.line(&record.replace('\n', " "), 0).is_some());
            let fast = values(&mut d, &record);
            prop_assert!(d.line(&slow, 0).is_none());
            prop_assert_eq!(fast, values(&mut d, &slow));
        }
    }
}
