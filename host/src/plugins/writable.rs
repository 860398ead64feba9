//! What everybody on the machine may write is nobody's: a plugin that lies there may be anybody's.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Refuses a file that others may write, or that lies in a folder that others may write (the sticky bit does not help: it
/// keeps files from being removed, not from being added). The error says what to run. `docs/adr/0011` says why no more is
/// looked at.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let target = path.canonicalize().ok();
    let folders = [Some(folder), target.as_deref().and_then(Path::parent)];
    for folder in folders.into_iter().flatten() {
        if others_may_write(folder) {
            let folder = folder.display();
            return Err(format!(
                "everybody may write its folder; see that the plugin is yours, then run `chmod o-w {folder}`"
            ));
        }
    }
    if others_may_write(path) {
        let path = path.display();
        return Err(format!(
            "everybody may write the file; see that the plugin is yours, then run `chmod o-w {path}`"
        ));
    }
    Ok(())
}

/// What cannot be looked at cannot be loaded either.
fn others_may_write(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o002 != 0)
}
