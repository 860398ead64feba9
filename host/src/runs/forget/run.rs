//! A run's folder without the person.
//!
//! New files are written beside the old ones; then the receipt is replaced, and then the files. Whoever is ended between
//! leaves a run whose receipt says that something has changed, and in which the person is found again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use usher_abi::Error;

use super::{
    document::redact,
    file::{Book, Judge, Without, made, without},
    person::Person,
    places::{Places, Seen},
    records::Form,
};
use crate::runs::{
    ForgottenIn, RECEIPT, Receipt, Run, files_below,
    replace::{TEMPORARY, fault, persist, pretty},
    unreadable,
};

const REPORT: &str = "report.json";

/// The run's own books, and in which of their columns texts about people stand.
const BOOKS: [(&str, &[&str]); 6] = [
    ("rejects.ndjson", &["message", "raw", "details", "key"]),
    ("rejects.csv", &["message", "raw"]),
    ("left-out.csv", &["value", "message"]),
    ("merged.csv", &[]),
    ("withdrawn.csv", &["key"]),
    ("missing.csv", &["key"]),
];

/// What was found in a run: its files, with records or mentions.
pub(super) struct InRun {
    pub(super) files: Vec<ForgottenIn>,
    /// Vendors' reports that were imported for it, with records.
    pub(super) imported: Vec<(PathBuf, u64)>,
    /// Inputs that are not what the run read any more, while it has books that name records by their place only.
    pub(super) lost: Vec<String>,
}

