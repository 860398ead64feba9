//! CSV parts that were held are read again, and written anew with some rows changed.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use usher_abi::{Error, Part};

use super::{csv_file::CsvFile, parts::Open};

/// Bytes read back at a time.
const CHUNK: usize = 256 * 1024;

impl CsvFile {
    /// Ends the work of a file that was told to [`hold`](CsvFile::hold), changing some rows: those whose numbers (from
    /// 0, over all parts) stand in `rows`, ascending, go through `change`.
    ///
    /// Parts without such a row are finished as they are. The others are read back and written anew, one at a time and
    /// record by record, within the same limits: a part that grows past one is split.
    pub fn finish_changed(
        mut self,
        rows: &[u64],
        mut change: impl FnMut(u64, &mut Vec<String>) -> Result<(), Error>,
    ) -> Result<Vec<Part>, Error> {
        let mut rows = rows.iter().copied().peekable();
        let mut number = 0;
        for mut held in self.parts.release()? {
            let end = number + held.rows;
            if rows.peek().is_none_or(|row| *row >= end) {
                self.parts.end(held)?;
                number = end;
                continue;
            }
            let mut records = Records::new(&self, &mut held);
            if self.dialect.header {
                records.next()?;
            }
            while records.next()? {
                let pushed = if rows.next_if_eq(&number).is_some() {
                    let mut cells: Vec<String> = records.cells().map(str::to_owned).collect();
                    change(number, &mut cells)?;
                    self.parts.push(self.encoder.encode(cells.iter().map(String::as_str)))?
                } else {
                    self.parts.push(self.encoder.encode(records.cells()))?
                };
                pushed.map_err(|fault| {
                    Error::bug("part.row", format!("row {number}, read again: {}", fault.message))
                })?;
                number += 1;
            }
            if number != end {
                return Err(Error::bug("part.rows", format!("of {end} rows, {number} could be read again")));
            }
            self.parts.close()?;
            held.handle.discard()?;
        }
        self.parts.finish()
    }
}

/// The records of a part that is not finished.
struct Records<'p> {
    part: &'p mut Open,
    reader: Reader,
    offset: u64,
    chunk: Vec<u8>,
    /// What of `chunk` is not read yet.
    at: usize,
    filled: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl<'p> Records<'p> {
    fn new(file: &CsvFile, part: &'p mut Open) -> Self {
        let reader = ReaderBuilder::new().delimiter(file.dialect.delimiter).build();
        let (chunk, text, ends) = (vec![0; CHUNK], vec![0; 4096], vec![0; 64]);
        Self { part, reader, offset: 0, chunk, at: 0, filled: 0, text, ends, fields: 0 }
    }

    /// Reads the next record; `false` at the end.
    fn next(&mut self) -> Result<bool, Error> {
        let (mut written, mut fields) = (0, 0);
        loop {
            if self.at == self.filled {
                self.filled = self.part.handle.read_back(self.offset, &mut self.chunk)?;
                self.offset += self.filled as u64;
                self.at = 0;
            }
            let input = &self.chunk[self.at..self.filled];
            let (result, read, wrote, ended) =
                self.reader.read_record(input, &mut self.text[written..], &mut self.ends[fields..]);
            self.at += read;
            written += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.fields = fields;
                    // Checked here, so that `cells` need not fail.
                    return match self.raw().find_map(|cell| std::str::from_utf8(cell).err()) {
                        None => Ok(true),
                        Some(e) => {
                            Err(Error::bug("part.utf8", format!("a part, read again, is not UTF-8: {e}")))
                        }
                    };
                }
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// The cells of the record just read.
    fn cells(&self) -> impl Iterator<Item = &str> {
        self.raw().map(|cell| std::str::from_utf8(cell).unwrap_or_default())
    }

    fn raw(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.fields];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| &self.text[start..*end])
    }
}
