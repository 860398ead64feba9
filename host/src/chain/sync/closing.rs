//! The end of a run, for sinks that get only what has changed.

use usher_abi::Error;

use super::notes::Noting;
use crate::{
    chain::{finish::Closing, notes::Table, prepare::PreparedSink, writing::SinkEnd},
    services::{Staging, Tape},
};

impl Closing<'_> {
    /// Notes which rows went out; answers, for each sink that wants it, its place, the delivery, and how many rows wait to be
    /// confirmed. It counts when the run is published.
    pub(in crate::chain) fn note_what_went_out(&mut self) -> Result<Vec<(usize, i64, u64)>, Error> {
        // A replay sends nothing.
        if matches!(self.engine.settings.tape, Some(Tape::Replay(_))) {
            return Ok(Vec::new());
        }
        let mut noted = Vec::new();
        for (index, sink) in self.prepared.sinks.iter_mut().enumerate() {
            let PreparedSink { name, stage, gone, .. } = sink;
            let Some(sync) = &mut stage.sync else { continue };
            let sends = self.ends[index].receipt.delivery.is_some();
            let noting = Noting {
                chain: &self.prepared.chain.name,
                connector: name,
                run: self.id,
                // One row that is only queued, and nobody can say which one it is.
                confirmed: sends && stage.books.accepted.count == 0,
                rejected: &self.notes.rejected_by(index),
                gone,
            };
            let (delivery, waiting) = sync.note(&noting)?;
            noted.push((index, delivery, waiting));
        }
        Ok(noted)
    }
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
        self.gone.not_looked.clone().into_iter().chain(keyless).chain(other)
    }

    /// What whoever uploads its files should do afterwards.
    pub(in crate::chain) fn guide_to_confirm(&self, run: &str) -> Option<String> {
        self.stage.sync.as_ref().filter(|_| self.stage.books.written.count > 0)?;
        Some(format!(
            "When the vendor has taken these files, say so: `usher runs confirm {run} {}`, with `--errors FILE` if it has given a \
             list of rows that it did not take. Until then nobody knows, and the rows go out again with the next run.",
            self.name
        ))
    }
}

/// Writes `missing.csv`, if somebody looked for who is missing.
pub(in crate::chain) fn write_missing(staging: &Staging, sinks: &[PreparedSink]) -> Result<(), Error> {
    if sinks.iter().all(|sink| sink.gone.of.is_none()) {
        return Ok(());
    }
    let mut table = Table::create(staging, "missing.csv", ["connector", "key"])?;
    for sink in sinks {
        for absent in &sink.gone.missing {
            table.write([&*sink.name, &absent.who])?;
        }
    }
    table.finish()
}
