//! A plugin in a process of its own: the same file, the same tables, and a jail around it.
//!
//! ```text
//!  host                                              worker (this executable, `usher worker`)
//!  ────────────────────────────                      ────────────────────────────────────────
//!  whoever drives a plugin                            the plugin
//!        │ tables (`relay.rs`)                            │ tables         ▲ services
//!        ▼                                                ▼                │ (`child/services.rs`)
//!  `process.rs` ── call ──────── lanes (`wire.rs`) ──▶ `child/lane.rs` ────┘
//!  `serving.rs` ◀─ question ────                          │
//!        │                                                ▼
//!  `lender.rs`  ── slabs, batches ── `memory.rs` ──▶ read only
//!  copied out   ◀── batches, bytes of parts ──       written
//! ```
//!
//! The host believes nothing that comes from there: messages are bounded (`wire.rs`), batches copied out before they are looked
//! at (`flat.rs`, `usher_abi::import_batch`), a call has a deadline, and a process that breaks a rule is ended. What the jail is
//! made of: `jail/`. Reasons: `docs/adr/0022-worker.md`.

mod child;
mod flat;
#[doc(hidden)]
pub mod fuzzing;
mod jail;
mod lender;
mod memory;
mod module;
mod process;
mod protocol;
mod relay;
mod serving;
mod wire;
mod words;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use usher_abi::{Error, HostTable, Instance, Kind, LoginHandle, LoginTable};

use self::process::Worker;
use crate::services::private::lock;

pub(crate) use child::run;
pub(crate) use jail::no_core_dump;

/// What a worker may do and use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights {
    /// Bytes of memory of its own. What it shares with the host comes to it: 256 MiB, and 64 MiB for each call at a time.
    pub memory: u64,
    /// How long a call may take, the time not counted that the host's services take.
    pub deadline: Duration,
    /// Whether it may open sockets of its own.
    pub network: bool,
    /// Files, and folders with all that is in them, that it may read.
    pub paths: Vec<PathBuf>,
}

impl Default for Rights {
    fn default() -> Self {
        Self { memory: 1_000_000_000, deadline: Duration::from_secs(120), network: false, paths: Vec::new() }
    }
}

/// A plugin that runs in workers: a process for every instance, so that none reads what another was given.
#[derive(Debug)]
pub struct Jailed {
    path: PathBuf,
    rights: Rights,
    description: String,
    /// The worker that has described the plugin; the first instance's.
    spare: Mutex<Option<Arc<Worker>>>,
    /// What of the jail this system cannot do, in words.
    gaps: Vec<String>,
    login: bool,
}

impl Jailed {
    /// Has a worker load the file and ask it for its description. The error is half a line, and the difference in layout, if
    /// that is it.
    pub fn load(path: &Path, rights: Rights) -> Result<Self, (String, Option<String>)> {
        let (worker, description) = Worker::start(path, &rights)?;
        let (gaps, login) = (worker.gaps.clone(), worker.login);
        let spare = Mutex::new(Some(Arc::new(worker)));
        Ok(Self { path: path.to_owned(), rights, description, spare, gaps, login })
    }

    /// Opens an instance; see [`usher_abi::Module::open`].
    pub fn open(
        &self,
        kind: Kind,
        component: &str,
        options: &str,
        host: HostTable,
    ) -> Result<Instance, Error> {
        relay::open(&self.worker()?, kind, component, options, host)
    }

    /// Opens a login; `None`: the plugin has none.
    pub fn open_login(
        &self,
        options: &str,
        host: HostTable,
    ) -> Result<Option<(LoginHandle, &'static LoginTable)>, Error> {
        relay::open_login(&self.worker()?, options, host)
    }

    /// What the plugin says of itself: a [`Description`](usher_abi::Description) in JSON.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether the plugin can log in to its vendor.
    pub fn has_login(&self) -> bool {
        self.login
    }

    /// What of the jail this system cannot do, in words.
    pub fn gaps(&self) -> &[String] {
        &self.gaps
    }

    fn worker(&self) -> Result<Arc<Worker>, Error> {
        if let Some(worker) = lock(&self.spare).take() {
            return Ok(worker);
        }
        let started = Worker::start(&self.path, &self.rights);
        let (worker, _) = started.map_err(|(reason, _)| Error::bug("worker.start", reason))?;
        Ok(Arc::new(worker))
    }
}

/// The program of a worker: this one.
fn executable() -> io::Result<PathBuf> {
    // The file may have been replaced since this process began; the link still leads to it.
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}
