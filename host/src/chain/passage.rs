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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, UInt32Array, UInt64Array};
    use usher_abi::{Merged, Reject};

    use super::*;

    fn batch(offsets: &[u64]) -> RecordBatch {
        let lengths = vec![1; offsets.len()];
        let columns: [(&str, ArrayRef); 2] = [
            ("_offset", Arc::new(UInt64Array::from(offsets.to_vec()))),
            ("_length", Arc::new(UInt32Array::from(lengths))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn origin(offset: u64) -> Origin {
        Origin { input: 1, length: 1, offset }
    }

    #[test]
    fn every_record_is_accounted_for_once() {
        let mut passage = Passage::default();
        passage.give(&batch(&[10, 20, 30]), 1).unwrap();
        let mut report = Report::default();
        report.rejects.push(Reject::new(origin(10), "", "x", "no"));
        report.merged.push(Merged { origin: origin(20), survivor: origin(30) });
        passage.take(&report, None).unwrap();
        assert!(passage.balance().unwrap_err().message.contains("another number of records (2)"));
        passage.take(&Report::default(), Some(&(batch(&[30]), 1))).unwrap();
        passage.balance().unwrap();
        assert!(passage.take(&Report::default(), Some(&(batch(&[30]), 1))).is_err(), "30 comes twice");
    }

    #[test]
    fn another_record_in_its_place_is_found() {
        let mut passage = Passage::default();
        passage.give(&batch(&[10, 20]), 1).unwrap();
        passage.take(&Report::default(), Some(&(batch(&[10, 10]), 1))).unwrap();
        assert!(passage.balance().unwrap_err().message.contains("other records (2)"));
    }

    /// Rows may be held back over any number of batches, and the first thing handed on at the end may be empty.
    #[test]
    fn holding_back_is_not_idling() {
        let mut passage = Passage::default();
        for n in 0..2 * MOST_IDLE as u64 {
            passage.give(&batch(&[n]), 1).unwrap();
            passage.take(&Report::default(), None).unwrap();
        }
        let nothing = (batch(&[]), 1);
        for _ in 0..MOST_IDLE - 2 {
            passage.take(&Report::default(), Some(&nothing)).unwrap();
            passage.must_end().unwrap();
        }
        passage.take(&Report::default(), Some(&nothing)).unwrap();
        assert!(passage.must_end().is_err());
    }
}
