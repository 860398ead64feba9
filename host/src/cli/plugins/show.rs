//! `usher plugins show`

use std::path::{Path, PathBuf};

use usher_abi::preamble::is_right;

use super::{Global, code, lock_of, offers, refuse, registry, remark, said, search_path};
use crate::cli::session::print_json;
use crate::manifest::Jail;
use crate::plugins::{Lock, Locked, PluginFile, Whereabouts};
use crate::report::{print, table};

pub(super) fn execute(global: &Global, plugin: &str) -> u8 {
    let path = match find(global, plugin) {
        Ok(path) => path,
        Err(message) => return refuse(global, message),
    };
    let (file, digest) = match PluginFile::read_whole(&path) {
        Ok(read) => read,
        Err(refusal) => return refuse(global, refusal),
    };
    let lock = match lock_of(global) {
        Ok(lock) => lock,
        Err(exit) => return exit,
    };
    let found = Locked::new(&file.preamble, digest.clone());
    let locked = match &lock {
        None => Ok(format!("there is no `{}`", Lock::path_of(&global.manifest).display())),
        Some(lock) => lock.check(&found).map(|()| format!("as in `{}`", lock.path.display())),
    };
    // All that loading would refuse.
    let refusal = file.check().map_err(|refusal| (refusal.reason.clone(), refusal.to_string())).err();
    let label = || format!("{}: {}", file.path.display(), file.label());
    let not_locked = locked.as_ref().err().map(|reason| (reason.clone(), format!("{} {reason}", label())));
    let refusal = refusal.or(not_locked);
    let runs = match registry(global, Some(plugin)) {
        Ok(registry) => registry.whereabouts(&file, &Jail::default()),
        Err(exit) => return exit,
    };
    let locked = locked.unwrap_or_else(|reason| reason);
    if global.json {
        let mut value = said(&file);
        value["sha256"] = digest.trim_start_matches("sha256:").into();
        value["refused"] = refusal.as_ref().map(|(reason, _)| reason.clone()).into();
        value["lock"] = locked.into();
        value["isolation"] = runs.isolation.name().into();
        print_json(&value);
    } else {
        print(&text(&file, &digest, refusal.is_some(), runs, &locked));
    }
    refusal.map_or(code::DONE, |(_, message)| remark(message))
}

/// A file may be shown whatever is wrong with it; a name means the file that would be loaded.
fn find(global: &Global, plugin: &str) -> Result<PathBuf, String> {
    if plugin.contains('/') {
        return Ok(plugin.into());
    }
    let (search, folder) = search_path(global);
    search.find(plugin, &folder).map(|file| file.path)
}

fn text(file: &PluginFile, digest: &str, refused: bool, runs: Whereabouts, locked: &str) -> String {
    let said = &file.preamble;
    let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let [major, minor] = said.abi;
    let (rights, services): (Vec<String>, Vec<String>) =
        said.wants.iter().cloned().partition(|want| is_right(want));
    let loads = if refused {
        "no"
    } else {
        "yes, unless its tables are laid out differently, which only loading tells"
    };
    let rows = [
        ("file", shown(&file.path)),
        ("size", format!("{} bytes", file.bytes)),
        ("digest", digest.to_owned()),
        (
            "built",
            format!("ABI {major}.{minor}, sdk {}, {}, panic = \"{}\"", said.sdk, said.rustc, said.panic),
        ),
        ("target", said.target.clone()),
        ("offers", offers(said)),
        ("services", list(&services)),
        ("rights", list(&rights)),
        ("hosts", list(&said.hosts)),
        ("loads", loads.to_owned()),
        ("lock", locked.to_owned()),
    ];
    // What is not loaded runs nowhere.
    let runs = (!refused).then(|| ("runs", runs.to_string()));
    let rows = rows.into_iter().chain(runs).map(|(what, text)| vec![what.to_owned(), text]);
    let head = format!("{} {}: {}", said.name, said.version, said.summary);
    let body = table(&["", ""], rows, &[]);
    format!("{head}\n{}", body.trim_start_matches('\n'))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
