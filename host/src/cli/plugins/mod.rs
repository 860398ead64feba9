//! `usher plugins`: one file a command.

mod abi;
mod describe;
mod list;
mod lock;
mod show;
mod verify;

use std::path::PathBuf;

use clap::Subcommand;
use usher_abi::{Role, preamble::Preamble};

use super::{
    Global,
    session::{code, refuse_manifest, say_error},
};
use crate::report::tell;
use crate::{
    manifest::{Draft, Overrides},
    plugins::{Lock, PluginFile, Registry, SearchPath},
};

/// Look at plugins
#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// List the plugins found; runs none of their code
    List,
    /// Show what a plugin's file says, and whether it would be loaded; runs none of its code
    Show {
        /// Its name, or the path of its file
        plugin: String,
    },
    /// Show a plugin's options, attributes, columns and limits; loads it
    Describe {
        /// Its name, or the path of its file
        plugin: String,
    },
    /// Write down which files the manifest's plugins are, beside the manifest; its chains load no others from then on
    #[command(
        after_help = "Writes connectors.lock for connectors.toml and runs no plugin's code. Files of other \
                            platforms stay in it as long as they are of the same release."
    )]
    Lock,
    /// Hold the manifest's plugins against the lock; runs none of their code
    Verify,
    /// Say what changed between two files of a plugin, and what of it manifests would notice; loads both
    #[command(
        after_help = "Exit codes: 0 nothing that breaks a manifest, 1 something that does, or a file that cannot be \
                            loaded. Both files are loaded, locked or not, so both run their code, each in a \
                            jailed process of its own unless `--isolation none` is said. What is compared is \
                            what they say: a check that became stricter in code does not show."
    )]
    Abi {
        /// The file before
        old: PathBuf,
        /// The file after
        new: PathBuf,
    },
}

impl Plugins {
    pub(super) fn execute(self, global: &Global) -> u8 {
        match self {
            Self::List => list::execute(global),
            Self::Show { plugin } => show::execute(global, &plugin),
            Self::Describe { plugin } => describe::execute(global, &plugin),
            Self::Lock => lock::execute(global),
            Self::Verify => verify::execute(global),
            Self::Abi { old, new } => abi::execute(global, &old, &new),
        }
    }
}

/// The search path, with the manifest's folders if there is a manifest; and the manifest's folder.
pub(super) fn search_path(global: &Global) -> (SearchPath, PathBuf) {
    let manifest = Draft::load(&global.manifest, &Overrides::new(global.set.iter().cloned())).ok();
    let folder = global
        .manifest
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .map_or_else(|| ".".into(), ToOwned::to_owned);
    let plugins = manifest.map(|draft| draft.manifest.plugins).unwrap_or_default();
    (SearchPath::new(&global.plugin_dir, Some(&folder), &plugins), folder)
}

/// What plugins are searched and held against; a lock that cannot be read has been told. `plugin` is a name or path from
/// the command line: a path starts where the user stands, not where the manifest is.
pub(super) fn registry(global: &Global, plugin: Option<&str>) -> Result<Registry, u8> {
    let (search, folder) = search_path(global);
    let base = if plugin.is_some_and(|plugin| plugin.contains('/')) { ".".into() } else { folder };
    Ok(Registry::new(search, &base, lock_of(global)?).forcing(global.isolation))
}

/// The manifest's lock, if there is one; one that cannot be read has been told.
pub(super) fn lock_of(global: &Global) -> Result<Option<Lock>, u8> {
    Lock::read(&global.manifest).map_err(|message| {
        say_error(global, message);
        code::USAGE
    })
}

/// What a command says beside its result, which is shown all the same.
fn remark(message: impl std::fmt::Display) -> u8 {
    tell!(error, "{message}");
    code::FAILED
}

/// What a command says of a plugin that it cannot take.
fn refuse(global: &Global, message: impl std::fmt::Display) -> u8 {
    say_error(global, message);
    code::FAILED
}

/// The manifest's connectors' plugins as files, each once, in the order of the text; one that cannot be found is an
/// error of one line. Answers an exit code where the manifest does not say which plugins it uses.
fn used(global: &Global) -> Result<Vec<Result<PathBuf, String>>, u8> {
    let overrides = Overrides::new(global.set.iter().cloned());
    let Draft { manifest, mut problems } =
        Draft::load(&global.manifest, &overrides).map_err(|problems| refuse_manifest(global, &problems))?;
    // Options, and the secrets in them, need not be there to know the plugins.
    problems.retain(|problem| problem.key.split('.').nth(2) != Some("options"));
    if !problems.is_empty() {
        return Err(refuse_manifest(global, &problems));
    }
    let search = SearchPath::new(&global.plugin_dir, Some(&manifest.folder), &manifest.plugins);
    let mut files: Vec<Result<PathBuf, String>> = Vec::new();
    for connector in &manifest.connectors {
        let file = search.find(&connector.plugin, &manifest.folder).map(|file| file.path);
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

/// `source rows, sink rows`
fn offers(preamble: &Preamble) -> String {
    let offers: Vec<String> =
        preamble.components.iter().map(|offer| format!("{} {}", role(offer.role), offer.name)).collect();
    offers.join(", ")
}

/// What `list` and `show` say in JSON of a file.
fn said(file: &PluginFile) -> serde_json::Value {
    let Preamble { name, version, summary, abi, sdk, rustc, target, panic, components, wants, hosts, .. } =
        &file.preamble;
    serde_json::json!({
        "name": name, "version": version, "summary": summary, "abi": abi, "sdk": sdk, "rustc": rustc,
        "target": target, "panic": panic, "components": components, "wants": wants, "hosts": hosts,
        "path": file.path, "bytes": file.bytes,
    })
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Transform => "transform",
        Role::Sink => "sink",
    }
}
