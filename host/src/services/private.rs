//! Files and folders that only their owner may read, and what to say when the disk refuses.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use usher_abi::Error;

/// Creates a folder and its missing parents, each with mode 0700. One that exists is left as it is.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a file with mode 0600, open for reading and writing; it must not exist yet.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a file with mode 0600, whole or not at all; what stood in it before is gone.
pub fn replace_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is its owner's alone.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// What to say when writing under `path` failed: code `<service>.disk-full`, `<service>.not-writable` or
/// `<service>.failed`.
pub fn disk_error(service: &str, path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Error::permanent(
            format!("{service}.disk-full"),
            format!("no space left to write `{path}` ({error}); free some, or choose another folder"),
        ),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
            Error::config(
                format!("{service}.not-writable"),
                format!("cannot write `{path}` ({error}); allow it, or choose another folder"),
            )
        }
        _ => Error::permanent(
            format!("{service}.failed"),
            format!("cannot write `{path}` ({error}); check the disk and run again"),
        ),
    }
}

/// Makes the names in a folder durable. Filesystems that cannot do so for folders say so, which is no error.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}

/// Locks; a panic elsewhere while the lock was held is that caller's error, not a reason to fail here as well.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_may_look() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("a/b"));
        create_private_folder(&b).unwrap();
        create_private_folder(&b).unwrap();
        assert_eq!((mode(&a), mode(&b)), (0o700, 0o700));
        create_private_file(&b.join("f")).unwrap();
        assert_eq!(mode(&b.join("f")), 0o600);
        std::fs::set_permissions(b.join("f"), std::fs::Permissions::from_mode(0o644)).unwrap();
        replace_private_file(&b.join("f"), b"new").unwrap();
        assert_eq!((mode(&b.join("f")), std::fs::read(b.join("f")).unwrap()), (0o600, b"new".to_vec()));
        assert_eq!(create_private_file(&b.join("f")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn disk_errors_name_the_path_and_what_to_do() {
        let error = |kind| disk_error("output", Path::new("out/a.csv"), &io::Error::from(kind));
        let full = error(ErrorKind::StorageFull);
        assert_eq!(full.code, "output.disk-full");
        assert_eq!(
            full.to_string(),
            "no space left to write `out/a.csv` (no storage space); free some, or choose another folder"
        );
        assert_eq!(error(ErrorKind::PermissionDenied).code, "output.not-writable");
        assert_eq!(error(ErrorKind::ReadOnlyFilesystem).code, "output.not-writable");
        assert_eq!(error(ErrorKind::BrokenPipe).code, "output.failed");
    }
}
