//! All inputs of a run, by id.

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File, Metadata},
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use usher_abi::{Error, ROption, service::InputFile};

use super::{
    decode::Packing,
    head::{Head, inspect},
    slabs::Pool,
    spec,
    stored::{Spool, Stamp, Stored, spool, unreadable},
};
use crate::services::{clock::Cancel, private::lock};

/// What a registry needs to know.
pub struct InputOptions {
    /// Relative paths start here: the manifest's folder.
    pub base: PathBuf,
    /// What comes through a pipe is kept here, in a file without a name, until the registry is dropped. Must exist
    /// by the time the first pipe is opened.
    pub spool: PathBuf,
    /// Standard input; taken when `-` is opened first. `None` refuses `-`.
    pub stdin: Option<Box<dyn Read + Send>>,
    /// The most bytes that one compressed or piped input may come to.
    pub limit: u64,
    /// Where downloads are kept by name; `None`: like pipes.
    pub kept: Option<Keeper>,
    /// Stops long reads.
    pub cancel: Cancel,
}

/// Makes a place for a download of this name.
pub type Keeper = Box<dyn Fn(&str) -> Result<Box<dyn Incoming>, Error> + Send + Sync>;

/// A file that is being filled; dropped, it is gone.
pub trait Incoming: Send {
    /// The file, open for reading and writing.
    fn file(&mut self) -> &mut File;
    /// It is complete and stays: the file, and what it is called in the run's folder.
    fn stay(self: Box<Self>) -> Result<(File, String), Error>;
}

impl InputOptions {
    /// The process's standard input, and a limit of 1 TB an input.
    pub fn new(base: impl Into<PathBuf>, spool: impl Into<PathBuf>, cancel: Cancel) -> Self {
        let stdin: Box<dyn Read + Send> = Box::new(std::io::stdin());
        Self {
            base: base.into(),
            spool: spool.into(),
            stdin: Some(stdin),
            limit: 1_000_000_000_000,
            kept: None,
            cancel,
        }
    }
}

impl fmt::Debug for InputOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputOptions").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What is known of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputInfo {
    /// Its id.
    pub id: u32,
    /// How messages name it: the file's name; its path where two inputs share a name; `stdin`.
    pub name: String,
    /// Its path, relative to the base folder when it is inside; `stdin`.
    pub path: String,
    /// Bytes as stored.
    pub stored_bytes: u64,
    /// How it is stored.
    pub packing: Packing,
    /// Whether it stands in a file of the user's, so that it can be read again after the run.
    pub is_file: bool,
    /// Whether a connector has downloaded it, so that the next run may get other bytes.
    pub is_download: bool,
}

/// The inputs of a run, shared by all connectors. All methods may be called from any thread.
pub struct InputRegistry {
    base: PathBuf,
    spool: PathBuf,
    pub(super) limit: u64,
    pub(super) cancel: Cancel,
    pub(super) pool: Arc<Pool>,
    stdin: Mutex<Option<Box<dyn Read + Send>>>,
    kept: Option<Keeper>,
    /// Held while something is opened, so that ids are given in one order and nothing is opened twice.
    opening: Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    entries: Vec<Arc<Entry>>,
    by_key: HashMap<Key, u32>,
    by_file_name: HashMap<String, u32>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Stdin,
    Path(PathBuf),
    /// A reply of a vendor, by the id that it gets.
    Reply(usize),
}

/// An input that was opened.
pub(super) struct Entry {
    pub(super) id: u32,
    file_name: String,
    label: String,
    pub(super) stored: Stored,
    pub(super) head: Head,
}

impl fmt::Debug for InputRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InputRegistry").field("inputs", &self.inputs()).finish_non_exhaustive()
    }
}

impl InputRegistry {
    /// A registry without inputs.
    pub fn new(options: InputOptions) -> Arc<Self> {
        Arc::new(Self {
            base: options.base,
            spool: options.spool,
            limit: options.limit,
            cancel: options.cancel,
            pool: Arc::default(),
            stdin: Mutex::new(options.stdin),
            kept: options.kept,
            opening: Mutex::default(),
            known: Mutex::default(),
        })
    }

    /// Everything opened so far, by id.
    pub fn inputs(&self) -> Vec<InputInfo> {
        let known = lock(&self.known);
        known.entries.iter().map(|entry| known.info(entry)).collect()
    }

    /// How messages name an input. It may change from the file's name to its path when another of the same name is
    /// opened, so ask when a message is written. An id that was never given reads `input <id>`.
    pub fn name(&self, input: u32) -> String {
        let known = lock(&self.known);
        match known.entries.get(input as usize) {
            Some(entry) => known.name(entry).to_owned(),
            None => format!("input {input}"),
        }
    }

