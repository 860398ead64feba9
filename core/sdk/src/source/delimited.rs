//! Records of delimited text (CSV, TAB, semicolon), with their places.

use std::{borrow::Cow, ops::Range, sync::Arc};

use usher_abi::{
    Error, Reject, Report,
    service::{InputFile, Slab},
};

use super::{
    dialect::Dialect,
    place::Place,
    quotes::{Quoted, quoted},
    rejects::{origin, shown, too_long_in_quotes},
    separators::{self, Place as CellPlace, undoubled},
    slabs::{BOM, Slabs, SplitReader},
};
use crate::{Input, words::thousands};

/// So far behind the end of a split a record may reach whose beginning was guessed.
const GUESSED: u64 = 64 * 1024;

/// Reads record after record.
///
/// Cells may span lines; records end with LF, CR LF or CR; blank lines are no records. A record over the limit is
/// rejected (`record.too-long`) and skipped without holding more of it than the limit, one with text behind a closing
/// quote is `csv.after-quote`. Where a quote leaves open which lines are records, reading ends with the error
/// `csv.unterminated`: as a reject, one record would hide thousands. What a cell holds is not looked at: it may be no
/// UTF-8.
pub struct DelimitedReader<R = SplitReader> {
    slabs: R,
    parser: csv_core::Reader,
    dialect: Dialect,
    input: u32,
    /// How messages name the input.
    name: String,
    limit: usize,
    slab: Option<Slab>,
    /// These bytes of `slab` are text.
    text: Range<usize>,
    /// First unread byte of `slab`.
    at: usize,
    /// First byte of the record in `slab`.
    from: usize,
    /// Bytes of the record, if it lies there.
    length: usize,
    /// The record's bytes of earlier slabs.
    carry: Vec<u8>,
    /// First unread byte of the input.
    position: u64,
    /// Where the first record begins.
    start: u64,
    /// Records that begin here or behind are others'.
    end: u64,
    /// A record that reaches beyond this is not read to its end: who guessed where it begins has guessed wrong.
    reach: u64,
    cells: Vec<u8>,
    ends: Vec<usize>,
    places: Vec<CellPlace>,
    /// Line ends within what was passed over of the record.
    swallowed: usize,
    done: bool,
}

impl<R> std::fmt::Debug for DelimitedReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DelimitedReader")
            .field("input", &self.input)
            .field("position", &self.position)
            .finish()
    }
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its first byte in the input.
    pub offset: u64,
    /// Its bytes in the input, line end not counted.
    pub length: usize,
    /// Where the cells stand.
    pub(crate) bytes: &'a [u8],
    pub(crate) places: &'a [CellPlace],
    pub(crate) quote: u8,
    /// Every cell is known to be UTF-8.
    pub(crate) is_text: bool,
}

impl<'a> Record<'a> {
    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it has no cells, which no record is without.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The bytes of a cell, quotes undone; of one that the record does not have, none.
    pub fn cell(&self, index: usize) -> Cow<'a, [u8]> {
        let Some(place) = self.places.get(index) else { return Cow::Borrowed(&[]) };
        let bytes = self.bytes.get(place.from..place.to).unwrap_or_default();
        if !place.doubled {
            return Cow::Borrowed(bytes);
        }
        let mut cell = Vec::with_capacity(bytes.len());
        undoubled(bytes, self.quote).for_each(|part| cell.extend_from_slice(&bytes[part]));
        Cow::Owned(cell)
    }
}

impl DelimitedReader<SplitReader> {
    /// Reads an input from the record that begins at `start`.
    pub fn open(
        input: &Input,
        file: &InputFile,
        start: u64,
        dialect: Dialect,
        limit: usize,
    ) -> Result<Self, Error> {
        Self::open_split(input, file, start..u64::MAX, start, dialect, limit)
    }

    /// Reads the records that begin in a split, the first of them at `start`.
    pub(crate) fn open_split(
        input: &Input,
        file: &InputFile,
        split: Range<u64>,
        start: u64,
        dialect: Dialect,
        limit: usize,
    ) -> Result<Self, Error> {
        let slabs = match SplitReader::open(input, file.id, split.start, split.end) {
            // What is packed begins at its beginning; what stands before the record is passed over.
            Err(error) if error.code == "input.not-splittable" => {
                SplitReader::open(input, file.id, 0, u64::MAX)?
            }
            read => read?,
        };
        Ok(Self { end: split.end, ..Self::new(slabs, file, start, dialect, limit) })
    }

