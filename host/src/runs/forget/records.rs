//! A file as records, and without some of them: all other bytes stay as they were.

use std::io::{self, BufRead, Write};

/// What a file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Rows, the first one headings or not.
    Csv { delimiter: u8, header: bool },
    /// One JSON value a line.
    Lines,
    /// One JSON array.
    Array,
    /// JSON that is no list of records.
    Document,
    /// Anything else.
    Text,
}

impl Form {
    /// Told by the first bytes.
    pub(super) fn of(start: &[u8]) -> Self {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_json = |text: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
        match text.first() {
            Some(b'[') => Self::Array,
            // Of a line that is longer than what was looked at nobody knows the end.
            Some(b'{') if is_json(line) || line.len() == text.len() => Self::Lines,
            Some(b'{') => Self::Document,
            _ => {
                let count = |byte: u8| line.iter().filter(|other| **other == byte).count();
                let delimiter = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|byte| count(*byte));
                Self::Csv { delimiter: delimiter.unwrap_or(b','), header: true }
            }
        }
    }
}

/// A record and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) bytes: &'a [u8],
    /// Its line, from 1.
    pub(super) line: u64,
    /// Whether it is the first one of the file.
    pub(super) first: bool,
}

/// Copies a file without the records that go; answers how many went. What stands between records stays a list: of two
/// separators one goes with each.
pub(super) fn copy(
    mut from: impl BufRead,
    form: Form,
    to: &mut impl Write,
    mut goes: impl FnMut(Record<'_>) -> bool,
) -> io::Result<u64> {
    let mut cut = Cut::new(form);
    let (mut glue, mut record) = (Vec::new(), Vec::new());
    let (mut line, mut begun) = (1u64, 1u64);
    // What stands before the first record, while it is not known whether that stays.
    let mut opening: Option<Vec<u8>> = None;
    let (mut first, mut kept, mut gone) = (true, false, 0);
    loop {
        let chunk = from.fill_buf()?;
        let ends = chunk.is_empty();
        let read = chunk.len();
        let mut end = |glue: &mut Vec<u8>, record: &mut Vec<u8>, line: u64| -> io::Result<()> {
            if opening.is_none() {
                opening = Some(std::mem::take(glue));
                glue.clone_from(opening.as_ref().unwrap_or(&Vec::new()));
            }
            if goes(Record { bytes: record, line, first }) {
                gone += 1;
            } else {
                let before = if kept { &*glue } else { opening.as_ref().unwrap_or(glue) };
                to.write_all(before)?;
                to.write_all(record)?;
                kept = true;
            }
            first = false;
            glue.clear();
            record.clear();
            Ok(())
        };
        for byte in chunk {
            match cut.next(*byte) {
                Step::Glue => glue.push(*byte),
                Step::Within => {
                    if record.is_empty() {
                        begun = line;
                    }
                    record.push(*byte);
                }
                Step::Last => {
                    if record.is_empty() {
                        begun = line;
                    }
                    record.push(*byte);
                    end(&mut glue, &mut record, begun)?;
                }
                Step::After => {
                    end(&mut glue, &mut record, begun)?;
                    glue.push(*byte);
                }
            }
            line += u64::from(*byte == b'\n');
        }
        if ends && !record.is_empty() {
            end(&mut glue, &mut record, begun)?;
        }
        from.consume(read);
        if ends {
            break;
        }
    }
    if !kept {
        to.write_all(&opening.unwrap_or_default())?;
    }
    to.write_all(&glue)?;
    Ok(gone)
}

/// What a byte is.
enum Step {
    /// Of no record.
    Glue,
    /// Of a record that goes on.
    Within,
    /// The last one of a record.
    Last,
    /// Of no record: the one before it has ended.
    After,
}

/// Where a byte stands.
enum Cut {
    Lines,
    Csv { delimiter: u8, place: Cell },
    Array { depth: u32, string: bool, escaped: bool, within: bool },
}

#[derive(Clone, Copy)]
enum Cell {
    Start,
    Plain,
    Quoted,
    /// After a quote within quotes: the end, or half of two.
    Quote,
}

impl Cut {
    fn new(form: Form) -> Self {
        match form {
            Form::Csv { delimiter, .. } => Self::Csv { delimiter, place: Cell::Start },
            Form::Array => Self::Array { depth: 0, string: false, escaped: false, within: false },
            Form::Lines | Form::Document | Form::Text => Self::Lines,
        }
    }

    fn next(&mut self, byte: u8) -> Step {
        match self {
            Self::Lines if byte == b'\n' => Step::Last,
            Self::Lines => Step::Within,
            Self::Csv { delimiter, place } => {
                *place = match (*place, byte) {
                    (Cell::Start, b'"') | (Cell::Quote, b'"') => Cell::Quoted,
                    (Cell::Quoted, b'"') => Cell::Quote,
                    (Cell::Quoted, _) => Cell::Quoted,
                    (_, b'\n') => {
                        *place = Cell::Start;
                        return Step::Last;
                    }
                    (_, byte) if byte == *delimiter => Cell::Start,
                    _ => Cell::Plain,
                };
                Step::Within
            }
            Self::Array { depth, string, escaped, within } => {
                if *string {
                    match byte {
                        _ if *escaped => *escaped = false,
                        b'\\' => *escaped = true,
                        b'"' => *string = false,
                        _ => {}
                    }
                    return Step::Within;
                }
                match byte {
                    b'[' if *depth == 0 => {
                        *depth = 1;
                        Step::Glue
                    }
                    _ if *depth == 0 => Step::Glue,
                    b',' | b']' | b' ' | b'\n' | b'\r' | b'\t' if *depth == 1 => {
                        *depth -= u32::from(byte == b']');
                        if std::mem::take(within) { Step::After } else { Step::Glue }
                    }
                    _ => {
                        *within = true;
                        match byte {
                            b'"' => *string = true,
                            b'[' | b'{' => *depth += 1,
                            b']' | b'}' => *depth -= 1,
                            _ => {}
                        }
                        Step::Within
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn without(text: &str, form: Form, word: &str) -> (String, u64) {
        let mut all = Vec::new();
        for capacity in [1, 3, 1000] {
            let mut to = Vec::new();
            let from = BufReader::with_capacity(capacity, text.as_bytes());
            let gone =
                copy(from, form, &mut to, |record| String::from_utf8_lossy(record.bytes).contains(word));
            all.push((String::from_utf8(to).unwrap(), gone.unwrap()));
        }
        assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
        all.remove(0)
    }

    #[test]
    fn a_row_goes_whole_and_all_other_bytes_stay() {
        let csv = Form::Csv { delimiter: b',', header: true };
        let text = "a,b\r\n\"x\r\n\"\"ada\"\", y\",1\r\n5\" pipe,2\r\nlast,3";
        assert_eq!(without(text, csv, "ada"), ("a,b\r\n5\" pipe,2\r\nlast,3".to_owned(), 1));
        assert_eq!(without(text, csv, "last"), (text.replace("last,3", ""), 1));
        assert_eq!(without(text, csv, "eve"), (text.to_owned(), 0));
        assert_eq!(without("{1}\n{2}\n{3}", Form::Lines, "2"), ("{1}\n{3}".to_owned(), 1));
    }

    #[test]
    fn an_array_stays_one() {
        let text = "[\n {\"a\":[\"x\",\"]},\\\"\"]},\n \"ada\",\n 7, null\n]\n";
        let check = |word: &str, expected: &str| {
            assert_eq!(without(text, Form::Array, word), (expected.to_owned(), 1), "{word}")
        };
        check("x", "[\n \"ada\",\n 7, null\n]\n");
        check("ada", "[\n {\"a\":[\"x\",\"]},\\\"\"]},\n 7, null\n]\n");
        check("7", "[\n {\"a\":[\"x\",\"]},\\\"\"]},\n \"ada\", null\n]\n");
        check("null", "[\n {\"a\":[\"x\",\"]},\\\"\"]},\n \"ada\",\n 7\n]\n");
        assert_eq!(without("[1]", Form::Array, "1"), ("[]".to_owned(), 1));
        assert_eq!(without("[\n1,\n1\n]", Form::Array, "1"), ("[\n\n]".to_owned(), 2));
        assert_eq!(without("[]\n", Form::Array, "1"), ("[]\n".to_owned(), 0));
    }

    #[test]
    fn records_know_where_they_begin() {
        let mut places = Vec::new();
        let text = "a\n\"1\n2\"\n3\n";
        copy(text.as_bytes(), Form::Csv { delimiter: b',', header: true }, &mut Vec::new(), |record| {
            places.push(record.line);
            false
        })
        .unwrap();
        assert_eq!(places, [1, 2, 4]);
    }

    #[test]
    fn the_form_is_told_by_the_first_bytes() {
        let csv = |delimiter| Form::Csv { delimiter, header: true };
        for (text, form) in [
            ("a,b\n1,2", csv(b',')),
            ("a;b,c;d\n", csv(b';')),
            ("email\nx", csv(b',')),
            ("\u{feff} [1]", Form::Array),
            ("{\"a\":1}\n{\"a\":2}\n", Form::Lines),
            ("{\"a\":1}", Form::Lines),
            ("{\n\"a\":1}", Form::Document),
        ] {
            assert_eq!(Form::of(text.as_bytes()), form, "{text}");
        }
    }
}
