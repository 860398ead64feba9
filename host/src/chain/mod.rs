//! Chains: *read → shape → deliver*, planned, run and accounted for.
//!
//! | File | What it holds |
//! |---|---|
//! | `engine.rs` | what all chains of a command share: manifest, plugins, services, cancellation |
//! | `login.rs` | a connector's login |
//! | `names.rs` | what a name in an expression means |
//! | `prepare.rs`, `mapping.rs`, `binding.rs` | from a manifest's chain to opened connectors and bound expressions |
//! | `filling.rs` | which columns a connector would fill, from what, without opening it |
//! | `doubts.rs` | what a manifest may say without meaning it |
//! | `through.rs`, `passage.rs` | the transforms: what names come out, what they need, what they report; their books |
//! | `survey.rs` | the pass before the pass: latest records, refusals of consent, suppression lists |
//! | `unique.rs`, `shape.rs` | which rows go on, and as which columns |
//! | `longest.rs` | the longest value of each column of limited length |
//! | `run.rs`, `reading.rs`, `writing.rs` | the road: reader, chain stage and one thread a sink, with bounded queues between |
//! | `sending.rs` | when all rows have passed: whether anything may be sent, and the end of each sink's work |
//! | `sync/` | sinks that get only what has changed, and who is gone |
//! | `retry.rs` | a run over what an earlier one did not take |
//! | `replay.rs`, `same.rs`, `locate.rs` | a sink's work of an earlier run done again, and which record a row was made from |
//! | `books.rs`, `notes.rs`, `table.rs` | what became of every record, by count and identity; rejects and their like; as tables |
//! | `thresholds.rs` | what keeps a result back: too many rejects, nothing left, unusual volume |
//! | `finish.rs`, `report.rs`, `receipt.rs` | balance, the run's own files, publication |
//! | `planned.rs` | what only a plan tells, and how a run is held to it |
//! | `outcome.rs` | what a command is told |

mod binding;
mod books;
mod doubts;
mod engine;
mod filling;
mod finish;
mod locate;
mod login;
mod longest;
mod mapping;
mod names;
mod notes;
mod outcome;
mod passage;
mod planned;
mod prepare;
mod reading;
mod receipt;
mod replay;
mod report;
mod retry;
mod run;
mod same;
mod sending;
mod shape;
mod survey;
mod sync;
mod table;
mod thresholds;
mod through;
mod unique;
mod writing;

pub use binding::delivers;
pub use engine::{Engine, Settings};
pub use filling::{Filled, Provided, provided};
pub use locate::{Located, locate};
pub use login::login;
pub use mapping::Filling;
pub(crate) use mapping::unknown_columns;
pub use outcome::{
    ColumnOutcome, ConnectorOutcome, Counted, DeliveryOutcome, Failure, LongestValue, Outcome, PartOutcome,
    PlanOutcome, Progress, RecordAt, RejectCount, Remark, Requests, SyncOutcome, TransformOutcome,
};
pub use run::{Mode, check, run};
