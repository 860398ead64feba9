//! Making a run visible: whole, durable, and `latest` last.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use usher_abi::Error;

use super::{
    leftovers::{LATEST, LOCK},
    outputs::Part,
    staging::{Place, Staging, check_relative, create_below},
};
use crate::services::private::{disk_error, lock, sync_folder};

/// A published run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    chain_folder: PathBuf,
    run: String,
    parts: Vec<Part>,
}

impl Staging {
    /// Makes everything durable and renames the folder to the run id, at once; then moves `latest` to it if so
    /// asked. An error with code `output.latest` means that the run folder is complete and only `latest` was not
    /// moved; after any other nothing of the run is left.
    pub fn publish(mut self, move_latest: bool) -> Result<RunFolder, Error> {
        let Place::Kept { chain_folder, staging } = &self.shared.place else {
            return Err(Error::bug("output.dry", "a dry run cannot be published"));
        };
        if let Some(part) = lock(&self.shared.open).values().next() {
            let message = format!("the sink left part `{part}` unfinished; it must finish or discard it");
            return Err(Error::bug("output.unfinished", message));
        }
        self.shared.settle()?;
        let fault = |path: &Path, e: &io::Error| disk_error("output", path, e);
        for name in &*lock(&self.shared.files) {
            let path = staging.join(name);
            File::open(&path).and_then(|file| file.sync_all()).map_err(|e| fault(&path, &e))?;
        }
        sync_tree(staging).map_err(|e| fault(staging, &e))?;
        let folder = RunFolder {
            chain_folder: chain_folder.clone(),
            run: self.shared.run.clone(),
            parts: self.parts(),
        };
        let path = folder.path();
        if fs::symlink_metadata(&path).is_ok() {
            let message = format!("run folder `{}` exists already; use another run id", path.display());
            return Err(Error::config("output.exists", message));
        }
        fs::rename(staging, &path).map_err(|e| fault(&path, &e))?;
        // From here on the run is there. Its lock was held until it had its final name, so that nobody could take
        // it for dead; a lock file that cannot be removed does no harm.
        let _ = fs::remove_file(path.join(LOCK));
        self.lock = None;
        // The rename is not undone when the folder above cannot be made durable: the files are whole either way.
        let _ = sync_folder(chain_folder);
        let _ = chain_folder.parent().map(sync_folder);
        if move_latest {
            folder.move_latest()?;
        }
        Ok(folder)
    }
}

impl RunFolder {
    /// `out/<chain>/<run id>`.
    pub fn path(&self) -> PathBuf {
        self.chain_folder.join(&self.run)
    }

    /// The parts in it, as [`Staging::parts`] gave them.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Makes `latest`, beside the run folder, point at it; replaced at once, never missing. Error code
    /// `output.latest`.
    pub fn move_latest(&self) -> Result<(), Error> {
        let latest = self.chain_folder.join("latest");
        let new = self.chain_folder.join(format!("{LATEST}{}", self.run));
        let moved = (|| {
            match fs::remove_file(&new) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            symlink(&self.run, &new)?;
            fs::rename(&new, &latest).inspect_err(|_| {
                // The error that is answered says more than one of cleaning up.
                let _ = fs::remove_file(&new);
            })
        })();
        moved.map_err(|e| {
            Error::permanent(
                "output.latest",
                format!(
                    "run folder `{}` is complete, but `{}` could not be moved to it ({e}); remove what is there",
                    self.path().display(),
                    latest.display()
                ),
            )
        })?;
        // As above: where the link points after a power cut is not worth failing a run that is done.
        let _ = sync_folder(&self.chain_folder);
        Ok(())
    }

    /// Writes a file into the published folder (a receipt that comes later), mode 0600, durable, replacing one of
    /// that name at once.
    pub fn write_file(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let folder = self.path();
        let path = folder.join(check_relative(name)?);
        let new = path.with_added_extension(format!("tmp-{}", std::process::id()));
        let relative = new.strip_prefix(&folder).unwrap_or(&new);
        let mut file = create_below(&folder, relative)?;
        let written = io::Write::write_all(&mut file, bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| sync_folder(path.parent().unwrap_or(&folder)));
        written.map_err(|e| {
            let _ = fs::remove_file(&new);
            disk_error("output", &path, &e)
        })
    }
}

/// Makes the names in a folder and in all folders below durable.
fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder)
}

#[cfg(test)]
mod tests;
