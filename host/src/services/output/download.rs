//! A download on its way into the run's folder.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use usher_abi::Error;

use super::staging::{Place, Shared, check_name, create_below};
use crate::services::{
    input::Incoming,
    private::{disk_error, lock},
};

/// The first of `inputs/users.ndjson`, `inputs/2-users.ndjson`, … that is free; gone when it is dropped before its end.
pub(super) struct Download {
    shared: Arc<Shared>,
    file: File,
    /// Below the staging folder; none in a dry run, where the file has no name.
    relative: Option<PathBuf>,
    label: String,
}

impl Download {
    pub(super) fn new(shared: &Arc<Shared>, name: &str) -> Result<Self, Error> {
        check_name("input", name)?;
        let (file, relative, label) = match &shared.place {
            Place::Dry { temporary, .. } => {
                let file =
                    tempfile::tempfile_in(temporary).map_err(|e| disk_error("input", temporary, &e))?;
                (file, None, name.to_owned())
            }
            Place::Kept { staging, .. } => {
                let label = free(staging, name);
                let relative = PathBuf::from(&label);
                (create_below(staging, &relative)?, Some(relative), label)
            }
        };
        Ok(Self { shared: Arc::clone(shared), file, relative, label })
    }
}

fn free(staging: &Path, name: &str) -> String {
    let mut label = format!("inputs/{name}");
    let mut number = 1;
    while fs::symlink_metadata(staging.join(&label)).is_ok() {
        number += 1;
        label = format!("inputs/{number}-{name}");
    }
    label
}

impl Incoming for Download {
    fn file(&mut self) -> &mut File {
        &mut self.file
    }

    fn stay(mut self: Box<Self>) -> Result<(File, String), Error> {
        let file = self.file.try_clone().map_err(|e| disk_error("input", Path::new(&self.label), &e))?;
        if let Some(relative) = self.relative.take() {
            lock(&self.shared.files).insert(relative);
        }
        Ok((file, std::mem::take(&mut self.label)))
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let (Some(relative), Place::Kept { staging, .. }) = (&self.relative, &self.shared.place) {
            // What stays is a file that no report names.
            let _ = fs::remove_file(staging.join(relative));
        }
    }
}
