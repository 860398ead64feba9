//! Taking the wanted values out of JSON records.

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};

use super::{
    builders::Wanted,
    json_order::Order,
    json_place::Place,
    json_scan::{Scan, Seen},
    json_value::{self, ValueError},
    projection::{Node, Projection, Target},
    row::Cell,
    waiting::Waiting,
};

/// Whose value a column holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    node: u32,
    /// How much that spelling counts; 0: there is no value.
    weight: u8,
}

const NOTHING: Held = Held { node: 0, weight: 0 };

/// Why a record is not taken.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is no JSON.
    Json(serde_json::Error),
    /// It is JSON, but no object.
    NotObject,
    /// The value of a column, which begins at that byte of the text.
    Value(usize, u32, ValueError),
}

/// Takes the wanted values out of records, one after the other.
///
/// Plain records are read by [`Scan`]; what that gives up on is left to serde_json.
#[derive(Debug)]
pub(crate) struct Decoder {
    projection: Projection,
    /// One a node.
    orders: Vec<Order>,
    /// One a column.
    held: Vec<Held>,
}

impl Decoder {
    pub(crate) fn new(projection: Projection) -> Self {
        let orders = projection.nodes().iter().map(|_| Order::default()).collect();
        let held = vec![NOTHING; projection.columns().len()];
        Self { projection, orders, held }
    }

    pub(crate) fn columns(&self) -> &[Wanted] {
        self.projection.columns()
    }

    /// Adds a row from the line that begins at `at`, if it is plain; answers the place of its line feed, or of the block's
    /// end.
    #[inline]
    pub(crate) fn line(&mut self, block: &str, at: usize, rows: &mut Waiting) -> Option<usize> {
        let scan = Scan::<true>(block.as_bytes());
        let end = self.record(scan, scan.blank(at), rows.begin()).map(|end| scan.blank(end));
        let end = end.filter(|end| *end == block.len() || scan.byte(*end) == b'\n');
        if end.is_none() {
            rows.forget();
        }
        end
    }

    /// Adds a row from a text that is one record.
    pub(crate) fn whole(&mut self, record: &str, rows: &mut Waiting) -> Result<(), Fault> {
        let scan = Scan::<false>(record.as_bytes());
        let end = self.record(scan, scan.blank(0), rows.begin());
        if end.is_some_and(|end| scan.blank(end) == record.len()) {
            return Ok(());
        }
        rows.forget();
        let read = self.by_serde(record, rows.begin());
        if read.is_err() {
            rows.forget();
        }
        read
    }

    /// Reads the values of the row that was added last, which stands in `text`, in the way of their columns. A row with a
    /// value that cannot be read is taken back.
    #[inline]
    pub(crate) fn complete(&self, text: &str, rows: &mut Waiting) -> Result<(), Fault> {
        let (cells, scratch) = rows.last();
        for (column, (wanted, cell)) in self.projection.columns().iter().zip(cells).enumerate() {
            let (start, end, seen) = match *cell {
                Cell::Json(start, end, seen) => {
                    let first = text.as_bytes().get(start as usize);
                    if wanted.is_text() && matches!(first, Some(b'0'..=b'9' | b'-' | b't' | b'f')) {
                        *cell = Cell::Record(start, end);
                        continue;
                    }
                    (start, end, seen)
                }
                // A typed value may be written as a text.
                Cell::Record(from, to) if !wanted.is_text() => (from - 1, to + 1, Seen::default()),
                _ => continue,
            };
            let raw = &text[start as usize..end as usize];
            match json_value::cell(wanted.kind, raw, start, seen, self.projection.hidden(column), scratch) {
                Ok(value) => *cell = value,
                Err(error) => {
                    rows.forget();
                    return Err(Fault::Value(column, start, error));
                }
            }
        }
        Ok(())
    }

