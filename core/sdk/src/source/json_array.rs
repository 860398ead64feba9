//! The elements of one big JSON array, in bounded memory.

use std::ops::Range;

use memchr::memchr2;
use usher_abi::{Error, Reject, Report, Split, service::Slab};

use super::{
    rejects::{origin, too_long},
    slabs::{BOM, Slabs},
};
use crate::{Input, Reader};

/// Finds where each element of the array begins and ends, by its brackets and strings alone; whether it is JSON is for
/// the caller to see. An element over the limit is rejected (`record.too-long`) and skipped without being held; an
/// array without its end and text after the end are rejects, too (`json.unterminated`, `json.syntax`).
#[derive(Debug)]
pub struct Elements<R = Reader> {
    slabs: R,
    input: u32,
    limit: usize,
    slab: Option<Slab>,
    /// First unread byte of `slab`.
    at: usize,
    state: State,
    /// The beginning of an element whose end is in a later slab.
    carry: Vec<u8>,
    element: Place,
    /// Where the element begins.
    start: u64,
    next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before `[`.
    Before,
    /// Between elements.
    Between,
    /// In an element.
    Inside(Depth),
    /// After `]`.
    After,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Depth {
    brackets: u32,
    string: bool,
    escaped: bool,
    too_long: bool,
}

#[derive(Debug)]
enum Place {
    None,
    Slab(Range<usize>),
    Carry,
}

impl Elements<Reader> {
    /// Opens an input, or what is left of it after the element that ended at `from`.
    pub fn open(input: &Input, split: &Split, from: Option<u64>, limit: usize) -> Result<Self, Error> {
        let reader = input.read(split.input, from.unwrap_or(0), u64::MAX)?;
        Ok(Self::new(reader, split.input, from, limit))
    }
}

impl<R: Slabs> Elements<R> {
    /// Elements of `slabs`, which begin at `from`.
    pub(crate) fn new(slabs: R, input: u32, from: Option<u64>, limit: usize) -> Self {
        Self {
            slabs,
            input,
            limit,
            slab: None,
            at: 0,
            state: if from.is_some() { State::Between } else { State::Before },
            carry: Vec::new(),
            element: Place::None,
            start: 0,
            next: from.unwrap_or(0),
        }
    }

    /// Where reading may go on after the element that was given last.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// The next element and the place of its first byte; `None` at the end.
    pub fn next(&mut self, report: &mut Report) -> Result<Option<(u64, &[u8])>, Error> {
        if matches!(self.element, Place::Carry) {
            self.carry.clear();
        }
        self.element = Place::None;
        while matches!(self.element, Place::None) && self.state != State::Done {
            if self.slab.as_ref().is_none_or(|s| self.at >= s.len) {
                self.slab = self.slabs.next_slab()?;
                self.at = 0;
                if self.slab.is_none() {
                    self.finish(report);
                }
            } else {
                self.advance(report);
            }
        }
        Ok(match (&self.element, &self.slab) {
            (Place::Slab(range), Some(slab)) => Some((self.start, &slab.bytes()[range.clone()])),
            (Place::Carry, _) => Some((self.start, &self.carry)),
            _ => None,
        })
    }

    /// Reads on in the slab, to the end of the element or of the slab.
    fn advance(&mut self, report: &mut Report) {
        let Some(slab) = &self.slab else { return };
        let (bytes, base) = (slab.bytes(), slab.offset);
        // The byte order mark may be cut by slabs: its bytes are no JSON anywhere else.
        let blank = |at: usize, b: u8| b.is_ascii_whitespace() || (base + at as u64) < 3 && BOM.contains(&b);
        let Some(skipped) = bytes[self.at..]
            .iter()
            .enumerate()
            .position(|(i, b)| matches!(self.state, State::Inside(_)) || !blank(self.at + i, *b))
        else {
            self.at = bytes.len();
            return;
        };
        self.at += skipped;
        let here = base + self.at as u64;
        let depth = match (self.state, bytes[self.at]) {
            (State::Before, b'[') => {
                self.state = State::Between;
                self.at += 1;
                return;
            }
            (State::Before | State::After | State::Done, _) => {
                let what = if self.state == State::Before {
                    "the input is no JSON array"
                } else {
                    "text after the array"
                };
                report.rejects.push(Reject::new(origin(self.input, here, 0), "", "json.syntax", what));
                self.state = State::Done;
                return;
            }
            (State::Between, b']') => {
                self.state = State::After;
                self.at += 1;
                return;
            }
            (State::Between, b',') => {
                self.at += 1;
                return;
            }
            (State::Between, _) => {
                self.start = here;
                Depth { brackets: 0, string: false, escaped: false, too_long: false }
            }
            (State::Inside(depth), _) => depth,
        };
        self.inside(depth, report);
    }

