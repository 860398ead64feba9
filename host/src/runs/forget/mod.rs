//! A person, taken out of everything that is kept of runs.
//!
//! | File | What it holds |
//! |---|---|
//! | `person.rs` | whom it is about, and whether a text is about them |
//! | `records.rs` | a file as records, and without some of them, all other bytes as they were |
//! | `document.rs` | JSON that is no list of records |
//! | `file.rs` | a file without the person, beside the one whose place it takes |
//! | `places.rs` | where the person's records stood in what a run read: some books name nothing else |
//! | `run.rs` | a run's folder |
//! | `recording.rs` | exchanges of `run --record` |
//! | `everywhere.rs` | all of it, and what is still there afterwards |

mod document;
mod everywhere;
mod file;
mod person;
mod places;
mod recording;
mod records;
mod run;

pub use everywhere::{Found, Kind, Reach, Whereabouts, forget};
pub use person::Person;
