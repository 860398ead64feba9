//! The folder of a run before it is published.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU64},
    thread::JoinHandle,
};

use usher_abi::Error;

use super::{
    download::Download,
    leftovers,
    outputs::{Outputs, Part},
};
use crate::services::{
    input::Keeper,
    private::{create_private_file, create_private_folder, disk_error, lock},
};

/// Parts that may be on their way to the disk at the same time, after their `finish`.
const SYNCING: usize = 8;

/// Where a run writes.
#[derive(Debug, Clone, Copy)]
pub struct StagingOptions<'a> {
    /// The folder of all results (`out`); it and the chain's folder are created if need be.
    pub out: &'a Path,
    /// Name of the chain.
    pub chain: &'a str,
    /// Run id, never used before for this chain.
    pub run: &'a str,
}

/// The results of one run of one chain while they are made. Dropped without [`publish`](Self::publish), everything
/// is removed. All methods may be called from any thread.
pub struct Staging {
    pub(super) shared: Arc<Shared>,
    /// Keeps later runs from taking this one for dead.
    pub(super) lock: Option<File>,
}

/// What a staging and its outputs share.
pub(super) struct Shared {
    pub(super) chain: String,
    pub(super) run: String,
    pub(super) place: Place,
    pub(super) next_part: AtomicU64,
    /// Parts that were begun and neither finished nor discarded: `<connector>: <stem>` by id.
    pub(super) open: Mutex<BTreeMap<u64, String>>,
    pub(super) parts: Mutex<Vec<Part>>,
    connectors: Mutex<BTreeSet<String>>,
    /// Run-level files, to be made durable.
    pub(super) files: Mutex<BTreeSet<PathBuf>>,
    syncing: Mutex<VecDeque<JoinHandle<Result<(), Error>>>>,
    /// Why the run cannot be published any more.
    failure: Mutex<Option<Error>>,
}

/// Where the bytes go.
pub(super) enum Place {
    /// `staging` below the chain's folder, to be renamed.
    Kept { chain_folder: PathBuf, staging: PathBuf },
    /// Files without names in this folder: they are gone when closed. The first bytes of each part are kept.
    Dry { temporary: PathBuf, head: usize },
}

impl fmt::Debug for Staging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { chain, run, .. } = &*self.shared;
        f.debug_struct("Staging").field("chain", chain).field("run", run).finish_non_exhaustive()
    }
}

impl Staging {
    /// Removes what dead runs of this chain left, and makes the folder of this one.
    pub fn new(options: StagingOptions<'_>) -> Result<Self, Error> {
        let StagingOptions { out, chain, run } = options;
        check_name("chain", chain)?;
        check_name("run id", run)?;
        let chain_folder = out.join(chain);
        if run == "latest" || fs::symlink_metadata(chain_folder.join(run)).is_ok() {
            return Err(taken(&chain_folder.join(run)));
        }
        leftovers::remove_dead(&chain_folder);
        let (staging, lock) = leftovers::make(&chain_folder, run).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => taken(&chain_folder.join(run)),
            _ => disk_error("output", &chain_folder, &e),
        })?;
        Ok(Self { shared: Shared::new(chain, run, Place::Kept { chain_folder, staging }), lock: Some(lock) })
    }

    /// A staging for `plan` and `preview`: everything is counted and checked as in a run, and nothing is left
    /// behind, not even by a killed process. Parts pass through files without names in `temporary`, since a sink may
    /// read them back; [`Part::head`] keeps the first `head` bytes of each.
    pub fn dry(temporary: &Path, chain: &str, run: &str, head: usize) -> Result<Self, Error> {
        check_name("chain", chain)?;
        check_name("run id", run)?;
        let place = Place::Dry { temporary: temporary.to_owned(), head };
        Ok(Self { shared: Shared::new(chain, run, place), lock: None })
    }

    /// The staging folder; none in a dry run. For whoever must remove it because this value cannot be dropped.
    pub fn folder(&self) -> Option<&Path> {
        match &self.shared.place {
            Place::Kept { staging, .. } => Some(staging),
            Place::Dry { .. } => None,
        }
    }

    /// The output service of a connector; once per connector.
    pub fn outputs(&self, connector: &str) -> Result<Outputs, Error> {
        check_name("connector", connector)?;
        if !lock(&self.shared.connectors).insert(connector.to_owned()) {
            let message = format!("connector `{connector}` has its outputs already");
            return Err(Error::bug("output.twice", message));
        }
        if let Some(staging) = self.folder() {
            let folder = staging.join(connector);
            create_private_folder(&folder).map_err(|e| disk_error("output", &folder, &e))?;
        }
        Ok(Outputs::new(Arc::clone(&self.shared), connector))
    }

    /// The parts finished so far, by connector and then in order of `finish`.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = lock(&self.shared.parts).clone();
        parts.sort_by(|a, b| a.connector.cmp(&b.connector));
        parts
    }

    /// The files of the run itself that were created so far, by their paths in its folder; none in a dry run.
    pub fn files(&self) -> Vec<PathBuf> {
        lock(&self.shared.files).iter().cloned().collect()
    }

    /// Creates a file of the run itself (`rejects.ndjson`, `support/UPLOAD.md`), mode 0600, in folders 0700. Write
    /// it out before [`publish`](Self::publish), which makes it durable. In a dry run it has no name and is gone
    /// when closed.
    pub fn create_file(&self, name: &str) -> Result<File, Error> {
        let relative = check_relative(name)?;
        match &self.shared.place {
            Place::Dry { temporary, .. } => {
                tempfile::tempfile_in(temporary).map_err(|e| disk_error("output", temporary, &e))
            }
            Place::Kept { staging, .. } => {
                let file = create_below(staging, relative)?;
                lock(&self.shared.files).insert(relative.to_owned());
                Ok(file)
            }
        }
    }

    /// Where downloads are kept: files of the run, in its folder `inputs`.
    pub fn keeper(&self) -> Keeper {
        let shared = Arc::clone(&self.shared);
        Box::new(move |name: &str| Ok(Box::new(Download::new(&shared, name)?) as _))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Published, the folder has another name; the lock is let go after this.
        if let (Some(_), Some(staging)) = (&self.lock, self.folder()) {
            // What stays is removed at the next start of the chain.
            let _ = fs::remove_dir_all(staging);
        }
    }
}

