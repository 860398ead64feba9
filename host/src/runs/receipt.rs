//! `receipt.json`: what a run was made of, and what it made, each file by its digest.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_abi::Error;

use super::{
    replace::{pretty, replace},
    unreadable,
};

/// The file's name in a run's folder.
pub const RECEIPT: &str = "receipt.json";

/// A whole `receipt.json`. Whoever has the same inputs, manifest, secrets and plugins gets the same parts from them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// Of this form: 1.
    pub version: u32,
    /// Version of the host.
    pub usher: String,
    /// The chain.
    pub chain: String,
    /// The run's id.
    pub run: String,
    /// What it was made of.
    #[serde(flatten)]
    pub made_of: MadeOf,
    /// Everything in the run's folder but this file.
    pub files: Vec<FileDigest>,
    /// What each sink says it did, and its books.
    pub connectors: BTreeMap<String, Value>,
    /// What was taken out of the folder since.
    #[serde(flatten)]
    pub since: Since,
}

/// What was taken out of a run's folder after it was published, on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Files that `usher runs prune` removed, as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pruned: Vec<FileDigest>,
    /// Files that `usher forget` took people out of; [`Receipt::files`] has them as they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<ForgottenIn>,
}

/// A file that people were taken out of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgottenIn {
    /// Its path in the run's folder.
    pub path: String,
    /// Records, or mentions, that were taken out of it.
    pub records: u64,
}

/// What a chain is run with, by digest: the same of it gives the same rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MadeOf {
    /// The manifest as it was read. Secrets that it names (`${NAME}`) are not in it.
    pub manifest: FileDigest,
    /// The keys that the command line set (`--set`); not their values, which may be secrets.
    pub set: Vec<String>,
    /// Digest of what the chain and its connectors say, what was set included: not of comments or the order of keys.
    pub says: String,
    /// `connectors.lock`, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<FileDigest>,
    /// The plugins of the chain.
    pub plugins: Vec<PluginDigest>,
    /// Everything that was read, as stored.
    pub inputs: Vec<InputDigest>,
}

/// A file by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Relative to the run's folder (files of the run) or to the manifest's (all others), or absolute; `stdin`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// `blake3:` and 64 hexadecimal digits.
    pub digest: String,
}

/// An input, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputDigest {
    /// Its bytes.
    #[serde(flatten)]
    pub file: FileDigest,
    /// Where it is after the run.
    pub kept: Kept,
}

/// Where an input is after the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Where it was read.
    InPlace,
    /// In the run's folder, below `inputs/`.
    InRun,
    /// Nowhere: it came through a pipe, or was a download that was not to be stored.
    Nowhere,
}

/// A plugin's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginDigest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file that was loaded.
    #[serde(flatten)]
    pub file: FileDigest,
}

impl FileDigest {
    /// Of bytes with this digest, 64 hexadecimal digits.
    pub fn new(path: impl Into<String>, bytes: u64, blake3: &str) -> Self {
        Self { path: path.into(), bytes, digest: format!("blake3:{blake3}") }
    }

    /// Of these bytes.
    pub fn of_bytes(path: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(path, bytes.len() as u64, blake3::hash(bytes).to_hex().as_str())
    }

    /// Of the file at `place`, read to its end.
    pub fn of_file(path: impl Into<String>, place: &Path) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        let mut file = File::open(place)?;
        let mut chunk = vec![0; 256 * 1024];
        loop {
            match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => hasher.update(&chunk[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
        }
        Ok(Self::new(path, hasher.count(), hasher.finalize().to_hex().as_str()))
    }
}

impl Receipt {
    /// The receipt of the run in this folder.
    pub fn read(run: &Path) -> Result<Self, Error> {
        let path = run.join(RECEIPT);
        let text = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        serde_json::from_slice(&text).map_err(|error| {
            let message = format!(
                "`{}` is no receipt of this usher ({error}); see that the run is whole",
                path.display()
            );
            Error::permanent("run.unreadable", message)
        })
    }

    /// Replaces the receipt of the run in this folder.
    pub(super) fn write(&self, run: &Path) -> Result<(), Error> {
        replace(&run.join(RECEIPT), &pretty(self)?)
    }

    /// Parts that hold something else than rows of records, by their paths in the run's folder.
    pub fn extra_parts(&self) -> Vec<String> {
        let mut extra = Vec::new();
        for (connector, said) in &self.connectors {
            let parts = said["parts"].as_array().into_iter().flatten();
            let names = parts.filter(|part| part["extra"] == true).filter_map(|part| part["name"].as_str());
            extra.extend(names.map(|name| format!("{connector}/{name}")));
        }
        extra
    }
}
