//! What an activity of the vendor says of the contacts that it was to import, and what it does not say.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use usher_sdk::{
    abi::Error,
    outbox::{Fates, RowReject, UnitOutcome},
    words::counted,
};

use crate::api::{is_id, plain, read};

/// An activity (`OAS`: `ActivityImport`, `Activity`, `ActivityTagging`). Every counter may be missing.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Activity {
    pub(crate) activity_id: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) source_file_name: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    /// Texts; of other kinds of activities objects with a `message`.
    #[serde(default)]
    activity_errors: Option<Vec<Value>>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    items_total_count: Option<u64>,
    items_completed_count: Option<u64>,
    person_count: Option<u64>,
    error_count: Option<u64>,
    correctable_count: Option<u64>,
    cannot_add_to_list_count: Option<u64>,
}

/// What a completed import says.
#[derive(Debug)]
pub(crate) struct Told {
    /// Of every row; nothing of those that are open.
    pub(crate) outcome: UnitOutcome,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
    /// What is to be found out.
    pub(crate) open: Option<Open>,
}

/// Contacts that were not imported, and are not said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Open {
    /// How many.
    pub(crate) count: u64,
    /// The errors that place none of them: `: this; that`, or nothing.
    pub(crate) words: String,
}

/// How far an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Completed,
    /// Given up by the vendor: what it has done by then is not said.
    GivenUp,
    /// The same, because somebody wanted that.
    Cancelled,
    /// None of the states that are documented.
    Other,
}

/// Reads a reply that is one activity. Its id goes into a path, so it must look like one.
pub(crate) fn activity(text: &str) -> Result<Activity, Error> {
    let activity: Activity = read(text, "an activity")?;
    if is_id(&activity.activity_id) {
        return Ok(activity);
    }
    Err(Error::data("import.reply", "Constant Contact answered an activity whose id is none; run again"))
}

impl Activity {
    /// `OAS` lists six states.
    pub(crate) fn state(&self) -> State {
        match self.state.as_str() {
            "initialized" | "processing" => State::Running,
            "completed" => State::Completed,
            "failed" | "timed_out" => State::GivenUp,
            "cancelled" => State::Cancelled,
            _ => State::Other,
        }
    }

    /// When it was made, in milliseconds since 1970, as far as that is said.
    pub(crate) fn created_ms(&self) -> Option<u64> {
        let time: Timestamp = self.created_at.as_deref()?.parse().ok()?;
        u64::try_from(time.as_millisecond()).ok()
    }

    /// Items that were processed and all there are, where they differ.
    pub(crate) fn left(&self) -> Option<(u64, u64)> {
        let status = self.status.as_ref()?;
        status.items_completed_count.zip(status.items_total_count).filter(|(done, all)| done != all)
    }

    /// What went wrong, in the vendor's words; what has none counts all the same.
    pub(crate) fn errors(&self) -> impl Iterator<Item = String> {
        let errors = self.activity_errors.iter().flatten();
        let text =
            |error: &Value| error.as_str().or(error["message"].as_str()).map(plain).unwrap_or_default();
        errors
            .map(text)
            .map(|text| if text.is_empty() { "an error that cannot be read".to_owned() } else { text })
    }

    /// The first errors, for a message: `: this; that`, or nothing.
    pub(crate) fn why(&self) -> String {
        let errors: Vec<String> = self.errors().take(3).collect();
        if errors.is_empty() { String::new() } else { format!(": {}", errors.join("; ")) }
    }

    /// Id and counters, for the receipt.
    fn answer(&self) -> Value {
        let mut answer = json!({ "activity_id": self.activity_id, "state": self.state });
        let status = self.status.clone().unwrap_or_default();
        for (name, count) in [
            ("items_total_count", status.items_total_count),
            ("person_count", status.person_count),
            ("error_count", status.error_count),
            ("correctable_count", status.correctable_count),
            ("cannot_add_to_list_count", status.cannot_add_to_list_count),
        ] {
            if let Some(count) = count {
                answer[name] = count.into();
            }
        }
        answer
    }

