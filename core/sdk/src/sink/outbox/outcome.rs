//! What became of a unit.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_abi::{Error, Identity, Origin, Reject, Report};

/// What became of the rows of a unit; also what the ledger keeps of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// Of all rows but those named below.
    pub fates: Fates,
    /// Rows that the vendor did not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejects: Vec<RowReject>,
    /// Rows of which the vendor's answer says nothing, from 0 within the unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<u64>,
    /// Rows of which more is known than of the others: they were read back, say. From 0 within the unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed: Vec<u64>,
    /// What the vendor said of the unit, for the receipt: the id of its job, counts. No secrets, no personal data.
    #[serde(default)]
    pub answer: Value,
}

/// What is known of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fates {
    /// The vendor has queued them.
    Accepted,
    /// The vendor says that it has them.
    Confirmed,
    /// Nothing.
    Unknown,
}

/// A row that the vendor did not take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RowReject {
    /// From 0 within the unit.
    pub row: u64,
    /// The column at fault, if one is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// Stable; see [`Reject::code`].
    pub code: String,
    /// For people.
    pub message: String,
    /// Whether it may be taken on another day.
    #[serde(default)]
    pub retryable: bool,
    /// The vendor's own words, as JSON.
    #[serde(default)]
    pub details: Value,
}

impl UnitOutcome {
    /// All rows alike.
    pub fn all(fates: Fates, answer: Value) -> Self {
        Self { fates, rejects: Vec::new(), unknown: Vec::new(), confirmed: Vec::new(), answer }
    }

    /// Whether it is known of every row what became of it.
    pub fn is_settled(&self) -> bool {
        self.fates != Fates::Unknown && self.unknown.is_empty()
    }

    /// Whether the vendor has taken every row, as far as it says.
    pub fn is_clean(&self) -> bool {
        self.is_settled() && self.rejects.is_empty()
    }

    /// Reports every row, by where it came from.
    pub(super) fn report(&self, origins: &[Origin], report: &mut Report) -> Result<(), Error> {
        let mut open = vec![true; origins.len()];
        let outside = |row: u64| {
            let message = format!("an outcome names row {row} of a unit of {} rows", origins.len());
            Error::bug("outbox.outcome", message)
        };
        let mut take = |row: u64| -> Result<Option<Origin>, Error> {
            let at =
                usize::try_from(row).ok().filter(|at| *at < origins.len()).ok_or_else(|| outside(row))?;
            Ok(std::mem::take(&mut open[at]).then_some(origins[at]))
        };
        for reject in &self.rejects {
            // A vendor may name a row twice; it is rejected once.
            let Some(origin) = take(reject.row)? else { continue };
            let mut said =
                Reject::new(origin, reject.column.as_str(), reject.code.as_str(), reject.message.as_str());
            said.retryable = reject.retryable;
            if !reject.details.is_null() {
                said.details = reject.details.to_string().into();
            }
            report.rejects.push(said);
        }
        for row in &self.unknown {
            if let Some(origin) = take(*row)? {
                report.unknown.add(origin.input, origin.offset);
            }
        }
        for row in &self.confirmed {
            if let Some(origin) = take(*row)? {
                report.confirmed.add(origin.input, origin.offset);
            }
        }
        let rest: &mut Identity = match self.fates {
            Fates::Accepted => &mut report.accepted,
            Fates::Confirmed => &mut report.confirmed,
            Fates::Unknown => &mut report.unknown,
        };
        for (origin, _) in origins.iter().zip(&open).filter(|(_, open)| **open) {
            rest.add(origin.input, origin.offset);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(count: u64) -> Vec<Origin> {
        (0..count).map(|n| Origin { input: 0, length: 1, offset: n * 10 }).collect()
    }

    #[test]
    fn every_row_has_one_fate() {
        let reject = |row| RowReject { row, code: "x".to_owned(), ..RowReject::default() };
        let outcome = UnitOutcome {
            rejects: vec![reject(1), reject(1)],
            unknown: vec![1, 2, 2],
            ..UnitOutcome::all(Fates::Confirmed, Value::Null)
        };
        let mut report = Report::default();
        outcome.report(&origins(5), &mut report).unwrap();
        let counts = (report.confirmed.count, report.unknown.count, report.rejects.len());
        assert_eq!(counts, (3, 1, 1));
        assert!(!outcome.is_settled() && !outcome.is_clean());
        // What was rejected is not confirmed as well, whatever else is said.
        let some = UnitOutcome {
            rejects: vec![reject(1)],
            confirmed: vec![1, 3],
            ..UnitOutcome::all(Fates::Accepted, Value::Null)
        };
        let mut report = Report::default();
        some.report(&origins(5), &mut report).unwrap();
        let counts = (report.confirmed.count, report.accepted.count, report.rejects.len());
        assert_eq!(counts, (1, 3, 1));
        assert!(some.is_settled() && !some.is_clean());
        let outside = UnitOutcome { unknown: vec![5], ..UnitOutcome::all(Fates::Accepted, Value::Null) };
        assert_eq!(outside.report(&origins(5), &mut report).unwrap_err().code, "outbox.outcome");
    }
}
