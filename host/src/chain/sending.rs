//! What happens when the rows of all sinks have passed: whether anything may be sent, and then the end of each sink's
//! work, files first.

use std::{sync::Arc, thread};

use usher_abi::{Delivery, Error, ErrorClass, Identity, LogLevel, Receipt, Stopped};

use super::{
    engine::Engine,
    finish::OTHER_INPUTS,
    notes::Notes,
    outcome::{Failure, Progress},
    planned::{hold, passed},
    prepare::{PreparedChain, PreparedSink},
    receipt::Files,
    run::{Mode, join},
    sync::note_what_may_arrive,
    writing::{SinkEnd, Writing},
};
use crate::services::{Attempt, Digest, LogLine, Sending};

/// Values changed, by column and rule.
pub(super) type Changes = Vec<(String, String, u64)>;

/// The books of all sinks when the last row has passed.
pub(super) struct Checked<'a> {
    pub(super) engine: &'a Engine,
    pub(super) prepared: &'a mut PreparedChain,
    pub(super) notes: &'a Notes,
    pub(super) progress: &'a Arc<Progress>,
    pub(super) read: Identity,
    /// By sink.
    pub(super) changes: Vec<Changes>,
    pub(super) attempt: &'a Attempt,
    pub(super) id: &'a str,
    /// Of the inputs.
    pub(super) digests: &'a [Digest],
    pub(super) means: &'a Files,
}

impl Checked<'_> {
    /// Ends the work of all sinks. Nothing that writes leaves this machine unless every sink's rows are within what the
    /// manifest allows, and a run that is held to a plan is what was planned. Sinks of files end first: what fails there fails before anything is sent.
    pub(super) fn finish(self, mode: Mode) -> Result<Vec<SinkEnd>, Failure> {
        let Self { engine, prepared, notes, progress, read, changes, attempt, id, digests, means } = self;
        let chain_books = &prepared.stage.books;
        for sink in &mut prepared.sinks {
            sink.stage.books.add(chain_books);
            sink.held = sink.stage.books.held(read).count;
            sink.passed = Some(passed(sink));
        }
        if mode == Mode::Run
            && let Some(plan) = &engine.settings.plan
        {
            hold(plan.chain(&prepared.chain.name)?, engine, prepared, means, digests, read.count)?;
        }
        let may_send = prepared.refusals(read.count).is_empty();
        if mode == Mode::Run && may_send {
            let inputs = &prepared.inputs;
            if prepared.sinks.iter().any(|sink| sink.sends() || sink.suspends()) {
                inputs.inputs().iter().try_for_each(|input| inputs.unchanged(input.id))?;
                if prepared.alone.is_none() {
                    prepared.alone = engine.lock(&prepared.chain.name, id)?;
                }
                let read: Vec<&str> = digests.iter().map(|digest| digest.blake3.as_str()).collect();
                note_what_may_arrive(engine, prepared, notes, id)?;
                prepared.reads_anew = engine.begin_to_send(attempt, &read.join(" "))?;
                if prepared.reads_anew {
                    (engine.settings.lines)(&LogLine::new(LogLevel::WARN, OTHER_INPUTS));
                }
            }
            engine.delivering.set(Sending::All);
        } else {
            engine.delivering.set(Sending::Reads);
        }
        let mut changes: Vec<Option<Changes>> = changes.into_iter().map(Some).collect();
        let mut ends: Vec<Option<SinkEnd>> = prepared.sinks.iter().map(|_| None).collect();
        for sends in [false, true] {
            let round = prepared.sinks.iter_mut().enumerate().filter(|(_, sink)| sink.sends() == sends);
            let ended: Vec<(usize, Result<SinkEnd, Error>)> = thread::scope(|scope| {
                let workers: Vec<_> = round
                    .map(|(index, sink)| {
                        let changed = changes[index].take().unwrap_or_default();
                        let writing = Writing { prepared: sink, index, notes, progress, changed };
                        (index, scope.spawn(move || writing.finish()))
                    })
                    .collect();
                workers.into_iter().map(|(index, worker)| (index, join(worker))).collect()
            });
            for (index, end) in ended {
                let end = if sends { stopped(&mut prepared.sinks[index], end, read)? } else { end? };
                ends[index] = Some(end);
            }
        }
        for (sink, end) in prepared.sinks.iter_mut().zip(&ends) {
            if end.as_ref().is_some_and(|end| end.receipt.delivery.is_some()) {
                sink.stage.books.not_sent = sink.stage.books.held(read);
            }
        }
        let mut ends: Vec<SinkEnd> = ends.into_iter().flatten().collect();
        if mode == Mode::Plan || may_send && mode == Mode::Run {
            prepared.sinks.iter_mut().zip(&mut ends).try_for_each(|(sink, end)| sink.suspend(end))?;
        }
        Ok(ends)
    }
}

/// A sink that sends and failed: what it did not report may have been sent. Only somebody's wish to stop is an error.
fn stopped(sink: &mut PreparedSink, end: Result<SinkEnd, Error>, read: Identity) -> Result<SinkEnd, Failure> {
    let error = match end {
        Ok(end) => return Ok(end),
        Err(error) if error.class == ErrorClass::CANCELLED => return Err(Failure::Cancelled),
        Err(error) => error,
    };
    let books = &mut sink.stage.books;
    books.unknown.merge(books.held(read));
    let delivery = Delivery { stopped: Some(Stopped::by(&error)), ..Delivery::default() };
    let receipt = Receipt { delivery: Some(delivery), ..Receipt::default() };
    Ok(SinkEnd { receipt, changed: Vec::new() })
}
