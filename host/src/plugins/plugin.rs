//! A loaded plugin, and the set of them in a run.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use usher_abi::{
    Component, Description, Error, Extension, HostTable, Instance, Kind, ModuleRef, Role, preamble::Preamble,
};

use super::{Lock, Locked, PluginFile, Refusal, SearchPath, load};

/// A loaded plugin.
pub struct Plugin {
    /// Its file.
    pub path: PathBuf,
    /// What its file says.
    pub preamble: Preamble,
    /// What it says when asked.
    pub description: Description,
    module: ModuleRef,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.preamble.name, self.preamble.version, self.path.display())
    }
}

impl Plugin {
    /// Loads a file and asks it for its description, which runs its code. The error is one line; a layout difference
    /// follows on more.
    pub fn load(file: PluginFile) -> Result<Self, String> {
        let label = file.label();
        let PluginFile { path, preamble, .. } = file;
        let named = |r: Refusal| Refusal { reason: format!("{label}: {}", r.reason), ..r };
        let module = load(&path).map_err(named).map_err(|refusal: Refusal| match &refusal.detail {
            Some(detail) => format!("{refusal}\n{detail}"),
            None => refusal.to_string(),
        })?;
        let json = (module.describe())()
            .into_result()
            .map_err(|e| format!("{}: describing itself, it {e}", path.display()))?;
        let description: Description = serde_json::from_str(json.as_str()).map_err(|e| {
            format!("{}: its description cannot be read: {e}; rebuild the plugin", path.display())
        })?;
        if description.name != preamble.name {
            return Err(format!(
                "{}: its preamble says `{}` but it describes itself as `{}`; rebuild the plugin",
                path.display(),
                preamble.name,
                description.name
            ));
        }
        Ok(Self { path, preamble, description, module })
    }

    /// Name and version, for messages.
    pub fn label(&self) -> String {
        format!("{} {}", self.preamble.name, self.preamble.version)
    }

    /// Its root module, for the conformance suite.
    pub fn module(&self) -> ModuleRef {
        self.module
    }

    /// What else it offers, by id; whoever asks checks its layout.
    pub fn extension(&self, id: &str) -> Option<Extension> {
        (self.module.get_extension())(id.into()).into_option()
    }

    /// The component of a role: by name, or the first.
    pub fn component(&self, role: Role, name: Option<&str>) -> Option<&Component> {
        let mut of_role = self.description.components.iter().filter(|c| c.role == role);
        of_role.find(|c| name.is_none_or(|n| n == c.name))
    }

    /// Opens an instance; see [`usher_abi::Module::open`].
    pub fn open(
        &self,
        role: Role,
        component: &str,
        options: &str,
        host: HostTable,
    ) -> Result<Instance, Error> {
        let kind = match role {
            Role::Source => Kind::SOURCE,
            Role::Transform => Kind::TRANSFORM,
            Role::Sink => Kind::SINK,
        };
        (self.module.open())(kind, component.into(), options.into(), host).into_result()
    }
}

/// The plugins of a run, each loaded once.
#[derive(Debug)]
pub struct Registry {
    search: SearchPath,
    base: PathBuf,
    lock: Option<Lock>,
    loaded: HashMap<String, Result<Arc<Plugin>, String>>,
}

impl Registry {
    /// Nothing loaded yet; paths in manifests are relative to `base`. With a lock, only what is in it is loaded.
    pub fn new(search: SearchPath, base: &Path, lock: Option<Lock>) -> Self {
        Self { search, base: base.to_owned(), lock, loaded: HashMap::new() }
    }

    /// The search path.
    pub fn search(&self) -> &SearchPath {
        &self.search
    }

    /// The plugin that `plugin = "…"` means, loaded; the error is one line.
    pub fn get(&mut self, plugin: &str) -> Result<Arc<Plugin>, String> {
        if let Some(known) = self.loaded.get(plugin) {
            return known.clone();
        }
        let loaded = self.find(plugin).and_then(Plugin::load).map(Arc::new);
        self.loaded.insert(plugin.to_owned(), loaded.clone());
        loaded
    }

    /// The file that `plugin = "…"` means. A locked one is read once, whole: what its preamble says and its digest are of
    /// the same bytes.
    fn find(&self, plugin: &str) -> Result<PluginFile, String> {
        let found = self.search.find(plugin, &self.base)?;
        let Some(lock) = &self.lock else { return Ok(found) };
        let (file, locked) = Locked::of(&found.path)?;
        lock.check(&locked)
            .map_err(|reason| format!("{}: {} {reason}", file.path.display(), file.label()))?;
        Ok(file)
    }
}
