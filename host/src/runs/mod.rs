//! Run folders, read back.
//!
//! | File | What it holds |
//! |---|---|
//! | `diff.rs` | what is not the same in two runs of a chain |
//! | `find.rs` | which runs there are |
//! | `forget/` | a person, taken out of everything that is kept of runs |
//! | `guarded.rs` | texts that a spreadsheet would run |
//! | `import/` | what a vendor's error report says of rows that a run wrote |
//! | `masked.rs` | records of rejects that a run did not keep |
//! | `part.rs` | the files that a run wrote, row by row |
//! | `plan.rs` | a plan that was written down, and whether what it was made of is still the same |
//! | `prune.rs` | runs and files that are older than the manifest keeps them |
//! | `receipt.rs` | what a run was made of, and what it made, by digest |
//! | `rejects.rs` | what a run did not take, by reason |
//! | `replace.rs` | files of a run that take the place of others |
//! | `retry.rs` | the records that a run did not take, as inputs |
//! | `summary.rs` | the books of a run, as its report has them |
//! | `table.rs` | tables that people bring from a vendor's page |
//! | `verify.rs` | whether a run is still what its receipt says |

mod diff;
mod find;
pub mod forget;
mod guarded;
mod import;
mod masked;
mod part;
mod plan;
mod prune;
mod receipt;
mod rejects;
mod replace;
mod retry;
mod summary;
mod table;
mod verify;

pub use diff::{ConnectorDiff, Diff, Pair, RowsDiff, diff};
pub use find::{Run, all, find, named, newest};
pub(crate) use guarded::guarded;
pub use import::{Columns, Match, Place as ReportedPlace, Reported, read_report, rows_of};
pub use part::{At, PartFile, Row, find_part, parts};
pub use plan::{Bound, PLAN_VERSION, Passed, Plan, PlannedChain};
pub use prune::{Pruned, prune};
pub use receipt::{
    FileDigest, ForgottenIn, InputDigest, Kept, MadeOf, PluginDigest, RECEIPT, Receipt, Since,
};
pub use rejects::{EXAMPLES, Example, Group, rejects};
pub use retry::{Again, Place, Retry, read_again, retry};
pub use summary::{Books, Connector, Input, Summary, Suspension, retried_by, summary};
pub use table::keys_in_table;
pub use verify::{Difference, How, Verified, files_below, verify};

use std::{io, path::Path};

use usher_abi::Error;

/// What to say when a run's file cannot be read.
fn unreadable(path: &Path, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound && is_pruned(path) {
        let message =
            format!("`{}` was removed by `usher runs prune`; nothing brings it back", path.display());
        return Error::permanent("run.pruned", message);
    }
    Error::permanent(
        "run.unreadable",
        format!("cannot read `{}` ({error}); see that the run is whole", path.display()),
    )
}

/// Whether a file of a run is not there because it was too old.
fn is_pruned(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
    // Without a receipt nobody knows.
    let receipt = (name != RECEIPT).then(|| Receipt::read(folder).ok()).flatten();
    receipt.is_some_and(|receipt| receipt.since.pruned.iter().any(|file| name == file.path.as_str()))
}
