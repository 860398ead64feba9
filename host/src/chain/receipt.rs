//! The run's receipt, made when everything else of the run is written.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
};

use serde_json::json;
use usher_abi::{Error, Identity};

use super::{engine::Engine, prepare::PreparedChain, writing::SinkEnd};
use crate::{
    plugins::{Lock, Plugin},
    runs::{FileDigest, InputDigest, Kept, MadeOf, PluginDigest, Receipt},
    services::{Digest, InputInfo, Staging, disk_error},
};

/// The files that a chain is run with, but for its inputs: digested beside the run, as soon as they were read.
pub(super) struct Means(JoinHandle<Result<Files, Error>>);

/// What these files are, by digest.
pub(super) struct Files {
    lock: Option<FileDigest>,
    plugins: Vec<PluginDigest>,
}

impl Means {
    /// Begins to digest them.
    pub(super) fn new(engine: &Engine, chain: &PreparedChain) -> Self {
        let (lock, plugins) = (Lock::path_of(&engine.manifest.path), chain.plugins.clone());
        Self(thread::spawn(move || Files::digest(&lock, &plugins)))
    }

    /// Waits for the digests.
    pub(super) fn join(self) -> Result<Files, Error> {
        self.0.join().unwrap_or_else(|_| Err(Error::bug("host.panic", "digesting the plugins panicked")))
    }
}

impl Files {
    fn digest(lock: &Path, plugins: &[Arc<Plugin>]) -> Result<Self, Error> {
        let fault = |path: &Path, error: &io::Error| {
            let message = format!("cannot read `{}` again for the receipt ({error})", path.display());
            Error::permanent("run.receipt", message)
        };
        let name = lock.file_name().map_or_else(PathBuf::new, PathBuf::from);
        let lock = match FileDigest::of_file(name.to_string_lossy(), lock) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            found => Some(found.map_err(|error| fault(lock, &error))?),
        };
        let digest = |plugin: &Arc<Plugin>| {
            let file = FileDigest::of_file(plugin.path.to_string_lossy(), &plugin.path)
                .map_err(|error| fault(&plugin.path, &error))?;
            Ok(PluginDigest {
                name: plugin.preamble.name.clone(),
                version: plugin.preamble.version.clone(),
                file,
            })
        };
        Ok(Self { lock, plugins: plugins.iter().map(digest).collect::<Result<_, Error>>()? })
    }
}

/// What a chain is run with. `kept` answers where an input is after the run; one of which it answers nothing is left
/// out. `digests` are those of the inputs.
pub(super) fn made_of(
    engine: &Engine,
    chain: &PreparedChain,
    files: &Files,
    digests: &[Digest],
    kept: impl Fn(&InputInfo) -> Option<Kept>,
) -> MadeOf {
    let manifest = &engine.manifest;
    let inputs = chain.inputs.inputs().into_iter().zip(digests).filter_map(|(input, digest)| {
        let kept = kept(&input)?;
        Some(InputDigest { kept, file: FileDigest::new(input.path, digest.bytes, &digest.blake3) })
    });
    MadeOf {
        manifest: FileDigest::of_bytes(manifest.path.to_string_lossy(), manifest.text().as_bytes()),
        set: manifest.set_keys(),
        says: manifest.digest(&chain.chain),
        lock: files.lock.clone(),
        plugins: files.plugins.clone(),
        inputs: inputs.collect(),
    }
}

/// What a receipt is made from.
pub(super) struct Made<'a> {
    pub(super) engine: &'a Engine,
    pub(super) chain: &'a PreparedChain,
    pub(super) staging: &'a Staging,
    pub(super) read: Identity,
    /// By sink.
    pub(super) ends: &'a [SinkEnd],
    /// By input.
    pub(super) digests: &'a [Digest],
    pub(super) id: &'a str,
}

impl Made<'_> {
    /// The receipt of a run of which everything else is written.
    pub(super) fn receipt(&self, means: &Files) -> Result<Receipt, Error> {
        let files = self.files()?;
        let kept = |input: &InputInfo| {
            Some(match input.is_file {
                true => Kept::InPlace,
                false if files.iter().any(|file| file.path == input.path) => Kept::InRun,
                false => Kept::Nowhere,
            })
        };
        let made_of = made_of(self.engine, self.chain, means, self.digests, kept);
        let sinks = self.chain.sinks.iter().zip(self.ends).map(|(sink, SinkEnd { receipt, .. })| {
            let mut said = json!({
                "plugin": sink.plugin,
                "books": sink.stage.books.to_json(self.read, receipt.delivery.is_some()),
                "parts": receipt.parts,
                "warnings": receipt.warnings,
                "facts": receipt.facts,
            });
            if let Some(delivery) = &receipt.delivery {
                said["delivery"] = json!(delivery);
            }
            (sink.name.clone(), said)
        });
        Ok(Receipt {
            version: 1,
            usher: env!("CARGO_PKG_VERSION").to_owned(),
            chain: self.chain.chain.name.clone(),
            run: self.id.to_owned(),
            made_of,
            connectors: sinks.collect(),
            files,
        })
    }

    /// Everything in the run's folder; what parts are is known since they were written.
    fn files(&self) -> Result<Vec<FileDigest>, Error> {
        let parts = self.staging.parts().into_iter().map(|part| {
            FileDigest::new(format!("{}/{}", part.connector, part.name), part.bytes, &part.digest)
        });
        let mut files: Vec<FileDigest> = parts.collect();
        for path in self.staging.files() {
            let digest = match self.staging.folder() {
                Some(folder) => {
                    let place = folder.join(&path);
                    FileDigest::of_file(path.to_string_lossy(), &place)
                        .map_err(|error| disk_error("output", &place, &error))?
                }
                None => continue,
            };
            files.push(digest);
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}
