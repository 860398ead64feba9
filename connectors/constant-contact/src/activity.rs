//! What an activity of the vendor says of the contacts that it was to import, and what it does not say.

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
    /// Texts; of other kinds of activities objects with a `message`.
    #[serde(default)]
    activity_errors: Option<Vec<Value>>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Status {
    items_total_count: Option<u64>,
    person_count: Option<u64>,
    error_count: Option<u64>,
    correctable_count: Option<u64>,
    cannot_add_to_list_count: Option<u64>,
}

/// How far an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Completed,
    /// Given up by the vendor: what it has done by then is not said.
    GivenUp,
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
            "cancelled" | "failed" | "timed_out" => State::GivenUp,
            _ => State::Other,
        }
    }

    /// What went wrong, in the vendor's words.
    pub(crate) fn errors(&self) -> impl Iterator<Item = String> {
        let errors = self.activity_errors.iter().flatten();
        let text = |error: &Value| error.as_str().or(error["message"].as_str()).map(plain);
        errors.filter_map(text).filter(|text| !text.is_empty())
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

    /// What a completed import says of its `rows`, and what a person should know of it. `first_line` is the line by which
    /// errors name the first row; none: lines say nothing.
    ///
    /// Confirmed are rows only where the counters say that everybody was imported and put on the lists.
    pub(crate) fn outcome(&self, rows: u64, first_line: Option<u64>) -> (UnitOutcome, Vec<String>) {
        let status = self.status.clone().unwrap_or_default();
        let mut warnings = Vec::new();
        let mut warn = |text: String| warnings.push(format!("import {}: {text}", self.activity_id));
        let (rejects, unplaced) = self.rejects(rows, first_line);
        let named = rejects.len() as u64;
        let failed = match (status.error_count, status.correctable_count) {
            (None, None) => None,
            (errors, correctable) => Some(errors.unwrap_or(0) + correctable.unwrap_or(0)),
        };
        let kept_off = status.cannot_add_to_list_count.unwrap_or(0);
        if kept_off > 0 {
            warn(format!(
                "{} unsubscribed before and cannot be added to a list; who, is not said",
                counted(kept_off, "contact has", "contacts have")
            ));
        }
        let all_there = status.person_count.map(|persons| persons == rows || persons + named == rows);
        let mut fates = match (failed, all_there) {
            (Some(_), Some(true)) if kept_off == 0 && unplaced.is_empty() => Fates::Confirmed,
            _ => Fates::Accepted,
        };
        if failed.is_none() || all_there.is_none() {
            warn(
                "it is completed, and its counters are missing: the contacts are taken, not confirmed"
                    .to_owned(),
            );
        }
        if failed.is_some_and(|failed| failed > named) {
            fates = Fates::Unknown;
            warn(format!(
                "{} not imported, and it cannot be told which{}; see the import in Constant Contact, where addresses and \
                 dates can be corrected{}",
                counted(failed.unwrap_or(0) - named, "contact was", "contacts were"),
                if named > 0 { " beside those rejected" } else { "" },
                said(&unplaced)
            ));
        } else if !unplaced.is_empty() {
            warn(format!("it says what cannot be placed{}", said(&unplaced)));
        }
        if all_there == Some(false) {
            fates = Fates::Unknown;
            let persons = status.person_count.unwrap_or(0);
            warn(format!(
                "it counted {} of the {rows} that were sent; which, is not said",
                counted(persons, "contact", "contacts")
            ));
        }
        (UnitOutcome { rejects, ..UnitOutcome::all(fates, self.answer()) }, warnings)
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
        let (outcome, warnings) = activity(&body.to_string()).unwrap().outcome(3, first_line);
        let rejects: Vec<String> =
            outcome.rejects.iter().map(|r| format!("{} {}", r.row, r.message)).collect();
        format!("{:?} {rejects:?} {warnings:?}", outcome.fates)
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
        assert_eq!(["cancelled", "failed", "timed_out"].map(state), [State::GivenUp; 3]);
        assert_eq!((state("completed"), state("COMPLETED")), (State::Completed, State::Other));
        for bad in ["", "[]", "{}", r#"{"activity_id":"../x","state":"completed"}"#, r#"{"activity_id":"a"}"#]
        {
            assert_eq!(activity(bad).unwrap_err().code, "import.reply", "{bad}");
        }
    }
}
