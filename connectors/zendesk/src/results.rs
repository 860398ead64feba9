//! What a job's results say of the rows. The schema and the real replies differ, so every member is optional, and
//! nothing counts as done but what says so (DEV-JOB, OAS, ZENPY, COMM).

use serde_json::{Value, json};
use usher_sdk::outbox::{Fates, Progress, RowReject, UnitOutcome};

use crate::{
    api::{Job, Load, collect, descriptions},
    properties::column_of,
};

/// The code of a row whose address or key is another user's.
pub(crate) const DUPLICATE: &str = "vendor.duplicate";
/// How Zendesk says so, besides the name `DuplicateValue`; entries of jobs have words alone (ZENPY, COMM).
const DUPLICATE_WORDS: [&str; 2] = ["already being used", "already been taken"];

/// A row that was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentRow {
    /// From 0 within the unit.
    pub(crate) row: u64,
    /// Its address; blank when it has none.
    pub(crate) address: String,
}

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

/// Whether a job has ended. `queued`, `working`, and whatever else may come to be, have not.
pub(crate) fn has_ended(job: &Job) -> bool {
    matches!(job.status.as_str(), "completed" | "failed" | "killed")
}

/// What came of a job that has ended, which was given these rows.
pub(crate) fn progress(job: &Job, sent: &[SentRow], load: Load) -> Progress {
    let completed = job.status == "completed";
    let Some(results) = job.results.as_array() else {
        // A job that failed as a whole says nothing of its rows: it is as good as lost.
        return if job.results.is_null() && !completed {
            Progress::Lost
        } else {
            Progress::NotUnderstood(job.text.clone())
        };
    };
    // More results than rows, or a few of a job that failed: whose they are cannot be told.
    if results.len() > sent.len() || (results.len() < sent.len() && !completed) {
        return Progress::NotUnderstood(job.text.clone());
    }
    Progress::Done(outcome(job, results, sent, load))
}

fn outcome(job: &Job, results: &[Value], sent: &[SentRow], load: Load) -> UnitOutcome {
    let mut outcome = UnitOutcome::all(Fates::Confirmed, Value::Null);
    let (mut created, mut updated) = (0u64, 0u64);
    let entries = entries(results, sent);
    for (sent, entry) in sent.iter().zip(&entries) {
        match entry.map_or(Entry::Unclear, |entry| read(entry, sent.row)) {
            Entry::Created => created += 1,
            Entry::Updated | Entry::Done => updated += 1,
            Entry::Failed(reject) => outcome.rejects.push(reject),
            Entry::Unclear => outcome.unknown.push(sent.row),
        }
    }
    outcome.answer = json!({
        "job": job.id,
        "status": job.status,
        "created": created,
        "updated": updated,
        "failed": outcome.rejects.len(),
        "unknown": outcome.unknown.len(),
    });
    if load == Load::Organizations {
        // The ledger keeps them for a run that goes on.
        outcome.answer["ids"] =
            entries.iter().map(|entry| entry.and_then(id_of).map_or(Value::Null, Value::from)).collect();
    }
    outcome
}

/// The entry of each row. A whole list is in the order of the request (COMM). In a shorter one the entries that lack may
/// be any, so one counts only if it names its row, and no other names the same.
fn entries<'r>(results: &'r [Value], sent: &[SentRow]) -> Vec<Option<&'r Value>> {
    if results.len() == sent.len() {
        return results.iter().map(Some).collect();
    }
    let first = first_number(results, sent.len());
    let mut found: Vec<Vec<&Value>> = vec![Vec::new(); sent.len()];
    for entry in results {
        let place = by_address(entry, sent).or_else(|| {
            usize::try_from(number_of(entry)?.checked_sub(first?)?).ok().filter(|place| *place < sent.len())
        });
        if let Some(place) = place {
            found[place].push(entry);
        }
    }
    found.iter().map(|of_row| if let [one] = of_row.as_slice() { Some(*one) } else { None }).collect()
}

/// The only row with the address of an entry.
fn by_address(entry: &Value, sent: &[SentRow]) -> Option<usize> {
    let address = entry["email"].as_str().filter(|address| !address.is_empty())?;
    let mut fitting = sent.iter().enumerate().filter(|(_, sent)| sent.address.eq_ignore_ascii_case(address));
    let (place, _) = fitting.next()?;
    fitting.next().is_none().then_some(place)
}

/// The row's number in an entry: its `index`, or the `id` of a failed one (COMM).
fn number_of(entry: &Value) -> Option<i64> {
    entry["index"].as_i64().or_else(|| entry["id"].as_i64().filter(|_| is_failed(entry)))
}

