//! Which runs there are below the folder of results.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use usher_abi::{Error, nearest};

use super::{receipt::RECEIPT, summary, unreadable};

/// A published run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its chain.
    pub chain: String,
    /// Its id.
    pub id: String,
    /// Its folder.
    pub folder: PathBuf,
    /// When it was published.
    pub published: SystemTime,
    /// Whether `latest` names it.
    pub latest: bool,
}

/// What follows a run's id in the name of the folder with its imported reports.
pub(super) const IMPORTED: &str = ".imported";

impl Run {
    /// Where reports of vendors stand that were imported for it: beside the run, whose own files stay what its receipt says.
    pub fn imported_folder(&self) -> PathBuf {
        self.folder.with_file_name(format!("{}{IMPORTED}", self.id))
    }

    /// These, in the order of their names.
    pub fn imported(&self) -> io::Result<Vec<PathBuf>> {
        let entries = match fs::read_dir(self.imported_folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "ndjson") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The run of that id.
pub fn find(out: &Path, id: &str) -> Result<Run, Error> {
    let all = all(out)?;
    let of_chain = |run: &&Run| run.chain == id;
    let near = match newest(out).iter().flatten().find(of_chain) {
        Some(newest) => format!(": that is a chain, and its newest run is `{}`", newest.id),
        None => nearest(id, all.iter().map(|run| run.id.as_str())).to_string(),
    };
    all.into_iter().find(|run| run.id == id).ok_or_else(|| {
        Error::config("run.unknown", format!("there is no run `{id}` below `{}`{near}", out.display()))
    })
}

/// The newest run of each chain, in the order of their names; at least one. A look at the first records (`--limit`) counts only
/// where there is no other run.
pub fn newest(out: &Path) -> Result<Vec<Run>, Error> {
    // Of one that cannot be read nobody can say.
    let is_look = |run: &Run| summary(&run.folder).is_ok_and(|summary| summary.read.limited);
    let mut newest: Vec<Run> = Vec::new();
    for of_chain in all(out)?.chunk_by(|a, b| a.chain == b.chain) {
        let whole = of_chain.iter().rfind(|run| !is_look(run));
        newest.extend(whole.or(of_chain.last()).cloned());
    }
    if newest.is_empty() {
        let message = format!("there is no run below `{}`; make one with `usher run`", out.display());
        return Err(Error::config("run.none", message));
    }
    Ok(newest)
}

/// The run of that id; without one the newest, if only one chain has runs.
pub fn named(out: &Path, id: Option<&str>) -> Result<Run, Error> {
    if let Some(id) = id {
        return find(out, id);
    }
    let mut newest = newest(out)?;
    if newest.len() > 1 {
        let ids: Vec<String> = newest.iter().map(|run| format!("{} ({})", run.id, run.chain)).collect();
        let message =
            format!("several chains have runs: name the one that is meant, e.g. {}", ids.join(" or "));
        return Err(Error::config("run.which", message));
    }
    Ok(newest.remove(0))
}

/// All runs, by chain and then by age, the oldest first.
pub fn all(out: &Path) -> Result<Vec<Run>, Error> {
    let mut runs = Vec::new();
    for (chain, folder) in folders(out)? {
        let latest = fs::read_link(folder.join("latest"))
            .ok()
            .and_then(|link| link.into_os_string().into_string().ok());
        for (id, folder) in folders(&folder)? {
            // Whatever else somebody keeps there is no run.
            let report = fs::metadata(folder.join("report.json"));
            // One that has lost its report is still one.
            let report = report.or_else(|_| fs::metadata(folder.join(RECEIPT)));
            if let Ok(published) = report.and_then(|report| report.modified()) {
                runs.push(Run {
                    latest: latest == Some(id.clone()),
                    chain: chain.clone(),
                    id,
                    folder,
                    published,
                });
            }
        }
    }
    runs.sort_by(|a, b| (&a.chain, a.published, &a.id).cmp(&(&b.chain, b.published, &b.id)));
    Ok(runs)
}

/// The folders in a folder, but for links (`latest`) and what is being written.
fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let list = || -> io::Result<Vec<(String, PathBuf)>> {
        let mut list = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if entry.file_type()?.is_dir() && !name.is_empty() && !name.starts_with('.') {
                list.push((name, entry.path()));
            }
        }
        Ok(list)
    };
    match list() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        list => list.map_err(|error| unreadable(folder, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(out: &Path, chain: &str, id: &str, seconds: u64) {
        fs::create_dir_all(out.join(chain).join(id)).unwrap();
        let report = fs::File::create(out.join(chain).join(id).join("report.json")).unwrap();
        report.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn the_newest_run_of_each_chain_is_found_and_nothing_else() {
        let out = tempfile::tempdir().unwrap();
        assert_eq!(newest(out.path()).unwrap_err().code, "run.none");
        assert_eq!(newest(&out.path().join("nowhere")).unwrap_err().code, "run.none");
        for (seconds, (chain, id)) in (1..).zip([("b", "r1"), ("a", "r9"), ("a", "r2"), ("a", ".staging-r3")])
        {
            publish(out.path(), chain, id, seconds);
        }
        std::os::unix::fs::symlink("r9", out.path().join("a/latest")).unwrap();
        fs::create_dir(out.path().join("a/notes")).unwrap();
        let found: Vec<_> = newest(out.path()).unwrap().into_iter().map(|run| (run.chain, run.id)).collect();
        let expected = [("a", "r2"), ("b", "r1")].map(|(chain, id)| (chain.to_owned(), id.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(find(out.path(), "r9").unwrap().chain, "a");
        assert!(find(out.path(), "r8").unwrap_err().message.contains("did you mean"));
    }
}
