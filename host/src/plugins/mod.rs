//! Plugins, from a name in the manifest to a loaded module: search → preamble → library.

mod library;
mod plugin;
mod preamble;
mod search;

pub use library::load;
pub use plugin::{Plugin, Registry};
pub use preamble::{Refusal, read};
pub use search::{Candidate, SearchPath};
