//! `plan.json`: a plan that was written down, and whether what it was made of is still the same.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use usher_abi::Error;

use super::{
    receipt::MadeOf,
    verify::{How, Verified},
};

/// Of the form that is written.
pub const PLAN_VERSION: u32 = 1;

/// A `plan.json`, as far as a run is held to it.
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    /// Of its form: 1.
    pub version: u32,
    /// Version of the host that made it.
    pub usher: String,
    /// The chains, in the order in which they were planned.
    pub chains: Vec<PlannedChain>,
}

/// A chain of a plan.
#[derive(Clone, Debug, Deserialize)]
pub struct PlannedChain {
    /// Its name.
    pub chain: String,
    /// What a run of it is held to.
    pub plan: Bound,
}

/// What a run is held to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bound {
    /// `--limit`, if it was given.
    pub limit: Option<u64>,
    /// What the plan was made of; of the inputs those that a run can be held to.
    #[serde(flatten)]
    pub made_of: MadeOf,
    /// Inputs that a source downloads: a run downloads them anew, so that it cannot be held to their bytes.
    pub unbound: Vec<String>,
    /// Records read.
    pub records: u64,
    /// The books of each sink when the last row had passed it, before any was sent.
    pub passed: BTreeMap<String, Passed>,
}

/// The books of a sink when the last row has passed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Rows to be written or sent.
    pub delivered: u64,
    /// Rows left out on purpose, whatever the reason.
    pub filtered: u64,
    /// Rows that went into others.
    pub merged: u64,
    /// Rows not taken.
    pub rejected: u64,
    /// People delivered before whom a condition leaves out.
    #[serde(default)]
    pub withdrawn: u64,
    /// People delivered before of whom the source has no record.
    #[serde(default)]
    pub missing: u64,
}

impl Plan {
    /// Reads a plan.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read(path).map_err(|error| {
            let message =
                format!("`{}` cannot be read ({error}); make a plan with `usher plan --out`", path.display());
            Error::config("plan.unreadable", message)
        })?;
        let plan: Self = serde_json::from_slice(&text).map_err(|error| {
            let message = format!(
                "`{}` is no plan of this usher ({error}); make one with `usher plan --out`",
                path.display()
            );
            Error::config("plan.unreadable", message)
        })?;
        if plan.version != PLAN_VERSION {
            let message = format!(
                "`{}` is of version {}, and this usher reads {PLAN_VERSION}; make a new one with `usher plan --out`",
                path.display(),
                plan.version
            );
            return Err(Error::config("plan.unreadable", message));
        }
        Ok(plan)
    }

    /// What it says of a chain; an error if it says nothing.
    pub fn chain(&self, name: &str) -> Result<&Bound, Error> {
        let found = self.chains.iter().find(|planned| planned.chain == name);
        found.map(|planned| &planned.plan).ok_or_else(|| {
            let known: Vec<&str> = self.chains.iter().map(|planned| planned.chain.as_str()).collect();
            let message = format!("chain `{name}` is not in the plan, only {}", known.join(", "));
            Error::config("plan.changed", message)
        })
    }

    /// An error, if another usher made it, or a file that one of these chains was planned with is another now. It reads
    /// them all, and runs nothing.
    pub fn files_unchanged(&self, chains: &[String], manifest: &Path) -> Result<(), Error> {
        let mut changes = Vec::new();
        let here = env!("CARGO_PKG_VERSION");
        if self.usher != here {
            changes.push(format!("usher was {}, and is {here}", self.usher));
        }
        for chain in chains {
            let mut verified = Verified::default();
            verified.made_of(&self.chain(chain)?.made_of, manifest);
            changes.extend(verified.different.iter().map(|file| {
                let how = match file.how {
                    How::Changed => "has changed",
                    How::Gone => "is gone",
                    How::Unreadable => "cannot be read",
                    How::Added => "was not there",
                };
                format!("{} `{}` {how}", file.what, file.path)
            }));
        }
        refuse(changes)
    }
}

impl Bound {
    /// An error, if what passed is not what was planned: of records read, and of the rows of each sink.
    pub fn passed(&self, records: u64, passed: &BTreeMap<String, Passed>) -> Result<(), Error> {
        let mut changes = Vec::new();
        if self.records != records {
            changes.push(format!("{records} records were read and not {}", self.records));
        }
        for (name, now) in passed {
            let Some(before) = self.passed.get(name) else { continue };
            let terms = [
                (before.delivered, now.delivered, "to deliver"),
                (before.filtered, now.filtered, "filtered"),
                (before.merged, now.merged, "merged"),
                (before.rejected, now.rejected, "rejected"),
            ];
            for (before, now, what) in terms.into_iter().filter(|(before, now, _)| before != now) {
                changes.push(format!("`{name}` has {now} rows {what} and not {before}"));
            }
            let people =
                [(before.withdrawn, now.withdrawn, "withdrawn"), (before.missing, now.missing, "missing")];
            for (before, now, what) in people.into_iter().filter(|(before, now, _)| before != now) {
                changes.push(format!("`{name}` has {now} people {what} and not {before}"));
            }
        }
        refuse(changes)
    }

    /// An error, if a run is made of something else than was planned.
    pub fn holds(&self, limit: Option<u64>, made_of: &MadeOf) -> Result<(), Error> {
        let mut changes = Vec::new();
        let planned = &self.made_of;
        let mut differs = |is: bool, what: &str| {
            if is {
                changes.push(what.to_owned());
            }
        };
        differs(planned.manifest.digest != made_of.manifest.digest, "the manifest has changed");
        differs(planned.set != made_of.set, "`--set` names other keys");
        // Of a changed manifest nothing else is to be expected.
        let same_keys = planned.manifest.digest == made_of.manifest.digest && planned.set == made_of.set;
        differs(same_keys && planned.says != made_of.says, "`--set` gives other values");
        differs(planned.lock != made_of.lock, "the lock has changed");
        differs(self.limit != limit, "`--limit` is another");
        for plugin in &made_of.plugins {
            let before = planned.plugins.iter().find(|before| before.name == plugin.name);
            let is_same = before.is_some_and(|before| before.file.digest == plugin.file.digest);
            differs(!is_same, &format!("plugin `{}` has changed", plugin.name));
        }
        let by_path = |made_of: &MadeOf| -> BTreeMap<String, String> {
            made_of.inputs.iter().map(|input| (input.file.path.clone(), input.file.digest.clone())).collect()
        };
        let (before, now) = (by_path(planned), by_path(made_of));
        for (path, digest) in &now {
            match before.get(path) {
                Some(planned) if planned == digest => {}
                Some(_) => changes.push(format!("input `{path}` has changed")),
                None => changes.push(format!("input `{path}` was not read")),
            }
        }
        for path in before.keys().filter(|path| !now.contains_key(*path)) {
            changes.push(format!("input `{path}` is not read any more"));
        }
        refuse(changes)
    }
}

/// An error that names what has changed, if anything has.
fn refuse(mut changes: Vec<String>) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    changes.retain(|change| seen.insert(change.clone()));
    if changes.is_empty() {
        return Ok(());
    }
    let message = format!(
        "this is not what was planned: {}; look at a new plan (`usher plan --out`), or undo the change",
        changes.join(", ")
    );
    Err(Error::config("plan.changed", message))
}