/// The number of the first row, which is not documented: only numbers that the other way of counting does not have show
/// it.
fn first_number(results: &[Value], rows: usize) -> Option<i64> {
    let has = |number: i64| results.iter().any(|entry| number_of(entry) == Some(number));
    match (has(0), has(i64::try_from(rows).ok()?)) {
        (true, false) => Some(0),
        (false, true) => Some(1),
        _ => None,
    }
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
    let text = format!("{listed} {}", details.as_str().unwrap_or_default()).to_lowercase();
    let duplicate =
        names.contains(&"DuplicateValue") || DUPLICATE_WORDS.iter().any(|words| text.contains(words));
    let code = if duplicate { DUPLICATE } else { "vendor.refused" };
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

    fn job(status: &str, results: Value) -> Job {
        Job { id: "j".to_owned(), status: status.to_owned(), results, text: "kept".to_owned() }
    }

    /// Rows with the addresses `0@example.com`, `1@example.com`…
    fn rows(count: u64) -> Vec<SentRow> {
        (0..count).map(|row| SentRow { row, address: format!("{row}@example.com") }).collect()
    }

    fn told(job: &Job, count: u64) -> String {
        match progress(job, &rows(count), UPSERT) {
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
            told(&job("completed", results.clone()), 3),
            r#"1 1 1, rejects ["1 vendor.refused ``"] unknown []"#
        );
        assert!(
            told(&job("completed", results.clone()), 5).ends_with("unknown [0, 1, 2, 3, 4]"),
            "any may lack"
        );
        assert!(told(&job("failed", results.clone()), 3).starts_with("1 1 1"), "all rows are told of");
        assert_eq!(told(&job("completed", results.clone()), 2), "not understood: kept");
        assert_eq!(told(&job("failed", results.clone()), 5), "not understood: kept");
        assert_eq!(told(&job("killed", results), 5), "not understood: kept");
    }

    #[test]
    fn an_entry_of_a_short_list_counts_if_it_names_its_row() {
        let of = |results: Value, rows| told(&job("completed", results), rows);
        let by_address = json!([
            { "id": 101, "status": "Updated", "email": "2@EXAMPLE.com" },
            { "id": 102, "status": "Updated", "email": "elsewhere@example.com" },
            { "id": 100, "status": "Created" },
        ]);
        assert_eq!(of(by_address, 4), "0 1 0, rejects [] unknown [0, 1, 3]");
        let failed = |number: u64| json!({ "id": number, "error": "x", "status": "Failed", "details": "no" });
        // A number tells the row only where the list shows from where it counts.
        assert_eq!(of(json!([failed(1), failed(2)]), 4), "0 0 0, rejects [] unknown [0, 1, 2, 3]");
        assert!(
            of(json!([failed(0), failed(2)]), 4)
                .ends_with(r#"rejects ["0 vendor.refused ``", "2 vendor.refused ``"] unknown [1, 3]"#)
        );
        assert!(of(json!([failed(4)]), 4).ends_with(r#"rejects ["3 vendor.refused ``"] unknown [0, 1, 2]"#));
        // Two of one row contradict each other.
        let twice = json!([failed(0), { "id": 7, "status": "Created", "email": "0@example.com" }]);
        assert!(of(twice, 3).ends_with("unknown [0, 1, 2]"));
    }

    #[test]
    fn duplicates_are_known_by_zendesks_words() {
        let code = |details: &str| {
            reject(&json!({ "id": 1, "error": "UserUpdateError", "details": details, "status": "Failed" }), 0)
                .code
        };
        assert_eq!(code("Email: a@example.com is already being used by another user"), "vendor.duplicate");
        assert_eq!(code("External has already been taken"), "vendor.duplicate");
        assert_eq!(code("Name: is too short"), "vendor.refused");
    }

    #[test]
    fn jobs_without_results() {
        for status in ["queued", "working", "never heard of"] {
            assert!(!has_ended(&job(status, json!(null))), "{status}");
        }
        assert_eq!(told(&job("failed", json!(null)), 1), "lost");
        assert_eq!(told(&job("killed", json!(null)), 1), "lost");
        assert_eq!(told(&job("completed", json!(null)), 1), "not understood: kept");
        assert_eq!(told(&job("completed", json!({ "success": true })), 1), "not understood: kept");
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
        let Progress::Done(outcome) = progress(&job("completed", results), &rows(3), Load::Organizations)
        else {
            panic!("done")
        };
        assert_eq!(outcome.answer["ids"], json!([7, null, 9]));
    }
}
