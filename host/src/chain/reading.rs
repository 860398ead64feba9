//! The reader's threads: several splits are read at a time, and their batches handed on in the order of the input, as far as
//! the run goes.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use usher_abi::{Error, PlanRequest, Report, Split};

use super::{
    outcome::Progress,
    shape::{LENGTH, OFFSET, Origins},
};
use crate::{runner::Source, services::Inputs};

/// Splits are of about so many bytes, however many threads there are: batches end where splits do, and nothing is to depend
/// on the number of threads. Most make one batch: of records of 300 bytes and more, 8,192 are not reached.
const SPLIT: u64 = 2_500_000;

/// Batches of a split that may wait for their turn.
const AHEAD: usize = 2;

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
    /// So many splits are read at a time.
    pub(super) threads: usize,
    /// Set when the run has failed elsewhere.
    pub(super) stop: &'a AtomicBool,
    /// Plugin and version, for messages.
    pub(super) label: &'a str,
}

impl Reading<'_> {
    /// Hands on everything. `source` is asked by one thread at a time.
    pub(super) fn run(
        &self,
        source: &mut dyn Source,
        projection: &[String],
        out: &Sender<Read>,
    ) -> Result<(), Error> {
        // The first records are at the beginning.
        let pieces = if self.limit.is_some() { 1 } else { self.view.progress().total.div_ceil(SPLIT) };
        let request = PlanRequest {
            limit: self.limit,
            max_splits: u32::try_from(pieces.max(1)).unwrap_or(u32::MAX),
            ..PlanRequest::new(projection)
        };
        let splits = source.plan(&request)?;
        let mut left = self.limit.unwrap_or(u64::MAX);
        let source = Mutex::new(source);
        if self.threads == 1 || splits.len() == 1 {
            for split in splits {
                let done = self.read(&source, &split, projection, |read| self.send(read, &mut left, out))?;
                if !done {
                    break;
                }
            }
            return Ok(());
        }
        self.read_many(&source, splits, projection, |read| self.send(read, &mut left, out))
    }

    /// Reads a split to its end; false when `hand_on` wants no more.
    fn read(
        &self,
        source: &Mutex<&mut dyn Source>,
        split: &Split,
        projection: &[String],
        mut hand_on: impl FnMut(Read) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let mut stream = source.lock().unwrap_or_else(PoisonError::into_inner).open_split(split)?;
        while !self.stop.load(Ordering::Acquire) {
            let mut report = Report::default();
            let Some((batch, input)) = stream.next(&mut report)? else {
                // Records after the last row may still be rejects.
                if !report.rejects.is_empty() {
                    return hand_on(Read { batch: empty_batch(projection), input: split.input, report });
                }
                return Ok(true);
            };
            check_columns(&batch, projection, input).map_err(|e| e.context(self.label))?;
            if !hand_on(Read { batch, input, report })? {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Reads splits on several threads. As many are begun as there are threads; the first of them is handed on while the
    /// others wait with what they have.
    fn read_many(
        &self,
        source: &Mutex<&mut dyn Source>,
        splits: Vec<Split>,
        projection: &[String],
        mut hand_on: impl FnMut(Read) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        type Item = Result<Read, Error>;
        let (to_workers, jobs) = unbounded::<(Split, Sender<Item>)>();
        thread::scope(|scope| {
            for _ in 0..self.threads.min(splits.len()) {
                let jobs = jobs.clone();
                scope.spawn(move || {
                    for (split, to_collector) in jobs {
                        let read = self.read(source, &split, projection, |read| {
                            // Nobody listens any more when the run has failed elsewhere.
                            Ok(to_collector.send(Ok(read)).is_ok())
                        });
                        if let Err(error) = read {
                            let _ = to_collector.send(Err(error));
                        }
                    }
                });
            }
            let mut splits = splits.into_iter();
            let mut begun: VecDeque<Receiver<Item>> = VecDeque::new();
            // Taken by value: when it ends, for whatever reason, the workers do.
            let to_workers = to_workers;
            loop {
                while begun.len() <= self.threads
                    && let Some(split) = splits.next()
                {
                    let (to_collector, from_worker) = bounded(AHEAD);
                    begun.push_back(from_worker);
                    let _ = to_workers.send((split, to_collector));
                }
                let Some(first) = begun.pop_front() else { return Ok(()) };
                for read in first {
                    if !hand_on(read?)? {
                        return Ok(());
                    }
                }
            }
        })
    }

    fn send(&self, mut read: Read, left: &mut u64, out: &Sender<Read>) -> Result<bool, Error> {
        take_first(&mut read.batch, read.input, &mut read.report, left)?;
        let records = (read.batch.num_rows() + read.report.rejects.len()) as u64;
        self.progress.records.fetch_add(records, Ordering::Relaxed);
        let bytes = self.view.progress();
        self.progress.bytes.store(bytes.done, Ordering::Relaxed);
        self.progress.total.store(bytes.total, Ordering::Relaxed);
        Ok(out.send(read).is_ok() && *left > 0)
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
