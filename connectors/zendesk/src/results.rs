//! What a job's results say of the rows. The schema and the real replies differ, so every member is optional, and
//! nothing counts as done but what says so (DEV-JOB, OAS, ZENPY, COMM).

use serde_json::{Value, json};
use usher_sdk::outbox::{Fates, Progress, RowReject, UnitOutcome};

use crate::{
    api::{Job, Load, collect, descriptions},
    properties::column_of,
};

/// What an entry says.
#[derive(Debug)]
enum Entry {
    Created,
    Updated,
    /// Done; what was done is not said.
    Done,
    Failed(RowReject),
    /// Nothing that is known.
    Unclear,
}

/// How far a job with so many rows is.
pub(crate) fn progress(job: &Job, rows: u64, load: Load) -> Progress {
    match job.status.as_str() {
        "completed" | "failed" | "killed" => {}
        // `queued`, `working`, and whatever else may come to be.
        _ => return Progress::Running,
    }
    let completed = job.status == "completed";
    let Some(results) = job.results.as_array() else {
        // A job that failed as a whole says nothing of its rows. What may be sent twice is.
        return if job.results.is_null() && !completed && load.may_be_sent_again() {
            Progress::Lost
        } else {
            Progress::NotUnderstood(job.text.clone())
        };
    };
    let given = results.len() as u64;
    // Results come in the order of the request (COMM). More of them than rows, or a few of a job that failed, cannot be
    // told apart by their place.
    if given > rows || (given < rows && !completed) {
        return Progress::NotUnderstood(job.text.clone());
    }
    Progress::Done(outcome(job, results, rows, load))
}

fn outcome(job: &Job, results: &[Value], rows: u64, load: Load) -> UnitOutcome {
    let mut outcome = UnitOutcome::all(Fates::Confirmed, Value::Null);
    let (mut created, mut updated, mut done) = (0u64, 0u64, 0u64);
    for (row, entry) in (0u64..).zip(results) {
        match read(entry, row) {
            Entry::Created => created += 1,
            Entry::Updated => updated += 1,
            Entry::Done => done += 1,
            Entry::Failed(reject) => outcome.rejects.push(reject),
            Entry::Unclear => outcome.unknown.push(row),
        }
    }
    outcome.unknown.extend(results.len() as u64..rows);
    outcome.answer = json!({
        "job": job.id,
        "status": job.status,
        "created": created,
        "updated": updated + done,
        "failed": outcome.rejects.len(),
        "unknown": outcome.unknown.len(),
    });
    if load == Load::Organizations {
        // The ledger keeps them for a run that goes on.
        outcome.answer["ids"] =
            results.iter().map(|entry| id_of(entry).map_or(Value::Null, Value::from)).collect();
    }
    outcome
}

/// The id of what was created or updated; the `id` of a failed entry is a position (COMM).
fn id_of(entry: &Value) -> Option<i64> {
    entry["id"].as_i64().filter(|_| !is_failed(entry))
}

fn is_failed(entry: &Value) -> bool {
    let error = !matches!(&entry["error"], Value::Null | Value::Bool(false));
    let status = entry["status"].as_str().is_some_and(|status| status.eq_ignore_ascii_case("failed"));
    error || status || entry["success"] == Value::Bool(false)
}

fn read(entry: &Value, row: u64) -> Entry {
    if is_failed(entry) {
        return Entry::Failed(reject(entry, row));
    }
    let status = entry["status"].as_str().unwrap_or_default();
    if status.eq_ignore_ascii_case("created") {
        Entry::Created
    } else if status.eq_ignore_ascii_case("updated") {
        Entry::Updated
    // OAS has entries of `create_many` with `id` and `index` alone.
    } else if entry["success"] == Value::Bool(true)
        || (status.is_empty() && entry["id"].is_i64() && entry["index"].is_i64())
    {
        Entry::Done
    } else {
        Entry::Unclear
    }
}