    /// What a completed import says of its `rows`. `first_line` is the line by which errors name the first row; none: lines
    /// say nothing.
    ///
    /// Confirmed are rows only where all counters are there, and say that everybody was imported and put on the lists, and
    /// no error was left that names no row.
    pub(crate) fn outcome(&self, rows: u64, first_line: Option<u64>) -> Told {
        let status = self.status.clone().unwrap_or_default();
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(format!("import {}: {text}", self.activity_id));
        let (rejects, unplaced) = self.rejects(rows, first_line);
        let named = rejects.len() as u64;
        let failed = status.error_count.unwrap_or(0) + status.correctable_count.unwrap_or(0);
        let kept_off = status.cannot_add_to_list_count;
        if kept_off.unwrap_or(0) > 0 {
            warn(format!(
                "{} unsubscribed before and cannot be added to a list; who, is not said",
                counted(kept_off.unwrap_or(0), "contact has", "contacts have")
            ));
        }
        // Whether contacts with errors count as persons is not said, nor whether an import of JSON has a header.
        let persons = status.person_count;
        let lacking = persons.is_some_and(|persons| persons != rows && persons + named != rows);
        let items = status.items_total_count;
        let cut = items.is_some_and(|items| items != rows && items != rows + 1);
        let has_counters = persons.is_some()
            && status.error_count.is_some()
            && status.correctable_count.is_some()
            && kept_off.is_some();
        let mut fates = if has_counters && kept_off == Some(0) && unplaced.is_empty() {
            Fates::Confirmed
        } else {
            Fates::Accepted
        };
        if !has_counters {
            warn(
                "it is completed, and counters are missing: the contacts are taken, not confirmed".to_owned(),
            );
        }
        let mut open = None;
        if failed > named || lacking || cut {
            fates = Fates::Unknown;
            let short = |count: Option<u64>| count.map_or(0, |count| rows.saturating_sub(count));
            let count = (failed.saturating_sub(named)).max(short(persons)).max(short(items));
            open = Some(Open { count, words: said(&unplaced) });
        } else if !unplaced.is_empty() {
            warn(format!("it says what cannot be placed{}", said(&unplaced)));
        }
        let outcome = UnitOutcome { rejects, ..UnitOutcome::all(fates, self.answer()) };
        Told { outcome, warnings, open }
    }

    /// Rows that errors name by their line, and errors that name none. The form `Line 2: …` is that of the vendor's second
    /// version (GUIDE-V2); that of the third is not documented.
    fn rejects(&self, rows: u64, first_line: Option<u64>) -> (Vec<RowReject>, Vec<String>) {
        let (mut rejects, mut unplaced) = (Vec::<RowReject>::new(), Vec::new());
        for error in self.errors() {
            let line = error.strip_prefix("Line ").and_then(|rest| rest.split_once(':'));
            let line =
                line.and_then(|(number, text)| Some((number.trim().parse::<u64>().ok()?, text.trim())));
            let row = line.zip(first_line).and_then(|((line, _), first)| line.checked_sub(first));
            match (row.filter(|row| *row < rows), line) {
                (Some(row), Some((_, text))) => {
                    if rejects.iter().any(|reject| reject.row == row) {
                        continue;
                    }
                    rejects.push(RowReject {
                        row,
                        code: "import.row-refused".to_owned(),
                        message: format!("Constant Contact did not import it: {text}"),
                        details: json!({ "activity_id": self.activity_id, "activity_error": error }),
                        ..RowReject::default()
                    });
                }
                _ => unplaced.push(error),
            }
        }
        (rejects, unplaced)
    }
}