    /// Opens what `spec` names; see [`InputService::open`](usher_abi::service::InputService::open).
    pub(super) fn open(&self, spec: &str) -> Result<Vec<Arc<Entry>>, Error> {
        let _opening = lock(&self.opening);
        if spec == "-" {
            return Ok(vec![self.open_stdin()?]);
        }
        let files = spec::find(&self.base, spec)?;
        files.iter().map(|(path, metadata)| self.open_file(path, metadata)).collect()
    }

    /// What the boundary calls an input.
    pub(super) fn file(&self, entry: &Entry) -> InputFile {
        let plain = entry.head.packing == Packing::Plain;
        InputFile {
            id: entry.id,
            name: self.name(entry.id).into(),
            size: if plain { ROption::RSome(entry.stored.len()) } else { ROption::RNone },
            splittable: plain,
        }
    }

    pub(super) fn entry(&self, input: u32) -> Result<Arc<Entry>, Error> {
        lock(&self.known)
            .entries
            .get(input as usize)
            .cloned()
            .ok_or_else(|| Error::bug("input.unknown", format!("there is no input {input}")))
    }

    /// Makes bytes that come once an input of their own under this name: kept in the run's folder if that is wanted and
    /// there is one, else until the registry is dropped.
    pub(super) fn keep(
        &self,
        name: &str,
        store: bool,
        mut next: impl FnMut() -> Result<Option<Vec<u8>>, Error>,
    ) -> Result<Arc<Entry>, Error> {
        let keeper = self.kept.as_ref().filter(|_| store);
        let incoming = keeper.map(|keeper| keeper(name)).transpose()?;
        let mut spool = Spool::new(name, &self.spool, self.limit, incoming)?;
        while let Some(bytes) = next()? {
            self.cancel.check()?;
            spool.write(&bytes)?;
        }
        let (stored, label) = spool.finish()?;
        let _opening = lock(&self.opening);
        let key = Key::Reply(lock(&self.known).entries.len());
        self.add(key, name.to_owned(), label, stored)
    }

    fn open_stdin(&self) -> Result<Arc<Entry>, Error> {
        if let Some(entry) = self.by_key(&Key::Stdin) {
            return Ok(entry);
        }
        let stdin = lock(&self.stdin).take().ok_or_else(|| {
            Error::config(
                "input.no-stdin",
                "standard input (`-`) cannot be read here, or was read before and refused; name a file",
            )
        })?;
        let stored = spool("stdin", stdin, &self.spool, self.limit, &self.cancel)?;
        self.add(Key::Stdin, "stdin".to_owned(), "stdin".to_owned(), stored)
    }

    fn open_file(&self, path: &Path, metadata: &Metadata) -> Result<Arc<Entry>, Error> {
        // Pipes (`/dev/fd/63`) have no canonical path.
        let key = Key::Path(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        if let Some(entry) = self.by_key(&key) {
            return Ok(entry);
        }
        let label = spec::label(&self.base, path);
        let file_name =
            path.file_name().map_or_else(|| label.clone(), |name| name.to_string_lossy().into_owned());
        let stored = if metadata.is_file() {
            Stored::file(path.to_owned(), Stamp::of(metadata))
        } else {
            let pipe = File::open(path).map_err(|e| unreadable(&label, &e))?;
            spool(&label, pipe, &self.spool, self.limit, &self.cancel)?
        };
        self.add(key, file_name, label, stored)
    }

    fn by_key(&self, key: &Key) -> Option<Arc<Entry>> {
        let known = lock(&self.known);
        let id = *known.by_key.get(key)?;
        known.entries.get(id as usize).cloned()
    }

    fn add(&self, key: Key, file_name: String, label: String, stored: Stored) -> Result<Arc<Entry>, Error> {
        let head = inspect(&label, &stored, self.limit)?;
        let mut known = lock(&self.known);
        let id = u32::try_from(known.entries.len()).map_err(|_| {
            Error::config("input.too-many", "more inputs than a run can number; use fewer files")
        })?;
        *known.by_file_name.entry(file_name.clone()).or_default() += 1;
        let entry = Arc::new(Entry { id, file_name, label, stored, head });
        known.entries.push(Arc::clone(&entry));
        known.by_key.insert(key, id);
        Ok(entry)
    }
}

impl Known {
    fn name<'a>(&self, entry: &'a Entry) -> &'a str {
        let alone = self.by_file_name.get(&entry.file_name).is_none_or(|count| *count <= 1);
        if alone { &entry.file_name } else { &entry.label }
    }

    fn info(&self, entry: &Entry) -> InputInfo {
        InputInfo {
            id: entry.id,
            name: self.name(entry).to_owned(),
            path: entry.label.clone(),
            stored_bytes: entry.stored.len(),
            packing: entry.head.packing,
            is_file: entry.stored.is_file(),
            is_download: self.by_key.contains_key(&Key::Reply(entry.id as usize)),
        }
    }
}
