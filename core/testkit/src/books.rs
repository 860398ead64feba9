//! Does every row that went in come out as exactly one thing?

use std::collections::HashSet;

use arrow_array::RecordBatch;
use usher_abi::{Error, Identity, Origin, Report};
use usher_sdk::Records;

/// Everything that the report says of rows, as one identity.
fn outcome(report: &Report) -> Identity {
    let mut sum = Identity::default();
    for part in [report.written, report.accepted, report.confirmed, report.unknown] {
        sum.merge(part);
    }
    for origin in report.rejects.iter().map(|r| r.origin).chain(report.merged.iter().map(|m| m.origin)) {
        sum.add(origin.input, origin.offset);
    }
    sum
}

/// An error unless written + accepted + confirmed + unknown + rejected + merged make as many as `rows`.
pub fn balance(report: &Report, rows: u64) -> Result<(), String> {
    let count = outcome(report).count;
    if count == rows {
        return Ok(());
    }
    Err(format!(
        "{rows} rows were given, {count} are accounted for: {} written, {} accepted, {} confirmed, {} unknown, \
         {} rejected, {} merged",
        report.written.count,
        report.accepted.count,
        report.confirmed.count,
        report.unknown.count,
        report.rejects.len(),
        report.merged.len(),
    ))
}

/// The rows that were given to a sink, to be held against what it reports.
#[derive(Clone, Debug, Default)]
pub struct Books {
    given: Identity,
    origins: HashSet<Origin>,
}

impl Books {
    /// Nothing given yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes the rows of a batch, which ends with its origin columns.
    pub fn give(&mut self, batch: &RecordBatch, input: u32) -> Result<(), Error> {
        let records = Records::new(batch.clone(), input);
        let origins = records.origins()?;
        for row in 0..batch.num_rows() {
            let origin = origins.get(row);
            self.given.add(origin.input, origin.offset);
            self.origins.insert(origin);
        }
        Ok(())
    }

    /// An error unless the report accounts for exactly the rows given (by [`Identity`], not only by count) and
    /// names no other row anywhere.
    pub fn settle(&self, report: &Report) -> Result<(), String> {
        balance(report, self.given.count)?;
        let named = report
            .rejects
            .iter()
            .map(|r| ("rejected", r.origin))
            .chain(report.merged.iter().flat_map(|m| [("merged", m.origin), ("a survivor", m.survivor)]))
            .chain(report.left_out.iter().map(|l| ("short of a value", l.origin)));
        for (what, origin) in named {
            if !self.origins.contains(&origin) {
                return Err(format!("{origin:?} is {what}, but was never given"));
            }
        }
        if outcome(report) != self.given {
            return Err(format!(
                "the counts agree ({} rows), but other rows are accounted for than were given",
                self.given.count
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use usher_abi::Reject;

    use super::*;
    use crate::{origin_columns, text_batch};

    fn reject(offset: u64) -> Reject {
        Reject::new(Origin { input: 1, length: 99, offset }, "a", "x.y", "no")
    }

    #[test]
    fn books_settle_by_identity_and_origin() {
        let rows = origin_columns(&text_batch(&[("a", vec![None; 3])]), 0).unwrap();
        let mut books = Books::new();
        books.give(&rows, 1).unwrap();

        let mut report = Report::default();
        report.written.add(1, 0);
        report.written.add(1, 100);
        assert!(books.settle(&report).unwrap_err().starts_with("3 rows were given, 2 are accounted for"));

        let mut good = report.clone();
        good.rejects.push(reject(200));
        assert_eq!(books.settle(&good), Ok(()));

        let mut stranger = report.clone();
        stranger.rejects.push(reject(300));
        assert!(books.settle(&stranger).unwrap_err().contains("never given"));

        let mut twice = report;
        twice.rejects.push(reject(100));
        assert!(books.settle(&twice).unwrap_err().contains("other rows"));
    }
}
