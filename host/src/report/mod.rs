//! What people and machines are told.

mod advice;
mod forget;
mod guide;
mod metrics;
mod plan;
mod progress;
mod rejects;
mod runs;
mod swap;
mod tables;
mod tell;

pub use forget::whereabouts;
pub use guide::{Missing, Said, upload_guide};
pub use metrics::write_metrics;
pub use plan::plan;
pub use progress::{Watch, watch};
pub use rejects::rejects;
pub use runs::{confirmed, pruned, run, runs, since, verified, waits};
pub use swap::swap;
pub use tables::{preview, summary, table};
pub(crate) use tell::{complain, tell};
pub use tell::{divert_stdout, keep_stdout, on_terminal, print};
