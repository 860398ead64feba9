//! The reader's thread: pulls the source's batches and hands them on, as far as the run goes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use crossbeam_channel::Sender;
use usher_abi::{Error, PlanRequest, Report};

use super::{
    outcome::Progress,
    shape::{LENGTH, OFFSET, Origins},
};
use crate::{runner::Source, services::Inputs};

/// What the reader hands on.
pub(super) struct Read {
    pub(super) batch: RecordBatch,
    pub(super) input: u32,
    pub(super) report: Report,
}

/// The reader's thread.
pub(super) struct Reading<'a> {
    pub(super) view: &'a Inputs,
    pub(super) progress: &'a Progress,
    pub(super) limit: Option<u64>,
    /// Set when the run has failed elsewhere.
    pub(super) stop: &'a AtomicBool,
    /// Plugin and version, for messages.
    pub(super) label: &'a str,
}

impl Reading<'_> {
    pub(super) fn run(
        &self,
        source: &mut dyn Source,
        projection: &[String],
        out: &Sender<Read>,
    ) -> Result<(), Error> {
        let mut left = self.limit.unwrap_or(u64::MAX);
        for split in source.plan(&PlanRequest { limit: self.limit, ..PlanRequest::new(projection) })? {
            let mut stream = source.open_split(&split)?;
            while left > 0 && !self.stop.load(Ordering::Acquire) {
                let mut report = Report::default();
                let Some((batch, input)) = stream.next(&mut report)? else {
                    // Records after the last row may still be rejects.
                    if !report.rejects.is_empty() {
                        let empty = empty_batch(projection);
                        self.send(Read { batch: empty, input: split.input, report }, &mut left, out)?;
                    }
                    break;
                };
                check_columns(&batch, projection, input).map_err(|e| e.context(self.label))?;
                if !self.send(Read { batch, input, report }, &mut left, out)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn send(&self, mut read: Read, left: &mut u64, out: &Sender<Read>) -> Result<bool, Error> {
        take_first(&mut read.batch, read.input, &mut read.report, left)?;
        let records = (read.batch.num_rows() + read.report.rejects.len()) as u64;
        self.progress.records.fetch_add(records, Ordering::Relaxed);
        let bytes = self.view.progress();
        self.progress.bytes.store(bytes.done, Ordering::Relaxed);
        self.progress.total.store(bytes.total, Ordering::Relaxed);
        Ok(out.send(read).is_ok())
    }
}

/// Cuts a batch and its rejects to the first `left` records, in the order of the input.
pub(super) fn take_first(
    batch: &mut RecordBatch,
    input: u32,
    report: &mut Report,
    left: &mut u64,
) -> Result<(), Error> {
    let records = (batch.num_rows() + report.rejects.len()) as u64;
    if records > *left {
        let mut offsets: Vec<u64> = Origins::new(batch, input)?.offsets.to_vec();
        let rows = offsets.clone();
        offsets.extend(report.rejects.iter().map(|r| r.origin.offset));
        offsets.sort_unstable();
        let cut = offsets[*left as usize];
        *batch = batch.slice(0, rows.partition_point(|offset| *offset < cut));
        let kept = std::mem::take(&mut report.rejects).into_iter().filter(|r| r.origin.offset < cut);
        report.rejects = kept.collect();
    }
    *left = left.saturating_sub(records);
    Ok(())
}

/// The columns that were planned must come, by name, and those that say where the rows come from.
fn check_columns(batch: &RecordBatch, projection: &[String], input: u32) -> Result<(), Error> {
    match projection.iter().find(|name| batch.column_by_name(name).is_none()) {
        None => Origins::new(batch, input).map(drop),
        Some(name) => Err(Error::bug(
            "plugin.projection",
            format!("the source did not send `{name}`, which it had agreed to"),
        )),
    }
}

fn empty_batch(projection: &[String]) -> RecordBatch {
    let mut fields: Vec<Field> =
        projection.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    fields.push(Field::new(OFFSET, DataType::UInt64, false));
    fields.push(Field::new(LENGTH, DataType::UInt32, false));
    RecordBatch::new_empty(Arc::new(Schema::new(fields)))
}
