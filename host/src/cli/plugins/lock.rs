//! `usher plugins lock`

use serde_json::json;
use usher_abi::preamble::TARGET;

use super::{Global, code, lock_of, refuse, search_path, used};
use crate::cli::session::print_json;
use crate::plugins::{Lock, Locked};
use crate::report::{list, print, tell};

pub(super) fn execute(global: &Global) -> u8 {
    let (old, used) = match (lock_of(global), used(global)) {
        (Ok(old), Ok(used)) => (old, used),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let (search, _) = search_path(global);
    let (mut found, mut strangers): (Vec<Locked>, Vec<String>) = (Vec::new(), Vec::new());
    for path in used {
        match path.and_then(|path| Locked::of(&path)) {
            Ok((_, entry)) if found.contains(&entry) => {}
            Ok((file, entry)) if found.iter().any(|other| other.name == entry.name) => {
                return refuse(
                    global,
                    format!(
                        "{}: the manifest uses another file of the plugin `{}`, too, and a lock holds one; use the same in all \
                     connectors",
                        file.path.display(),
                        entry.name
                    ),
                );
            }
            Ok((file, entry)) => {
                if !search.came_with_the_host(&file.path) {
                    strangers.push(entry.name.clone());
                }
                found.push(entry);
            }
            Err(message) => return refuse(global, message),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let before = old.map(|lock| lock.plugins).unwrap_or_default();
    // Those that ran in a jail up to now.
    strangers.retain(|name| before.iter().all(|old| old.name != *name));
    let mut changes: Vec<(String, String)> = Vec::new();
    for entry in &mut found {
        let change = merge(before.iter().find(|old| old.name == entry.name), entry);
        changes.extend(change.map(|change| (entry.name.clone(), change)));
    }
    let gone = before.iter().filter(|old| found.iter().all(|new| new.name != old.name));
    changes.extend(gone.map(|old| (old.name.clone(), "removed: no connector uses it".to_owned())));
    let lock = Lock { path: Lock::path_of(&global.manifest), plugins: found };
    if let Err(error) = lock.write() {
        return refuse(global, format!("{}: cannot be written: {error}", lock.path.display()));
    }
    if global.json {
        let changes: Vec<_> =
            changes.iter().map(|(plugin, change)| json!({ "plugin": plugin, "change": change })).collect();
        print_json(
            &json!({ "path": lock.path, "plugins": lock.plugins, "changes": changes, "trusted": strangers }),
        );
    } else {
        changes.iter().for_each(|(plugin, change)| print(&format!("{plugin}: {change}\n")));
        let (path, count) = (lock.path.display(), lock.plugins.len());
        print(&format!("{path}: {count} plugin{} for {TARGET}\n", if count == 1 { "" } else { "s" }));
        if !strangers.is_empty() {
            tell!(
                warning,
                "what is locked is trusted, and runs in the host's own process from now on: {}; \
                 `isolation = \"process\"` keeps a connector's plugin in a jail",
                list(&strangers)
            );
        }
    }
    code::DONE
}

/// Adds the files of other platforms to a new entry, if they are of the same release; says what changed, if anything did.
fn merge(old: Option<&Locked>, new: &mut Locked) -> Option<String> {
    let Some(old) = old else { return Some(format!("added, version {}", new.version)) };
    let differences = old.differences(new);
    if !old.same_release(new) {
        let others: Vec<&str> =
            old.files.keys().filter(|target| !new.files.contains_key(*target)).map(String::as_str).collect();
        let mut told = format!("replaced: {}", differences.join(", "));
        if !others.is_empty() {
            told += &format!("; run `usher plugins lock` again on {}", others.join(", "));
        }
        return Some(told);
    }
    for (target, digest) in &old.files {
        new.files.entry(target.clone()).or_insert_with(|| digest.clone());
    }
    (!differences.is_empty()).then(|| format!("changed: {}", differences.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn entry(version: &str, files: &[(&str, &str)]) -> Locked {
        Locked {
            name: "csv".to_owned(),
            version: version.to_owned(),
            abi: "0.1".to_owned(),
            description: format!("sha256:of-{version}"),
            wants: vec!["input".to_owned()],
            hosts: Vec::new(),
            files: files
                .iter()
                .map(|(target, digest)| ((*target).to_owned(), (*digest).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn files_of_other_platforms_stay_while_the_release_is_the_same() {
        let old = entry("1.0.0", &[("linux", "a"), ("macos", "b")]);
        for (target, digest, said) in [
            ("linux", "a", None),
            ("linux", "c", Some("changed: file for linux c instead of a")),
            ("windows", "d", Some("changed: a file for windows, where there was none")),
        ] {
            let mut new = entry("1.0.0", &[(target, digest)]);
            assert_eq!(merge(Some(&old), &mut new).as_deref(), said);
            assert_eq!((new.files["macos"].as_str(), new.files[target].as_str()), ("b", digest));
        }
    }

    #[test]
    fn another_release_replaces_the_entry_and_says_what_differs() {
        let old = entry("1.0.0", &[("linux", "a"), ("macos", "b")]);
        let mut new = Locked { wants: vec!["output".to_owned()], ..entry("1.1.0", &[("linux", "c")]) };
        assert_eq!(
            merge(Some(&old), &mut new).unwrap(),
            "replaced: version 1.1.0 instead of 1.0.0, services output instead of input, \
             description (SDK, summary, components) sha256:of-1.1.0 instead of sha256:of-1.0.0, \
             file for linux c instead of a; run `usher plugins lock` again on macos"
        );
        assert_eq!(new.files, BTreeMap::from([("linux".to_owned(), "c".to_owned())]));
        assert_eq!(merge(None, &mut new).unwrap(), "added, version 1.1.0");
    }
}