    /// Reads the records of a split from the first that seems to begin in it, behind a line end, and says where that is; none
    /// does where no line ends. To be [trusted](Self::trust) when it is known to be right.
    pub(crate) fn guess(
        input: &Input,
        file: &InputFile,
        split: Range<u64>,
        dialect: Dialect,
        limit: usize,
    ) -> Result<(Self, Option<u64>), Error> {
        // From one byte before, to see whether a line begins at the start.
        let from = split.start.saturating_sub(1);
        let mut reader = Self::open_split(input, file, from..split.end, from, dialect, limit)?;
        reader.reach = split.end.saturating_add(GUESSED);
        let start = reader.pass_line()?.then_some(reader.position);
        Ok((reader, start.filter(|start| *start < split.end)))
    }
}

impl<R: Slabs> DelimitedReader<R> {
    /// Reads slabs, the first of which begins at `start` or before.
    pub(crate) fn new(slabs: R, file: &InputFile, start: u64, dialect: Dialect, limit: usize) -> Self {
        let mut parser =
            csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).quote(dialect.quote).build();
        // It takes a byte order mark off whatever it is given first; a blank line has none.
        parser.read_record(b"\n", &mut [0; 4], &mut [0; 4]);
        Self {
            slabs,
            parser,
            dialect,
            input: file.id,
            name: file.name.to_string(),
            limit,
            slab: None,
            text: 0..0,
            at: 0,
            from: 0,
            length: 0,
            carry: Vec::new(),
            position: start,
            start,
            end: u64::MAX,
            reach: u64::MAX,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            places: Vec::new(),
            swallowed: 0,
            done: false,
        }
    }

    /// Where the next record may begin.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Whether all records were read; the next one, if there is one, begins at the [position](Self::position).
    pub(crate) fn has_ended(&self) -> bool {
        self.done && !self.has_given_up()
    }

    /// The guess was right.
    pub(crate) fn trust(&mut self) {
        self.reach = u64::MAX;
    }

    /// Whether a record reached further than any does whose beginning was guessed right.
    pub(crate) fn has_given_up(&self) -> bool {
        self.position > self.reach
    }

    /// Goes to the next record if it is plainly right and lies in the slab that is read, as most do; then it is [here](Self::here),
    /// and the slab stays. Else [`next`](Self::next) knows more.
    #[inline]
    pub(crate) fn step(&mut self) -> bool {
        // A mark stands at the beginning.
        while !self.done && self.position >= BOM.len() as u64 && self.position < self.end {
            match self.slab().get(self.at) {
                Some(b'\r' | b'\n') => {
                    self.at += 1;
                    self.position += 1;
                }
                Some(_) => return self.usual().map(|length| self.length = length).is_some(),
                None => return false,
            }
        }
        false
    }

    /// The record that was [stepped](Self::step) to, and where in the slab it begins.
    #[inline]
    pub(crate) fn here(&self) -> (Record<'_>, usize) {
        let bytes = self.slab().get(self.from..self.from + self.length).unwrap_or_default();
        let offset = self.position - (self.at - self.from) as u64;
        let (length, places, quote) = (self.length, &*self.places, self.dialect.quote);
        let is_text = self.text.start <= self.from && self.from + length <= self.text.end;
        (Record { offset, length, bytes, places, quote, is_text }, self.from)
    }

    /// What is read.
    #[inline]
    pub(crate) fn slab(&self) -> &[u8] {
        self.slab.as_ref().map_or(&[], Slab::bytes)
    }

    /// The next record; `None` at the end.
    pub fn next(&mut self, report: &mut Report) -> Result<Option<Record<'_>>, Error> {
        while !self.done && self.begin()? && self.position < self.end {
            let start = self.position;
            let quote = self.dialect.quote;
            if let Some(length) = self.usual() {
                self.length = length;
                return Ok(Some(self.here().0));
            }
            let Some((cells, ends)) = self.record(start)? else {
                if self.has_given_up() {
                    break;
                }
                return Err(self.unclosed(start)?);
            };
            // One byte of the line end was read, unless the input ended instead.
            let length = self.position - start - u64::from(!self.done);
            if length > self.limit as u64 {
                let lines = self.swallowed + line_ends(&self.cells[..cells]);
                report.rejects.push(too_long_in_quotes(self.input, start, length, self.limit, lines));
                continue;
            }
            let length = length as usize;
            // A record without quotes is its cells and what stands between them, to the byte.
            let plain = length == cells + ends - 1;
            if let Some(cell) = if plain { None } else { self.more_after_quote(length) } {
                report.rejects.push(self.after_quote(cell, start, length)?);
                continue;
            }
            self.places.clear();
            let mut from = 0;
            for to in &self.ends[..ends] {
                self.places.push(CellPlace { from, to: *to, doubled: false });
                from = *to;
            }
            let bytes = &self.cells[..cells];
            let places = &*self.places;
            return Ok(Some(Record { offset: start, length, bytes, places, quote, is_text: false }));
        }
        self.done = true;
        Ok(None)
    }

    /// Goes behind the next line end, and to what may be the first byte of a record; false: there is none.
    fn pass_line(&mut self) -> Result<bool, Error> {
        while self.position < self.end && self.refill()? {
            let bytes = self.slab.as_ref().map_or(&[][..], |slab| &slab.bytes()[self.at..]);
            let found = memchr::memchr2(b'\n', b'\r', bytes);
            let passed = found.unwrap_or(bytes.len());
            self.at += passed;
            self.position += passed as u64;
            if found.is_some() {
                return self.begin();
            }
        }
        Ok(false)
    }

    /// Goes to the first byte of the next record.
    fn begin(&mut self) -> Result<bool, Error> {
        // The host keeps a mark to itself: then the first byte is not at 0.
        if self.position == 0 {
            let more = self.refill()?;
            if more && self.position == 0 {
                self.pass_mark()?;
            }
        }
        while self.refill()? {
            if !matches!(self.slab()[self.at], b'\r' | b'\n') {
                return Ok(true);
            }
            self.at += 1;
            self.position += 1;
        }
        Ok(false)
    }

    /// Goes behind the byte order mark, if the input, of which a byte is there, begins with a whole one: characters that
    /// begin as it does are text.
    fn pass_mark(&mut self) -> Result<(), Error> {
        let here = &self.slab()[self.at..];
        if here.len() < BOM.len() && BOM.starts_with(here) {
            let mut bytes = here.to_vec();
            while bytes.len() < BOM.len() {
                let Some(slab) = self.slabs.next_slab()? else { break };
                bytes.extend_from_slice(slab.bytes());
            }
            (self.text, self.at) = (text(&bytes, 0), 0);
            self.slab = Some(Slab::new(Arc::new(bytes), 0));
        }
        if self.slab()[self.at..].starts_with(BOM) {
            self.at += BOM.len();
            self.position += BOM.len() as u64;
        }
        Ok(())
    }

    /// Makes sure that there is an unread byte.
    fn refill(&mut self) -> Result<bool, Error> {
        if self.slab.as_ref().is_none_or(|s| self.at >= s.len) {
            self.slab = self.slabs.next_slab()?;
            while self.slab.as_ref().is_some_and(|slab| slab.offset + slab.len as u64 <= self.start) {
                self.slab = self.slabs.next_slab()?;
            }
            // The host keeps a byte order mark to itself: the first slab of such a file is at 3.
            let first = self.slab.as_ref().map_or(self.position, |slab| slab.offset);
            self.position = if self.slab.is_some() { first.max(self.start) } else { first };
            self.at = usize::try_from(self.position - first).unwrap_or(usize::MAX);
            self.text = text(self.slab(), self.at);
        }
        Ok(self.slab.is_some())
    }

    /// Passes over a record that is plainly right and lies in the slab, as most do; answers its length.
    #[inline]
    fn usual(&mut self) -> Option<usize> {
        let bytes = &self.slab.as_ref()?.bytes()[self.at..];
        let length = separators::record(bytes, self.dialect, &mut self.places)
            .filter(|length| *length <= self.limit)?;
        self.from = self.at;
        self.at += length + 1;
        self.position += length as u64 + 1;
        Some(length)
    }

    /// Parses a record; answers the bytes and the number of its cells, or `None` when it ends inside a quote.
    fn record(&mut self, start: u64) -> Result<Option<(usize, usize)>, Error> {
        let (mut cells, mut ends) = (0, 0);
        self.swallowed = 0;
        self.carry.clear();
        self.from = self.at;
        loop {
            if self.slab.as_ref().is_some_and(|slab| self.at >= slab.len) {
                self.hold();
                self.from = 0;
            }
            let ended = !self.refill()?;
            let bytes = match &self.slab {
                Some(slab) => &slab.bytes()[self.at..],
                // A line end that is not there closes any record but one with an open quote, which takes it as text.
                None => b"\n",
            };
            let (result, read, wrote, closed) =
                self.parser.read_record(bytes, &mut self.cells[cells..], &mut self.ends[ends..]);
            cells += wrote;
            ends += closed;
            if !ended {
                self.at += read;
                self.position += read as u64;
            }
            match result {
                csv_core::ReadRecordResult::Record => {
                    self.done = ended;
                    if !self.carry.is_empty() {
                        self.hold();
                    }
                    return Ok(Some((cells, ends)));
                }
                csv_core::ReadRecordResult::InputEmpty | csv_core::ReadRecordResult::End if ended => {
                    self.done = true;
                    // The last one is none of the input's.
                    self.swallowed = (self.swallowed + line_ends(&self.cells[..cells])).saturating_sub(1);
                    return Ok(None);
                }
                _ if self.has_given_up() => return Ok(None),
                // Over the limit the record is only passed over: its cells are not kept.
                _ if self.position - start > self.limit as u64 + 1 => {
                    self.swallowed += line_ends(&self.cells[..cells]);
                    (cells, ends) = (0, 0);
                }
                csv_core::ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                csv_core::ReadRecordResult::InputEmpty | csv_core::ReadRecordResult::End => {}
            }
        }
    }

    /// Keeps the record's bytes of a slab that is left behind, up to the limit.
    fn hold(&mut self) {
        let Some(slab) = &self.slab else { return };
        let bytes = &slab.bytes()[self.from..self.at];
        let room = self.limit.saturating_add(1).saturating_sub(self.carry.len());
        self.carry.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The record as it stands in the input, its first `length` bytes.
    fn raw(&self, length: usize) -> &[u8] {
        match &self.slab {
            Some(slab) if self.carry.is_empty() => &slab.bytes()[self.from..][..length],
            _ => &self.carry[..length],
        }
    }

    /// The first cell of a record that goes on after its closing quote.
    fn more_after_quote(&self, length: usize) -> Option<Quoted> {
        let record = self.raw(length);
        quoted(record, self.dialect).find(|cell| cell.has_more(record, self.dialect))
    }

    /// `csv.after-quote`; over several lines nobody knows which quote is meant, and where records end: an error.
    #[cold]
    fn after_quote(&self, cell: Quoted, start: u64, length: usize) -> Result<Reject, Error> {
        let record = self.raw(length);
        let at = cell.closed.unwrap_or(length);
        if record[cell.opened..at].contains(&b'\n') {
            let opened = Place::find(&mut self.slabs.again()?, start + cell.opened as u64)?;
            let closed = Place::find(&mut self.slabs.again()?, start + at as u64)?;
            let quote = char::from(self.dialect.quote);
            return Err(Error::data(
                "csv.unterminated",
                format!(
                    "`{}`: the quote opened at {opened} is closed only before {closed}, where more text follows, so it is \
                     not known which of these lines are records; close it where its cell ends, or write \
                     `{quote}{quote}` where the quote is text",
                    self.name
                ),
            ));
        }
        let text = record[at..].split(|byte| *byte == self.dialect.delimiter).next().unwrap_or_default();
        let place = Place::behind(&record[..at]);
        let message = format!(
            "{} stands after the closing quote at {}; a quote that is text is written twice",
            shown(&String::from_utf8_lossy(text)),
            if place.line == 1 {
                format!("column {}", place.column)
            } else {
                format!("{place} of the record")
            },
        );
        Ok(Reject::new(origin(self.input, start, length as u64), "", "csv.after-quote", message))
    }

    /// `csv.unterminated`, for a record that the input ends in.
    #[cold]
    fn unclosed(&self, start: u64) -> Result<Error, Error> {
        let open = quoted(&self.carry, self.dialect).find(|cell| cell.closed.is_none());
        let opened = start + open.map_or(0, |cell| cell.opened) as u64;
        let place = Place::find(&mut self.slabs.again()?, opened)?;
        let (name, quote) = (&self.name, char::from(self.dialect.quote));
        let lines = match self.swallowed {
            0 | 1 => String::new(),
            lines => format!(", and {} line ends stand in that one record", thousands(lines as u64)),
        };
        let message = format!(
            "`{name}`: the quote opened at {place} is never closed{lines}; close it where its cell ends, or write \
             `{quote}{quote}` where the quote is text"
        );
        Ok(Error::data("csv.unterminated", message))
    }
}

