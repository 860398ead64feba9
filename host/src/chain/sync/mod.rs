//! Changed-only syncs (`sync = "changed"`): which rows go out to a sink, who is gone from its source, and what is known
//! afterwards.
//!
//! Every record that is read gets the keys of its person (`roll.rs`), before any condition. On the way to a sink its row is
//! hashed as it would go out, and held back if the vendor has just that (`stage.rs`). Who was filtered out, and who did not
//! come at all, is compared with those who were delivered before when all rows have passed (`gone.rs`); when the run is
//! published it is noted what went out (`notes.rs`, `closing.rs`); who is gone from the source may be
//! suspended at the vendor's before (`suspend.rs`). What is kept is in [`crate::services::Synced`].
//!
//! Memory is a few tens of megabytes for each sink, however many people there are: lists of keys are sorted in pieces and
//! merged from disk (`sorted.rs`).

mod closing;
mod gone;
mod held_back;
mod notes;
mod prepare;
mod roll;
mod row_hash;
mod sorted;
mod stage;
mod suspend;

pub(super) use closing::{account_of, note_what_may_arrive, write_files as write_sync_files};
pub(super) use gone::Gone;
pub(super) use held_back::{HeldBack, WentOut};
pub(super) use prepare::prepare;
pub(super) use roll::{Left, Roll};
pub(super) use stage::{SyncStage, Withdrawn};
pub(super) use suspend::{Suspended, Suspender};
