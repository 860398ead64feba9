//! What people and machines are told.

mod advice;
mod diff;
mod forget;
mod guide;
mod list;
mod located;
mod log;
mod metrics;
mod plan;
mod progress;
mod rejects;
mod runs;
mod swap;
mod tables;
mod tell;

pub(crate) use advice::meaning;
pub use diff::diff;
pub use forget::whereabouts;
pub use guide::{Missing, Said, upload_guide};
pub(crate) use list::list;
pub use located::{located, masked};
pub use log::LogFormat;
pub(crate) use log::{at_work, is_json, log, log_as, log_with_key};
pub use metrics::write_metrics;
pub use plan::plan;
pub use progress::{Watch, watch};
pub use rejects::rejects;
pub use runs::{confirmed, pruned, run, runs, since, verified, waits};
pub use swap::swap;
pub use tables::{preview, summary, table};
pub(crate) use tell::{Prints, complain, tell};
pub use tell::{divert_stdout, keep_stdout, on_terminal, print};
