//! Runs, and files of runs, that are older than the manifest keeps them.
//!
//! It is safe to be ended at any time: a run is out of sight before its files go, and a file is noted as pruned before it
//! goes. The next prune removes what is left.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::Value;
use usher_abi::Error;

use super::{
    FileDigest, Receipt, Run, Since, all, files_below,
    find::IMPORTED,
    replace::{fault, pretty, replace},
    summary, unreadable,
};
use crate::manifest::Retention;

/// Files of a run that hold values of people who are not in its parts.
const REJECTS: [&str; 5] = ["rejects.csv", "rejects.ndjson", "left-out.csv", "withdrawn.csv", "missing.csv"];

/// The books of a run.
const REPORT: &str = "report.json";

/// What the folder of a run is called while it is being removed.
const GOING: &str = ".pruning-";

/// What was removed of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Its chain.
    pub chain: String,
    /// The run.
    pub run: String,
    /// Whether nothing of it is left.
    pub whole: bool,
    /// The files, by their paths in its folder; those imported for it, by their paths beside it.
    pub files: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
}

/// Removes what is older than `keep` says, or only tells it (`dry`). Of the runs that `latest` names, that are partly sent
/// or for which something `waits` only files go. A run without a receipt loses no single files, since nobody could tell any
/// more that they went on purpose.
pub fn prune(
    out: &Path,
    keep: Retention,
    now: SystemTime,
    waits: impl Fn(&Run) -> bool,
    dry: bool,
) -> Result<Vec<Pruned>, Error> {
    let mut told = Vec::new();
    for run in all(out)? {
        let old = |age: Option<Duration>| {
            age.is_some_and(|age| now.duration_since(run.published).is_ok_and(|since| since > age))
        };
        let files = files_below(&run.folder).map_err(|error| unreadable(&run.folder, &error))?;
        // Of one that cannot be read nobody knows whether it is done.
        let is_done = || summary(&run.folder).is_ok_and(|summary| !summary.is_partly_sent());
        let whole = old(keep.runs) && !run.latest && !waits(&run) && is_done();
        let goes = |path: &String| {
            whole
                || (old(keep.rejects) && REJECTS.contains(&path.as_str()))
                || (old(keep.inputs) && path.starts_with("inputs/"))
        };
        let mut files: Vec<String> = files.into_iter().filter(goes).collect();
        // What was imported yesterday for a run of last year is of yesterday.
        let age = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        let is_old = |path: &PathBuf| {
            let keep = keep.rejects.filter(|_| !whole);
            whole
                || keep.is_some_and(|keep| {
                    age(path).is_ok_and(|at| now.duration_since(at).is_ok_and(|since| since > keep))
                })
        };
        let mut imported = run.imported().map_err(|error| unreadable(&run.imported_folder(), &error))?;
        imported.retain(is_old);
        if files.is_empty() && imported.is_empty() {
            continue;
        }
        let paths = files.iter().map(|path| run.folder.join(path)).chain(imported.iter().cloned());
        let bytes = paths.map(|path| fs::metadata(path).map_or(0, |file| file.len())).sum();
        let gone = match whole {
            _ if dry => true,
            true => remove_run(&run).map(|()| true)?,
            false if files.is_empty() => true,
            false => remove_files(&run, &files)?,
        };
        if gone && !dry {
            imported
                .iter()
                .try_for_each(|path| fs::remove_file(path).map_err(|error| fault(path, &error)))?;
            // Only an empty folder can be removed.
            let _ = fs::remove_dir(run.imported_folder());
        }
        if gone {
            let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.extend(imported.iter().map(|path| format!("{}{IMPORTED}/{}", run.id, name(path))));
            told.push(Pruned { chain: run.chain, run: run.id, whole, files, bytes });
        }
    }
    if !dry {
        sweep(out)?;
    }
    Ok(told)
}

fn remove_run(run: &Run) -> Result<(), Error> {
    let going = run.folder.with_file_name(format!("{GOING}{}", run.id));
    fs::rename(&run.folder, &going)
        .and_then(|()| fs::remove_dir_all(&going))
        .map_err(|error| fault(&run.folder, &error))
}

/// Removes files of a run; false if they must stay.
fn remove_files(run: &Run, files: &[String]) -> Result<bool, Error> {
    let Ok(mut receipt) = Receipt::read(&run.folder) else { return Ok(false) };
    let Receipt { files: kept, since: Since { pruned, .. }, .. } = &mut receipt;
    pruned.extend(kept.extract_if(.., |file| files.contains(&file.path)));
    let quotes_gone = files.iter().any(|path| REJECTS.contains(&path.as_str()));
    let report = if quotes_gone { without_examples(run, kept)? } else { None };
    receipt.write(&run.folder)?;
    if let Some(text) = report {
        replace(&run.folder.join(REPORT), &text)?;
    }
    for path in files {
        let path = run.folder.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fault(&path, &error)),
            _ => {}
        }
    }
    // Only an empty folder can be removed.
    let _ = fs::remove_dir(run.folder.join("inputs"));
    Ok(true)
}

/// The report without its examples of rejects, which may quote values; `None` if it has none. Notes its new digest.
fn without_examples(run: &Run, kept: &mut [FileDigest]) -> Result<Option<Vec<u8>>, Error> {
    let text =
        fs::read(run.folder.join(REPORT)).map_err(|error| unreadable(&run.folder.join(REPORT), &error))?;
    let Ok(mut report) = serde_json::from_slice::<Value>(&text) else { return Ok(None) };
    let mut found = false;
    for connector in report["connectors"].as_array_mut().into_iter().flatten() {
        for reject in connector["rejected"].as_array_mut().into_iter().flatten() {
            found |= reject["example"] != "";
            reject["example"] = "".into();
        }
    }
    if !found {
        return Ok(None);
    }
    let text = pretty(&report)?;
    if let Some(noted) = kept.iter_mut().find(|file| file.path == REPORT) {
        *noted = FileDigest::of_bytes(REPORT, &text);
    }
    Ok(Some(text))
}

/// Removes what is left of runs whose removal was ended half way.
fn sweep(out: &Path) -> Result<(), Error> {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    for chain in entries(out) {
        for run in entries(&chain.path()) {
            let name = run.file_name().to_string_lossy().into_owned();
            let is_orphan = name.strip_suffix(IMPORTED).is_some_and(|id| !chain.path().join(id).exists());
            if name.starts_with(GOING) || is_orphan {
                fs::remove_dir_all(run.path()).map_err(|error| fault(&run.path(), &error))?;
            }
        }
    }
    Ok(())
}
