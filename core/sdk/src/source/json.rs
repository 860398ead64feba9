//! The stream over JSON records: one a line (NDJSON), or the elements of an array.

use std::ops::Range;

use usher_abi::{Error, Reject, Report, Split};

use super::{
    Stream,
    builders::{Builders, WAITING},
    json_array::Elements,
    json_record::{Decoder, Fault},
    json_value::ValueError,
    lines::Lines,
    projection::Projection,
    rejects::{REJECTS_A_CALL, origin, too_long},
};
use crate::{Host, Records};

/// Batches of the wanted values of JSON records.
///
/// A record that cannot be read is a reject: `json.syntax` (with the column), `json.not-object`, `encoding.utf8`,
/// `value.type` (with the attribute), `record.too-long`. Blank lines are no records. Checkpoints are the place where
/// reading goes on.
#[derive(Debug)]
pub struct JsonStream {
    host: Host,
    feed: Feed,
    rows: Rows,
}

#[derive(Debug)]
enum Feed {
    Lines(Lines),
    Elements(Elements),
}

impl JsonStream {
    /// Opens a split of an NDJSON input.
    pub fn lines(
        host: &Host,
        projection: Projection,
        split: &Split,
        checkpoint: &[u8],
        limit: usize,
    ) -> Result<Self, Error> {
        let lines = Lines::open(&host.input()?, split, offset(checkpoint)?, limit)?;
        Ok(Self {
            host: host.clone(),
            feed: Feed::Lines(lines),
            rows: Rows::new(projection, split.input, limit, "line"),
        })
    }

    /// Opens an input that is one JSON array.
    pub fn array(
        host: &Host,
        projection: Projection,
        split: &Split,
        checkpoint: &[u8],
        limit: usize,
    ) -> Result<Self, Error> {
        let elements = Elements::open(&host.input()?, split, offset(checkpoint)?, limit)?;
        let rows = Rows::new(projection, split.input, limit, "element");
        Ok(Self { host: host.clone(), feed: Feed::Elements(elements), rows })
    }
}

/// A place in the input as a checkpoint.
pub(crate) fn checkpoint(offset: u64) -> Vec<u8> {
    offset.to_le_bytes().to_vec()
}

/// The place that a checkpoint stands for; none for an empty one.
pub(crate) fn offset(checkpoint: &[u8]) -> Result<Option<u64>, Error> {
    if checkpoint.is_empty() {
        return Ok(None);
    }
    let bytes = checkpoint
        .try_into()
        .map_err(|_| Error::bug("source.checkpoint", "the checkpoint is not one of this source"))?;
    Ok(Some(u64::from_le_bytes(bytes)))
}

impl Stream for JsonStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        let position = loop {
            self.host.stop_if_cancelled()?;
            let more = match &mut self.feed {
                Feed::Lines(lines) => {
                    let more = lines.fill(report)?;
                    if more {
                        let (offset, block) = lines.block();
                        let taken = self.rows.block(offset, block, report)?;
                        lines.consume(taken);
                    }
                    more
                }
                Feed::Elements(elements) => {
                    let mut more = true;
                    while more && !self.rows.is_full(report) {
                        more = match elements.next(report)? {
                            Some((offset, element)) => {
                                self.rows.bytes(offset, element, report).map(|()| true)?
                            }
                            None => false,
                        };
                    }
                    more
                }
            };
            if !more && self.rows.builders.is_empty() {
                return Ok(None);
            }
            if !more || self.rows.is_full(report) {
                break match &self.feed {
                    Feed::Lines(lines) => lines.position(),
                    Feed::Elements(elements) => elements.position(),
                };
            }
        };
        self.rows.settle()?;
        let mut records = self.rows.builders.finish(self.rows.input)?;
        records.checkpoint = checkpoint(position);
        Ok(Some(records))
    }
}

/// Turns records into rows.
#[derive(Debug)]
struct Rows {
    decoder: Decoder,
    builders: Builders,
    /// Records whose rows wait, if they do not stand in a block.
    text: String,
    input: u32,
    limit: usize,
    /// What a record is called in messages.
    what: &'static str,
}

impl Rows {
    fn new(projection: Projection, input: u32, limit: usize, what: &'static str) -> Self {
        let builders = Builders::new(projection.columns());
        Self { decoder: Decoder::new(projection), builders, text: String::new(), input, limit, what }
    }

    fn is_full(&self, report: &Report) -> bool {
        self.builders.is_full() || report.rejects.len() >= REJECTS_A_CALL
    }

