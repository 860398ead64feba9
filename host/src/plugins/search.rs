//! From a name to a file.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use usher_abi::nearest;

use super::{PluginFile, Refusal};

/// The folders in which plugins are looked for, in order. Which plugins are in them is found out once, when they are first
/// looked into; a file that is found is read anew.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    folders: Vec<PathBuf>,
    contents: Arc<[OnceLock<Contents>]>,
}

/// The plugins of a folder, sorted by file name, and the refused files that are plugins.
type Contents = (Vec<PluginFile>, Vec<Refusal>);

impl SearchPath {
    /// `--plugin-dir` folders, `USHER_PLUGIN_PATH`, the manifest's `plugins`, `plugins/` beside the manifest, the
    /// user's data folder, `../lib/usher` beside the executable's folder, and that folder itself.
    pub fn new(
        plugin_dirs: &[PathBuf],
        manifest_folder: Option<&Path>,
        manifest_plugins: &[PathBuf],
    ) -> Self {
        let mut folders = plugin_dirs.to_vec();
        if let Some(path) = env::var_os("USHER_PLUGIN_PATH") {
            folders.extend(env::split_paths(&path).filter(|p| !p.as_os_str().is_empty()));
        }
        folders.extend_from_slice(manifest_plugins);
        if let Some(folder) = manifest_folder {
            folders.push(folder.join("plugins"));
        }
        let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
        let data = data.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
        folders.extend(data.map(|data| data.join("usher/plugins")));
        folders.extend(own_folders());
        let mut seen = Vec::new();
        folders.retain(|folder| {
            let key = folder.canonicalize().unwrap_or_else(|_| folder.clone());
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        let contents = folders.iter().map(|_| OnceLock::new()).collect();
        Self { folders, contents }
    }

    /// Whether a file lies where this host's own plugins do: beside its executable, or in `../lib/usher` from there.
    pub fn came_with_the_host(&self, file: &Path) -> bool {
        let folder = file.canonicalize().ok().and_then(|file| file.parent().map(Path::to_owned));
        let own = own_folders().into_iter().filter_map(|own| own.canonicalize().ok());
        folder.is_some_and(|folder| own.into_iter().any(|own| own == folder))
    }

    /// The folders.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The plugin that the manifest's `plugin = "…"` means. A value with a slash is a path, relative to `base`;
    /// anything else is a name. The first folder that has it wins; two in one folder are an error.
    pub fn find(&self, plugin: &str, base: &Path) -> Result<PluginFile, String> {
        if plugin.contains('/') || plugin.contains(std::path::MAIN_SEPARATOR) {
            let path = base.join(plugin.strip_prefix("./").unwrap_or(plugin));
            return look(&path).map_err(|refusal| refusal.to_string());
        }
        let mut tried = Vec::new();
        let mut names = Vec::new();
        for (folder, (found, refused)) in self.each() {
            let matches: Vec<&PluginFile> = found.iter().filter(|c| c.preamble.name == plugin).collect();
            match *matches {
                [] => {}
                // It may be another one by now, of another name even.
                [found] => {
                    let found = look(&found.path).map_err(|refusal| refusal.to_string())?;
                    return match found.preamble.name == plugin {
                        true => Ok(found),
                        false => Err(format!(
                            "`{}` was the plugin `{plugin}` and is `{}` now; run it again",
                            found.path.display(),
                            found.preamble.name
                        )),
                    };
                }
                _ => {
                    let paths: Vec<String> = matches.iter().map(|c| c.path.display().to_string()).collect();
                    return Err(format!(
                        "two files in one folder are the plugin `{plugin}`: {}; remove one, or name it by its path",
                        paths.join(" and ")
                    ));
                }
            }
            // A file that is the plugin, or looks like it, but was refused is the answer, not "not found".
            let stem = format!("{}usher_{}", env::consts::DLL_PREFIX, plugin.replace('-', "_"));
            let is_it = |r: &&Refusal| match &r.name {
                Some(name) => name == plugin,
                None => r.path.file_stem().is_some_and(|name| name == stem.as_str()),
            };
            if let Some(refusal) = refused.iter().find(is_it) {
                return Err(refusal.to_string());
            }
            names.extend(found.iter().map(|c| c.preamble.name.as_str()));
            tried.push(if folder.is_dir() {
                format!("{} (no such plugin there)", folder.display())
            } else {
                format!("{} (no such folder)", folder.display())
            });
        }
        let suggestion = nearest(plugin, names.iter().copied());
        Err(format!("no plugin `{plugin}` found; looked in {}{suggestion}", tried.join(", ")))
    }

    /// The folders with what is in them.
    fn each(&self) -> impl Iterator<Item = (&PathBuf, &Contents)> {
        let folders = self.folders.iter().zip(self.contents.iter());
        folders.map(|(folder, contents)| (folder, contents.get_or_init(|| scan(folder))))
    }

    /// The plugins that names [find](Self::find), sorted; what looked like a plugin and is refused; and files that would be
    /// plugins if there were no other of their name.
    pub fn all(&self) -> (Vec<PluginFile>, Vec<Refusal>, Vec<PluginFile>) {
        let (mut files, mut refusals): (Vec<PluginFile>, Vec<Refusal>) = (Vec::new(), Vec::new());
        for (_, (found, refused)) in self.each() {
            files.extend_from_slice(found);
            refusals.extend_from_slice(refused);
        }
        let names: BTreeSet<String> = files.iter().map(|file| file.preamble.name.clone()).collect();
        let mut plugins: Vec<PluginFile> = Vec::new();
        for name in names {
            match self.find(&name, Path::new("")) {
                Ok(file) => plugins.push(file),
                Err(reason) if refusals.iter().any(|refusal| refusal.to_string() == reason) => {}
                Err(reason) => {
                    let first = files.iter().find(|file| file.preamble.name == name);
                    refusals.extend(first.map(|file| Refusal::new(&file.path, reason)));
                }
            }
        }
        files.retain(|file| plugins.iter().all(|used| used.path != file.path));
        (plugins, refusals, files)
    }
}

/// `../lib/usher` beside the executable's folder, and that folder itself.
fn own_folders() -> Vec<PathBuf> {
    let exe = env::current_exe().ok().and_then(|exe| exe.canonicalize().ok());
    let Some(folder) = exe.as_deref().and_then(Path::parent) else { return Vec::new() };
    let above = folder.parent().map(|above| above.join("lib/usher"));
    above.into_iter().chain([folder.to_owned()]).collect()
}

/// A file that this host would load.
fn look(path: &Path) -> Result<PluginFile, Refusal> {
    let file = PluginFile::read(path)?;
    file.check()?;
    Ok(file)
}

fn scan(folder: &Path) -> Contents {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    let Ok(entries) = folder.read_dir() else { return (found, refused) };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == env::consts::DLL_EXTENSION) && path.is_file())
        .collect();
    paths.sort();
    for path in paths {
        match look(&path) {
            Ok(file) => found.push(file),
            Err(refusal) if refusal.is_plugin || path.to_string_lossy().contains("usher_") => {
                refused.push(refusal)
            }
            Err(_) => {}
        }
    }
    (found, refused)
}
