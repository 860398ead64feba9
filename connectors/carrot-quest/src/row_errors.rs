//! What the reply to an import says of rows (IMPORT): `row_errors`, by row number, and `updates_planned`.
//!
//! Two things the vendor does not say. Whether row 1 is the header or the first data row: what both readings reject is
//! rejected, what only one rejects is unknown, and the option `row_numbers` settles it. And which rows are missing when
//! fewer updates are planned than rows were sent without an error: then nothing is known of any of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::words::counted;

use crate::{api::whole_number, live::RowNumbers};

/// The reply, as far as it is understood. Kept in the ledger while rows are read back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// By row number, as the vendor counts.
    pub(crate) errors: BTreeMap<u64, Value>,
    /// Records that were queued.
    pub(crate) planned: u64,
}

/// Which row has the number 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// The header.
    Header,
    /// The first data row.
    Data,
    /// The second data row: the first is 0.
    Zero,
}

impl Numbering {
    /// The number of the first data row.
    fn first(self) -> u64 {
        match self {
            Self::Zero => 0,
            Self::Data => 1,
            Self::Header => 2,
        }
    }

    /// The data row of a number, from 0, in a file of `rows`.
    fn row(self, number: u64, rows: u64) -> Option<u64> {
        number.checked_sub(self.first()).filter(|row| *row < rows)
    }
}

/// What is known of the rows of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reading {
    /// Rows from 0, each with the numbers and words by which it was named.
    pub(crate) rejected: BTreeMap<u64, Vec<(u64, Value)>>,
    /// Rows of which the numbers do not tell.
    pub(crate) unclear: BTreeSet<u64>,
    /// Of the other rows, so many were not queued.
    pub(crate) short: u64,
    /// Why not everything is clear, for people.
    pub(crate) because: Vec<String>,
}

/// Reads `data` of the reply to a file of `rows` rows; else what is not understood.
pub(crate) fn read(data: &Value, rows: u64) -> Result<Answer, String> {
    let planned = data.get("updates_planned").and_then(whole_number);
    let planned = planned.ok_or("`data.updates_planned` is no number")?;
    if planned > rows {
        return Err(format!("`data.updates_planned` is {planned}, {rows} rows were sent"));
    }
    let mut errors = BTreeMap::new();
    match data.get("row_errors") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) if list.is_empty() => {}
        Some(Value::Object(map)) => {
            for (key, words) in map {
                let number = key.trim().parse().map_err(|_| "a key of `data.row_errors` is no row number")?;
                errors.insert(number, words.clone());
            }
        }
        Some(_) => return Err("`data.row_errors` is no map of row numbers".to_owned()),
    }
    Ok(Answer { errors, planned })
}

impl Answer {
    /// The numberings that explain every number. Only a 0 makes anybody count from 0.
    pub(crate) fn numberings(&self, option: RowNumbers, rows: u64) -> Vec<Numbering> {
        let from_zero = self.errors.contains_key(&0);
        let possible: &[Numbering] = match option {
            RowNumbers::Header => &[Numbering::Header],
            RowNumbers::Data => &[Numbering::Data],
            RowNumbers::Detect if from_zero => &[Numbering::Zero],
            RowNumbers::Detect => &[Numbering::Data, Numbering::Header],
        };
        let explains = |n: &&Numbering| self.errors.keys().all(|number| n.row(*number, rows).is_some());
        possible.iter().filter(explains).copied().collect()
    }

