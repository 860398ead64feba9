//! The end of a run, for sinks that get only what has changed.

use std::path::PathBuf;

use usher_abi::Error;

use super::{
    gone::Gone,
    notes::{Noting, RunOf},
};
use crate::{
    chain::{
        engine::Engine,
        finish::Closing,
        notes::Notes,
        prepare::{PreparedChain, PreparedSink},
        table::Table,
        writing::SinkEnd,
    },
    manifest::OnMissing,
    services::{Staging, Tape},
};

/// Before anything is sent: of every sink of changed rows that sends, what may have arrived from now on, and who may be
/// suspended.
pub(in crate::chain) fn note_what_may_arrive(
    engine: &Engine,
    prepared: &mut PreparedChain,
    notes: &Notes,
    run: &str,
) -> Result<(), Error> {
    // A replay sends nothing.
    if matches!(engine.settings.tape, Some(Tape::Replay(_))) {
        return Ok(());
    }
    let folder = folder_of(engine, &prepared.chain.name, run);
    let of = RunOf { chain: &prepared.chain.name, run, folder: &folder };
    for (index, sink) in prepared.sinks.iter_mut().enumerate() {
        let (sends, suspends) = (sink.sends(), sink.suspends());
        let Some(sync) = &mut sink.stage.sync else { continue };
        if sends {
            sync.about_to_send(of, &sink.name, &notes.rejected_by(index))?;
        }
        if suspends {
            sync.about_to_suspend(of, &sink.name, &sink.gone)?;
        }
    }
    Ok(())
}

impl Closing<'_> {
    /// Notes which rows went out, of each sink that wants it, by its place. It counts when the run is published. Of a run that
    /// is not `finished` (kept back, or partly sent) nobody is to confirm anything, but its files may be uploaded all the same.
    pub(in crate::chain) fn note_what_went_out(
        &mut self,
        finished: bool,
    ) -> Result<Vec<(usize, Noting)>, Error> {
        if matches!(self.engine.settings.tape, Some(Tape::Replay(_))) {
            return Ok(Vec::new());
        }
        let folder = folder_of(self.engine, &self.prepared.chain.name, self.id);
        let of = RunOf { chain: &self.prepared.chain.name, run: self.id, folder: &folder };
        let mut noted = Vec::new();
        for (index, sink) in self.prepared.sinks.iter_mut().enumerate() {
            let PreparedSink { name, stage, gone, .. } = sink;
            let Some(sync) = &mut stage.sync else { continue };
            // One row that is only queued, and nobody can say which one it is.
            let fates = (&self.notes.rejected_by(index), stage.books.accepted.count > 0);
            let nobody = Gone::default();
            let gone = if finished { gone } else { &nobody };
            if let Some(noting) = sync.note_what_went_out(of, name, finished, fates, gone)? {
                noted.push((index, noting));
            }
        }
        Ok(noted)
    }
}

/// Where a run is once it is published.
fn folder_of(engine: &Engine, chain: &str, run: &str) -> PathBuf {
    let folder = engine.out().join(chain).join(run);
    std::path::absolute(&folder).unwrap_or(folder)
}

/// The vendor's account; empty for sinks of files.
pub(in crate::chain) fn account_of(end: &SinkEnd) -> &str {
    end.receipt.delivery.as_ref().map_or("", |delivery| &delivery.account)
}

impl PreparedSink {
    /// What a person should know of who has which rows.
    pub(in crate::chain) fn sync_warnings(&self, account: &str) -> impl Iterator<Item = String> {
        let keyless = self.stage.sync.as_ref().map_or(0, |sync| sync.keyless);
        let keyless = (keyless > 0).then(|| {
            format!("{keyless} rows have no key (`unique`), so that nobody knows whether they have changed: they go out each time")
        });
        let other = self.stage.sync.as_ref().filter(|sync| sync.is_other_account(account)).map(|_| {
            format!(
                "the account is another one than before (`{account}`) and has got only what has changed: run once more, and \
                 every row goes out"
            )
        });
        let nameless = (self.gone.nameless > 0).then(|| {
            format!(
                "of {} missing people nobody knows who they are: they were delivered before `on_missing` was set, and have not come \
                 since",
                self.gone.nameless
            )
        });
        self.gone.not_looked.clone().into_iter().chain(keyless).chain(other).chain(nameless)
    }

    /// What whoever uploads its files should do afterwards.
    pub(in crate::chain) fn guide_to_confirm(&self, run: &str) -> Option<String> {
        let gone = self.gone.withdrawn.len() + self.gone.missing.len();
        self.stage.sync.as_ref().filter(|_| self.stage.books.written.count > 0 || gone > 0)?;
        Some(format!(
            "When the vendor has taken these files, and whoever is withdrawn is taken out there, say so: `usher runs confirm {run} {}`, with `--errors FILE` if it has given a \
             list of rows that it did not take. Until then nobody knows, and the rows go out again with the next run.",
            self.name
        ))
    }
}

/// Writes what a run keeps of its sinks of changed rows: which rows were held back, if any were; and `missing.csv`, if
/// somebody looked for who is missing.
pub(in crate::chain) fn write_files(staging: &Staging, sinks: &[PreparedSink]) -> Result<(), Error> {
    for PreparedSink { name, stage, .. } in sinks.iter().filter(|sink| sink.stage.books.unchanged() > 0) {
        stage.sync.iter().try_for_each(|sync| sync.held_back.write(staging, name))?;
    }
    if sinks.iter().all(|sink| sink.gone.of.is_none()) {
        return Ok(());
    }
    let mut table = Table::create(staging, "missing.csv", ["connector", "key", "outcome", "message"])?;
    for PreparedSink { name, gone, stage, .. } in sinks {
        let suspends = stage.sync.as_ref().is_some_and(|sync| sync.rules.on_missing == OnMissing::Suspend);
        for (place, absent) in gone.missing.iter().enumerate() {
            let (outcome, message) = match &gone.suspended {
                Some(suspended) if !absent.who.is_empty() => suspended.outcome_of(place as u64),
                _ if suspends && absent.who.is_empty() => ("nameless", ""),
                _ if suspends => ("not-sent", ""),
                _ => ("listed", ""),
            };
            table.write([name, &absent.who, outcome, message])?;
        }
    }
    table.finish()
}
