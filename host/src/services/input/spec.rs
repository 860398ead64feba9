//! From a text in the options (`users.ndjson`, `exports/*.json.gz`) to files.

use std::{
    fs::{self, Metadata},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use glob::{MatchOptions, Pattern};
use usher_abi::{Error, nearest};

use super::stored::unreadable;

/// The files behind `spec`, relative to `base`, in the order in which they are to be read: those of a glob by path.
pub(super) fn find(base: &Path, spec: &str) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let path = base.join(spec);
    match fs::metadata(&path) {
        // A file may be called `users[1].csv`; only what is no file is taken for a glob.
        Ok(metadata) => Ok(vec![(path, no_folder(spec, metadata)?)]),
        Err(error) if is_absent(error.kind()) => {
            if spec.contains(['*', '?', '[']) {
                expand(base, spec)
            } else {
                Err(missing(base, spec, &path))
            }
        }
        Err(error) => Err(unreadable(spec, &error)),
    }
}

/// How messages name a file: relative to `base` when it is inside.
pub(super) fn label(base: &Path, path: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
}

fn no_folder(spec: &str, metadata: Metadata) -> Result<Metadata, Error> {
    if metadata.is_dir() {
        let folder = spec.trim_end_matches('/');
        return Err(Error::config(
            "input.folder",
            format!("input `{spec}` is a folder; name a file in it, or all with `{folder}/*`"),
        ));
    }
    Ok(metadata)
}

fn expand(base: &Path, spec: &str) -> Result<Vec<(PathBuf, Metadata)>, Error> {
    let bad = |detail: String| {
        Error::config("input.bad-glob", format!("input `{spec}` is not a valid glob ({detail}); correct it"))
    };
    let pattern = if Path::new(spec).is_absolute() {
        spec.to_owned()
    } else {
        let base = base.to_str().ok_or_else(|| bad("its folder's name is not UTF-8".to_owned()))?;
        if base.is_empty() { spec.to_owned() } else { format!("{}/{spec}", Pattern::escape(base)) }
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        // Hidden files are not meant by `*`.
        require_literal_leading_dot: true,
    };
    let mut files = Vec::new();
    for path in glob::glob_with(&pattern, options).map_err(|e| bad(e.to_string()))? {
        let path = path.map_err(|e| unreadable(&label(base, e.path()), e.error()))?;
        let metadata = fs::metadata(&path).map_err(|e| unreadable(&label(base, &path), &e))?;
        if !metadata.is_dir() {
            files.push((path, metadata));
        }
    }
    if files.is_empty() {
        return Err(Error::config(
            "input.missing",
            format!("no file matches input `{spec}` in `{}`; check the path and the pattern", shown(base)),
        ));
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}

fn missing(base: &Path, spec: &str, path: &Path) -> Error {
    let folder = path.parent().unwrap_or(base);
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names: Vec<String> = fs::read_dir(here)
        .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // A link to nothing is in the folder and yet not there.
    let others = names.iter().map(String::as_str).filter(|name| *name != wanted);
    let near = nearest(&wanted, others).name().map(|name| {
        let name = label(base, &folder.join(name));
        format!("; did you mean `{name}`?")
    });
    let near = near.unwrap_or_else(|| "; check the path, which is relative to the manifest".to_owned());
    Error::config("input.missing", format!("input `{spec}` does not exist in `{}`{near}", shown(base)))
}

fn shown(base: &Path) -> std::path::Display<'_> {
    if base.as_os_str().is_empty() { Path::new(".").display() } else { base.display() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("a[b]*c").tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    fn found(base: &Path, spec: &str) -> Vec<String> {
        find(base, spec).unwrap().iter().map(|(path, _)| label(base, path)).collect()
    }

    #[test]
    fn globs_are_sorted_by_path_and_leave_out_folders_and_hidden_files() {
        let base = folder(&[
            "e/b.csv",
            "e/a.csv",
            "e/c.txt",
            "e/.hidden.csv",
            "e/sub.csv/x",
            "d/z.csv",
            "e/sub.csv/y.csv",
        ]);
        assert_eq!(found(base.path(), "e/*.csv"), ["e/a.csv", "e/b.csv"]);
        assert_eq!(found(base.path(), "*/*.csv"), ["d/z.csv", "e/a.csv", "e/b.csv"]);
        assert_eq!(found(base.path(), "**/[yz].csv"), ["d/z.csv", "e/sub.csv/y.csv"]);
        let absolute = Pattern::escape(base.path().to_str().unwrap()) + "/e/?.csv";
        assert_eq!(found(base.path(), &absolute), ["e/a.csv", "e/b.csv"]);
    }

    #[test]
    fn a_file_whose_name_looks_like_a_glob_is_a_file() {
        let base = folder(&["users[1].csv", "users1.csv"]);
        assert_eq!(found(base.path(), "users[1].csv"), ["users[1].csv"]);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        let base = folder(&["e/users.ndjson", "file"]);
        let fault = |spec: &str| {
            let error = find(base.path(), spec).unwrap_err();
            (error.code.to_string(), error.message.replace(base.path().to_str().unwrap(), "BASE"))
        };
        let is = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(
            fault("e/user.ndjson"),
            is(
                "input.missing",
                "input `e/user.ndjson` does not exist in `BASE`; did you mean `e/users.ndjson`?"
            )
        );
        assert_eq!(
            fault("nothing.csv"),
            is(
                "input.missing",
                "input `nothing.csv` does not exist in `BASE`; check the path, which is relative to the manifest"
            )
        );
        assert_eq!(fault("file/x.csv").0, "input.missing");
        std::os::unix::fs::symlink("gone", base.path().join("link-to-nothing")).unwrap();
        assert!(fault("link-to-nothing").1.ends_with("relative to the manifest"));
        assert_eq!(
            fault("e/*.csv"),
            is("input.missing", "no file matches input `e/*.csv` in `BASE`; check the path and the pattern")
        );
        assert_eq!(
            fault("e/"),
            is("input.folder", "input `e/` is a folder; name a file in it, or all with `e/*`")
        );
        assert_eq!(fault("a***.csv").0, "input.bad-glob");
    }
}
