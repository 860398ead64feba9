//! What the reply to an import says of rows (IMPORT): `row_errors`, by row number, and `updates_planned`.
//!
//! Two things the vendor does not say. Whether row 1 is the header or the first data row: what both readings reject is
//! rejected, what only one rejects is unknown, and the option `row_numbers` settles it. And which rows are missing when
//! fewer updates are planned than rows were sent without an error: then nothing is known of any of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::words::counted;

use crate::{
    api::{short, whole_number},
    live::RowNumbers,
};

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

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The line of headings.
    Headings,
    /// A data row, from 0.
    Row(u64),
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

    /// What a number stands for in a file of `rows`. The headings come right before the first row, wherever counting
    /// begins.
    fn place(self, number: u64, rows: u64) -> Option<Place> {
        match number.checked_sub(self.first()) {
            Some(row) => (row < rows).then_some(Place::Row(row)),
            None => (number + 1 == self.first()).then_some(Place::Headings),
        }
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
    /// What is not clear, and what is not about rows, for people.
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

/// Words of the vendor about a row, for people.
pub(crate) fn words(said: &Value) -> String {
    match said {
        Value::String(text) => short(text, 300),
        other => short(&other.to_string(), 300),
    }
}

impl Answer {
    /// The numberings that explain every number: what was chosen, or else what an earlier part has told (`known`), or else
    /// whatever may be. None: the numbers make no sense, or are at odds with what is known.
    ///
    /// A 0 or a 1 may mean the headings. It means a row when as many rows as have errors are not planned.
    pub(crate) fn numberings(
        &self,
        option: RowNumbers,
        known: Option<Numbering>,
        rows: u64,
    ) -> Vec<Numbering> {
        let mut possible = match (option, known) {
            (RowNumbers::Header, _) => vec![Numbering::Header],
            (RowNumbers::Data, _) => vec![Numbering::Data],
            (RowNumbers::Zero, _) => vec![Numbering::Zero],
            (RowNumbers::Detect, Some(known)) => vec![known],
            // Only a 0 makes anybody count from 0.
            (RowNumbers::Detect, None) if self.errors.contains_key(&0) => {
                vec![Numbering::Zero, Numbering::Data]
            }
            (RowNumbers::Detect, None) => vec![Numbering::Data, Numbering::Header],
        };
        let places = |n: Numbering| self.errors.keys().map(move |number| n.place(*number, rows));
        possible.retain(|n| places(*n).all(|place| place.is_some()));
        let of_rows = |n: &Numbering| places(*n).all(|place| matches!(place, Some(Place::Row(_))));
        let counts_fit = self.planned + self.errors.len() as u64 == rows;
        if counts_fit && possible.iter().any(of_rows) {
            possible.retain(of_rows);
        }
        possible
    }

    /// What it says of each row, under the numberings that are possible (at least one).
    pub(crate) fn interpret(&self, numberings: &[Numbering], rows: u64) -> Reading {
        let mut named: BTreeMap<u64, Vec<(u64, Value)>> = BTreeMap::new();
        let mut of_headings = Vec::new();
        for (number, said) in &self.errors {
            for place in numberings.iter().filter_map(|n| n.place(*number, rows)) {
                match place {
                    Place::Row(row) => named.entry(row).or_default().push((*number, said.clone())),
                    Place::Headings => of_headings.push(said),
                }
            }
        }
        let mut reading = Reading::default();
        if let ([_], Some(said)) = (numberings, of_headings.first()) {
            reading.because.push(format!("of the line of headings it is said: {}", words(said)));
        }
        // Without an error, under the reading that leaves the most of them, and the one that leaves the fewest.
        let fewest = rows.saturating_sub(self.errors.len() as u64);
        let most = fewest + u64::from(!of_headings.is_empty());
        let without_error = if numberings.len() == 1 { most } else { fewest };
        let numbers = || self.errors.keys().take(10).map(u64::to_string).collect::<Vec<_>>().join(", ");
        if self.planned > most {
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
                "`row_errors` names {}, and how rows are counted is not documented; set `row_numbers` within `api` to \
                 `header`, `data` or `zero` once you know",
                numbers()
            ));
        }
        reading.short = without_error.saturating_sub(self.planned);
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
        // As many rows are missing as there are errors, so that every error is of a row.
        let of = |errors: &[u64]| {
            let planned = 5 - errors.len() as u64;
            answer(errors, planned).numberings(RowNumbers::Detect, None, 5)
        };
        assert_eq!(of(&[]), [Data, Header]);
        assert_eq!(of(&[2, 5]), [Data, Header]);
        assert_eq!(of(&[1]), [Data]);
        assert_eq!(of(&[3, 6]), [Header]);
        assert_eq!(of(&[0, 4]), [Zero]);
        for nonsense in [&[7][..], &[0, 6]] {
            assert_eq!(of(nonsense), [], "{nonsense:?}");
        }
        // The headings, and the last row.
        assert_eq!(of(&[1, 6]), [Header]);
        assert_eq!(of(&[0, 5]), [Data]);
        // A file of one row tells at once.
        assert_eq!(answer(&[1], 0).numberings(RowNumbers::Detect, None, 1), [Data]);
        assert_eq!(answer(&[2], 0).numberings(RowNumbers::Detect, None, 1), [Header]);
    }

    #[test]
    fn what_may_mean_the_headings_settles_nothing() {
        use Numbering::{Data, Header, Zero};
        // All rows are planned, or some are missing without a word.
        for planned in [5, 3] {
            let of = |errors: &[u64]| answer(errors, planned).numberings(RowNumbers::Detect, None, 5);
            assert_eq!(of(&[1]), [Data, Header]);
            assert_eq!(of(&[0]), [Zero, Data]);
            let reading = answer(&[1], planned).interpret(&[Data, Header], 5);
            assert_eq!(reading.unclear.iter().copied().collect::<Vec<_>>(), [0]);
            assert_eq!((reading.rejected.len(), reading.short), (0, 4u64.saturating_sub(planned)));
        }
    }

    #[test]
    fn what_is_chosen_or_known_must_explain_the_numbers() {
        use Numbering::{Data, Header, Zero};
        let chosen = |option, errors: &[u64]| answer(errors, 0).numberings(option, Some(Data), 5);
        assert_eq!(chosen(RowNumbers::Header, &[2, 6]), [Header]);
        assert_eq!(chosen(RowNumbers::Header, &[1]), [Header], "the headings");
        assert_eq!(chosen(RowNumbers::Header, &[0]), []);
        assert_eq!(chosen(RowNumbers::Data, &[0, 5]), [Data]);
        assert_eq!(chosen(RowNumbers::Data, &[6]), []);
        assert_eq!(chosen(RowNumbers::Zero, &[0, 4]), [Zero]);
        assert_eq!(chosen(RowNumbers::Zero, &[5]), []);
        let known = |known, errors: &[u64]| answer(errors, 0).numberings(RowNumbers::Detect, Some(known), 5);
        assert_eq!(known(Zero, &[3]), [Zero]);
        assert_eq!(known(Zero, &[5]), []);
        assert_eq!(known(Data, &[2]), [Data]);
        assert_eq!(known(Data, &[6]), []);
        assert_eq!(known(Header, &[2]), [Header]);
        assert_eq!(known(Header, &[0]), []);
    }

    #[test]
    fn an_error_of_the_headings_is_told_and_rejects_nobody() {
        let reading = answer(&[1, 6], 4).interpret(&[Numbering::Header], 5);
        assert_eq!(reading.rejected.keys().copied().collect::<Vec<_>>(), [4]);
        assert_eq!((reading.unclear.len(), reading.short), (0, 0));
        assert_eq!(reading.because, ["of the line of headings it is said: no 1"]);
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
            let numberings = answer.numberings(RowNumbers::Detect, None, rows);
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
