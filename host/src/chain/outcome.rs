//! What a command is told about a chain's run.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use serde::Serialize;
use usher_abi::{Error, ErrorClass};

use super::mapping::Filling;
use crate::{manifest::Diagnostic, services::RunLog};

/// Why a chain ended without a result.
#[derive(Debug)]
pub enum Failure {
    /// The manifest is at fault: exit code 2.
    Manifest(Vec<Diagnostic>),
    /// The run failed: exit code 1; nothing was published.
    Run(Box<Error>),
    /// Somebody stopped it.
    Cancelled,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.class == ErrorClass::CANCELLED { Self::Cancelled } else { Self::Run(Box::new(error)) }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Manifest(vec![diagnostic])
    }
}

/// How far a run is; read by the progress bars while it goes on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Records read.
    pub records: AtomicU64,
    /// Records rejected, by anyone.
    pub rejects: AtomicU64,
    /// Bytes read, as stored.
    pub bytes: AtomicU64,
    /// Bytes of all inputs, as stored; 0 when unknown.
    pub total: AtomicU64,
    /// What the connectors count.
    pub(super) logs: Mutex<Vec<Arc<RunLog>>>,
}

impl Progress {
    /// Rows that sinks send, and those of them of which it is known, or given up, what became of them.
    pub fn sending(&self) -> (u64, u64) {
        let logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |name: &str| {
            let counted = logs.iter().filter_map(|log| log.counters().get(name).copied());
            counted.map(|count| u64::try_from(count).unwrap_or(0)).sum()
        };
        (sum("delivery.rows"), sum("delivery.done"))
    }
}

/// A chain's run, from its books.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The chain.
    pub chain: String,
    /// The run's id.
    pub run: String,
    /// Where it is, if it was published.
    pub folder: Option<String>,
    /// Whether `latest` was moved to it.
    pub latest: bool,
    /// Why `latest` was not moved: more rejects than allowed, nothing left to write.
    pub refused: Vec<String>,
    /// What was not sent, or of what it is not known what became of it; the same command goes on with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partly: Vec<String>,
    /// Whether `--limit` ended the reading, so that `latest` was not moved.
    pub limited: bool,
    /// Records read.
    pub read: u64,
    /// The transforms, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<TransformOutcome>,
    /// The sinks.
    pub connectors: Vec<ConnectorOutcome>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// Seconds from the first byte to the last.
    pub seconds: f64,
    /// Bytes read, decompressed size unknown: as stored.
    pub bytes: u64,
}

/// What one transform did. What it rejected or merged stands in the books of every sink.
#[derive(Debug, Clone, Serialize)]
pub struct TransformOutcome {
    /// Its name in the manifest.
    pub name: String,
    /// Values changed, by column and rule.
    pub changed: Vec<Counted>,
}

/// What one sink did.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectorOutcome {
    /// Its name in the manifest.
    pub name: String,
    /// Its plugin.
    pub plugin: String,
    /// Files, in order.
    pub parts: Vec<PartOutcome>,
    /// Rows written.
    pub written: u64,
    /// What was sent, by sinks that send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryOutcome>,
    /// Rows left out on purpose, by reason.
    pub filtered: Vec<Counted>,
    /// Rows that went into others.
    pub merged: u64,
    /// Rows not taken, by code.
    pub rejected: Vec<RejectCount>,
    /// Values changed, by column and rule.
    pub changed: Vec<Counted>,
    /// Optional values left out.
    pub left_out: u64,
    /// Columns that no row filled.
    pub empty_columns: Vec<String>,
    /// The columns, in the order in which the sink gets them, each with how it is filled.
    pub columns: Vec<ColumnOutcome>,
    /// The first rows as the sink gets them, when asked for; null is null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Vec<Option<String>>>,
}

/// What a sink sent.
#[derive(Debug, Clone, Serialize)]
pub struct DeliveryOutcome {
    /// Where to.
    pub account: String,
    /// Rows that the vendor has queued.
    pub accepted: u64,
    /// Rows that the vendor says it has.
    pub confirmed: u64,
    /// Rows that may have arrived.
    pub unknown: u64,
    /// Rows that were not sent.
    pub not_sent: u64,
    /// What goes out in one request is a unit; all there are.
    pub units: u64,
    /// Units of which it is known what became of them.
    pub settled: u64,
    /// Of these, units of an earlier attempt.
    pub earlier: u64,
}

/// A column of a sink.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnOutcome {
    /// Its name.
    pub column: String,
    /// Why it is filled.
    pub from: Filling,
    /// How: `copy of email`, `column operations: …`, `row by row: …`.
    pub how: String,
}

impl ConnectorOutcome {
    /// Rows filtered, whatever the reason.
    pub fn filtered_rows(&self) -> u64 {
        self.filtered.iter().map(|c| c.count).sum()
    }

    /// Rows rejected, whatever the code.
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.iter().map(|c| c.count).sum()
    }

    /// Values changed.
    pub fn changed_values(&self) -> u64 {
        self.changed.iter().map(|c| c.count).sum()
    }
}

/// A file.
#[derive(Debug, Clone, Serialize)]
pub struct PartOutcome {
    /// Its path in the run folder.
    pub path: String,
    /// Records, counted by the host.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A name and how often.
#[derive(Debug, Clone, Serialize)]
pub struct Counted {
    /// The reason, or `column: rule`.
    pub what: String,
    /// How often.
    pub count: u64,
}

/// Rejects of one code.
#[derive(Debug, Clone, Serialize)]
pub struct RejectCount {
    /// The code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// The first message with it.
    pub example: String,
}

#[cfg(test)]
mod tests {
    use usher_abi::{HostLog, LogLevel};

    use super::*;
    use crate::services::{Cancel, LogLine};

    #[test]
    fn what_is_sent_is_the_sum_of_what_sinks_count() {
        let progress = Progress::default();
        assert_eq!(progress.sending(), (0, 0));
        for (name, done) in [("crm", 3), ("mail", 2)] {
            let log = RunLog::new(name, LogLevel::WARN, Arc::new(|_: &LogLine<'_>| {}), Cancel::new());
            log.metric("delivery.rows", 10);
            log.metric("delivery.done", done);
            progress.logs.lock().unwrap().push(Arc::new(log));
        }
        assert_eq!(progress.sending(), (20, 5));
    }
}