    /// Reads the object that begins here; answers the place after it.
    #[inline]
    fn record<const LINES: bool>(
        &mut self,
        scan: Scan<'_, LINES>,
        at: usize,
        cells: &mut [Cell],
    ) -> Option<usize> {
        self.held.fill(NOTHING);
        if scan.byte(at) != b'{' {
            return None;
        }
        let slots = Slots { nodes: self.projection.nodes(), held: &mut self.held, cells };
        Taker { scan, orders: &mut self.orders, slots }.object(0, at)
    }

    /// Reads a record in the way that takes all that is JSON, and says what is wrong with what is not.
    fn by_serde(&mut self, record: &str, cells: &mut [Cell]) -> Result<(), Fault> {
        self.held.fill(NOTHING);
        let mut json = serde_json::Deserializer::from_str(record);
        if !record.trim_start().starts_with('{') {
            IgnoredAny::deserialize(&mut json).and_then(|_| json.end()).map_err(Fault::Json)?;
            return Err(Fault::NotObject);
        }
        let mut slots = Slots { nodes: self.projection.nodes(), held: &mut self.held, cells };
        let root = Place { node: 0, slots: &mut slots, base: record.as_ptr() as usize };
        json.deserialize_map(root).and_then(|()| json.end()).map_err(Fault::Json)
    }
}

/// Where the values of a record go.
pub(super) struct Slots<'a> {
    pub(super) nodes: &'a [Node],
    held: &'a mut [Held],
    cells: &'a mut [Cell],
}

impl Slots<'_> {
    /// Puts a value into a column, unless it holds one whose spelling counts more.
    #[inline]
    fn put(&mut self, column: usize, held: Held, value: Cell) {
        if held.weight >= self.held[column].weight {
            self.held[column] = held;
            self.cells[column] = value;
        }
    }

    /// Puts a value into the columns of a node.
    pub(super) fn take(&mut self, node: usize, value: Cell) {
        let here = &self.nodes[node];
        for (column, weight) in &here.columns {
            self.put(*column, Held { node: node as u32, weight: *weight }, value);
        }
        // A key that comes again takes back what stood under it before.
        for (column, leaf) in &here.below {
            if self.held[*column].node == *leaf as u32 {
                self.held[*column] = NOTHING;
                self.cells[*column] = Cell::Null;
            }
        }
    }
}

/// The string, without its quotes, at this place of the text.
#[inline]
fn string(from: usize, to: usize, escaped: bool) -> Cell {
    if escaped {
        Cell::Json(from as u32 - 1, to as u32 + 1, Seen { escaped, spaced: false })
    } else {
        Cell::Record(from as u32, to as u32)
    }
}

