//! The top-level keys of the first records.

use std::collections::HashSet;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use usher_sdk::{
    abi::{Error, Report, Split, service::InputFile},
    source::{Elements, Inputs, Lines, MAX_COLUMNS, Shape},
};

/// Records that are looked at.
const RECORDS: usize = 1_000;

/// The longest key that is listed, in bytes. Longer ones are no names of columns, and records have room for very long ones.
const LONGEST: usize = 1_000;

/// The keys that were met, each once, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) listed: Vec<String>,
    known: HashSet<String>,
    /// There are more than are listed.
    pub(crate) more: bool,
}

impl Keys {
    pub(crate) fn add(&mut self, key: &str) {
        if self.known.contains(key) {
            return;
        }
        if self.listed.len() == MAX_COLUMNS || key.len() > LONGEST {
            self.more = true;
            return;
        }
        self.known.insert(key.to_owned());
        self.listed.push(key.to_owned());
    }
}

/// Adds the keys of the first records of a file. Records that cannot be read are passed over.
pub(crate) fn sample(
    inputs: &Inputs,
    file: &InputFile,
    shape: Shape,
    limit: usize,
    keys: &mut Keys,
) -> Result<(), Error> {
    let split = Split { input: file.id, end: u64::MAX, ..Split::default() };
    let mut report = Report::default();
    if shape == Shape::Array {
        let mut elements = Elements::open(inputs.service(), &split, None, limit)?;
        for _ in 0..RECORDS {
            let Some((_, element)) = elements.next(&mut report)? else { break };
            add(element, keys);
            report.rejects.clear();
        }
        return Ok(());
    }
    let mut lines = Lines::open(inputs.service(), &split, None, limit)?;
    let mut left = RECORDS;
    while left > 0 && lines.fill(&mut report)? {
        let (_, block) = lines.block();
        let taken = block.len();
        for line in block.split(|b| *b == b'\n').filter(|l| !l.is_empty()).take(left) {
            add(line, keys);
            left -= 1;
        }
        lines.consume(taken);
        report.rejects.clear();
    }
    Ok(())
}

fn add(record: &[u8], keys: &mut Keys) {
    // A record that is broken in the middle has given the keys before that, which do no harm.
    let _ = Record(keys).deserialize(&mut serde_json::Deserializer::from_slice(record));
}

struct Record<'a>(&'a mut Keys);

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            map.next_value::<IgnoredAny>()?;
            // A column's name cannot hold NUL.
            if !key.contains('\0') {
                self.0.add(&key);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, LONGEST, MAX_COLUMNS, add};

    #[test]
    fn keys_come_once_in_the_order_of_the_records() {
        let mut keys = Keys::default();
        for record in [r#"{"b":1,"a":{"x":2}}"#, "[1]", r#"{"a":1,"\u0063":2}"#, r#"{"d":1,"#, "x"] {
            add(record.as_bytes(), &mut keys);
        }
        assert_eq!(keys.listed, ["b", "a", "c", "d"]);
    }

    #[test]
    fn no_more_keys_are_listed_than_a_table_has_columns() {
        let mut keys = Keys::default();
        let record: Vec<String> = (0..MAX_COLUMNS).map(|n| format!("\"{n}\":1")).collect();
        add(format!("{{{}}}", record.join(",")).as_bytes(), &mut keys);
        assert_eq!((keys.listed.len(), keys.more), (MAX_COLUMNS, false));
        add(br#"{"0":1,"another":2}"#, &mut keys);
        assert_eq!((keys.listed.len(), keys.more), (MAX_COLUMNS, true));
        let mut keys = Keys::default();
        add(format!("{{\"{}\":1,\"a\":1}}", "x".repeat(LONGEST + 1)).as_bytes(), &mut keys);
        assert_eq!((keys.listed, keys.more), (vec!["a".to_owned()], true));
    }
}
