//! The bytes of a source's input, taken apart into records so that the suite can make inputs of any length.

use std::{fmt, sync::Arc};

type Encode = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// An input in pieces: head, records with a separator between them, tail.
///
/// `{n}` in a record stands for the number of the row in the inputs that the suite makes (`"id":"{n}"`).
#[derive(Clone)]
pub struct Sample {
    head: Vec<u8>,
    records: Vec<Vec<u8>>,
    separator: Vec<u8>,
    tail: Vec<u8>,
    /// Attribute, and how a record is written that holds a text in it.
    text: Option<(String, Encode)>,
    whole: bool,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample")
            .field("records", &self.records.len())
            .field("whole", &self.whole)
            .finish_non_exhaustive()
    }
}

impl Sample {
    /// From the pieces themselves.
    pub fn new(
        head: impl Into<Vec<u8>>,
        records: impl IntoIterator<Item = impl Into<Vec<u8>>>,
        separator: impl Into<Vec<u8>>,
        tail: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            head: head.into(),
            records: records.into_iter().map(Into::into).collect(),
            separator: separator.into(),
            tail: tail.into(),
            text: None,
            whole: false,
        }
    }

    /// One record a line.
    pub fn lines(text: impl AsRef<[u8]>) -> Self {
        let records: Vec<Vec<u8>> = split_lines(text.as_ref()).collect();
        Self::new("", records, "\n", "\n")
    }

    /// A header line, then records that may hold line ends within `"`.
    pub fn csv(text: impl AsRef<[u8]>) -> Self {
        let mut records = split_quoted(text.as_ref());
        if records.is_empty() {
            return Self::whole(text.as_ref());
        }
        let mut head = records.remove(0);
        head.push(b'\n');
        Self::new(head, records, "\n", "\n")
    }

    /// A JSON array of the given items, each compact JSON text.
    pub fn json_array(items: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        Self::new("[", items, ",\n", "]\n")
    }

    /// Bytes that cannot be taken apart: checks that need other numbers of rows are skipped.
    pub fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        Self { whole: true, ..Self::new("", [bytes.into()], "", "") }
    }

    /// Says how a record is written that holds any given text in `attribute`: for the check that hostile texts come
    /// through unharmed.
    #[must_use]
    pub fn with_text<B: Into<Vec<u8>>>(
        mut self,
        attribute: &str,
        record: impl Fn(&str) -> B + Send + Sync + 'static,
    ) -> Self {
        self.text = Some((attribute.to_owned(), Arc::new(move |text| record(text).into())));
        self
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many records the sample has.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// The sample as it is, rows numbered from 0.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.rows(self.records.len())
    }

    /// An input of so many records, the sample's in turn. A sample that is whole stays as it is.
    pub(super) fn rows(&self, count: usize) -> Vec<u8> {
        if self.whole {
            return self.records.concat();
        }
        let records =
            self.records.iter().cycle().take(count).enumerate().map(|(n, record)| number(record, n));
        self.join(records)
    }

    /// Attribute and input for a text, if the sample says how.
    pub(super) fn text(&self, text: &str) -> Option<(&str, Vec<u8>)> {
        let (attribute, encode) = self.text.as_ref()?;
        Some((attribute, self.join(std::iter::once(encode(text)))))
    }

    fn join(&self, records: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
        let mut bytes = self.head.clone();
        let mut first = true;
        for record in records {
            if !std::mem::replace(&mut first, false) {
                bytes.extend_from_slice(&self.separator);
            }
            bytes.extend_from_slice(&record);
        }
        // A line end after the last record is none of an input without records.
        if !first || self.tail != self.separator {
            bytes.extend_from_slice(&self.tail);
        }
        bytes
    }
}

/// Replaces every `{n}`.
pub(super) fn number(record: &[u8], n: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(record.len() + 8);
    let mut rest = record;
    while let Some(at) = rest.windows(3).position(|w| w == b"{n}") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(n.to_string().as_bytes());
        rest = &rest[at + 3..];
    }
    out.extend_from_slice(rest);
    out
}

fn split_lines(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec)
}

fn split_quoted(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut records, mut record, mut quoted) = (Vec::new(), Vec::new(), false);
    for &byte in bytes {
        quoted ^= byte == b'"';
        if byte == b'\n' && !quoted {
            records.push(std::mem::take(&mut record));
        } else {
            record.push(byte);
        }
    }
    records.push(record);
    for record in &mut records {
        if record.last() == Some(&b'\r') {
            record.pop();
        }
    }
    records.retain(|record| !record.is_empty());
    records
}

#[cfg(test)]
mod tests {
    use super::Sample;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn samples_grow_and_shrink() {
        let csv = Sample::csv("a,b\r\n{n},\"x\r\ny\"\r\n{n},z\r\n");
        assert_eq!(csv.len(), 2);
        assert_eq!(text(csv.rows(0)), "a,b\n");
        assert_eq!(text(csv.rows(3)), "a,b\n0,\"x\r\ny\"\n1,z\n2,\"x\r\ny\"\n");
        assert_eq!(text(Sample::lines("{\"a\":{n}}\n").rows(2)), "{\"a\":0}\n{\"a\":1}\n");
        assert_eq!(text(Sample::json_array(["1", "2"]).bytes()), "[1,\n2]\n");
        assert_eq!(text(Sample::whole("x").rows(9)), "x");
    }
}