    /// Takes the lines of a block until the batch is full; answers how many bytes were taken.
    fn block(&mut self, offset: u64, block: &[u8], report: &mut Report) -> Result<usize, Error> {
        // One pass over the whole block is much cheaper than one a line; only a bad block is looked at line by line.
        let text = simdutf8::basic::from_utf8(block).ok();
        let mut at = 0;
        while at < block.len() && !self.is_full(report) {
            if self.builders.waiting.are_many() {
                self.builders.settle(text.unwrap_or_default().as_bytes())?;
            }
            let waiting = &mut self.builders.waiting;
            if let Some((text, end)) =
                text.and_then(|text| Some((text, self.decoder.line(text, at, waiting)?)))
            {
                let length = end - at - usize::from(end > at && block[end - 1] == b'\r');
                self.row(text, at..at + length, offset + at as u64, report);
                at = end + 1;
                continue;
            }
            self.builders.settle(text.unwrap_or_default().as_bytes())?;
            let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |i| at + i);
            let cr = end > at && block[end - 1] == b'\r';
            let line = at..if cr { end - 1 } else { end };
            match text.and_then(|t| t.get(line.clone())) {
                Some(line) => self.text(offset + at as u64, line, report)?,
                None => self.bytes(offset + at as u64, &block[line], report)?,
            }
            self.settle()?;
            at = end + 1;
        }
        self.builders.settle(text.unwrap_or_default().as_bytes())?;
        Ok(at.min(block.len()))
    }

    /// Takes a record that may not be UTF-8.
    fn bytes(&mut self, offset: u64, record: &[u8], report: &mut Report) -> Result<(), Error> {
        match simdutf8::compat::from_utf8(record) {
            Ok(record) => self.text(offset, record, report),
            Err(_) if self.over(offset, record.len(), report) => Ok(()),
            Err(error) => {
                let message = format!("{} is not UTF-8 at byte {}", self.what, error.valid_up_to() + 1);
                self.reject(offset, record.len(), "", "encoding.utf8", message, report);
                Ok(())
            }
        }
    }

    #[inline]
    fn text(&mut self, offset: u64, record: &str, report: &mut Report) -> Result<(), Error> {
        if self.over(offset, record.len(), report) {
            return Ok(());
        }
        match self.decoder.whole(record, &mut self.builders.waiting) {
            Ok(()) => {
                if self.row(record, 0..record.len(), offset, report) {
                    self.builders.waiting.shift(self.text.len() as u32);
                    self.text.push_str(record);
                }
                if self.text.len() > WAITING || self.builders.waiting.are_many() {
                    self.settle()
                } else {
                    Ok(())
                }
            }
            // A blank line.
            Err(Fault::Json(_)) if record.bytes().all(|b| b.is_ascii_whitespace()) => Ok(()),
            Err(fault) => {
                self.fault(&fault, offset, record, 0..record.len(), report);
                Ok(())
            }
        }
    }

    /// Appends the rows that wait and do not stand in a block.
    fn settle(&mut self) -> Result<(), Error> {
        self.builders.settle(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    /// Keeps the row that was added last, whose record is a part of `text`, if it is good; answers whether it is.
    #[inline]
    fn row(&mut self, text: &str, record: Range<usize>, offset: u64, report: &mut Report) -> bool {
        if self.over(offset, record.len(), report) {
            self.builders.waiting.forget();
            return false;
        }
        match self.decoder.complete(text, &mut self.builders.waiting) {
            Ok(()) => {
                self.builders.keep(offset, record.len());
                true
            }
            Err(fault) => {
                self.fault(&fault, offset, text, record, report);
                false
            }
        }
    }

    /// Rejects a record over the limit.
    #[inline]
    fn over(&self, offset: u64, length: usize, report: &mut Report) -> bool {
        if length > self.limit {
            report.rejects.push(too_long(self.input, offset, length as u64, self.limit));
        }
        length > self.limit
    }

    #[cold]
    fn fault(&self, fault: &Fault, offset: u64, text: &str, record: Range<usize>, report: &mut Report) {
        let (start, record) = (record.start, text.get(record).unwrap_or(text));
        let what = self.what;
        let (column, code, message) = match fault {
            Fault::Json(error) => {
                ("", "json.syntax", format!("{what} is not JSON: {}", place(error, record)))
            }
            Fault::NotObject => ("", "json.not-object", format!("{what} is JSON, but no object")),
            Fault::Value(column, at, error) => {
                let name = &*self.decoder.columns()[*column].name;
                match error {
                    ValueError::Kind(message) => (name, "value.type", format!("`{name}`: {message}")),
                    ValueError::Syntax(message) => {
                        let at = column_of(record, (*at as usize).saturating_sub(start) + 1);
                        (
                            name,
                            "json.syntax",
                            format!("{what} is not JSON: {message} in `{name}` at column {at}"),
                        )
                    }
                }
            }
        };
        self.reject(offset, record.len(), column, code, message, report);
    }

    #[cold]
    fn reject(
        &self,
        offset: u64,
        length: usize,
        column: &str,
        code: &str,
        message: String,
        report: &mut Report,
    ) {
        report.rejects.push(Reject::new(origin(self.input, offset, length as u64), column, code, message));
    }
}

/// `… at column 12`, counted in characters from 1; with the line when a record has more than one.
fn place(error: &serde_json::Error, record: &str) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let column = column_of(record.lines().nth(line.saturating_sub(1)).unwrap_or_default(), column);
    if record.trim_end().contains('\n') {
        format!("{what} at line {line} column {column} of the element")
    } else {
        format!("{what} at column {column}")
    }
}

/// The column in characters of the column in bytes; both count from 1.
fn column_of(line: &str, bytes: usize) -> usize {
    line.char_indices().take_while(|(at, _)| at + 1 < bytes).count() + 1
}