/// The fast way.
struct Taker<'a, const LINES: bool> {
    scan: Scan<'a, LINES>,
    orders: &'a mut [Order],
    slots: Slots<'a>,
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
            let target = match self.orders[node].guess(&mut hint, scan.0.get(at..)?) {
                Some(known) => {
                    at += known.length();
                    known.target
                }
                None => {
                    let (target, next) = self.key(node, at, &mut hint)?;
                    at = next;
                    target
                }
            };
            at = self.wanted(target, at)?;
            // Most programs write no blanks.
            if !matches!(scan.byte(at), b',' | b'}') {
                at = scan.blank(at);
            }
            match scan.byte(at) {
                b',' => at = scan.blank(at + 1),
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// The value at `at`, or behind the blanks there.
    #[inline]
    fn wanted(&mut self, target: Target, at: usize) -> Option<usize> {
        if self.scan.byte(at) != b'"' || matches!(target, Target::Node(_)) {
            let at = self.scan.blank(at);
            return match target {
                Target::Nothing => self.scan.value(at).map(|(end, _)| end),
                Target::Column { node, column, weight } => {
                    let (end, seen) = self.scan.value(at)?;
                    let value = Cell::Json(at as u32, end as u32, seen);
                    self.slots.put(column as usize, Held { node, weight }, value);
                    Some(end)
                }
                Target::Node(node) => self.value(node as usize, at),
            };
        }
        let (end, escaped) = self.scan.string(at + 1)?;
        if let Target::Column { node, column, weight } = target {
            self.slots.put(column as usize, Held { node, weight }, string(at + 1, end, escaped));
        }
        Some(end + 1)
    }

    /// The key at `at`: what its value is wanted for, and the place after its colon.
    #[inline(never)]
    fn key(&mut self, node: usize, at: usize, hint: &mut usize) -> Option<(Target, usize)> {
        let scan = self.scan;
        if scan.byte(at) != b'"' {
            return None;
        }
        let (end, escaped) = scan.string(at + 1)?;
        if escaped {
            return None;
        }
        let colon = scan.blank(end + 1);
        if scan.byte(colon) != b':' {
            return None;
        }
        let nodes = self.slots.nodes;
        let found = nodes[node].keys.find(scan.0.get(at + 1..end)?);
        let target = found.map_or(Target::Nothing, |node| nodes[node].target(node));
        if colon == end + 1 {
            *hint = self.orders[node].learn(*hint, scan.0.get(at..=colon)?, target);
        }
        Some((target, colon + 1))
    }

    /// The array at `at`.
    fn array(&mut self, node: usize, at: usize) -> Option<usize> {
        let (scan, nodes) = (self.scan, self.slots.nodes);
        let mut at = scan.blank(at + 1);
        if scan.byte(at) == b']' {
            return Some(at + 1);
        }
        for index in 0.. {
            at = scan.blank(match nodes[node].item(index) {
                Some(node) => self.value(node, at)?,
                None => scan.value(at)?.0,
            });
            match scan.byte(at) {
                b',' => at = scan.blank(at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
        None
    }

    /// The value of a node, at `at`.
    fn value(&mut self, node: usize, at: usize) -> Option<usize> {
        let (scan, here) = (self.scan, &self.slots.nodes[node]);
        let mut value = Cell::Null;
        if here.is_leaf() || !here.columns.is_empty() {
            let (end, seen) = scan.value(at)?;
            value = Cell::Json(at as u32, end as u32, seen);
            if here.is_leaf() {
                self.slots.take(node, value);
                return Some(end);
            }
        }
        self.slots.take(node, value);
        match scan.byte(at) {
            b'{' => self.object(node, at),
            b'[' => self.array(node, at),
            // A path that leads into a scalar leads nowhere.
            _ => scan.value(at).map(|(end, _)| end),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use usher_abi::ValueKind;

    use super::{
        super::projection::{Projection, Rename},
        Cell, Decoder, Fault, Waiting, Wanted,
    };

    fn decoder(paths: &[&str], renames: &[Rename]) -> Decoder {
        let wanted: Vec<Wanted> = paths.iter().map(|p| Wanted::new(*p, ValueKind::Any)).collect();
        Decoder::new(Projection::new(&wanted, renames).hide("identities", &["access_token"]))
    }

    fn values(decoder: &mut Decoder, record: &str) -> Vec<Option<String>> {
        let mut rows = Waiting::new(decoder.columns().len());
        decoder.whole(record, &mut rows).unwrap();
        decoder.complete(record, &mut rows).unwrap();
        let (cells, scratch) = rows.last();
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
            assert!(matches!(d.whole(record, &mut Waiting::new(1)), Err(Fault::NotObject)), "{record}");
        }
        for record in ["", "{", r#"{"a":1,}"#, r#"{"a":1} x"#, "{]", r#"{"b":[1}"#, r#"{"a":"\x"}"#, "tru"] {
            assert!(matches!(d.whole(record, &mut Waiting::new(1)), Err(Fault::Json(_))), "{record}");
        }
        let deep = format!("{{\"b\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(
            d.whole(&deep, &mut Waiting::new(1)).is_ok(),
            "what is not wanted may be nested to any depth"
        );
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
            let mut rows = Waiting::new(7);
            prop_assert!(d.line(&record.replace('\n', " "), 0, &mut rows).is_some());
            let fast = values(&mut d, &record);
            prop_assert!(d.line(&slow, 0, &mut rows).is_none());
            prop_assert_eq!(fast, values(&mut d, &slow));
        }
    }
}
