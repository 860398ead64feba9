//! `usher plugins verify`

use serde_json::json;

use super::{Global, code, lock_of, refuse, used};
use crate::cli::session::print_json;
use crate::plugins::{Lock, Locked};
use crate::report::{print, tell};

pub(super) fn execute(global: &Global) -> u8 {
    let (lock, used) = match (lock_of(global), used(global)) {
        (Ok(Some(lock)), Ok(used)) => (lock, used),
        (Ok(None), Ok(_)) => {
            let path = Lock::path_of(&global.manifest);
            return refuse(
                global,
                format!("there is no `{}`; write it with `usher plugins lock`", path.display()),
            );
        }
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let results: Vec<Result<String, String>> = used
        .into_iter()
        .map(|path| {
            let (file, found) = Locked::of(&path?)?;
            let (path, label) = (file.path.display(), file.label());
            match lock.check(&found) {
                Ok(()) => Ok(format!("{path}: {label} is the one in `{}`", lock.path.display())),
                Err(reason) => Err(format!("{path}: {label} {reason}")),
            }
        })
        .collect();
    if global.json {
        let lines = results.iter().map(|result| match result {
            Ok(line) => json!({ "locked": true, "message": line }),
            Err(line) => json!({ "locked": false, "message": line }),
        });
        print_json(&lines.collect::<Vec<_>>());
    } else {
        for result in &results {
            match result {
                Ok(line) => print(&format!("{line}\n")),
                Err(line) => tell!(error, "{line}"),
            }
        }
    }
    if results.iter().all(Result::is_ok) { code::DONE } else { code::FAILED }
}
