//! Everything that is kept: runs, the state folder, recordings; and what is still there afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use usher_abi::Error;

use super::{
    file::plain,
    person::Person,
    places::{Seen, lines_of},
    recording::forget_in_recording,
    run::forget_in_run,
};
use crate::{
    runs::{ForgottenIn, Kept, Receipt, all, files_below, unreadable},
    services::{Database, Secret, Synced},
};

/// Where to look.
#[derive(Debug)]
pub struct Reach<'a> {
    /// The folder of results.
    pub out: &'a Path,
    /// The state folder.
    pub state: &'a Path,
    /// Where the manifest is: paths of inputs start there.
    pub base: &'a Path,
    /// Folders of `run --record`.
    pub recordings: &'a [PathBuf],
    /// What the manifest's sources may read.
    pub inputs: &'a [PathBuf],
    /// Look only, and change nothing.
    pub dry: bool,
}

/// What is known of a person, and where it was.
#[derive(Debug, Default, Serialize)]
pub struct Whereabouts {
    /// What was removed.
    pub found: Vec<Found>,
    /// What the manifest's sources read, which is not ours to change: the next run brings the person back.
    pub inputs: Vec<Found>,
    /// Books of runs that name records by their place in an input which is not there any more as the run read it.
    pub unknown: Vec<String>,
    /// Files in which the bytes of a key still stand.
    pub left: Vec<String>,
    /// Keys that any text may have without meaning the person: they were looked for as values only.
    pub vague: Vec<String>,
}

/// A place where a person was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// The file; or the connector, of state, notes and rows.
    pub place: String,
    /// Records, mentions, values or rows.
    pub count: u64,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A file of a run.
    Run,
    /// A value that a connector has put by.
    State,
    /// A note of something that an unfinished run has sent.
    Ledger,
    /// A row of which it is known that a vendor has it, or may have it.
    Synced,
    /// An exchange on record.
    Recording,
    /// A file that a source reads.
    Input,
}

/// Takes a person out of everything within reach.
pub fn forget(person: &Person, reach: &Reach<'_>) -> Result<Whereabouts, Error> {
    let mut told = Whereabouts { vague: person.vague().cloned().collect(), ..Whereabouts::default() };
    let mut add = |kind, place: String, count| told.found.push(Found { kind, place, count });
    let (mut inputs, mut seen) = (reach.inputs.to_vec(), Seen::default());
    let mut unknown = Vec::new();
    for run in all(reach.out)? {
        inputs.extend(in_place(&run.folder, reach.base));
        let found = forget_in_run(&run, reach.base, person, &mut seen, reach.dry)?;
        for ForgottenIn { path, records } in found.files {
            add(Kind::Run, shown(&run.folder.join(path)), records);
        }
        for (path, records) in found.imported {
            add(Kind::Run, shown(&path), records);
        }
        unknown.extend(found.lost.iter().map(|input| {
            format!(
                "run {}: `merged.csv` and `left-out.csv` name records of `{input}` by their place only",
                run.id
            )
        }));
    }
    for held in Database::new(reach.state).forget(|text| person.is_named_in(text), reach.dry)? {
        add(if held.noted { Kind::Ledger } else { Kind::State }, held.connector, held.rows);
    }
    if let Some(secret) = Secret::load(reach.state)? {
        let synced = Synced::new(reach.state);
        for key in person.keys().iter().map(|key| secret.key(key)) {
            let rows = if reach.dry { synced.whereabouts(&key) } else { synced.forget(&key) };
            for one in rows? {
                add(Kind::Synced, format!("{} in chain {}", one.connector, one.chain), one.rows);
            }
        }
    }
    for folder in reach.recordings {
        for (path, count) in forget_in_recording(folder, person, reach.dry)? {
            add(Kind::Recording, shown(&path), count);
        }
    }
    told.unknown = unknown;
    // One file by several names is one.
    let files: BTreeMap<_, _> = inputs.into_iter().map(|path| (path.canonicalize().ok(), path)).collect();
    for path in files.into_values() {
        let lines = lines_of(&path, person).map_err(|error| unreadable(&path, &error))?;
        if !lines.is_empty() {
            told.inputs.push(Found { kind: Kind::Input, place: shown(&path), count: lines.len() as u64 });
        }
    }
    if !reach.dry {
        told.left = left(person, reach)?;
    }
    Ok(told)
}

/// What a run has read where it was, and is still there.
fn in_place(run: &Path, base: &Path) -> Vec<PathBuf> {
    let Ok(receipt) = Receipt::read(run) else { return Vec::new() };
    let read = receipt.made_of.inputs.into_iter().filter(|input| input.kept == Kept::InPlace);
    read.map(|input| base.join(input.file.path)).filter(|path| path.is_file()).collect()
}

/// The files in which a key still stands, packed ones looked into.
fn left(person: &Person, reach: &Reach<'_>) -> Result<Vec<String>, Error> {
    let mut left = BTreeSet::new();
    let folders = [reach.out, reach.state].into_iter().chain(reach.recordings.iter().map(PathBuf::as_path));
    for folder in folders.filter(|folder| folder.is_dir()) {
        for name in files_below(folder).map_err(|error| unreadable(folder, &error))? {
            let path = folder.join(name);
            // What a link leads to is looked at where it stands.
            if !path.symlink_metadata().is_ok_and(|file| file.is_file()) {
                continue;
            }
            let stands = |file: io::Result<Box<dyn io::BufRead>>| stands_in(file?, person);
            let stored = || File::open(&path).map(|file| Box::new(io::BufReader::new(file)) as _);
            let found = match stands(stored()) {
                Ok(false) => stands(plain(&path)).unwrap_or(false),
                found => found.map_err(|error| unreadable(&path, &error))?,
            };
            if found {
                left.insert(shown(&path));
            }
        }
    }
    Ok(left.into_iter().collect())
}

fn stands_in(mut file: Box<dyn io::BufRead>, person: &Person) -> io::Result<bool> {
    let overlap = person.longest().saturating_sub(1);
    let mut window = Vec::new();
    loop {
        let read = (&mut file).take(1 << 20).read_to_end(&mut window)?;
        if person.bytes_are_in(&window) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        window.drain(..window.len().saturating_sub(overlap));
    }
}

/// A path as people read it: from where they stand, if it is below.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
