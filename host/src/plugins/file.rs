//! A plugin's file and what it says of itself: not one instruction of it runs.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use object::{
    Object, ObjectSection,
    read::{NameOrOrdinal, ReadCache, ReadRef},
};
use sha2::{Digest, Sha256};
use usher_abi::{
    ABI_MAJOR, ABI_MINOR, HEADER_SYMBOL,
    preamble::{Preamble, SECTION, SECTION_MACHO, TARGET},
};

use super::{Refusal, writable};

/// Larger than any plugin, whatever its debug information.
const LARGEST: u64 = 1 << 30;

/// A file with a preamble. It may be for another host; see [`PluginFile::check`].
#[derive(Clone, Debug)]
pub struct PluginFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub preamble: Preamble,
    /// Its length.
    pub bytes: u64,
    /// Whether it exports the root module.
    has_root: bool,
}

impl PluginFile {
    /// Reads no more of a file than its headers, its exports and the preamble.
    pub fn read(path: &Path) -> Result<Self, Refusal> {
        let (file, bytes) = open(path)?;
        Self::parse(path, &ReadCache::new(file), bytes)
    }

    /// Reads a whole file, once: what it says, and the SHA-256 of the same bytes as `sha256:` and 64 hexadecimal digits.
    pub fn read_whole(path: &Path) -> Result<(Self, String), Refusal> {
        let (mut file, _) = open(path)?;
        let mut data = Vec::new();
        file.read_to_end(&mut data).map_err(|e| Refusal::new(path, format!("cannot be read: {e}")))?;
        let plugin = Self::parse(path, &*data, data.len() as u64)?;
        Ok((plugin, sha256(&data)))
    }

    fn parse<'data>(path: &Path, data: impl ReadRef<'data>, bytes: u64) -> Result<Self, Refusal> {
        let refuse = |reason: String| Refusal::new(path, reason);
        let object = object::File::parse(data).map_err(|e| {
            refuse(format!(
                "is not a shared library, or not a whole one ({bytes} bytes: {}); build or copy the plugin again",
                e.to_string().to_lowercase()
            ))
        })?;
        let section = object.section_by_name(SECTION).or_else(|| object.section_by_name(SECTION_MACHO));
        let section = section.ok_or_else(|| {
            refuse(format!("is a library but no Usher plugin: it has no section `{SECTION}`; build it with usher-sdk's `export!`"))
        })?;
        let cut = |what: &str, e: object::Error| {
            let cause = e.to_string().to_lowercase();
            refuse(format!("is cut short: its {what} cannot be read ({cause}); copy the plugin again"))
        };
        let text = section.data().map_err(|e| cut("preamble", e))?;
        let preamble = Preamble::parse(text).map_err(|e| Refusal::of_plugin(path, e))?;
        let root = HEADER_SYMBOL.trim_end_matches('\0').as_bytes();
        let mut has_root = false;
        for export in object.exports().map_err(|e| cut("list of exports", e))? {
            let export = export.map_err(|e| cut("list of exports", e))?;
            // Mach-O puts an underscore before every name.
            has_root |= matches!(export.name(), NameOrOrdinal::Name(name) if name.ends_with(root));
        }
        Ok(Self { path: path.to_owned(), preamble, bytes, has_root })
    }

    /// Name and version, for messages.
    pub fn label(&self) -> String {
        format!("plugin `{}` {}", self.preamble.name, self.preamble.version)
    }

    /// Why this host does not load the file, as far as the file itself and its folder can tell. The layout of its tables
    /// is known only once it has been loaded.
    pub fn check(&self) -> Result<(), Refusal> {
        let label = self.label();
        let refuse = |reason: String| {
            let refusal = Refusal::of_plugin(&self.path, format!("{label} {reason}"));
            Err(Refusal { name: Some(self.preamble.name.clone()), ..refusal })
        };
        let [major, minor] = self.preamble.abi;
        // A newer one is told when its preamble is read, which may have another form.
        if major != ABI_MAJOR {
            return refuse(format!(
                "was built for ABI {major}.{minor}, this host has {ABI_MAJOR}.{ABI_MINOR}; rebuild the plugin with the \
                 usher-sdk of this host"
            ));
        }
        if let Some(need) = self.preamble.needs.first() {
            return refuse(format!("needs `{need}`, which this host does not know; update this host"));
        }
        if self.preamble.target != TARGET {
            let found = &self.preamble.target;
            return refuse(format!(
                "was built for {found}, this host runs on {TARGET}; take the plugin's build for {TARGET}"
            ));
        }
        if self.preamble.panic != "unwind" {
            let found = &self.preamble.panic;
            return refuse(format!(
                "was built with panic = \"{found}\", which would end the host at its first panic; rebuild it with \
                 panic = \"unwind\""
            ));
        }
        if !self.has_root {
            return refuse("does not export the root module; build it with usher-sdk's `export!`".to_owned());
        }
        writable::check(&self.path).or_else(|reason| refuse(format!("is not loaded: {reason}")))
    }
}

/// The digest as lock files write it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    text.extend(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")));
    text
}

fn open(path: &Path) -> Result<(File, u64), Refusal> {
    let refuse = |reason: String| Refusal::new(path, reason);
    let cannot = |e: std::io::Error| refuse(format!("cannot be opened: {e}"));
    // Looked at first: to open a pipe is to wait for whoever writes into it.
    let metadata = path.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(refuse("is a folder; name the library itself".to_owned()));
    }
    if !metadata.is_file() {
        return Err(refuse("is no file; name the library itself".to_owned()));
    }
    if metadata.len() > LARGEST {
        let bytes = metadata.len();
        return Err(refuse(format!("has {bytes} bytes, more than any plugin; name the library itself")));
    }
    let file = File::open(path).map_err(cannot)?;
    Ok((file, metadata.len()))
}
