//! Why a file is not loaded.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// Why a file is not a plugin for this host: path, what was found, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// One line: found, expected, what to do.
    pub reason: String,
    /// The plugin's name, where the file says one.
    pub name: Option<String>,
    /// Whether the file is meant to be a plugin at all (it has a preamble).
    pub is_plugin: bool,
    /// More for `-v`: the layout difference.
    pub detail: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

impl Refusal {
    pub(super) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into(), name: None, is_plugin: false, detail: None }
    }

    pub(super) fn of_plugin(path: &Path, reason: impl Into<String>) -> Self {
        Self { is_plugin: true, ..Self::new(path, reason) }
    }
}
