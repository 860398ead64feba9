//! Run folders, read back.
//!
//! | File | What it holds |
//! |---|---|
//! | `diff.rs` | what is not the same in two runs of a chain |
//! | `find.rs` | which runs there are |
//! | `import/` | what a vendor's error report says of rows that a run wrote |
//! | `masked.rs` | records of rejects that a run did not keep |
//! | `part.rs` | the files that a run wrote, row by row |
//! | `plan.rs` | a plan that was written down, and whether what it was made of is still the same |
//! | `receipt.rs` | what a run was made of, and what it made, by digest |
//! | `rejects.rs` | what a run did not take, by reason |
//! | `retry.rs` | the records that a run did not take, as inputs |
//! | `summary.rs` | the books of a run, as its report has them |
//! | `table.rs` | tables that people bring from a vendor's page |
//! | `verify.rs` | whether a run is still what its receipt says |

mod diff;
mod find;
mod import;
mod masked;
mod part;
mod plan;
mod receipt;
mod rejects;
mod retry;
mod summary;
mod table;
mod verify;

pub use diff::{ConnectorDiff, Diff, Pair, RowsDiff, diff};
pub use find::{Run, all, find, named, newest};
pub use import::{Columns, Match, Place as ReportedPlace, Reported, read_report, rows_of};
pub use part::{At, PartFile, Row, find_part, parts};
pub use plan::{Bound, PLAN_VERSION, Passed, Plan, PlannedChain};
pub use receipt::{FileDigest, InputDigest, Kept, MadeOf, PluginDigest, RECEIPT, Receipt};
pub use rejects::{EXAMPLES, Example, Group, rejects};
pub use retry::{Again, Place, Retry, read_again, retry};
pub use summary::{Books, Connector, Input, Summary, retried_by, summary};
pub use table::keys_in_table;
pub use verify::{Difference, How, Verified, files_below, verify};

use std::{io, path::Path};

use usher_abi::Error;

/// What to say when a run's file cannot be read.
fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::permanent(
        "run.unreadable",
        format!("cannot read `{}` ({error}); see that the run is whole", path.display()),
    )
}
