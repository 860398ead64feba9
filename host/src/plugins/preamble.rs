//! What a plugin says of itself, read from its file: not one instruction of it runs.

use std::{
    fmt,
    fs::File,
    path::{Path, PathBuf},
};

use object::{
    Object, ObjectSection,
    read::{ReadCache, ReadRef},
};
use usher_abi::{
    ABI_MAJOR, ABI_MINOR,
    preamble::{Preamble, SECTION, SECTION_MACHO, TARGET},
};

/// Why a file is not a plugin for this host: path, what was found, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// One line: found, expected, what to do.
    pub reason: String,
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
        Self { path: path.to_owned(), reason: reason.into(), is_plugin: false, detail: None }
    }

    fn of_plugin(path: &Path, reason: impl Into<String>) -> Self {
        Self { is_plugin: true, ..Self::new(path, reason) }
    }
}

/// The preamble of a file, if it is a plugin that this host can load.
pub fn read(path: &Path) -> Result<Preamble, Refusal> {
    let preamble = read_unchecked(path)?;
    let name = format!("plugin `{}` {}", preamble.name, preamble.version);
    let [major, minor] = preamble.abi;
    if major != ABI_MAJOR || (ABI_MAJOR == 0 && minor != ABI_MINOR) {
        let advice = if (major, minor) > (ABI_MAJOR, ABI_MINOR) {
            "update this host, or take an older build of the plugin"
        } else {
            "rebuild the plugin with the usher-sdk of this host"
        };
        let reason = format!(
            "{name} was built for ABI {major}.{minor}, this host has {ABI_MAJOR}.{ABI_MINOR}; {advice}"
        );
        return Err(Refusal::of_plugin(path, reason));
    }
    if preamble.target != TARGET {
        let found = &preamble.target;
        let reason = format!(
            "{name} was built for {found}, this host runs on {TARGET}; take the plugin's build for {TARGET}"
        );
        return Err(Refusal::of_plugin(path, reason));
    }
    if preamble.panic != "unwind" {
        let found = &preamble.panic;
        let reason = format!(
            "{name} was built with panic = \"{found}\", which would end the host at its first panic; rebuild it with \
             panic = \"unwind\""
        );
        return Err(Refusal::of_plugin(path, reason));
    }
    Ok(preamble)
}

fn read_unchecked(path: &Path) -> Result<Preamble, Refusal> {
    let refuse = |reason: String| Refusal::new(path, reason);
    let file = File::open(path).map_err(|e| refuse(format!("cannot be opened: {e}")))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(refuse("is a folder; name the library itself".to_owned()));
    }
    let cache = ReadCache::new(file);
    let object = object::File::parse(&cache).map_err(|e| {
        let whole = (&cache).len().unwrap_or(0);
        refuse(format!(
            "is not a shared library, or not a whole one ({whole} bytes: {}); build or copy the plugin again",
            e.to_string().to_lowercase()
        ))
    })?;
    let section = object.section_by_name(SECTION).or_else(|| object.section_by_name(SECTION_MACHO));
    let section = section.ok_or_else(|| {
        refuse(format!("is a library but no Usher plugin: it has no section `{SECTION}`; build it with usher-sdk's `export!`"))
    })?;
    let bytes = section.data().map_err(|e| {
        refuse(format!(
            "is cut short: its preamble cannot be read ({}); copy the plugin again",
            e.to_string().to_lowercase()
        ))
    })?;
    Preamble::parse(bytes)
        .map_err(|e| Refusal::of_plugin(path, format!("{e}; rebuild the plugin with usher-sdk")))
}
