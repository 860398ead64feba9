//! What a command is told about a chain's run.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use serde::Serialize;
use usher_abi::{Error, ErrorClass};

use super::mapping::Filling;
use crate::{
    manifest::Diagnostic,
    runs::{Bound, Group, Suspension},
    services::RunLog,
};

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
    /// The logs of the chain's connectors.
    pub(super) fn logs(&self) -> Vec<Arc<RunLog>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

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
    /// What only a plan tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<PlanOutcome>>,
}

/// What only a plan tells.
#[derive(Debug, Clone, Serialize)]
pub struct PlanOutcome {
    /// What a run can be held to.
    #[serde(flatten)]
    pub bound: Bound,
    /// Records that are not taken, by connector and code; those of the connector with an empty name no sink gets.
    pub rejects: Vec<Group>,
    /// Optional values left out, as above.
    pub left_out: Vec<Group>,
    /// The longest values of columns whose length is limited.
    pub longest: Vec<LongestValue>,
    /// Requests that rate limits count, and how long these make a run take.
    pub requests: Vec<Requests>,
    /// What connectors remark of some rows.
    pub remarks: Vec<Remark>,
}

/// The longest value that a sink gets in a column of limited length, before it trims or cuts it.
#[derive(Debug, Clone, Serialize)]
pub struct LongestValue {
    /// The sink.
    pub connector: String,
    /// The column.
    pub column: String,
    /// Its length in Unicode scalar values; of a list, that of its longest item.
    pub chars: u64,
    /// The vendor's limit.
    pub limit: u32,
    /// Values that are longer than that; what becomes of them, the rejects, the values left out and the changes say.
    pub over: u64,
    /// Where the first of that length stands.
    pub at: RecordAt,
}

/// Requests of a connector that one rate limit counts: those that the plan sent, since they only read, and those that a
/// run will send.
#[derive(Debug, Clone, Serialize)]
pub struct Requests {
    /// The connector.
    pub connector: String,
    /// The rate limit's name.
    pub limit: String,
    /// So many requests …
    pub allowed: u32,
    /// … may leave in so many seconds.
    pub per_seconds: u32,
    /// How many there are.
    pub requests: u64,
    /// The least time from the first to the last. Replies, waits for jobs of the vendor's and whatever is tried again come
    /// on top.
    pub at_least_seconds: u64,
}

/// What a connector remarks of some rows: a fact of its receipt.
#[derive(Debug, Clone, Serialize)]
pub struct Remark {
    /// The connector.
    pub connector: String,
    /// What it is, with how many there are.
    pub says: String,
    /// How many rows.
    pub rows: u64,
    /// The first ones.
    pub first: Vec<RecordAt>,
}

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordAt {
    /// The input, by its name.
    pub input: String,
    /// From 1.
    pub line: u64,
}

impl Outcome {
    /// Takes out all that may quote what stands in a record; answers whether an example of a plan had a message.
    pub fn mask(&mut self) -> bool {
        self.connectors.iter_mut().for_each(ConnectorOutcome::mask);
        let groups = self.plan.iter_mut().flat_map(|plan| plan.rejects.iter_mut().chain(&mut plan.left_out));
        let examples = groups.flat_map(|group| &mut group.examples);
        examples.map(|example| u64::from(!std::mem::take(&mut example.message).is_empty())).sum::<u64>() > 0
    }
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
    /// What else is known of a sink that gets only what has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncOutcome>,
    /// Columns that no row filled.
    pub empty_columns: Vec<String>,
    /// The columns, in the order in which the sink gets them, each with how it is filled.
    pub columns: Vec<ColumnOutcome>,
    /// The first rows as the sink gets them, when asked for; null is null.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Vec<Option<String>>>,
}

/// A sink that gets only what has changed. Rows that have not are filtered as `unchanged`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SyncOutcome {
    /// Rows that went out and wait until somebody says that the vendor has them.
    pub waiting: u64,
    /// People delivered before whom a condition leaves out now.
    pub withdrawn: u64,
    /// People delivered before of whom the source has no record; none if nobody looked.
    pub missing: Option<u64>,
    /// What became of these, if the vendor was to suspend them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Suspension>,
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
    /// Takes out all that may quote what stands in a record.
    pub fn mask(&mut self) {
        self.rejected.iter_mut().for_each(|reject| reject.example.clear());
        self.sample.clear();
    }

    /// Rows filtered, whatever the reason.
    pub fn filtered_rows(&self) -> u64 {
        self.filtered.iter().map(|c| c.count).sum()
    }

    /// Rows rejected, whatever the code.
    pub fn rejected_rows(&self) -> u64 {
        self.rejected.iter().map(|c| c.count).sum()
    }

    /// Whether people delivered before are left out now.
    pub fn has_withdrawn(&self) -> bool {
        self.sync.as_ref().is_some_and(|sync| sync.withdrawn > 0)
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
    /// The first message with it. It may quote what stands in the record; empty where that is not to be shown.
    #[serde(skip_serializing_if = "String::is_empty")]
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