impl Shared {
    fn new(chain: &str, run: &str, place: Place) -> Arc<Self> {
        Arc::new(Self {
            chain: chain.to_owned(),
            run: run.to_owned(),
            place,
            next_part: AtomicU64::new(1),
            open: Mutex::default(),
            parts: Mutex::default(),
            connectors: Mutex::default(),
            files: Mutex::default(),
            syncing: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    /// Notes why the run cannot be published any more; the first reason counts.
    pub(super) fn fail(&self, error: &Error) {
        lock(&self.failure).get_or_insert_with(|| error.clone());
    }

    /// Takes over a thread that makes a part durable; waits for the oldest when there are many.
    pub(super) fn add_syncing(&self, thread: JoinHandle<Result<(), Error>>) -> Result<(), Error> {
        let oldest = {
            let mut syncing = lock(&self.syncing);
            syncing.push_back(thread);
            if syncing.len() > SYNCING { syncing.pop_front() } else { None }
        };
        oldest.map_or(Ok(()), join)
    }

    /// Waits until all finished parts are durable; whatever went wrong with any part is answered.
    pub(super) fn settle(&self) -> Result<(), Error> {
        let threads = std::mem::take(&mut *lock(&self.syncing));
        for thread in threads {
            if let Err(error) = join(thread) {
                self.fail(&error);
            }
        }
        lock(&self.failure).clone().map_or(Ok(()), Err)
    }
}

fn join(thread: JoinHandle<Result<(), Error>>) -> Result<(), Error> {
    thread.join().unwrap_or_else(|_| Err(Error::bug("output.writer-died", "a thread that wrote a part died")))
}

fn taken(path: &Path) -> Error {
    Error::config(
        "output.exists",
        format!("run folder `{}` exists already; use another run id", path.display()),
    )
}

/// Creates a file at a checked relative path, with the folders that it needs.
pub(super) fn create_below(folder: &Path, relative: &Path) -> Result<File, Error> {
    let path = folder.join(relative);
    let parent = path.parent().unwrap_or(folder);
    create_private_folder(parent)
        .and_then(|()| create_private_file(&path))
        .map_err(|e| disk_error("output", &path, &e))
}

/// Names that become names of files: letters, digits, `-`, `_`, `.`, not first a `.`.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
        return Err(Error::config(
            "output.name",
            format!("{what} `{name}` cannot be part of a file's name; use letters, digits, `-`, `_` and `.`"),
        ));
    }
    Ok(())
}

/// Relative paths that stay where they belong.
pub(super) fn check_relative(name: &str) -> Result<&Path, Error> {
    let path = Path::new(name);
    for part in path.components() {
        match part {
            Component::Normal(part) => check_name("file", &part.to_string_lossy())?,
            _ => return Err(Error::bug("output.name", format!("`{name}` is no name below the run folder"))),
        }
    }
    check_name("file", &name.replace('/', "-")).map(|()| path)
}
