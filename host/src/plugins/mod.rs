//! Plugins, from a name in the manifest to a loaded module: search → file → lock → library.

mod choices;
mod compare;
mod file;
mod isolation;
mod library;
mod lock;
mod lock_text;
mod login;
mod plugin;
mod refusal;
mod search;
mod writable;

pub use choices::{choices, plain};
pub use compare::{Change, compare_columns, compare_descriptions, compare_preambles, compare_sinks};
pub use file::PluginFile;
pub(crate) use isolation::APART;
pub use isolation::{Whereabouts, Why};
#[cfg(feature = "linked")]
pub use library::LINKED;
pub use library::load;
pub use lock::{Lock, Locked};
pub use login::Login;
pub use plugin::{Plugin, Registry};
pub use refusal::Refusal;
pub use search::SearchPath;
