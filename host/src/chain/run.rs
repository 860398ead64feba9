//! The road: one thread reads, this one applies what the chain says, one thread a sink shapes and writes. Bounded
//! queues between them hold memory constant; the order of rows is the order of the input.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use crossbeam_channel::{Receiver, Sender, bounded};
use usher_abi::{Error, Identity, PlanRequest, Receipt, Report};

use super::{
    engine::Engine,
    finish::{self, Closing},
    names::NOTHING,
    notes::Notes,
    outcome::{Failure, Outcome, Progress},
    prepare::{Guess, PreparedChain, PreparedSink, prepare},
    shape::{ChainStage, Origins, Owner, Sample},
};
use crate::{
    manifest::Diagnostic,
    runner::Source,
    services::{Inputs, Staging, StagingOptions},
};

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything, and publish.
    Run,
    /// Everything, and publish nothing.
    Plan,
    /// As plan, and show the first so many rows of each sink.
    Preview(usize),
}

/// Batches that may wait between two stages.
const QUEUE: usize = 2;

/// What the reader hands on.
struct Read {
    batch: RecordBatch,
    input: u32,
    report: Report,
}

/// What a sink's thread takes.
enum Item {
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

/// Runs a chain.
pub fn run(
    engine: &mut Engine,
    chain: &str,
    mode: Mode,
    progress: &Arc<Progress>,
) -> Result<Outcome, Failure> {
    let (id, staging) = stage(engine, chain, mode)?;
    engine.guard(staging.folder());
    let mut prepared = prepare(engine, chain, &id, &staging)?;
    if let Mode::Preview(most) = mode {
        for sink in &mut prepared.sinks {
            sink.stage.sample = Some(Sample { most, rows: Vec::new() });
        }
    }
    let result = drive(engine, prepared, staging, &id, mode, progress);
    engine.guard(None);
    engine.forget_stops();
    // Whatever failed after a signal failed because of it; what was published in spite of it was published.
    if engine.cancel.is_cancelled() && result.is_err() {
        return Err(Failure::Cancelled);
    }
    result
}

/// Opens and binds everything of a chain and throws it away; answers the warnings. Also for a
/// [`Draft`](crate::manifest::Draft), of which only the failure says anything.
pub fn check(engine: &mut Engine, chain: &str) -> Result<Vec<Diagnostic>, Failure> {
    let staging = Staging::dry(&std::env::temp_dir(), chain, "check", 0)?;
    let prepared = prepare(engine, chain, "check", &staging)?;
    engine.forget_stops();
    Ok(prepared.warnings)
}

/// The run's id, and where it writes. An id that nobody chose is another one when it is taken.
fn stage(engine: &Engine, chain: &str, mode: Mode) -> Result<(String, Staging), Failure> {
    let out = engine.out();
    engine.manifest.chain(chain)?;
    loop {
        let id = engine.settings.run_id.clone().unwrap_or_else(new_run_id);
        let staging = match mode {
            Mode::Run => Staging::new(StagingOptions { out: &out, chain, run: &id }),
            Mode::Plan | Mode::Preview(_) => Staging::dry(&std::env::temp_dir(), chain, &id, 0),
        };
        match staging {
            Err(taken) if engine.settings.run_id.is_none() && taken.code.as_str() == "output.exists" => {}
            staging => return Ok((id, staging?)),
        }
    }
}

fn drive(
    engine: &Engine,
    mut prepared: PreparedChain,
    staging: Staging,
    id: &str,
    mode: Mode,
    progress: &Arc<Progress>,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let notes = Notes::new()?;
    let digests = finish::digests(&prepared.inputs);
    prepared.survey(engine.settings.limit)?;
    let stop = AtomicBool::new(false);
    let mut read = Identity::default();
    let mut seen = vec![0u64; prepared.guesses.len()];
    let mut passed = 0u64;
    let PreparedChain {
        view, source, label, through, projection, guesses, stage, sinks, needs_nothing, ..
    } = &mut prepared;
    let limit = engine.settings.limit;
    let ends: Vec<SinkEnd> = thread::scope(|scope| -> Result<_, Error> {
        let (to_chain, from_reader) = bounded::<Read>(QUEUE);
        let reading = Reading { view, progress, limit, stop: &stop, label };
        let reader = scope.spawn(move || reading.run(&mut **source, projection, &to_chain));
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        for (index, sink) in sinks.iter_mut().enumerate() {
            let (to_sink, from_chain) = bounded::<Item>(QUEUE);
            queues.push(to_sink);
            let (notes, stop, progress) = (&notes, &stop, &**progress);
            workers.push(scope.spawn(move || {
                let end = write(sink, index, &from_chain, notes, progress);
                if end.is_err() {
                    stop.store(true, Ordering::Release);
                }
                end
            }));
        }
        let mut deliver = |stage: &mut ChainStage, batch: RecordBatch, input: u32| -> Result<(), Error> {
            count_guesses(guesses, &batch, &mut seen);
            passed += batch.num_rows() as u64;
            let batch = if *needs_nothing { with_nothing(&batch)? } else { batch };
            let batch = stage.apply(batch, input, &notes)?;
            for queue in &queues {
                // A sink that is gone has failed; its thread says why.
                let _ = queue.send(Item::Rows(batch.clone(), input));
            }
            Ok(())
        };
        let mut chain_result = Ok(());
        for item in &from_reader {
            chain_result = (|| {
                let Read { batch, input, report } = item;
                let origins = Origins::new(&batch, input)?;
                read.merge(origins.identity());
                for reject in &report.rejects {
                    read.add(reject.origin.input, reject.origin.offset);
                    stage.books.rejected.add(reject.origin.input, reject.origin.offset);
                    notes.reject(Owner(None), reject)?;
                }
                progress.rejects.fetch_add(report.rejects.len() as u64, Ordering::Relaxed);
                let before = stage.books.rejected.count;
                let batches = through.apply(batch, input, &mut stage.books, &notes)?;
                progress.rejects.fetch_add(stage.books.rejected.count - before, Ordering::Relaxed);
                batches.into_iter().try_for_each(|(batch, input)| deliver(stage, batch, input))
            })();
            if chain_result.is_err() || stop.load(Ordering::Acquire) {
                stop.store(true, Ordering::Release);
                break;
            }
        }
        drop(from_reader);
        if chain_result.is_ok() && !stop.load(Ordering::Acquire) {
            chain_result = through.flush(&mut stage.books, &notes).and_then(|held| {
                held.into_iter().try_for_each(|(batch, input)| deliver(stage, batch, input))
            });
        }
        // A reader that failed must not look like the end of the input to the sinks.
        let reader_result = join(reader);
        if reader_result.is_err() || chain_result.is_err() {
            for queue in &queues {
                let _ = queue.send(Item::Abandon);
            }
        }
        drop(queues);
        let ends: Vec<Result<SinkEnd, Error>> = workers.into_iter().map(join).collect();
        reader_result?;
        chain_result?;
        ends.into_iter().collect()
    })?;
    check_guesses(&prepared.guesses, &seen, passed)?;
    if engine.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    let closing = Closing { engine, prepared, staging, notes, read, ends, digests, id, mode, started, seen };
    closing.close()
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, Result<T, Error>>) -> Result<T, Error> {
    handle.join().unwrap_or_else(|panic| {
        let message = usher_abi::export::panic_message(&*panic);
        Err(Error::bug("host.panic", format!("the host panicked: {message}; report this")))
    })
}

/// The reader's thread.
struct Reading<'a> {
    view: &'a Inputs,
    progress: &'a Progress,
    limit: Option<u64>,
    stop: &'a AtomicBool,
    /// Plugin and version, for messages.
    label: &'a str,
}