/// Which of these bytes, from `at` on, are text; the first may be the end of a character. One pass over many records is much
/// cheaper than one for each.
fn text(bytes: &[u8], at: usize) -> Range<usize> {
    let bytes = bytes.get(at..).unwrap_or_default();
    let cut = bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
    let bytes = &bytes[cut..];
    let length = match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(_) => simdutf8::compat::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len),
    };
    let from = at.saturating_add(cut);
    from..from.saturating_add(length)
}

fn line_ends(cells: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', cells).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use usher_abi::{Error, service::InputFile};

    use super::{super::slabs::tests::Cut, DelimitedReader, Dialect, Report};

    type Found = (Vec<(u64, usize, Vec<String>)>, Vec<(String, u64, u32)>);

    fn records(text: &str, slab: usize, limit: usize) -> Found {
        try_records(text, slab, limit).unwrap()
    }

    fn error(text: &str, slab: usize, limit: usize) -> String {
        let error = try_records(text, slab, limit).unwrap_err();
        assert_eq!((error.code.as_str(), error.class), ("csv.unterminated", usher_abi::ErrorClass::DATA));
        error.message.to_string()
    }

    fn try_records(text: &str, slab: usize, limit: usize) -> Result<Found, Error> {
        let file = InputFile { id: 0, name: "in".into(), size: None.into(), splittable: true };
        let mut reader = DelimitedReader::new(Cut::new(text, 0, slab), &file, 0, Dialect::default(), limit);
        let (mut found, mut report) = (Vec::new(), Report::default());
        while let Some(record) = reader.next(&mut report)? {
            let cells =
                (0..record.len()).map(|i| String::from_utf8(record.cell(i).into_owned()).unwrap()).collect();
            found.push((record.offset, record.length, cells));
        }
        Ok((
            found,
            report.rejects.iter().map(|r| (r.code.to_string(), r.origin.offset, r.origin.length)).collect(),
        ))
    }

    #[test]
    fn records_know_their_place() {
        let text = "\u{feff}a,b\r\n\r\n\"x\r\ny\",\"\"\"q\"\"\"\n1,\nlast,é";
        for slab in 1..40 {
            let (found, rejects) = records(text, slab, 1000);
            let raw: Vec<&str> = found.iter().map(|(o, l, _)| &text[*o as usize..*o as usize + l]).collect();
            assert_eq!(raw, ["a,b", "\"x\r\ny\",\"\"\"q\"\"\"", "1,", "last,é"], "slabs of {slab}");
            let cells: Vec<Vec<String>> = found.into_iter().map(|(_, _, cells)| cells).collect();
            assert_eq!(cells, [["a", "b"], ["x\r\ny", "\"q\""], ["1", ""], ["last", "é"]], "slabs of {slab}");
            assert!(rejects.is_empty());
        }
    }

    #[test]
    fn a_mark_within_the_text_stays() {
        for text in ["id,n\n1,a\n\u{feff}2,b\n", "\u{feff}id,n\n\u{feff}2,b\n1,a\nand,a long record\n"] {
            for slab in [7, 64] {
                let (found, _) = records(text, slab, 1000);
                let first: Vec<&str> = found.iter().map(|(_, _, cells)| &*cells[0]).collect();
                assert!(first.contains(&"\u{feff}2") && first[0] == "id", "{first:?}");
            }
        }
    }

    #[test]
    fn what_begins_as_a_mark_does_is_text() {
        for slab in [1, 2, 3, 4, 100] {
            for (text, first) in [
                ("\u{ff49}\u{ff44},n\n1,a\n", "\u{ff49}\u{ff44}"),
                ("\u{fec0},n\n", "\u{fec0}"),
                ("\u{feff}\u{ff44},n\n", "\u{ff44}"),
                ("\u{feff}\n\r\n\u{feff}x,n\n", "\u{feff}x"),
                ("\u{feff}", ""),
            ] {
                let (found, rejects) = records(text, slab, 1000);
                let read = found.first().map_or("", |(_, _, cells)| &*cells[0]);
                assert_eq!((read, rejects.len()), (first, 0), "{text:?}, slabs of {slab}");
            }
        }
    }

    #[test]
    fn what_stands_before_the_first_record_is_passed_over() {
        let file = InputFile { id: 0, name: "in".into(), size: None.into(), splittable: false };
        for (slab, start) in (1..12).flat_map(|slab| [(slab, 4), (slab, 8)]) {
            // As packed inputs come: from their beginning, whatever was asked for.
            let slabs = Cut::new("a,b\n1,2\n3,4\n", 0, slab);
            let mut reader = DelimitedReader::new(slabs, &file, start, Dialect::default(), 100);
            let mut offsets = Vec::new();
            while let Some(record) = reader.next(&mut Report::default()).unwrap() {
                offsets.push(record.offset);
            }
            assert_eq!(offsets, if start == 4 { vec![4, 8] } else { vec![8] }, "slabs of {slab}");
        }
    }

    #[test]
    fn an_open_quote_ends_the_reading_and_says_where_it_was_opened() {
        let help = "close it where its cell ends, or write `\"\"` where the quote is text";
        for slab in 1..30 {
            for limit in [8, 1000] {
                let open = "a,b\n\"x\ny\",\"2\n3,4\n5,6\n";
                let said = "`in`: the quote opened at line 3 column 4 is never closed, and 4 line ends stand in that one \
                            record";
                assert_eq!(error(open, slab, limit), format!("{said}; {help}"), "slabs of {slab}");
            }
            let said = "`in`: the quote opened at line 2 column 3 is closed only before line 3 column 2, where more text \
                        follows, so it is not known which of these lines are records";
            assert_eq!(
                error("a,b\n1,\"2\n\"3\",4\n", slab, 1000),
                format!("{said}; {help}"),
                "slabs of {slab}"
            );
        }
    }

    #[test]
    fn text_after_a_closing_quote_is_rejected() {
        for slab in 1..30 {
            let (found, rejects) = records("a,b\n\"B\"oops,2\n\"x\n\",\"B\" \n\"3\",4\"4", slab, 1000);
            let cells: Vec<Vec<String>> = found.into_iter().map(|(_, _, cells)| cells).collect();
            assert_eq!(cells, [["a", "b"], ["3", "4\"4"]], "slabs of {slab}");
            let code = "csv.after-quote".to_owned();
            assert_eq!(rejects, [(code.clone(), 4, 9), (code, 14, 9)], "slabs of {slab}");
        }
    }

    #[test]
    fn a_long_record_is_rejected() {
        for slab in 1..30 {
            let long = format!("a\n{}\n\"{}\"\nb", "x".repeat(30), "y\n".repeat(20));
            let (found, rejects) = records(&long, slab, 20);
            assert_eq!(found.len(), 2);
            let code = "record.too-long".to_owned();
            assert_eq!(rejects, [(code.clone(), 2, 30), (code, 33, 42)], "slabs of {slab}");
            let exact = format!("{}\n{}", "x".repeat(20), "y".repeat(20));
            assert_eq!(records(&exact, slab, 20).0.len(), 2, "slabs of {slab}");
        }
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_comes_back(
            rows in prop::collection::vec(prop::collection::vec("[a\",\r\n' é;]{0,6}|[a-z é]{0,12}", 3), 1..6), slab in 1usize..400,
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let (found, rejects) = records(&text, slab, 10_000);
            let found: Vec<Vec<String>> = found.into_iter().map(|(_, _, cells)| cells).collect();
            prop_assert_eq!(found, rows);
            prop_assert!(rejects.is_empty());
        }

        #[test]
        fn any_text_is_read_as_the_csv_crate_reads_it_or_refused(text in "[a\",\n]{0,24}([a,]{0,9}\n){0,20}", slab in 1usize..300) {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let read = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
            let read: Vec<Vec<String>> = read.collect();
            match try_records(&text, slab, 1000) {
                Ok((found, rejects)) => {
                    prop_assert_eq!(found.len() + rejects.len(), read.len());
                    let found: Vec<_> = found.into_iter().map(|(_, _, cells)| cells).collect();
                    prop_assert!(found.iter().all(|cells| read.contains(cells)));
                    prop_assert_eq!(rejects.is_empty(), sound(&text), "{:?}", rejects);
                }
                Err(_) => prop_assert!(!sound(&text)),
            }
        }
    }

    /// Whether every quote that opens a cell is closed where the cell ends.
    fn sound(text: &str) -> bool {
        let (mut quoted, mut begins, mut closed) = (false, true, false);
        for c in text.chars() {
            match (quoted, c) {
                (true, '"') => (quoted, closed) = (false, true),
                (true, _) => {}
                (false, '"') if begins || closed => (quoted, closed) = (true, false),
                (false, ',' | '\n') => closed = false,
                (false, _) if closed => return false,
                (false, _) => {}
            }
            begins = !quoted && !closed && matches!(c, ',' | '\n');
        }
        !quoted
    }
}