    /// What it says of each row, under the numberings that are possible (at least one).
    pub(crate) fn interpret(&self, numberings: &[Numbering], rows: u64) -> Reading {
        let mut named: BTreeMap<u64, Vec<(u64, Value)>> = BTreeMap::new();
        for (number, words) in &self.errors {
            for row in numberings.iter().filter_map(|n| n.row(*number, rows)) {
                named.entry(row).or_default().push((*number, words.clone()));
            }
        }
        let mut reading = Reading::default();
        let without_error = rows.saturating_sub(self.errors.len() as u64);
        let numbers = || self.errors.keys().take(10).map(u64::to_string).collect::<Vec<_>>().join(", ");
        if self.planned > without_error {
            // An error may not keep a row out after all.
            reading.unclear = named.into_keys().collect();
            reading.because.push(format!(
                "{} of {} are planned although `row_errors` names {}: whether those named are among them is not said",
                self.planned,
                counted(rows, "row", "rows"),
                numbers()
            ));
            return reading;
        }
        for (row, said) in named {
            if said.len() == numberings.len() {
                reading.rejected.insert(row, said);
            } else {
                reading.unclear.insert(row);
            }
        }
        if !reading.unclear.is_empty() {
            reading.because.push(format!(
                "`row_errors` names {}, and whether row 1 is the header or the first data row is not documented; set \
                 `row_numbers` within `api` to `header` or `data` once you know",
                numbers()
            ));
        }
        reading.short = without_error - self.planned;
        if reading.short > 0 {
            reading.because.push(format!(
                "{} planned, where {} without an error {} sent: {} missing, and which is not said; `confirm = \"all\"` \
                 within `api` reads everybody back",
                counted(self.planned, "update is", "updates are"),
                counted(without_error, "row", "rows"),
                if without_error == 1 { "was" } else { "were" },
                counted(reading.short, "is", "are"),
            ));
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(errors: &[u64], planned: u64) -> Answer {
        Answer { errors: errors.iter().map(|n| (*n, json!(format!("no {n}")))).collect(), planned }
    }

    #[test]
    fn replies_are_read_as_far_as_they_are_known() {
        let none = Ok(answer(&[], 3));
        for good in [
            json!({ "updates_planned": 3 }),
            json!({ "updates_planned": "3", "row_errors": null }),
            json!({ "updates_planned": 3, "row_errors": {} }),
            json!({ "updates_planned": 3, "row_errors": [] }),
        ] {
            assert_eq!(read(&good, 3), none, "{good}");
        }
        let errors = json!({ "updates_planned": 1, "row_errors": { "1": "no 1", " 3": "no 3" } });
        assert_eq!(read(&errors, 3), Ok(answer(&[1, 3], 1)));
        for bad in [
            json!(null),
            json!({}),
            json!({ "row_errors": {} }),
            json!({ "updates_planned": -1 }),
            json!({ "updates_planned": 4 }),
            json!({ "updates_planned": 3, "row_errors": { "first": "x" } }),
            json!({ "updates_planned": 3, "row_errors": { "-1": "x" } }),
            json!({ "updates_planned": 3, "row_errors": ["x"] }),
            json!({ "updates_planned": 3, "row_errors": "x" }),
        ] {
            assert!(read(&bad, 3).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_at_the_edges_settle_what_row_1_is() {
        use Numbering::{Data, Header, Zero};
        let of = |errors: &[u64]| answer(errors, 0).numberings(RowNumbers::Detect, 5);
        assert_eq!(of(&[]), [Data, Header]);
        assert_eq!(of(&[2, 5]), [Data, Header]);
        assert_eq!(of(&[1]), [Data]);
        assert_eq!(of(&[3, 6]), [Header]);
        assert_eq!(of(&[0, 4]), [Zero]);
        for nonsense in [&[1, 6][..], &[7], &[0, 5]] {
            assert_eq!(of(nonsense), [], "{nonsense:?}");
        }
        assert_eq!(answer(&[2], 0).numberings(RowNumbers::Header, 5), [Header]);
        assert_eq!(answer(&[2], 0).numberings(RowNumbers::Data, 5), [Data]);
        assert_eq!(answer(&[1], 0).numberings(RowNumbers::Header, 5), []);
        assert_eq!(answer(&[6], 0).numberings(RowNumbers::Data, 5), []);
        // A file of one row tells at once.
        assert_eq!(answer(&[1], 0).numberings(RowNumbers::Detect, 1), [Data]);
        assert_eq!(answer(&[2], 0).numberings(RowNumbers::Detect, 1), [Header]);
    }

    #[test]
    fn what_every_reading_rejects_is_rejected() {
        let both = [Numbering::Data, Numbering::Header];
        // Rows 2, 3 as data rows, rows 1, 2 with the header: only the third number's row is in both.
        let reading = answer(&[2, 3], 3).interpret(&both, 5);
        assert_eq!(reading.rejected.keys().copied().collect::<Vec<_>>(), [1]);
        assert_eq!(reading.unclear.iter().copied().collect::<Vec<_>>(), [0, 2]);
        assert_eq!((reading.short, reading.because.len()), (0, 1));
        let settled = answer(&[2, 3], 3).interpret(&[Numbering::Header], 5);
        assert_eq!(settled.rejected.keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert!(settled.unclear.is_empty() && settled.because.is_empty());
    }

    #[test]
    fn counts_that_do_not_agree_make_nothing_up() {
        let short = answer(&[1], 2).interpret(&[Numbering::Data], 5);
        assert_eq!((short.rejected.len(), short.unclear.len(), short.short), (1, 0, 2));
        let over = answer(&[1], 5).interpret(&[Numbering::Data], 5);
        assert_eq!((over.rejected.len(), over.unclear.len(), over.short), (0, 1, 0));
        assert!(!short.because.is_empty() && !over.because.is_empty());
    }

    proptest! {
        #[test]
        fn no_row_has_two_fates(numbers in prop::collection::btree_set(0..9u64, 0..6), planned in 0..9u64, rows in 1..8u64) {
            let answer = answer(&numbers.into_iter().collect::<Vec<_>>(), planned.min(rows));
            let numberings = answer.numberings(RowNumbers::Detect, rows);
            prop_assume!(!numberings.is_empty());
            let reading = answer.interpret(&numberings, rows);
            let mut named: Vec<u64> = reading.rejected.keys().copied().collect();
            named.extend(&reading.unclear);
            prop_assert!(named.iter().all(|row| *row < rows));
            named.sort_unstable();
            named.dedup();
            prop_assert_eq!(named.len(), reading.rejected.len() + reading.unclear.len());
            prop_assert!(reading.rejected.len() <= answer.errors.len());
        }
    }
}