impl Reading<'_> {
    fn run(&self, source: &mut dyn Source, projection: &[String], out: &Sender<Read>) -> Result<(), Error> {
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
    fields.push(Field::new(super::shape::OFFSET, DataType::UInt64, false));
    fields.push(Field::new(super::shape::LENGTH, DataType::UInt32, false));
    RecordBatch::new_empty(Arc::new(Schema::new(fields)))
}

/// The batch with a column of nulls, for claims that the chain does not have.
pub(super) fn with_nothing(batch: &RecordBatch) -> Result<RecordBatch, Error> {
    let mut fields: Vec<Arc<Field>> = batch.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(NOTHING, DataType::Utf8, true)));
    let mut columns = batch.columns().to_vec();
    columns.push(new_null_array(&DataType::Utf8, batch.num_rows()));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|e| Error::bug("host.batch", e.to_string()))
}

fn count_guesses(guesses: &[Guess], batch: &RecordBatch, seen: &mut [u64]) {
    for (guess, seen) in guesses.iter().zip(seen) {
        if let Some(column) = batch.column_by_name(&guess.column) {
            *seen += (column.len() - column.null_count()) as u64;
        }
    }
}

fn check_guesses(guesses: &[Guess], seen: &[u64], read: u64) -> Result<(), Error> {
    match guesses.iter().zip(seen).find(|(guess, seen)| guess.decides && **seen == 0 && read > 0) {
        None => Ok(()),
        Some((guess, _)) => Err(Error::data(
            "input.attribute-missing",
            format!(
                "`{}` decides which rows go on (`where`, `consent` or `unique`), but none of the {read} records has it; \
                 check its spelling",
                guess.column
            ),
        )),
    }
}

/// A sink's thread.
fn write(
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

/// `20261121-201500-3f9a`: sorts by time, and two runs of one second differ.
fn new_run_id() -> String {
    let now = jiff::Timestamp::now();
    let utc = now.to_zoned(jiff::tz::TimeZone::UTC);
    let salt = (now.subsec_nanosecond() as u32 ^ std::process::id().wrapping_mul(40_503)) & 0xFFFF;
    format!("{}-{salt:04x}", utc.strftime("%Y%m%d-%H%M%S"))
}