    /// Reads on in an element.
    fn inside(&mut self, mut depth: Depth, report: &mut Report) {
        let Some(slab) = &self.slab else { return };
        let bytes = slab.bytes();
        let from = self.at;
        let end = depth.scan(bytes, from);
        let to = end.unwrap_or(bytes.len());
        let length = slab.offset + to as u64 - self.start;
        if !depth.too_long && length > self.limit as u64 {
            depth.too_long = true;
            self.carry = Vec::new();
        }
        self.at = to;
        self.state = if end.is_some() { State::Between } else { State::Inside(depth) };
        if end.is_some() {
            self.next = slab.offset + to as u64;
        }
        match (end.is_some(), depth.too_long) {
            (true, true) => report.rejects.push(too_long(self.input, self.start, length, self.limit)),
            (true, false) if self.carry.is_empty() => self.element = Place::Slab(from..to),
            (true, false) => {
                self.carry.extend_from_slice(&bytes[from..to]);
                self.element = Place::Carry;
            }
            (false, true) => {}
            (false, false) => self.carry.extend_from_slice(&bytes[from..to]),
        }
    }

    /// The input is at its end.
    fn finish(&mut self, report: &mut Report) {
        if matches!(self.state, State::Between | State::Inside(_)) {
            let (offset, length) = match self.state {
                State::Inside(_) => (self.start, self.carry.len() as u64),
                _ => (self.next, 0),
            };
            let message = "the input ends before the array does; is the file whole?";
            report.rejects.push(Reject::new(
                origin(self.input, offset, length),
                "",
                "json.unterminated",
                message,
            ));
        }
        self.state = State::Done;
    }
}

impl Depth {
    /// The byte after the element, when it ends in these bytes.
    fn scan(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut at = from;
        while at < bytes.len() {
            if self.string {
                if std::mem::take(&mut self.escaped) {
                    at += 1;
                    continue;
                }
                let found = memchr2(b'"', b'\\', &bytes[at..])?;
                at += found + 1;
                match bytes[at - 1] {
                    b'"' => self.string = false,
                    _ => self.escaped = true,
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.string = true,
                b'{' | b'[' => self.brackets += 1,
                b'}' | b']' if self.brackets > 1 => self.brackets -= 1,
                b'}' | b']' if self.brackets == 1 => return Some(at + 1),
                // A scalar ends before what follows it.
                b']' | b',' if self.brackets == 0 => return Some(at),
                _ => {}
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::slabs::tests::Cut, Elements, Report};

    fn elements(text: &str, slab: usize, limit: usize) -> (Vec<String>, Vec<(String, u64, u32)>) {
        let mut elements = Elements::new(Cut::new(text, 0, slab), 0, None, limit);
        let (mut found, mut report) = (Vec::new(), Report::default());
        while let Some((offset, element)) = elements.next(&mut report).unwrap() {
            let element = String::from_utf8(element.to_vec()).unwrap();
            assert!(text[offset as usize..].starts_with(&element));
            // A scalar ends where the next token begins.
            found.push(element.trim_end().to_owned());
        }
        (
            found,
            report.rejects.iter().map(|r| (r.code.to_string(), r.origin.offset, r.origin.length)).collect(),
        )
    }

    #[test]
    fn elements_are_found_by_brackets_and_strings() {
        let text = "\u{feff} [ {\"a\":\"]}\\\"\"} ,\n{\"b\":[1,{}]},3, \"x,\" ] \n";
        for slab in 1..50 {
            let (found, rejects) = elements(text, slab, 100);
            assert_eq!(found, [r#"{"a":"]}\""}"#, r#"{"b":[1,{}]}"#, "3", r#""x,""#], "slabs of {slab}");
            assert!(rejects.is_empty());
        }
    }

    #[test]
    fn what_is_wrong_around_the_elements_is_rejected() {
        for slab in 1..30 {
            let (found, rejects) = elements(r#"[{"a":1},{"b":"#, slab, 100);
            assert_eq!(found.len(), 1);
            assert_eq!(rejects, [("json.unterminated".to_owned(), 9, 5)], "slabs of {slab}");
            let (found, rejects) = elements(r#"[{"a":1}] {"b":1}"#, slab, 100);
            assert_eq!((found.len(), rejects), (1, vec![("json.syntax".to_owned(), 10, 0)]));
            let (found, rejects) = elements(r#"[{"a":1},{"b":"0123456789"},{"c":1}]"#, slab, 10);
            assert_eq!(
                (found.len(), rejects),
                (2, vec![("record.too-long".to_owned(), 9, 18)]),
                "slabs of {slab}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_array_comes_back(items in prop::collection::vec(("[a\\[\\]{},\"\\\\é ]{0,6}", any::<i8>()), 0..5), slab in 1usize..30) {
            let values: Vec<serde_json::Value> = items
                .iter()
                .map(|(text, number)| serde_json::json!({ text.as_str(): [text, number, { "x": text }] }))
                .collect();
            for text in [serde_json::to_string(&values).unwrap(), serde_json::to_string_pretty(&values).unwrap()] {
                let (found, rejects) = elements(&text, slab, 10_000);
                let found: Vec<serde_json::Value> = found.iter().map(|t| serde_json::from_str(t).unwrap()).collect();
                prop_assert_eq!(&found, &values);
                prop_assert!(rejects.is_empty());
            }
        }
    }
}
