//! Run folders, read back.
//!
//! | File | What it holds |
//! |---|---|
//! | `find.rs` | which runs there are |
//! | `rejects.rs` | what a run did not take, by reason |

mod find;
mod rejects;

pub use find::{Run, find, newest};
pub use rejects::{Example, Group, rejects};

use std::{io, path::Path};

use usher_abi::Error;

/// What to say when a run's file cannot be read.
fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::permanent(
        "run.unreadable",
        format!("cannot read `{}` ({error}); see that the run is whole", path.display()),
    )
}
