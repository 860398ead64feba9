//! The header of a delimited file: headings, and the delimiter when nobody said it.

use std::{borrow::Cow, collections::HashMap};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use usher_abi::{Error, Report, service::InputFile};

use super::{
    delimited::DelimitedReader,
    dialect::Dialect,
    slabs::{BOM, Slabs},
    starts::Starts,
};
use crate::Input;

/// Delimiters that are told apart by the header.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// An option: `"auto"`, `"tab"` or the one character between cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// The one that stands most often in the header outside quotes: comma, TAB, `;` or `|`, the comma on a tie.
    #[default]
    Auto,
    /// This byte.
    Byte(u8),
}

impl<'de> Deserialize<'de> for Delimiter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match (text.as_str(), text.as_bytes()) {
            ("auto", _) => Ok(Self::Auto),
            ("tab", _) => Ok(Self::Byte(b'\t')),
            (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(Self::Byte(*byte)),
            _ => {
                let message =
                    format!("the delimiter `{text}` is neither `auto`, `tab` nor one ASCII character");
                Err(serde::de::Error::custom(message))
            }
        }
    }
}

impl Serialize for Delimiter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Byte(b'\t') => serializer.serialize_str("tab"),
            Self::Byte(byte) => serializer.serialize_char(char::from(*byte)),
        }
    }
}

impl JsonSchema for Delimiter {
    fn schema_name() -> Cow<'static, str> {
        "Delimiter".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "`auto` (by the header), `tab`, or the one character between cells",
        })
    }
}

/// What the first record of a file says.
#[derive(Clone, Debug)]
pub struct Header {
    /// The file.
    pub file: InputFile,
    /// The headings, clean, none empty, none twice.
    pub headings: Vec<String>,
    /// How the file is written.
    pub dialect: Dialect,
    /// Where the records begin.
    pub body: u64,
    /// Where its splits do.
    pub(super) starts: Starts,
}

impl Header {
    /// Of a file without any record.
    pub(super) fn none(file: &InputFile) -> Self {
        Self {
            file: file.clone(),
            headings: Vec::new(),
            dialect: Dialect::default(),
            body: 0,
            starts: Starts::default(),
        }
    }

    /// The place of a heading.
    pub fn find(&self, heading: &str) -> Option<usize> {
        self.headings.iter().position(|h| h == heading)
    }

    /// Reads the header of a file; `None` when the file has no record at all.
    pub fn read(
        input: &Input,
        file: &InputFile,
        delimiter: Delimiter,
        quote: u8,
        limit: usize,
    ) -> Result<Option<Self>, Error> {
        let delimiter = match delimiter {
            Delimiter::Byte(byte) => byte,
            Delimiter::Auto => detect(&mut input.read(file.id, 0, u64::MAX)?, quote, limit)?,
        };
        let dialect = Dialect { delimiter, quote };
        let mut reader = DelimitedReader::open(input, file, 0, dialect, limit)?;
        let mut report = Report::default();
        let cells: Vec<Vec<u8>> = match reader.next(&mut report)? {
            // One more is enough to say that there are too many.
            Some(record) => {
                (0..record.len().min(MAX_COLUMNS + 1)).map(|i| record.cell(i).into_owned()).collect()
            }
            None if report.rejects.is_empty() => return Ok(None),
            None => Vec::new(),
        };
        if let Some(reject) = report.rejects.first() {
            return Err(Error::data(
                reject.code.as_str(),
                format!("the header of `{}`: {}", file.name, reject.message),
            ));
        }
        let headings =
            headings(&cells).map_err(|(code, what)| Error::data(code, format!("`{}`: {what}", file.name)))?;
        let (file, body, starts) = (file.clone(), reader.position(), Starts::default());
        Ok(Some(Self { file, headings, dialect, body, starts }))
    }
}

/// The most columns of a table, and keys of records that are listed: as many as a sheet of a spreadsheet has. More are no
/// records of people.
pub const MAX_COLUMNS: usize = 16_384;

