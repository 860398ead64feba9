//! A changed manifest, put into the place of the old one.

use std::{fs, io::Write, path::Path};

use usher_abi::Error;

use crate::services::disk_error;

/// Replaces the manifest at `path`, whole or not at all; the file keeps its mode, and a link to it stays one.
///
/// # Errors
///
/// `manifest.changed` if the file no longer says `old`; `manifest.…` of a disk that refuses.
pub fn save(path: &Path, old: &str, new: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| disk_error("manifest", path, &error);
    let target = path.canonicalize().map_err(failed)?;
    if fs::read(&target).map_err(failed)? != old.as_bytes() {
        let message = format!("`{}` has changed since it was read; run the command again", path.display());
        return Err(Error::config("manifest.changed", message));
    }
    let mode = target.metadata().map_err(failed)?.permissions();
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().tempfile_in(folder).map_err(failed)?;
    file.write_all(new.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(mode).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn mode_and_link_stay_and_another_text_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        save(&link, "old", "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(save(&link, "old", "newer").unwrap_err().code, "manifest.changed");
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
