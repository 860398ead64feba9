//! Files of a run's folder, replaced after it was published.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};
use usher_abi::Error;

use crate::services::disk_error;

/// What the names of files begin with that are to take the place of others.
pub(super) const TEMPORARY: &str = ".replacing-";

/// The text of a file of JSON in a run's folder.
pub(super) fn pretty(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| Error::bug("host.json", e.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// Begins the file that is to take the place of the one at `path`: its owner's alone.
pub(super) fn temporary(path: &Path) -> Result<NamedTempFile, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(|error| fault(path, &error))
}

/// Puts a file in the place of another, which is as old as that one was: by its age runs are ordered.
pub(super) fn persist(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    let put = || -> io::Result<()> {
        if let Ok(modified) = fs::metadata(path).and_then(|old| old.modified()) {
            file.as_file().set_modified(modified)?;
        }
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // Makes the name durable, where file systems can.
        let _ = path.parent().and_then(|folder| File::open(folder).ok()?.sync_all().ok());
        Ok(())
    };
    put().map_err(|error| fault(path, &error))
}

/// Replaces a file, whole or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = temporary(path)?;
    file.write_all(bytes).map_err(|error| fault(path, &error))?;
    persist(file, path)
}

/// What to say when a run's folder cannot be changed.
pub(super) fn fault(path: &Path, error: &io::Error) -> Error {
    disk_error("run", path, error)
}