/// Takes the person out of a run, or only looks (`dry`). Relative paths of inputs start at `base`.
pub(super) fn forget_in_run(
    run: &Run,
    base: &Path,
    person: &Person,
    seen: &mut Seen,
    dry: bool,
) -> Result<InRun, Error> {
    let folder = &run.folder;
    let mut report: Option<Value> =
        fs::read(folder.join(REPORT)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let mut receipt = Receipt::read(folder).ok();
    let (places, lost) = match (&receipt, &report) {
        (Some(receipt), Some(report)) => Places::of(receipt, report, folder, base, person, seen),
        _ => Default::default(),
    };
    let mut changed = Vec::new();
    for name in files_below(folder).map_err(|error| unreadable(folder, &error))? {
        let path = folder.join(&name);
        let is_file = fs::symlink_metadata(&path).is_ok_and(|file| file.is_file());
        if name.rsplit('/').next().is_some_and(|last| last.starts_with(TEMPORARY)) && !dry {
            // Of an attempt that was ended.
            fs::remove_file(&path).map_err(|error| fault(&path, &error))?;
        } else if is_file && name != RECEIPT && name != REPORT {
            let form = form_of(&name, report.as_ref());
            let book = BOOKS.iter().find(|(book, _)| *book == name);
            let judge = |told: Form| {
                let form = form.unwrap_or(told);
                match book {
                    Some((_, texts)) => Judge::book(person, form, Book { texts, places: &places }),
                    None => Judge::values(person, form),
                }
            };
            changed.extend(without(&path, &name, person, judge)?.map(|file| (path, file)));
        }
    }
    if let Some(report) = &mut report {
        let mentions = redact(report, person);
        let parts = changed.iter().filter(|(_, file)| note_part(report, file)).count();
        if mentions > 0 || parts > 0 {
            let path = folder.join(REPORT);
            let file = made(&path, REPORT, &pretty(report)?, mentions, Form::Document)?;
            changed.push((path, file));
        }
    }
    let imported = imported_without(run, person, &places, dry)?;
    let mut told: Vec<ForgottenIn> = changed.iter().map(|(_, file)| of(file)).collect();
    if let Some(receipt) = &mut receipt {
        let mentions: u64 = receipt.connectors.values_mut().map(|said| redact(said, person)).sum();
        if mentions > 0 {
            told.push(ForgottenIn { path: RECEIPT.to_owned(), records: mentions });
        }
        if !told.is_empty() && !dry {
            note(receipt, &changed, &told);
            receipt.write(folder)?;
        }
    }
    if !dry {
        for (path, Without { file, .. }) in changed {
            persist(file, &path)?;
        }
    }
    // Of the report only its numbers may have changed.
    told.retain(|file| file.records > 0);
    let by_place = ["merged.csv", "left-out.csv"];
    let is_lost = !told.is_empty() && by_place.iter().any(|name| has_rows(&folder.join(name)));
    Ok(InRun { files: told, imported, lost: if is_lost { lost } else { Vec::new() } })
}

/// Takes the person out of the reports of vendors that were imported for a run, or only looks.
fn imported_without(
    run: &Run,
    person: &Person,
    places: &Places,
    dry: bool,
) -> Result<Vec<(PathBuf, u64)>, Error> {
    let mut found = Vec::new();
    let (_, texts) = BOOKS[0];
    for path in run.imported().map_err(|error| unreadable(&run.imported_folder(), &error))? {
        let judge = |_| Judge::book(person, Form::Lines, Book { texts, places });
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(Without { records, file, .. }) = without(&path, &name, person, judge)? {
            if !dry {
                persist(file, &path)?;
            }
            found.push((path, records));
        }
    }
    Ok(found)
}

fn of(Without { records, digest, .. }: &Without) -> ForgottenIn {
    ForgottenIn { path: digest.path.clone(), records: *records }
}

/// What a file of a run is; `None` if nobody has said it.
fn form_of(name: &str, report: Option<&Value>) -> Option<Form> {
    if let Some(part) = report.and_then(|report| parts(report).find(|part| part["path"] == name)) {
        return match part["format"].as_str() {
            Some("csv") => Some(Form::Csv {
                delimiter: part["delimiter"].as_str().and_then(|text| text.bytes().next()).unwrap_or(b','),
                header: part["header"].as_bool().unwrap_or(true),
            }),
            Some("ndjson") => Some(Form::Lines),
            Some("json") => Some(Form::Array),
            _ => None,
        };
    }
    match name {
        _ if name.ends_with("UPLOAD.md") => Some(Form::Text),
        "rejects.ndjson" => Some(Form::Lines),
        // Tables of the run itself.
        _ if !name.contains('/') && name.ends_with(".csv") => {
            Some(Form::Csv { delimiter: b',', header: true })
        }
        _ => None,
    }
}

fn parts(report: &Value) -> impl Iterator<Item = &Value> {
    let connectors = report["connectors"].as_array().into_iter().flatten();
    connectors.flat_map(|connector| connector["parts"].as_array().into_iter().flatten())
}

/// Notes in the report what a part is now; false if the file is none.
fn note_part(report: &mut Value, Without { records, form, digest, .. }: &Without) -> bool {
    let connectors = report["connectors"].as_array_mut().into_iter().flatten();
    let mut parts = connectors.flat_map(|connector| connector["parts"].as_array_mut().into_iter().flatten());
    let Some(part) = parts.find(|part| part["path"] == digest.path.as_str()) else { return false };
    if !matches!(form, Form::Document | Form::Text) {
        part["rows"] = json!(part["rows"].as_u64().unwrap_or(0).saturating_sub(*records));
    }
    (part["bytes"], part["digest"]) = (json!(digest.bytes), json!(digest.digest));
    true
}

/// Notes in the receipt what the files are now, and that it is not what they were.
fn note(receipt: &mut Receipt, changed: &[(std::path::PathBuf, Without)], told: &[ForgottenIn]) {
    for (_, Without { digest, .. }) in changed {
        if let Some(file) = receipt.files.iter_mut().find(|file| file.path == digest.path) {
            file.clone_from(digest);
        }
    }
    for one in told {
        match receipt.since.forgotten.iter_mut().find(|before| before.path == one.path) {
            Some(before) => before.records += one.records,
            None => receipt.since.forgotten.push(one.clone()),
        }
    }
}

/// Whether a table has more than its headings.
fn has_rows(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| text.iter().filter(|byte| **byte == b'\n').count() > 1)
}
