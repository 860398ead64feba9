//! The life of a staging folder: made with its lock held, and removed by a later run once nobody holds it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::services::private::{create_private_file, create_private_folder};

/// Before the run id in the name of a staging folder.
pub(super) const STAGING: &str = ".staging-";
/// Before the run id in the name of a folder that is about to become a staging folder.
const STARTING: &str = ".starting-";
/// Before the run id in the name of a link that is about to become `latest`.
pub(super) const LATEST: &str = ".latest-";
/// The file inside that its run keeps locked.
pub(super) const LOCK: &str = ".lock";

/// Makes the staging folder of a run in `chain_folder` and answers it with its lock. A folder under the staging name
/// always holds a lock file that its run, if it lives, has locked: it gets the name only then.
pub(super) fn make(chain_folder: &Path, run: &str) -> io::Result<(PathBuf, File)> {
    create_private_folder(chain_folder)?;
    let starting = chain_folder.join(format!("{STARTING}{run}"));
    let staging = chain_folder.join(format!("{STAGING}{run}"));
    fs::create_dir(&starting)?;
    let made = (|| {
        fs::set_permissions(&starting, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let lock = create_private_file(&starting.join(LOCK))?;
        match lock.lock() {
            // On a filesystem without locks the folder is never taken for a dead run's (see `is_dead`).
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            result => result?,
        }
        if staging.exists() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        fs::rename(&starting, &staging)?;
        Ok((staging, lock))
    })();
    if made.is_err() {
        // The error that is answered says more than one of cleaning up.
        let _ = fs::remove_dir_all(&starting);
    }
    made
}

/// Removes what dead runs left in `chain_folder`; answers what was removed. What cannot be removed stays for the
/// next time: it harms nobody.
pub(super) fn remove_dead(chain_folder: &Path) -> Vec<PathBuf> {
    remove_dead_at(chain_folder, SystemTime::now())
}

fn remove_dead_at(chain_folder: &Path, now: SystemTime) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(chain_folder) else { return Vec::new() };
    let mut removed = Vec::new();
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else { continue };
        let becomes = name.starts_with(STARTING) || name.starts_with(LATEST);
        let dead = (name.starts_with(STAGING) && is_dead(&path)) || (becomes && is_old(&path, now));
        if dead && fs::remove_dir_all(&path).is_ok() {
            removed.push(path);
        }
    }
    removed
}

fn is_dead(staging: &Path) -> bool {
    match OpenOptions::new().read(true).write(true).open(staging.join(LOCK)) {
        // Another run was killed while it removed the folder.
        Err(error) => error.kind() == ErrorKind::NotFound,
        Ok(lock) => match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
    }
}

/// What is about to get another name is so for some microseconds; after an hour it never will.
fn is_old(path: &Path, now: SystemTime) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > Duration::from_secs(3_600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_go_and_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (living, lock) = make(folder.path(), "r1").unwrap();
        let (dead, dead_lock) = make(folder.path(), "r2").unwrap();
        fs::write(dead.join("users.part-1.tmp"), "x").unwrap();
        drop(dead_lock);
        let half_removed = folder.path().join(".staging-r3");
        fs::create_dir(&half_removed).unwrap();
        let starting = folder.path().join(".starting-r4");
        fs::create_dir(&starting).unwrap();
        let published = folder.path().join("r0");
        fs::create_dir(&published).unwrap();

        let mut removed = remove_dead(folder.path());
        removed.sort();
        assert_eq!(removed, [dead, half_removed]);
        assert!(living.exists() && starting.exists() && published.exists());
        drop(lock);
        assert_eq!(remove_dead(folder.path()), [living]);
    }

    #[test]
    fn what_never_got_its_name_goes_after_an_hour() {
        let folder = tempfile::tempdir().unwrap();
        let published = folder.path().join("r1");
        fs::create_dir(&published).unwrap();
        let (starting, link) = (folder.path().join(".starting-r2"), folder.path().join(".latest-r1"));
        fs::create_dir(&starting).unwrap();
        std::os::unix::fs::symlink("r1", &link).unwrap();
        let after = |minutes: u64| SystemTime::now() + Duration::from_secs(60 * minutes);
        assert!(remove_dead_at(folder.path(), after(50)).is_empty());
        let mut removed = remove_dead_at(folder.path(), after(70));
        removed.sort();
        assert_eq!(removed, [link, starting]);
        assert!(published.exists(), "what the link led to stays");
    }

    #[test]
    fn a_run_id_is_used_once() {
        let folder = tempfile::tempdir().unwrap();
        let _first = make(folder.path(), "r1").unwrap();
        assert_eq!(make(folder.path(), "r1").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
