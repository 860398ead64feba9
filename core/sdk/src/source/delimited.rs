//! Records of delimited text (CSV, TAB, semicolon), with their places.

use usher_abi::{Error, Reject, Report, service::Slab};

use super::{
    rejects::{origin, too_long},
    slabs::{BOM, Slabs},
};
use crate::{Input, Reader};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells.
    pub delimiter: u8,
    /// Around cells that hold a delimiter, a line end or itself (doubled).
    pub quote: u8,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"' }
    }
}

/// Reads record after record.
///
/// Cells may span lines; records end with LF, CR LF or CR; blank lines are no records. A record over the limit is
/// rejected (`record.too-long`) and skipped without being held, an open quote at the end of the input is
/// `csv.unterminated`. What a cell holds is not looked at: it may be no UTF-8.
pub struct DelimitedReader<R = Reader> {
    slabs: R,
    parser: csv_core::Reader,
    input: u32,
    limit: usize,
    slab: Option<Slab>,
    /// First unread byte of `slab`.
    at: usize,
    /// First unread byte of the input.
    position: u64,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Line ends within the record that was never closed.
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
    /// The cells' bytes, one after the other, quotes undone.
    pub cells: &'a [u8],
    /// Where each cell ends in `cells`.
    pub ends: &'a [usize],
}

impl Record<'_> {
    /// The bytes of a cell; of one that the record does not have, none.
    pub fn cell(&self, index: usize) -> &[u8] {
        let from = if index == 0 { 0 } else { self.ends.get(index - 1).copied().unwrap_or(self.cells.len()) };
        self.cells.get(from..self.ends.get(index).copied().unwrap_or(from)).unwrap_or_default()
    }
}

impl DelimitedReader<Reader> {
    /// Reads an input from the record that begins at `start`.
    pub fn open(input: &Input, id: u32, start: u64, dialect: Dialect, limit: usize) -> Result<Self, Error> {
        Ok(Self::new(input.read(id, start, u64::MAX)?, id, start, dialect, limit))
    }
}

impl<R: Slabs> DelimitedReader<R> {
    /// Reads slabs, the first of which begins at `start`.
    pub(crate) fn new(slabs: R, input: u32, start: u64, dialect: Dialect, limit: usize) -> Self {
        let parser = csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).quote(dialect.quote).build();
        Self {
            slabs,
            parser,
            input,
            limit,
            slab: None,
            at: 0,
            position: start,
            cells: vec![0; 4096],
            ends: vec![0; 64],
            swallowed: 0,
            done: false,
        }
    }

    /// Where the next record may begin.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next record; `None` at the end.
    pub fn next(&mut self, report: &mut Report) -> Result<Option<Record<'_>>, Error> {
        while !self.done && self.begin()? {
            let start = self.position;
            let Some((cells, ends)) = self.record(start)? else {
                let length = self.position - start;
                let mut message = "a quote is opened and the input ends before it is closed".to_owned();
                if self.swallowed > 1 {
                    message = format!("{message}; {} line ends stand in this one record", self.swallowed);
                }
                report.rejects.push(Reject::new(
                    origin(self.input, start, length),
                    "",
                    "csv.unterminated",
                    message,
                ));
                break;
            };
            // One byte of the line end was read, unless the input ended instead.
            let length = self.position - start - u64::from(!self.done);
            if length > self.limit as u64 {
                report.rejects.push(too_long(self.input, start, length, self.limit));
                continue;
            }
            let (cells, ends) = (&self.cells[..cells], &self.ends[..ends]);
            return Ok(Some(Record { offset: start, length: length as usize, cells, ends }));
        }
        self.done = true;
        Ok(None)
    }

    /// Goes to the first byte of the next record.
    fn begin(&mut self) -> Result<bool, Error> {
        let mut bom = BOM;
        while self.refill()? {
            let Some(slab) = &self.slab else { break };
            let byte = slab.bytes()[self.at];
            let marks = self.position == (BOM.len() - bom.len()) as u64 && bom.first() == Some(&byte);
            if marks {
                bom = &bom[1..];
            } else if !matches!(byte, b'\r' | b'\n') {
                return Ok(true);
            }
            self.at += 1;
            self.position += 1;
        }
        Ok(false)
    }

    /// Makes sure that there is an unread byte.
    fn refill(&mut self) -> Result<bool, Error> {
        if self.slab.as_ref().is_none_or(|s| self.at >= s.len) {
            self.slab = self.slabs.next_slab()?;
            self.at = 0;
            // The host keeps a byte order mark to itself: the first slab of such a file is at 3.
            self.position = self.slab.as_ref().map_or(self.position, |slab| slab.offset);
        }
        Ok(self.slab.is_some())
    }

    /// Parses a record; answers the bytes and the number of its cells, or `None` when it ends inside a quote.
    fn record(&mut self, start: u64) -> Result<Option<(usize, usize)>, Error> {
        let (mut cells, mut ends, mut swallowed) = (0, 0, 0);
        loop {
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
                    return Ok(Some((cells, ends)));
                }
                csv_core::ReadRecordResult::InputEmpty | csv_core::ReadRecordResult::End if ended => {
                    self.done = true;
                    // The last one is none of the input's.
                    self.swallowed = (swallowed + line_ends(&self.cells[..cells])).saturating_sub(1);
                    return Ok(None);
                }
                // Over the limit the record is only passed over: its cells are not kept.
                _ if self.position - start > self.limit as u64 + 1 => {
                    swallowed += line_ends(&self.cells[..cells]);
                    (cells, ends) = (0, 0);
                }
                csv_core::ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                csv_core::ReadRecordResult::InputEmpty | csv_core::ReadRecordResult::End => {}
            }
        }
    }
}

fn line_ends(cells: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', cells).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::slabs::tests::Cut, DelimitedReader, Dialect, Report};

    type Found = (Vec<(u64, usize, Vec<String>)>, Vec<(String, u64, u32)>);

    fn records(text: &str, slab: usize, limit: usize) -> Found {
        let mut reader = DelimitedReader::new(Cut::new(text, 0, slab), 0, 0, Dialect::default(), limit);
        let (mut found, mut report) = (Vec::new(), Report::default());
        while let Some(record) = reader.next(&mut report).unwrap() {
            let cells =
                (0..record.ends.len()).map(|i| String::from_utf8(record.cell(i).to_vec()).unwrap()).collect();
            found.push((record.offset, record.length, cells));
        }
        (
            found,
            report.rejects.iter().map(|r| (r.code.to_string(), r.origin.offset, r.origin.length)).collect(),
        )
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
    fn an_open_quote_and_a_long_record_are_rejected() {
        for slab in 1..30 {
            let (found, rejects) = records("a,b\n1,\"2\n3,4\n", slab, 1000);
            assert_eq!(found.len(), 1);
            assert_eq!(rejects, [("csv.unterminated".to_owned(), 4, 9)], "slabs of {slab}");
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
            rows in prop::collection::vec(prop::collection::vec("[a\",\r\n' é;]{0,6}", 3), 1..6), slab in 1usize..40,
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
    }
}