fn said(errors: &[String]) -> String {
    let first: Vec<&str> = errors.iter().take(3).map(String::as_str).collect();
    if first.is_empty() { String::new() } else { format!(": {}", first.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: Value, errors: Value, first_line: Option<u64>) -> String {
        let body = json!({ "activity_id": "a-1", "state": "completed", "status": status, "activity_errors": errors });
        let Told { outcome, warnings, open } = activity(&body.to_string()).unwrap().outcome(3, first_line);
        let rejects: Vec<String> =
            outcome.rejects.iter().map(|r| format!("{} {}", r.row, r.message)).collect();
        let open = open.map(|open| format!(" open {}{}", open.count, open.words)).unwrap_or_default();
        format!("{:?} {rejects:?} {warnings:?}{open}", outcome.fates)
    }

    fn counts(persons: u64, errors: u64, correctable: u64, kept_off: u64) -> Value {
        json!({
            "items_total_count": 4, "person_count": persons, "error_count": errors, "correctable_count": correctable,
            "cannot_add_to_list_count": kept_off,
        })
    }

    #[test]
    fn never_more_than_is_known() {
        let lines = json!(["Line 3: Invalid birthday", "Line 3: Invalid anniversary"]);
        let cases = [
            ("everything went in", told(counts(3, 0, 0, 0), json!([]), Some(2))),
            ("no counters", told(json!(null), json!(null), Some(2))),
            ("no persons", told(json!({ "error_count": 0 }), json!([]), Some(2))),
            (
                "half of the counters",
                told(json!({ "person_count": 3, "error_count": 0 }), json!([]), Some(2)),
            ),
            (
                "nobody says who unsubscribed",
                told(
                    json!({ "person_count": 3, "error_count": 0, "correctable_count": 0 }),
                    json!([]),
                    Some(2),
                ),
            ),
            (
                "lines were cut off",
                told(
                    json!({ "items_total_count": 2, "person_count": 3, "error_count": 0, "correctable_count": 0,
                    "cannot_add_to_list_count": 0 }),
                    json!([]),
                    Some(2),
                ),
            ),
            ("unsubscribed", told(counts(3, 0, 0, 1), json!([]), Some(2))),
            ("an error with its line", told(counts(3, 0, 1, 0), lines.clone(), Some(2))),
            ("its row is not counted", told(counts(2, 1, 0, 0), lines.clone(), Some(2))),
            ("the line is not to be trusted", told(counts(3, 0, 1, 0), lines.clone(), None)),
            ("more errors than lines", told(counts(3, 1, 1, 0), lines, Some(2))),
            ("the header's line", told(counts(3, 1, 0, 0), json!(["Line 1: no"]), Some(2))),
            ("a line beyond", told(counts(3, 1, 0, 0), json!(["Line 5: no"]), Some(2))),
            ("an object", told(counts(3, 1, 0, 0), json!([{ "message": "no" }, 7, ""]), Some(2))),
            ("errors that no counter knows", told(counts(3, 0, 0, 0), json!(["the file is odd"]), Some(2))),
            ("fewer than were sent", told(counts(2, 0, 0, 0), json!([]), Some(2))),
        ];
        let told: Vec<String> = cases.iter().map(|(what, told)| format!("{what}: {told}")).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn states() {
        let state = |state: &str| {
            activity(&json!({ "activity_id": "a", "state": state }).to_string()).unwrap().state()
        };
        assert_eq!(["initialized", "processing"].map(state), [State::Running; 2]);
        assert_eq!(["failed", "timed_out"].map(state), [State::GivenUp; 2]);
        assert_eq!(state("cancelled"), State::Cancelled);
        assert_eq!((state("completed"), state("COMPLETED")), (State::Completed, State::Other));
        for bad in ["", "[]", "{}", r#"{"activity_id":"../x","state":"completed"}"#, r#"{"activity_id":"a"}"#]
        {
            assert_eq!(activity(bad).unwrap_err().code, "import.reply", "{bad}");
        }
    }
}
