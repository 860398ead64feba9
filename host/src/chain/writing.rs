//! A sink's thread: shapes the rows for it, hands them over and books what became of them; later it ends the sink's work.

use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use crossbeam_channel::Receiver;
use usher_abi::{Error, Receipt, Report};

use super::{notes::Notes, outcome::Progress, prepare::PreparedSink, shape::Owner, sync::Left};

/// What a sink's thread takes.
pub(super) enum Item {
    /// Rows, and the input that they come from.
    Rows(RecordBatch, u32),
    /// Rows that the chain's conditions have left out.
    Left(Left),
    /// The run has failed elsewhere: this is not the end of the input.
    Abandon,
}

/// What a sink's work ends with.
pub(super) struct SinkEnd {
    pub(super) receipt: Receipt,
    pub(super) changed: Vec<(String, String, u64)>,
}

/// A sink at work: what it reports is booked at once, before any error that came with it, so that nothing that is known
/// of a row is lost.
pub(super) struct Writing<'a> {
    pub(super) prepared: &'a mut PreparedSink,
    pub(super) index: usize,
    pub(super) notes: &'a Notes,
    pub(super) progress: &'a Progress,
    /// Values changed, by column and rule.
    pub(super) changed: Vec<(String, String, u64)>,
}

impl Writing<'_> {
    /// Hands over all rows, up to and with `flush`; answers the values changed.
    pub(super) fn write(mut self, items: &Receiver<Item>) -> Result<Vec<(String, String, u64)>, Error> {
        let mut report = Report::default();
        let mut begun = false;
        for item in items {
            let (batch, input) = match item {
                Item::Rows(batch, input) => (batch, input),
                Item::Left(left) => {
                    self.prepared.stage.sync.iter_mut().try_for_each(|sync| sync.leave(&left))?;
                    continue;
                }
                Item::Abandon => return Err(Error::cancelled()),
            };
            let shaped = self.prepared.stage.apply(batch, input, self.notes)?;
            if !begun {
                self.prepared.sink.begin(&shaped.schema())?;
                begun = true;
            }
            if shaped.num_rows() > 0 {
                let written = self.prepared.sink.write(&shaped, input, &mut report);
                self.book(&mut report)?;
                written?;
            }
        }
        if !begun {
            self.prepared.sink.begin(&self.prepared.stage.empty_schema())?;
        }
        let flushed = self.prepared.sink.flush(&mut report);
        self.book(&mut report)?;
        flushed?;
        Ok(self.changed)
    }

    /// Ends the sink's work; a sink that sends, sends now.
    pub(super) fn finish(mut self) -> Result<SinkEnd, Error> {
        let mut report = Report::default();
        let finished = self.prepared.sink.finish(&mut report);
        self.book(&mut report)?;
        let receipt = finished?;
        self.changed.sort();
        Ok(SinkEnd { receipt, changed: self.changed })
    }

    fn book(&mut self, report: &mut Report) -> Result<(), Error> {
        let report = std::mem::take(report);
        self.prepared.stage.books.take(&report);
        self.progress.rejects.fetch_add(report.rejects.len() as u64, Ordering::Relaxed);
        for reject in &report.rejects {
            self.notes.reject(Owner(Some(self.index)), reject)?;
        }
        for merged in &report.merged {
            self.notes.merged(Owner(Some(self.index)), merged, "duplicate")?;
        }
        for left in &report.left_out {
            self.notes.left_out(self.index, left)?;
        }
        for change in &report.changed {
            let (column, rule) = (change.column.as_str(), change.rule.as_str());
            match self.changed.iter_mut().find(|(c, r, _)| c == column && r == rule) {
                Some((_, _, count)) => *count += change.count,
                None => self.changed.push((column.to_owned(), rule.to_owned(), change.count)),
            }
        }
        Ok(())
    }
}
