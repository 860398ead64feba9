//! The books of one transform: every record that goes in comes out, is rejected or is merged, once. The books of a sink
//! would find a lost record as well, but would put it down to the sink.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use usher_abi::{Error, Identity, Origin, Report};

use super::shape::Origins;

/// So many times in a row a transform may hand on nothing at its end before it is held to be one that has none.
const MOST_IDLE: usize = 1_000;

/// What went into a transform, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Passage {
    given: Identity,
    passed: Identity,
    rejected: Identity,
    merged: Identity,
    /// The last offset of each input that went in.
    reach: BTreeMap<u32, u64>,
    idle: usize,
}

impl Passage {
    /// Rows go in.
    pub(super) fn give(&mut self, batch: &RecordBatch, input: u32) -> Result<(), Error> {
        let origins = Origins::new(batch, input)?;
        self.given.merge(origins.identity());
        if let Some(last) = origins.offsets.iter().max() {
            let reach = self.reach.entry(input).or_default();
            *reach = (*last).max(*reach);
        }
        self.idle = 0;
        Ok(())
    }

    /// A call has ended: what it reports, and the rows that came out. No more can come out than went in.
    pub(super) fn take(&mut self, report: &Report, rows: Option<&(RecordBatch, u32)>) -> Result<(), Error> {
        let before = self.accounted().count;
        report.rejects.iter().for_each(|r| self.rejected.add(r.origin.input, r.origin.offset));
        for merged in &report.merged {
            self.merged.add(merged.origin.input, merged.origin.offset);
            let Origin { input, offset, .. } = merged.survivor;
            if self.reach.get(&input).is_none_or(|last| offset > *last) {
                let message = format!(
                    "a record is merged into one that never went in (input {input}, offset {offset}); \
                     report this to its author"
                );
                return Err(Error::bug("plugin.survivor", message));
            }
        }
        if let Some((batch, input)) = rows {
            self.passed.merge(Origins::new(batch, *input)?.identity());
        }
        let after = self.accounted().count;
        self.idle = if after == before { self.idle + 1 } else { 0 };
        if after > self.given.count { Err(self.unbalanced()) } else { Ok(()) }
    }

    /// Whether the end goes on and on, with nothing that comes of it.
    pub(super) fn must_end(&self) -> Result<(), Error> {
        if self.idle < MOST_IDLE {
            return Ok(());
        }
        let message = format!(
            "`flush` does not end: it handed on nothing {MOST_IDLE} times; report this to its author"
        );
        Err(Error::bug("plugin.flush", message))
    }

    /// After the end: nothing is missing.
    pub(super) fn balance(&self) -> Result<(), Error> {
        if self.accounted() == self.given { Ok(()) } else { Err(self.unbalanced()) }
    }

    fn accounted(&self) -> Identity {
        let mut sum = self.passed;
        sum.merge(self.rejected);
        sum.merge(self.merged);
        sum
    }

    fn unbalanced(&self) -> Error {
        let (given, accounted) = (self.given.count, self.accounted().count);
        let what = if accounted == given { "other records" } else { "another number of records" };
        let message = format!(
            "its books do not balance: {given} records went in, but {what} ({accounted}) are accounted for \
             ({} came out, {} rejected, {} merged); report this to its author",
            self.passed.count, self.rejected.count, self.merged.count
        );
        Error::bug("books.unbalanced", message)
    }
}
