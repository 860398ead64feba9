//! What vendors have, as far as is known: for changed-only syncs.
//!
//! | File | What it holds |
//! |---|---|
//! | `store.rs` | the tables, what is read of them while rows pass, and what a run adds |
//! | `confirm.rs` | what became of rows that waited to be confirmed |

mod confirm;
mod store;

pub use confirm::{Confirmed, Forgotten};
pub use store::{Entry, Known, Noted, Published, Synced, Waiting};
