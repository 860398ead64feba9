//! A loaded plugin, and the set of them in a run.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use usher_abi::{
    Component, Description, Error, HostTable, Instance, Kind, LOGIN, LoginHandle, LoginTable, ModuleRef,
    Role, preamble::Preamble,
};

use super::{
    Lock, Locked, PluginFile, Refusal, SearchPath,
    isolation::{self, Whereabouts, Why},
    load,
};
use crate::{
    manifest::{Isolation, Jail},
    report::tell,
    runner::{Jailed, Rights},
};

/// A loaded plugin.
pub struct Plugin {
    /// Its file.
    pub path: PathBuf,
    /// What its file says.
    pub preamble: Preamble,
    /// What it says when asked.
    pub description: Description,
    place: Place,
}

/// Where its code runs.
enum Place {
    Here(ModuleRef),
    Worker(Jailed),
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.preamble.name, self.preamble.version, self.path.display())
    }
}

impl Plugin {
    /// Loads a file into this process, or with rights into one of its own, and asks it for its description, which runs its
    /// code. The error is one line; a layout difference follows on more.
    pub fn load(file: PluginFile, apart: Option<Rights>) -> Result<Self, String> {
        let label = file.label();
        let PluginFile { path, preamble, .. } = file;
        let refuse = |reason: String, detail: Option<String>| {
            let path = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
            let detail = detail.map(|detail| format!("\n{detail}")).unwrap_or_default();
            format!("{}: {label}: {reason}{detail}", path.display())
        };
        let (place, json) = match apart {
            Some(rights) => {
                let jailed =
                    Jailed::load(&path, rights).map_err(|(reason, detail)| refuse(reason, detail))?;
                let json = jailed.description().to_owned();
                (Place::Worker(jailed), json)
            }
            None => {
                let module = load(&path).map_err(|Refusal { reason, detail, .. }| refuse(reason, detail))?;
                let json = (module.describe())()
                    .into_result()
                    .map_err(|e| format!("{}: describing itself, it {e}", path.display()))?;
                (Place::Here(module), json.into())
            }
        };
        let description: Description = serde_json::from_str(&json).map_err(|e| {
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
        Ok(Self { path, preamble, description, place })
    }

    /// Name and version, for messages.
    pub fn label(&self) -> String {
        format!("{} {}", self.preamble.name, self.preamble.version)
    }

    /// Its root module, for the conformance suite; of plugins that run apart there can be only one in a process.
    pub fn into_module(self) -> Option<ModuleRef> {
        match self.place {
            Place::Here(module) => Some(module),
            Place::Worker(jailed) => jailed.into_module(),
        }
    }

    /// The worker that it runs in, if it does.
    pub fn jailed(&self) -> Option<&Jailed> {
        match &self.place {
            Place::Here(_) => None,
            Place::Worker(jailed) => Some(jailed),
        }
    }

    /// Whether it can log in to its vendor.
    pub fn has_login(&self) -> bool {
        match &self.place {
            Place::Here(module) => (module.get_extension())(LOGIN.into()).is_some(),
            Place::Worker(jailed) => jailed.has_login(),
        }
    }

    /// Opens its login; `None`: it has none. The table is static, and lives as long as the plugin.
    pub(super) fn open_login(
        &self,
        options: &str,
        host: HostTable,
    ) -> Result<Option<(LoginHandle, &'static LoginTable)>, Error> {
        match &self.place {
            Place::Here(module) => {
                let Some(extension) = (module.get_extension())(LOGIN.into()).into_option() else {
                    return Ok(None);
                };
                let table: &'static LoginTable = extension.get(LOGIN)?;
                let handle = (table.open)(options.into(), host).into_result()?;
                Ok(Some((handle, table)))
            }
            Place::Worker(jailed) => jailed.open_login(options, host),
        }
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
        match &self.place {
            Place::Here(module) => {
                (module.open())(kind, component.into(), options.into(), host).into_result()
            }
            Place::Worker(jailed) => jailed.open(kind, component, options, host),
        }
    }
}

/// The plugins of a run, each loaded once.
#[derive(Debug)]
pub struct Registry {
    search: SearchPath,
    base: PathBuf,
    lock: Option<Lock>,
    /// Where all plugins run, whatever manifest and lock say.
    forced: Option<Isolation>,
    loaded: HashMap<(String, Jail), Result<Arc<Plugin>, String>>,
}

impl Registry {
    /// Nothing loaded yet; paths in manifests are relative to `base`. With a lock, only what is in it is loaded.
    pub fn new(search: SearchPath, base: &Path, lock: Option<Lock>) -> Self {
        Self { search, base: base.to_owned(), lock, forced: None, loaded: HashMap::new() }
    }

    /// With all plugins running there, whatever manifest and lock say.
    #[must_use]
    pub fn forcing(self, forced: Option<Isolation>) -> Self {
        Self { forced, ..self }
    }

    /// The search path.
    pub fn search(&self) -> &SearchPath {
        &self.search
    }

    /// The plugin that `plugin = "…"` means, loaded, to be run as a connector's `jail` says; the error is one line.
    pub fn get(&mut self, plugin: &str, jail: &Jail) -> Result<Arc<Plugin>, String> {
        let key = (plugin.to_owned(), jail.clone());
        if let Some(known) = self.loaded.get(&key) {
            return known.clone();
        }
        let loaded = self.load(plugin, jail).map(Arc::new);
        self.loaded.insert(key, loaded.clone());
        loaded
    }

    /// The plugin by itself, without a connector: to be asked what it is. Of the rights that it wants it has those that are
    /// granted here.
    pub fn look_at(&self, plugin: &str, grants: &[String]) -> Result<Plugin, String> {
        let file = self.find(plugin)?;
        let apart = self.whereabouts(&file, &Jail::default()).isolation == Isolation::Process;
        let rights = apart.then(|| isolation::granted(&file.preamble, grants));
        Plugin::load(file, rights)
    }

    /// The plugins that were loaded for connectors into processes of their own: name and version, and the network hosts that
    /// they may reach through this one.
    pub fn apart(&self) -> BTreeMap<String, &[String]> {
        let apart = self.loaded.values().flatten().filter(|plugin| plugin.jailed().is_some());
        apart.map(|plugin| (plugin.label(), plugin.preamble.hosts.as_slice())).collect()
    }

    fn load(&self, plugin: &str, jail: &Jail) -> Result<Plugin, String> {
        let file = self.find(plugin)?;
        let rights = isolation::rights(&file.preamble, jail)
            .map_err(|reason| format!("{}: {} {reason}", file.path.display(), file.label()))?;
        let label = file.label();
        let found = self.whereabouts(&file, jail);
        let apart = found.isolation == Isolation::Process;
        if !apart && jail.isolation == Some(Isolation::Process) {
            tell!(warning, "{label} runs {found}, though its connector says `isolation = \"process\"`");
        } else if !apart && (jail.memory, jail.deadline) != (None, None) {
            tell!(
                warning,
                "{label}: `jail` limits nothing, as it runs {found}; write `isolation = \"process\"` for a jail"
            );
        }
        let plugin = Plugin::load(file, apart.then_some(rights))?;
        for gap in plugin.jailed().map(Jailed::gaps).unwrap_or_default() {
            tell!(warning, "{label}: {gap}");
        }
        Ok(plugin)
    }

    /// Where a file's code runs for a connector that says this.
    pub fn whereabouts(&self, file: &PluginFile, jail: &Jail) -> Whereabouts {
        if let Some(forced) = self.forced {
            return Whereabouts::new(forced, Why::Command);
        }
        if let Some(said) = jail.isolation {
            return Whereabouts::new(said, Why::Connector);
        }
        if self.search.came_with_the_host(&file.path) {
            return Whereabouts::new(Isolation::None, Why::CameWithTheHost);
        }
        // What is not in it was not found.
        match self.lock {
            Some(_) => Whereabouts::new(Isolation::None, Why::Locked),
            None => Whereabouts::new(Isolation::Process, Why::Stranger),
        }
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
