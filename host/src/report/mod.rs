//! What people and machines are told.

mod guide;
mod progress;
mod tables;

pub use guide::upload_guide;
pub use progress::{Watch, watch};
pub use tables::{plan, preview, summary, table};
