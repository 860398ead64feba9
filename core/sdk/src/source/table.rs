//! The stream over delimited text.

use std::{ops::Range, time::Duration};

use usher_abi::{Error, Report, Split};

use super::{
    Stream,
    builders::WAITING,
    delimited::DelimitedReader,
    header::Header,
    json,
    rejects::REJECTS_A_CALL,
    starts::Learner,
    table_rows::{TableColumn, TableRows},
};
use crate::{Host, Records};

/// How long a stream waits to be told where its first record begins, before it looks for it.
const PATIENCE: Duration = Duration::from_millis(250);

/// Batches of the wanted cells of one split.
///
/// An empty cell is null: delimited text cannot say whether nothing or an empty text was meant. A record that cannot
/// be read is a reject: `csv.after-quote`, `csv.cells`, `encoding.utf8`, `value.type`, `record.too-long`. A quote that
/// is not closed is the error `csv.unterminated`.
///
/// No byte of a file tells whether it lies inside quotes. A stream that does not know where its first record begins reads
/// from where one seems to begin, and hands its first batch out when the stream of the split before has come to its end
/// and it was so; else it reads again from where it is.
#[derive(Debug)]
pub struct TableStream {
    host: Host,
    header: Header,
    split: Range<u64>,
    /// Where a checkpoint says that the first record begins.
    from: Option<u64>,
    /// Tells the split behind this one where it begins.
    end: Learner,
    reader: Option<DelimitedReader>,
    limit: usize,
    rows: TableRows,
}

impl TableStream {
    /// Opens a split of a file, or what is left of it behind the records of a checkpoint.
    ///
    /// `apostrophe`: every text was given one leading `'`, which is taken off again, exactly one. Cells of columns that
    /// are no text (booleans, numbers) lose one in any case.
    pub fn open(
        host: &Host,
        header: &Header,
        columns: Vec<TableColumn>,
        apostrophe: bool,
        split: &Split,
        checkpoint: &[u8],
        limit: usize,
    ) -> Result<Self, Error> {
        Ok(Self {
            host: host.clone(),
            header: header.clone(),
            split: split.start..split.end,
            end: header.starts.learner(split.end),
            from: json::offset(checkpoint)?,
            reader: None,
            limit,
            rows: TableRows::new(header, columns, apostrophe),
        })
    }

    /// Where the first record begins, if that is known.
    fn start(&self) -> Option<u64> {
        let first = (self.split.start == 0).then_some(self.header.body);
        self.from.or(first).or_else(|| self.header.starts.of(self.split.start))
    }

    /// The reader of the records between these places, the first of which begins at `start`.
    fn reader(&self, bytes: Range<u64>, start: u64) -> Result<DelimitedReader, Error> {
        let Header { file, dialect, .. } = &self.header;
        DelimitedReader::open_split(&self.host.input()?, file, bytes, start, *dialect, self.limit)
    }

    /// Begins with the first record.
    fn begin(&mut self, start: u64) -> Result<(), Error> {
        let bytes = self.from.unwrap_or(self.split.start)..self.split.end;
        self.reader = Some(self.reader(bytes, start)?);
        Ok(())
    }

    /// Reads the first batch from where a record seems to begin; none where that was wrong, and it is to be read again.
    fn guess(&mut self, report: &mut Report) -> Result<Option<Option<Records>>, Error> {
        let Header { file, dialect, .. } = &self.header;
        let (input, split) = (self.host.input()?, self.split.clone());
        let (reader, guess) = DelimitedReader::guess(&input, file, split, *dialect, self.limit)?;
        self.reader = guess.map(|_| reader);
        // What is wrong with the records may be the guess.
        let mut held = Report::default();
        let read = self.read(&mut held);
        let start = self.find()?;
        let right = |reader: &&mut DelimitedReader| guess == Some(start) && !reader.has_given_up();
        if let Some(reader) = self.reader.as_mut().filter(right) {
            reader.trust();
            report.merge(held);
            return read.map(Some);
        }
        self.rows.clear();
        self.begin(start)?;
        Ok(None)
    }

    /// Where the first record begins: where the split before ends. If nobody says so, it is read.
    fn find(&self) -> Result<u64, Error> {
        let (starts, cut) = (&self.header.starts, self.split.start);
        if let Some(start) = starts.wait_for(cut, PATIENCE) {
            return Ok(start);
        }
        let from = starts.before(cut).unwrap_or(self.header.body);
        let (mut reader, mut report) = (self.reader(from.min(cut)..cut, from)?, Report::default());
        while reader.next(&mut report)?.is_some() {
            report.rejects.clear();
            self.host.stop_if_cancelled()?;
        }
        starts.learn(cut, reader.position());
        Ok(reader.position())
    }

    /// The next rows, from the reader.
    fn read(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        let (Some(reader), rows) = (&mut self.reader, &mut self.rows) else { return Ok(None) };
        // Of the slab, what rows that wait stand in begins here.
        let mut waiting = None;
        while !rows.builders.is_full() && report.rejects.len() < REJECTS_A_CALL {
            if reader.step() {
                let (record, from) = reader.here();
                // While it is in the caches.
                if from - *waiting.get_or_insert(from) > WAITING || rows.builders.waiting.are_many() {
                    rows.builders.settle(reader.slab())?;
                    waiting = Some(from);
                }
                rows.take(&record, from, report);
                continue;
            }
            // The slab may be another behind this.
            rows.builders.settle(reader.slab())?;
            waiting = None;
            let Some(record) = reader.next(report)? else {
                if rows.builders.is_empty() {
                    return Ok(None);
                }
                break;
            };
            rows.take(&record, 0, report);
            rows.builders.settle(record.bytes)?;
        }
        rows.builders.settle(reader.slab())?;
        let mut records = rows.builders.finish(self.header.file.id)?;
        records.checkpoint = json::checkpoint(reader.position());
        Ok(Some(records))
    }
}

impl Stream for TableStream {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        self.host.stop_if_cancelled()?;
        let mut guessed = None;
        if self.reader.is_none() {
            match self.start() {
                Some(start) => self.begin(start)?,
                None => guessed = self.guess(report)?,
            }
        }
        let records = match guessed {
            Some(records) => records,
            None => self.read(report)?,
        };
        if let Some(reader) = self.reader.as_ref().filter(|reader| reader.has_ended()) {
            self.end.learn(reader.position());
        }
        Ok(records)
    }
}
