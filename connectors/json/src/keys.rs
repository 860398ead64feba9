//! The top-level keys of the first records.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use usher_sdk::{
    abi::{Error, Report, Split, service::InputFile},
    source::{Elements, Inputs, Lines, Shape},
};

/// Records that are looked at.
const RECORDS: usize = 1_000;

/// Adds the keys of the first records of a file, in the order in which they are met. Records that cannot be read are
/// passed over.
pub(crate) fn sample(
    inputs: &Inputs,
    file: &InputFile,
    shape: Shape,
    limit: usize,
    keys: &mut Vec<String>,
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

fn add(record: &[u8], keys: &mut Vec<String>) {
    // A record that is broken in the middle has given the keys before that, which do no harm.
    let _ = Keys(keys).deserialize(&mut serde_json::Deserializer::from_slice(record));
}

struct Keys<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            map.next_value::<IgnoredAny>()?;
            // A column's name cannot hold NUL.
            if !key.contains('\0') && !self.0.iter().any(|known| *known == key) {
                self.0.push(key.into_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::add;

    #[test]
    fn keys_come_once_in_the_order_of_the_records() {
        let mut keys = Vec::new();
        for record in [r#"{"b":1,"a":{"x":2}}"#, "[1]", r#"{"a":1,"\u0063":2}"#, r#"{"d":1,"#, "x"] {
            add(record.as_bytes(), &mut keys);
        }
        assert_eq!(keys, ["b", "a", "c", "d"]);
    }
}
