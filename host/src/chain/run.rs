//! The road: one thread reads, this one applies what the chain says, one thread a sink shapes and writes. Bounded
//! queues between them hold memory constant; the order of rows is the order of the input.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use crossbeam_channel::bounded;
use usher_abi::{Error, Identity};

use super::{
    engine::Engine,
    finish::Closing,
    longest::Longest,
    names::NOTHING,
    notes::Notes,
    outcome::{Failure, Outcome, Progress},
    prepare::{Guess, PreparedChain, prepare},
    reading::{Read, Reading},
    receipt::Means,
    sending::{Changes, Checked},
    shape::{ChainStage, Origins, Owner, Sample},
    survey::Reach,
    writing::{Item, Writing},
};
use crate::{
    manifest::Diagnostic,
    report::at_work,
    services::{Attempt, Sending, Staging, StagingOptions},
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

/// Batches that may wait for the chain's thread.
pub(super) const QUEUE: usize = 2;

/// Batches that may wait for a sink. It works on them while the reader whose split is next has been made to wait by others.
const SINK_QUEUE: usize = 4;

/// Runs a chain.
pub fn run(
    engine: &mut Engine,
    chain: &str,
    mode: Mode,
    progress: &Arc<Progress>,
) -> Result<Outcome, Failure> {
    let (asking, delivering) =
        if mode == Mode::Run { (Sending::All, Sending::Held) } else { (Sending::Reads, Sending::Reads) };
    engine.asking.set(asking);
    engine.delivering.set(delivering);
    let (id, staging) = stage(engine, chain, mode)?;
    at_work(Some(chain), Some(&id));
    engine.guard(staging.folder());
    let _alone = if mode == Mode::Run { Some(engine.go_alone(chain, &id)?) } else { None };
    let of = engine.manifest.chain(chain)?.clone();
    // Who waits does so before looking for what is to be gone on with; what vendors have is looked up by one at a time.
    let early = engine.settings.wait || engine.syncs(&of);
    let alone = if mode == Mode::Run && early { engine.lock(chain, &id)? } else { None };
    let attempt = engine.attempt(&of, &id, mode, alone.is_some())?;
    let mut prepared = prepare(engine, chain, &attempt, &staging, mode)?;
    prepared.alone = alone;
    *progress.logs.lock().unwrap_or_else(PoisonError::into_inner) = engine.take_logs();
    if let Mode::Preview(most) = mode {
        for sink in &mut prepared.sinks {
            sink.stage.sample = Some(Sample { most, rows: Vec::new() });
        }
    }
    if mode == Mode::Plan {
        for sink in &mut prepared.sinks {
            let columns = sink.stage.columns.iter().map(|column| column.name.as_str());
            sink.stage.longest = Some(Longest::new(&sink.rules, columns));
        }
    }
    let identified = Identified { id: &id, attempt: attempt.clone() };
    let result = drive(engine, prepared, staging, identified, mode, progress);
    engine.guard(None);
    engine.forget_stops();
    // Nothing was sent, so nothing is to be gone on with: the next run reads anew.
    if mode == Mode::Run && !engine.has_sent(&attempt, &of)? {
        engine.forget(&attempt)?;
    }
    // Whatever failed after a signal failed because of it; what was published in spite of it was published.
    if engine.cancel.is_cancelled() && result.is_err() {
        return Err(Failure::Cancelled);
    }
    result
}

/// Opens and binds everything of a chain and throws it away; answers the warnings. `online` asks the vendors, too, with
/// requests that only read. Also for a [`Draft`](crate::manifest::Draft), of which only the failure says anything.
pub fn check(engine: &mut Engine, chain: &str, online: bool) -> Result<Vec<Diagnostic>, Failure> {
    let staging = Staging::dry(&std::env::temp_dir(), chain, "check", 0)?;
    let sending = if online { Sending::Reads } else { Sending::Nothing };
    engine.asking.set(sending);
    engine.delivering.set(sending);
    let attempt = engine.attempt(&engine.manifest.chain(chain)?.clone(), "check", Mode::Plan, false)?;
    let prepared = prepare(engine, chain, &attempt, &staging, Mode::Plan)?;
    engine.forget_stops();
    let guesses = prepared.guesses.iter().filter_map(|guess| {
        let (column, from) = (&guess.column, &prepared.chain.from);
        let message = format!(
            "`{column}` is no known attribute of `{from}`; `usher plan` counts the records that have it"
        );
        Some(engine.manifest.warning(guess.named_at.as_ref()?, &message))
    });
    Ok(prepared.warnings.iter().cloned().chain(guesses).collect())
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

/// What a run is called.
struct Identified<'a> {
    /// Its own id: its folder's name.
    id: &'a str,
    /// The run that it is an attempt at.
    attempt: Attempt,
}

fn drive(
    engine: &Engine,
    mut prepared: PreparedChain,
    staging: Staging,
    identified: Identified<'_>,
    mode: Mode,
    progress: &Arc<Progress>,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let notes = Notes::new(engine.manifest.reject_record)?;
    let means = Means::new(engine, &prepared);
    prepared.survey(Reach { limit: engine.settings.limit, threads: engine.settings.threads })?;
    prepared.want_left();
    let stop = AtomicBool::new(false);
    let mut read = Identity::default();
    let mut seen = vec![0u64; prepared.guesses.len()];
    // Records of which nobody knows whose they are: the source or a transform did not take them.
    let (mut passed, mut faceless) = (0u64, 0u64);
    // The first byte of a record, by input.
    let (mut firsts, mut counts): (BTreeMap<u32, u64>, BTreeMap<u32, u64>) = <_>::default();
    let PreparedChain {
        view,
        source,
        label,
        through,
        projection,
        guesses,
        roll,
        stage,
        sinks,
        needs_nothing,
        ..
    } = &mut prepared;
    let limit = engine.settings.limit;
    let changes: Vec<Changes> = thread::scope(|scope| -> Result<_, Error> {
        let (to_chain, from_reader) = bounded::<Read>(QUEUE);
        let reading = Reading { view, progress, limit, threads: engine.settings.threads, stop: &stop, label };
        let reader = scope.spawn(move || reading.run(&mut **source, projection, &to_chain));
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        for (index, sink) in sinks.iter_mut().enumerate() {
            let (to_sink, from_chain) = bounded::<Item>(SINK_QUEUE);
            queues.push(to_sink);
            let (notes, stop, progress) = (&notes, &stop, &**progress);
            let writing = Writing { prepared: sink, index, notes, progress, changed: Vec::new() };
            workers.push(scope.spawn(move || {
                let end = writing.write(&from_chain);
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
            let batch = match roll {
                Some(roll) => roll.call(&batch)?,
                None => batch,
            };
            let batch = stage.apply(batch, input, &notes)?;
            let left = stage.left.as_mut().map_or_else(Vec::new, std::mem::take);
            for queue in &queues {
                // A sink that is gone has failed; its thread says why.
                for left in &left {
                    let _ = queue.send(Item::Left(left.clone()));
                }
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
                let rejects = report.rejects.iter().map(|reject| reject.origin);
                let places = rejects.map(|origin| (origin.input, origin.offset));
                for (input, offset) in
                    origins.offsets.first().map(|first| (input, *first)).into_iter().chain(places)
                {
                    let first = firsts.entry(input).or_insert(offset);
                    *first = offset.min(*first);
                }
                *counts.entry(input).or_default() += origins.offsets.len() as u64;
                for reject in &report.rejects {
                    *counts.entry(reject.origin.input).or_default() += 1;
                }
                for reject in &report.rejects {
                    read.add(reject.origin.input, reject.origin.offset);
                    stage.books.rejected.add(reject.origin.input, reject.origin.offset);
                    notes.reject(Owner(None), reject)?;
                }
                progress.rejects.fetch_add(report.rejects.len() as u64, Ordering::Relaxed);
                let before = (stage.books.rejected.count, stage.books.merged.count);
                let batches = through.apply(batch, input, &mut stage.books, &notes)?;
                let rejected = stage.books.rejected.count - before.0;
                progress.rejects.fetch_add(rejected, Ordering::Relaxed);
                faceless += report.rejects.len() as u64 + rejected + stage.books.merged.count - before.1;
                batches.into_iter().try_for_each(|(batch, input)| deliver(stage, batch, input))
            })();
            if chain_result.is_err() || stop.load(Ordering::Acquire) {
                stop.store(true, Ordering::Release);
                break;
            }
        }
        drop(from_reader);
        if chain_result.is_ok() && !stop.load(Ordering::Acquire) {
            let before = stage.books.rejected.count + stage.books.merged.count;
            chain_result = through.flush(&mut stage.books, &notes).and_then(|held| {
                faceless += stage.books.rejected.count + stage.books.merged.count - before;
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
        let ends: Vec<Result<Changes, Error>> = workers.into_iter().map(join).collect();
        reader_result?;
        chain_result?;
        ends.into_iter().collect()
    })?;
    if let Some(retried) = &prepared.retried {
        retried.read(&counts)?;
    }
    check_guesses(&prepared.guesses, &seen, passed)?;
    if engine.cancel.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    prepared.look_who_is_gone(engine, read.count, faceless)?;
    let Identified { id, attempt } = identified;
    let (digests, means) = (prepared.inputs.digests()?, means.join()?);
    let checked = Checked {
        engine,
        prepared: &mut prepared,
        notes: &notes,
        progress,
        read,
        changes,
        attempt: &attempt,
        id,
        digests: &digests,
        means: &means,
    };
    let ends = checked.finish(mode)?;
    let closing = Closing {
        engine,
        prepared,
        staging,
        notes,
        read,
        ends,
        firsts,
        digests,
        means,
        id,
        attempt,
        mode,
        started,
        seen,
        progress,
    };
    closing.close()
}

pub(super) fn join<T>(handle: thread::ScopedJoinHandle<'_, Result<T, Error>>) -> Result<T, Error> {
    handle.join().unwrap_or_else(|panic| {
        let message = usher_abi::export::panic_message(&*panic);
        Err(Error::bug("host.panic", format!("the host panicked: {message}; report this")))
    })
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

/// `20261121-201500-3f9a`: sorts by time, and two runs of one second differ.
fn new_run_id() -> String {
    let now = jiff::Timestamp::now();
    let utc = now.to_zoned(jiff::tz::TimeZone::UTC);
    let salt = (now.subsec_nanosecond() as u32 ^ std::process::id().wrapping_mul(40_503)) & 0xFFFF;
    format!("{}-{salt:04x}", utc.strftime("%Y%m%d-%H%M%S"))
}