/// Trims headings and takes off what an exporter puts around a text: one leading `'`, quotes.
fn headings(cells: &[Vec<u8>]) -> Result<Vec<String>, (&'static str, String)> {
    if cells.len() > MAX_COLUMNS {
        let message = format!("more than {MAX_COLUMNS} columns; is this a table?");
        return Err(("csv.columns", message));
    }
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    let mut places = HashMap::with_capacity(cells.len());
    for (i, cell) in cells.iter().enumerate() {
        let number = i + 1;
        let cell = std::str::from_utf8(cell).map_err(|e| {
            ("encoding.utf8", format!("heading {number} is not UTF-8 at byte {}", e.valid_up_to() + 1))
        })?;
        let name = clean(cell);
        if name.is_empty() {
            return Err((
                "csv.heading-empty",
                format!("heading {number} is empty; give every column a name"),
            ));
        }
        if name.contains('\0') {
            return Err((
                "csv.heading-nul",
                format!("heading {number} holds a NUL byte; is this a text file?"),
            ));
        }
        if let Some(first) = places.insert(name, number) {
            let message = format!("headings {first} and {number} are both `{name}`; rename one of them");
            return Err(("csv.heading-twice", message));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// A heading as people mean it: without blanks and mark around it, one leading `'`, and quotes.
pub fn clean(heading: &str) -> &str {
    let trimmed = heading.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let bare = trimmed.strip_prefix('\'').unwrap_or(trimmed);
    bare.strip_prefix('"').and_then(|b| b.strip_suffix('"')).unwrap_or(bare).trim()
}

/// The delimiter that stands most often in the first line outside quotes.
fn detect(slabs: &mut impl Slabs, quote: u8, limit: usize) -> Result<u8, Error> {
    let mut counts = [0usize; DELIMITERS.len()];
    let (mut quoted, mut seen) = (false, 0usize);
    'slabs: while let Some(slab) = slabs.next_slab()? {
        for byte in slab.bytes() {
            match *byte {
                b if b == quote => quoted = !quoted,
                b'\r' | b'\n' if !quoted && seen > 0 => break 'slabs,
                // Blank lines and the mark at the beginning are not the header.
                b'\r' | b'\n' if !quoted => continue,
                b if seen == 0 && BOM.contains(&b) => continue,
                b => {
                    if let Some(i) = DELIMITERS.iter().position(|d| *d == b).filter(|_| !quoted) {
                        counts[i] += 1;
                    }
                }
            }
            seen += 1;
        }
        if seen > limit {
            break;
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let first = counts.iter().position(|c| *c == most).unwrap_or_default();
    Ok(DELIMITERS[first])
}

#[cfg(test)]
mod tests {
    use super::{super::slabs::tests::Cut, MAX_COLUMNS, clean, detect, headings};

    #[test]
    fn the_delimiter_is_the_most_frequent_outside_quotes() {
        for (text, expected) in [
            ("a,b;c\n;;;;", b','),
            ("a\tb\tc,d\n", b'\t'),
            ("\u{feff}\"x,y,z\";b\r\n", b';'),
            ("a|b|c", b'|'),
            ("a;b,c\n", b','),
            ("alone\n", b','),
            ("\n\n\"a\nb,\";c\n", b';'),
        ] {
            for slab in [1, 3, 100] {
                assert_eq!(detect(&mut Cut::new(text, 0, slab), b'"', 1000).unwrap(), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn headings_are_cleaned_and_must_be_names() {
        for (text, expected) in
            [(" a ", "a"), ("'user_id", "user_id"), ("'\"Name\"", "Name"), ("''x", "'x"), ("\u{feff}é", "é")]
        {
            assert_eq!(clean(text), expected);
        }
        let read =
            |cells: &[&str]| headings(&cells.iter().map(|c| c.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(read(&["a", " "]).unwrap_err().1, "heading 2 is empty; give every column a name");
        assert_eq!(
            read(&["a", "b", "'a"]).unwrap_err().1,
            "headings 1 and 3 are both `a`; rename one of them"
        );
        assert_eq!(read(&["a\0"]).unwrap_err().0, "csv.heading-nul");
        let many = |count: usize| (0..count).map(|n| n.to_string().into_bytes()).collect::<Vec<_>>();
        assert_eq!(headings(&many(MAX_COLUMNS)).unwrap().len(), MAX_COLUMNS);
        assert_eq!(headings(&many(MAX_COLUMNS + 1)).unwrap_err().0, "csv.columns");
        assert_eq!(headings(&[b"a\xff".to_vec()]).unwrap_err().0, "encoding.utf8");
    }
}
