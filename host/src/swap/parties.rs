//! Who goes and who comes: names of connectors and plugins, as somebody typed them.

use std::path::{Path, absolute};

use usher_abi::{Role, nearest};

use crate::{
    manifest::{Connector, Diagnostic, Manifest},
    plugins::SearchPath,
    report::list,
};

/// Who goes and who comes, and in which chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The connector that goes, or becomes another vendor's.
    pub old: String,
    /// What comes.
    pub new: New,
    /// The chains that write to it and are to change, in the order of the manifest.
    pub chains: Vec<String>,
}

/// What comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum New {
    /// A plugin, as the manifest would write it.
    Plugin(String),
    /// Another connector.
    Connector(String),
}

impl Parties {
    /// What two names and the chains named mean in a manifest. A connector goes before a plugin of its name.
    ///
    /// # Errors
    ///
    /// Names that are none, with the nearest; and what cannot be swapped.
    pub fn find(
        manifest: &Manifest,
        search: &SearchPath,
        (old, new): (&str, &str),
        named: &[String],
    ) -> Result<Self, Diagnostic> {
        let old = outgoing(manifest, search, old)?;
        let new = incoming(manifest, search, old, new)?;
        let writes = |chain: &&crate::manifest::Chain| chain.to.contains(&old.name);
        let mut chains: Vec<String> =
            manifest.chains.iter().filter(writes).map(|chain| chain.name.clone()).collect();
        for name in named {
            manifest.chain(name)?;
            if !chains.contains(name) {
                let error = Diagnostic::error(format!("the chain `{name}` does not write to `{}`", old.name));
                return Err(error.help(format!("chains that do: {}", listed(&chains))));
            }
        }
        match &new {
            New::Plugin(plugin) if !named.is_empty() => {
                let message = format!(
                    "`--chain` says where one connector takes the place of another, but `{plugin}` is a plugin, which \
                     `{}` would have in all chains",
                    old.name
                );
                let help = format!("write a second connector with the plugin `{plugin}`, and name that");
                return Err(Diagnostic::error(message).help(help));
            }
            New::Connector(_) if chains.is_empty() => {
                let message = format!("no chain writes to `{}`, so nothing can take its place", old.name);
                return Err(Diagnostic::error(message).help("name a connector in a chain's `to`"));
            }
            _ if !named.is_empty() => chains.retain(|chain| named.contains(chain)),
            _ => {}
        }
        Ok(Self { old: old.name.clone(), new, chains })
    }
}

/// A connector that is written to, or the one with the plugin of that name.
fn outgoing<'m>(
    manifest: &'m Manifest,
    search: &SearchPath,
    name: &str,
) -> Result<&'m Connector, Diagnostic> {
    let sinks = || manifest.connectors.iter().filter(|c| is_sink(manifest, c));
    if let Some(connector) = manifest.connector(name) {
        return if is_sink(manifest, connector) {
            Ok(connector)
        } else {
            let message =
                format!("`{name}` is read from or transforms, and only who is written to can be swapped");
            Err(Diagnostic::error(message)
                .help(format!("connectors that are written to: {}", names(sinks()))))
        };
    }
    let found: Vec<&Connector> = sinks().filter(|connector| connector.plugin == name).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let plugins = sinks().map(|c| c.plugin.as_str());
            let near = nearest(name, sinks().map(|c| c.name.as_str()).chain(plugins));
            let what = if plugins_of(search).iter().any(|plugin| plugin == name) {
                format!("no connector that is written to has the plugin `{name}`")
            } else {
                format!("there is no connector or plugin `{name}`{near}")
            };
            Err(Diagnostic::error(what).help(format!("connectors that are written to: {}", names(sinks()))))
        }
        several => {
            let message = format!("{} connectors have the plugin `{name}`", several.len());
            let help = format!("name one of them: {}", names(several.iter().copied()));
            Err(Diagnostic::error(message).help(help))
        }
    }
}

/// A connector that is or may be written to, or else a plugin.
fn incoming(
    manifest: &Manifest,
    search: &SearchPath,
    old: &Connector,
    name: &str,
) -> Result<New, Diagnostic> {
    if name == old.name {
        return Err(Diagnostic::error(format!("`{name}` cannot take its own place")).help("name another"));
    }
    if let Some(connector) = manifest.connector(name) {
        return if is_sink(manifest, connector) {
            Ok(New::Connector(name.to_owned()))
        } else {
            let message =
                format!("`{name}` is a connector that is read from or transforms, so it cannot take rows");
            let help =
                "name a connector that takes rows, or a plugin; a plugin of that name by its file's path";
            Err(Diagnostic::error(message).help(help))
        };
    }
    let written = if name.contains('/') { as_written(name, &manifest.folder) } else { name.to_owned() };
    if written == old.plugin {
        let message = format!("`{}` has the plugin `{name}` already", old.name);
        return Err(Diagnostic::error(message).help("name another plugin or connector"));
    }
    let Err(message) = search.find(&written, &manifest.folder) else { return Ok(New::Plugin(written)) };
    if name.contains('/') {
        return Err(Diagnostic::error(message));
    }
    let plugins = plugins_of(search);
    // There, but refused: the message says why.
    if plugins.iter().any(|plugin| plugin == name) {
        return Err(Diagnostic::error(message));
    }
    let connectors = manifest.connectors.iter().filter(|c| is_sink(manifest, c) && c.name != old.name);
    let near = nearest(name, connectors.map(|c| c.name.as_str()).chain(plugins.iter().map(String::as_str)));
    let help = match near.name() {
        Some(_) => "`usher plugins list` lists the plugins".to_owned(),
        None => message,
    };
    Err(Diagnostic::error(format!("there is no connector or plugin `{name}`{near}")).help(help))
}

/// A path starts where the user stands, but in a manifest where that stands.
fn as_written(path: &str, folder: &Path) -> String {
    let (Ok(path), Ok(folder)) = (absolute(path), absolute(folder)) else { return path.to_owned() };
    match path.strip_prefix(&folder) {
        Ok(inside) => format!("./{}", inside.display()),
        Err(_) => path.display().to_string(),
    }
}

/// One that no chain names may be written to.
fn is_sink(manifest: &Manifest, connector: &Connector) -> bool {
    manifest.role(&connector.name).is_none_or(|role| role == Role::Sink)
}

fn plugins_of(search: &SearchPath) -> Vec<String> {
    search.all().0.into_iter().map(|file| file.preamble.name).collect()
}

fn names<'c>(connectors: impl Iterator<Item = &'c Connector>) -> String {
    listed(&connectors.map(|connector| connector.name.clone()).collect::<Vec<_>>())
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { list(names) }
}
