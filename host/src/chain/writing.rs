//! A sink's thread: shapes the rows for it, hands them over and books what became of them.

use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use crossbeam_channel::Receiver;
use usher_abi::{Error, Receipt, Report};

use super::{notes::Notes, outcome::Progress, prepare::PreparedSink, shape::Owner};

/// What a sink's thread takes.
pub(super) enum Item {
    /// Rows, and the input that they come from.
    Rows(RecordBatch, u32),
    /// The run has failed elsewhere: this is not the end of the input.
    Abandon,
}

/// What a sink's thread ends with.
pub(super) struct SinkEnd {
    pub(super) receipt: Receipt,
    pub(super) changed: Vec<(String, String, u64)>,
}

/// A sink's thread.
pub(super) fn write(
    prepared: &mut PreparedSink,
    index: usize,
    items: &Receiver<Item>,
    notes: &Notes,
    progress: &Progress,
) -> Result<SinkEnd, Error> {
    let mut changed: Vec<(String, String, u64)> = Vec::new();
    let mut begun = false;
    let mut book = |prepared: &mut PreparedSink, report: &mut Report| -> Result<(), Error> {
        prepared.stage.books.take(report);
        progress.rejects.fetch_add(report.rejects.len() as u64, Ordering::Relaxed);
        for reject in &report.rejects {
            notes.reject(Owner(Some(index)), reject)?;
        }
        for merged in &report.merged {
            notes.merged(Owner(Some(index)), merged, "duplicate")?;
        }
        for left in &report.left_out {
            notes.left_out(index, left)?;
        }
        for change in &report.changed {
            let (column, rule) = (change.column.as_str(), change.rule.as_str());
            match changed.iter_mut().find(|(c, r, _)| c == column && r == rule) {
                Some((_, _, count)) => *count += change.count,
                None => changed.push((column.to_owned(), rule.to_owned(), change.count)),
            }
        }
        *report = Report::default();
        Ok(())
    };
    let mut report = Report::default();
    for item in items {
        let Item::Rows(batch, input) = item else { return Err(Error::cancelled()) };
        let shaped = prepared.stage.apply(batch, input, notes)?;
        if !begun {
            prepared.sink.begin(&shaped.schema())?;
            begun = true;
        }
        if shaped.num_rows() > 0 {
            let written = prepared.sink.write(&shaped, input, &mut report);
            // Before the error: what is known of rows is never lost.
            book(prepared, &mut report)?;
            written?;
        }
    }
    if !begun {
        prepared.sink.begin(&prepared.stage.empty_schema())?;
    }
    let flushed = prepared.sink.flush(&mut report);
    book(prepared, &mut report)?;
    flushed?;
    let finished = prepared.sink.finish(&mut report);
    book(prepared, &mut report)?;
    let receipt = finished?;
    changed.sort();
    Ok(SinkEnd { receipt, changed })
}
