//! Where the person's records stood in what a run read: `merged.csv` and `left-out.csv` name people by nothing else.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    path::{Path, PathBuf},
};

use super::{
    file::{Judge, plain},
    person::Person,
    records::{Form, copy},
};
use crate::runs::{FileDigest, Kept, Receipt};

/// Lines at which the person's records begin, by the name of the input.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(HashMap<String, HashSet<u64>>);

/// Files that were looked through already, by path.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<PathBuf, (FileDigest, HashSet<u64>)>);

impl Places {
    /// Of a run: of its inputs that are still what it read, wherever they are. Relative paths start at `base`. Answers the
    /// names of all others, too.
    pub(super) fn of(
        receipt: &Receipt,
        report: &serde_json::Value,
        run: &Path,
        base: &Path,
        person: &Person,
        seen: &mut Seen,
    ) -> (Self, Vec<String>) {
        let (mut places, mut lost) = (Self::default(), Vec::new());
        for input in report["inputs"].as_array().into_iter().flatten() {
            let (name, path) = (input["name"].as_str().unwrap_or(""), input["path"].as_str().unwrap_or(""));
            let noted = receipt.made_of.inputs.iter().find(|noted| noted.file.path == path);
            let place = match noted.map(|noted| noted.kept) {
                Some(Kept::InPlace) => base.join(path),
                Some(Kept::InRun) => run.join(path),
                _ => {
                    lost.push(name.to_owned());
                    continue;
                }
            };
            match seen.lines(&place, person) {
                Ok((digest, lines)) if noted.is_some_and(|noted| noted.file.digest == digest.digest) => {
                    places.0.entry(name.to_owned()).or_default().extend(lines);
                }
                _ => lost.push(name.to_owned()),
            }
        }
        (places, lost)
    }

    pub(super) fn has(&self, input: &str, line: u64) -> bool {
        self.0.get(input).is_some_and(|lines| lines.contains(&line))
    }
}

impl Seen {
    fn lines(&mut self, place: &Path, person: &Person) -> io::Result<&(FileDigest, HashSet<u64>)> {
        if !self.0.contains_key(place) {
            let digest = FileDigest::of_file("", place)?;
            let found = (digest, lines_of(place, person)?);
            self.0.insert(place.to_owned(), found);
        }
        self.0.get(place).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The lines at which records begin that are about the person.
pub(super) fn lines_of(place: &Path, person: &Person) -> io::Result<HashSet<u64>> {
    let form = Form::of(plain(place)?.fill_buf()?);
    let mut judge = Judge::values(person, form);
    let mut lines = HashSet::new();
    copy(plain(place)?, form, &mut io::sink(), |record| {
        if judge.goes(record) {
            lines.insert(record.line);
        }
        false
    })?;
    Ok(lines)
}
