//! Whether a run is still what its receipt says, by reading every file again.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use usher_abi::Error;

use super::{
    receipt::{FileDigest, Kept, MadeOf, RECEIPT, Receipt},
    unreadable,
};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Files that are what they were.
    pub same: u64,
    /// All others.
    pub different: Vec<Difference>,
    /// What could not be looked at, because it is not kept: standard input, a download that was not to be stored.
    pub not_kept: Vec<String>,
}

/// A file that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What it was to the run: `file`, `input`, `plugin`, `manifest`, `lock`.
    pub what: &'static str,
    /// The file.
    pub path: String,
    /// How it differs.
    pub how: How,
}

/// How a file differs from the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Other bytes.
    Changed,
    /// It is not there.
    Gone,
    /// It is there, and cannot be read.
    Unreadable,
    /// It is in the run's folder, and the receipt does not know it.
    Added,
}

/// Reads everything that the receipt of the run in `folder` names. Relative paths of what was read start at the folder of
/// `manifest`.
pub fn verify(folder: &Path, manifest: &Path) -> Result<Verified, Error> {
    let receipt = Receipt::read(folder)?;
    let mut verified = Verified::default();
    for file in &receipt.files {
        verified.compare("file", file, &folder.join(&file.path));
    }
    verified.added(folder, &receipt)?;
    verified.made_of(&receipt.made_of, manifest);
    Ok(verified)
}

impl Verified {
    /// Reads what a chain was run with. Relative paths start at the folder of `manifest`.
    pub(super) fn made_of(&mut self, made_of: &MadeOf, manifest: &Path) {
        let base = manifest.parent().unwrap_or(Path::new(""));
        for input in &made_of.inputs {
            match input.kept {
                Kept::InPlace => self.compare("input", &input.file, &base.join(&input.file.path)),
                // Among the files.
                Kept::InRun => {}
                Kept::Nowhere => self.not_kept.push(input.file.path.clone()),
            }
        }
        for plugin in &made_of.plugins {
            self.compare("plugin", &plugin.file, &base.join(&plugin.file.path));
        }
        self.compare("manifest", &made_of.manifest, manifest);
        if let Some(lock) = &made_of.lock {
            self.compare("lock", lock, &base.join(&lock.path));
        }
    }

    fn compare(&mut self, what: &'static str, noted: &FileDigest, place: &Path) {
        let how = match FileDigest::of_file(&noted.path, place) {
            Ok(found) if found == *noted => {
                self.same += 1;
                return;
            }
            Ok(_) => How::Changed,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                How::Gone
            }
            Err(_) => How::Unreadable,
        };
        self.different.push(Difference { what, path: noted.path.clone(), how });
    }

    /// Notes what stands in the run's folder and is not of it.
    fn added(&mut self, folder: &Path, receipt: &Receipt) -> Result<(), Error> {
        let known: BTreeSet<&str> =
            receipt.files.iter().map(|file| file.path.as_str()).chain([RECEIPT]).collect();
        for path in files_below(folder).map_err(|error| unreadable(folder, &error))? {
            if !known.contains(path.as_str()) {
                self.different.push(Difference { what: "file", path, how: How::Added });
            }
        }
        Ok(())
    }
}

/// All files below a folder, by their paths in it, sorted.
pub fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let (mut files, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(relative) = folders.pop() {
        for entry in fs::read_dir(folder.join(&relative))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                files.push(path.to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}