/// The reject of a failed entry, with Zendesk's own words.
fn reject(entry: &Value, row: u64) -> RowReject {
    let details = &entry["details"];
    let (mut names, listed) = (Vec::new(), descriptions(details));
    collect(entry, "error", &mut names);
    let said = [Some(listed.as_str()), details.as_str(), entry["message"].as_str(), entry["error"].as_str()];
    let said = said.into_iter().flatten().find(|text| !text.trim().is_empty());
    let said: String =
        said.unwrap_or("no reason is given").chars().filter(|c| !c.is_control()).take(300).collect();
    let duplicate = names.contains(&"DuplicateValue");
    let code = if duplicate { "vendor.duplicate" } else { "vendor.refused" };
    let column = details.as_object().and_then(|members| members.keys().find_map(|name| column_of(name)));
    RowReject {
        row,
        column: column.unwrap_or_default().to_owned(),
        code: code.to_owned(),
        message: format!("Zendesk did not take the row: {said}"),
        retryable: false,
        details: entry.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ImportType;

    const UPSERT: Load = Load::Users(ImportType::CreateAndUpdate);
    const CREATE: Load = Load::Users(ImportType::Create);

    fn job(status: &str, results: Value) -> Job {
        Job { id: "j".to_owned(), status: status.to_owned(), results, text: "kept".to_owned() }
    }

    fn told(job: &Job, rows: u64, load: Load) -> String {
        match progress(job, rows, load) {
            Progress::Running => "running".to_owned(),
            Progress::Lost => "lost".to_owned(),
            Progress::NotUnderstood(text) => format!("not understood: {text}"),
            Progress::Done(outcome) => {
                let rejects: Vec<String> =
                    outcome.rejects.iter().map(|r| format!("{} {} `{}`", r.row, r.code, r.column)).collect();
                let count = |name: &str| &outcome.answer[name];
                let (created, updated, failed) = (count("created"), count("updated"), count("failed"));
                assert_eq!(*count("unknown"), json!(outcome.unknown.len()));
                format!("{created} {updated} {failed}, rejects {rejects:?} unknown {:?}", outcome.unknown)
            }
        }
    }

    #[test]
    fn every_shape_of_an_entry() {
        let entries = [
            (json!({ "id": 1, "status": "Created" }), "Created"),
            (json!({ "id": 1, "action": "update", "status": "Updated", "success": true }), "Updated"),
            (json!({ "id": 1, "status": "Updated", "email": "a@example.com" }), "Updated"),
            (json!({ "id": 1, "index": 0 }), "Done"),
            (json!({ "success": true }), "Done"),
            (
                json!({ "id": 1, "action": "update", "error": "no", "success": false, "details": "x" }),
                "Failed",
            ),
            (
                json!({ "id": 2, "error": "UserUpdateError", "details": "Name: x", "status": "Failed" }),
                "Failed",
            ),
            (json!({ "index": 3, "error": "x", "details": "y" }), "Failed"),
            (json!({ "id": 1, "status": "Created", "error": "x" }), "Failed"),
            (json!({ "id": 1, "status": "Created", "success": false }), "Failed"),
            (json!({ "status": "failed" }), "Failed"),
            (json!({ "id": 1 }), "Unclear"),
            (json!({ "id": 1, "index": 0, "status": "Ignored" }), "Unclear"),
            (json!({}), "Unclear"),
            (json!(null), "Unclear"),
            (json!("Created"), "Unclear"),
            (json!(17), "Unclear"),
        ];
        for (entry, expected) in entries {
            let read = format!("{:?}", read(&entry, 0));
            assert!(read.starts_with(expected), "{entry} is {read}, not {expected}");
        }
    }

    #[test]
    fn results_are_those_of_the_rows_at_their_place() {
        let results = json!([
            { "id": 100, "status": "Created" },
            { "id": 2, "error": "UserUpdateError", "status": "Failed", "details": "Name: is too short" },
            { "id": 101, "status": "Updated" },
        ]);
        assert_eq!(
            told(&job("completed", results.clone()), 3, UPSERT),
            r#"1 1 1, rejects ["1 vendor.refused ``"] unknown []"#
        );
        assert!(told(&job("completed", results.clone()), 5, UPSERT).ends_with("unknown [3, 4]"));
        assert!(
            told(&job("failed", results.clone()), 3, UPSERT).starts_with("1 1 1"),
            "all rows are told of"
        );
        assert_eq!(told(&job("completed", results.clone()), 2, UPSERT), "not understood: kept");
        assert_eq!(told(&job("failed", results.clone()), 5, UPSERT), "not understood: kept");
        assert_eq!(told(&job("killed", results), 5, UPSERT), "not understood: kept");
    }

    #[test]
    fn jobs_without_results() {
        for status in ["queued", "working", "never heard of"] {
            assert_eq!(told(&job(status, json!(null)), 1, UPSERT), "running");
        }
        assert_eq!(told(&job("failed", json!(null)), 1, UPSERT), "lost");
        assert_eq!(told(&job("killed", json!(null)), 1, UPSERT), "lost");
        assert_eq!(told(&job("failed", json!(null)), 1, CREATE), "not understood: kept");
        assert_eq!(told(&job("completed", json!(null)), 1, UPSERT), "not understood: kept");
        assert_eq!(told(&job("completed", json!({ "success": true })), 1, UPSERT), "not understood: kept");
    }

    #[test]
    fn rejects_name_column_and_reason() {
        let entry = json!({
            "error": "RecordInvalid",
            "details": { "email": [{ "description": "Email: a@example.com is already being used", "error": "DuplicateValue" }] },
        });
        let reject = reject(&entry, 4);
        assert_eq!(
            (reject.row, reject.code.as_str(), reject.column.as_str()),
            (4, "vendor.duplicate", "emails")
        );
        assert_eq!(
            reject.message,
            "Zendesk did not take the row: Email: a@example.com is already being used"
        );
        assert_eq!(reject.details, entry);
        let phone = json!({ "error": "x", "details": { "phone": [{ "error": "InvalidFormat", "description": "Phone" }] } });
        assert_eq!(super::reject(&phone, 0).column, "phones");
        assert!(super::reject(&json!({ "status": "Failed" }), 0).message.ends_with("no reason is given"));
    }

    #[test]
    fn organizations_that_were_created_have_ids() {
        let results =
            json!([{ "id": 7, "status": "Created" }, { "id": 1, "error": "x" }, { "id": 9, "index": 2 }]);
        let Progress::Done(outcome) = progress(&job("completed", results), 3, Load::Organizations) else {
            panic!("done")
        };
        assert_eq!(outcome.answer["ids"], json!([7, null, 9]));
    }
}
