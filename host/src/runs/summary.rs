//! The books of a run, as its `report.json` has them.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_abi::Error;

use super::{Run, all, unreadable};

/// What is told of a run at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The run whose rejects it read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<String>,
    /// What was read.
    pub inputs: Vec<Input>,
    /// How much.
    pub read: Read,
    /// Why `latest` was not moved to it.
    pub refused: Vec<String>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// The sinks.
    pub connectors: Vec<Connector>,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// What rejects call it.
    pub name: String,
    /// Its path, relative to the manifest.
    pub path: String,
    /// Bytes as stored.
    pub bytes: u64,
}

/// How much was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Records.
    pub records: u64,
    /// Whether there may have been more (`--limit`).
    pub limited: bool,
}

/// A sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// Its name in the manifest.
    pub name: String,
    /// Its plugin.
    pub plugin: String,
    /// Its plugin's version.
    pub plugin_version: String,
    /// What became of the records.
    pub books: Books,
    /// Its files.
    pub parts: Vec<Part>,
    /// Rejects by code.
    pub rejected: Vec<Value>,
    /// Of a sink that gets only what has changed: who is gone. What waits now, `usher runs` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<Sync>,
}

/// Who is gone, of a sink that gets only what has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sync {
    /// People delivered before whom a condition left out.
    pub withdrawn: u64,
    /// People delivered before of whom the source had no record; none if nobody looked.
    pub missing: Option<u64>,
    /// What became of these, if the vendor was to suspend them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
}

/// How many of the missing people were suspended. All of them are in one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// The vendor says that it did.
    pub suspended: u64,
    /// The vendor has not got them.
    pub absent: u64,
    /// The vendor, or the connector before it, did not take the row.
    pub refused: u64,
    /// Of these it is not known what became of them; the next run says it once more.
    pub unknown: u64,
    /// Nothing was sent; the next run looks for them again.
    pub not_sent: u64,
    /// Nobody knows who they are.
    pub nameless: u64,
}

impl Suspension {
    /// The terms in words, those that are nothing left out.
    pub fn terms(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let Self { suspended, absent, refused, unknown, not_sent, nameless } = *self;
        let terms = [
            (suspended, "of the missing suspended"),
            (absent, "of the missing are not there any more"),
            (refused, "of the missing could not be suspended (missing.csv says why)"),
            (unknown, "of the missing may be suspended or not"),
            (not_sent, "of the missing not suspended"),
            (nameless, "of the missing not suspended, since nobody knows who they are"),
        ];
        terms.into_iter().filter(|(people, _)| *people > 0)
    }
}

/// What became of the records, in records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Books {
    /// Left out on purpose, by reason.
    pub filtered: BTreeMap<String, u64>,
    /// Gone into others.
    pub merged: u64,
    /// Not taken.
    pub rejected: u64,
    /// In files.
    pub written: u64,
    /// Queued by the vendor.
    pub accepted: u64,
    /// Stored by the vendor, as it says.
    pub confirmed: u64,
    /// Sent, with nothing known of what became of them.
    pub unknown: u64,
    /// Not sent.
    pub not_sent: u64,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its path in the run's folder.
    pub path: String,
    /// Records.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Books {
    /// Rows that went out, whatever became of them.
    pub fn sent(&self) -> u64 {
        self.accepted + self.confirmed + self.unknown
    }
}

impl Summary {
    /// Whether something was not sent, or is not known of what was: the same command goes on with it.
    pub fn is_partly_sent(&self) -> bool {
        self.connectors.iter().any(|connector| {
            let suspension = connector.sync.and_then(|sync| sync.suspension).unwrap_or_default();
            let people = suspension.unknown + suspension.not_sent;
            // What was kept back is told as that.
            connector.books.unknown + connector.books.not_sent > 0 || people > 0 && self.refused.is_empty()
        })
    }
}

/// The runs that have tried the rejects of a run again, by their ids.
pub fn retried_by(out: &Path, run: &Run) -> Result<Vec<String>, Error> {
    let of_chain = all(out)?.into_iter().filter(|other| other.chain == run.chain);
    // Of one that cannot be read nobody can say.
    let tried = of_chain.filter(|other| {
        summary(&other.folder).is_ok_and(|summary| summary.retries.as_ref() == Some(&run.id))
    });
    Ok(tried.map(|run| run.id).collect())
}

/// The summary of the run in this folder.
pub fn summary(run: &Path) -> Result<Summary, Error> {
    let path = run.join("report.json");
    let text = fs::read(&path).map_err(|error| unreadable(&path, &error))?;
    serde_json::from_slice(&text).map_err(|error| {
        let message =
            format!("`{}` is no report of this usher ({error}); see that the run is whole", path.display());
        Error::permanent("run.unreadable", message)
    })
}
