//! What of the manifest changes with a swap. What the new plugin cannot have goes; what it takes another way is left for
//! a person to decide.

use serde::Serialize;
use usher_abi::{Column, Component, Role};

use crate::{
    chain::unknown_columns,
    manifest::{Connector, Diagnostic, Edit, KeyPath, Manifest, secret_pointers, unknown_options},
    plugins::Plugin,
};

/// A changed manifest.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its text.
    pub text: String,
    /// What it says no more.
    pub gone: Vec<Gone>,
}

/// A key that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// The key, dotted.
    pub key: String,
    /// Why, and what is like it.
    pub why: String,
}

/// Gives a connector another plugin. `given` are values below the connector that are to stand in the changed manifest.
///
/// # Errors
///
/// A plugin without a sink; a text that cannot be changed.
pub fn of_plugin(
    manifest: &Manifest,
    (connector, old): (&Connector, &Component),
    (written, plugin): (&str, &Plugin),
    given: &[(KeyPath, String)],
) -> Result<Change, Diagnostic> {
    let key = KeyPath::from(["connectors", connector.name.as_str()]);
    let mut edit = Edit::of(manifest.text())?;
    // The name in quotes: `5` is a plugin's name, too.
    edit.set(&key.child("plugin"), &serde_json::Value::from(written).to_string())?;
    let gone = goes(connector, old, plugin)?;
    let gone = gone.into_iter().map(|(path, why)| {
        let path = path.iter().fold(key.clone(), |key, segment| key.child(segment));
        edit.remove(&path);
        Gone { key: path.to_string(), why }
    });
    let gone: Vec<Gone> = gone.collect();
    for (path, value) in given {
        edit.set(path, value)?;
    }
    Ok(Change { text: edit.text(), gone })
}

/// What of a connector another plugin cannot have: keys, and why.
fn goes(
    connector: &Connector,
    old: &Component,
    plugin: &Plugin,
) -> Result<Vec<(Vec<String>, String)>, Diagnostic> {
    let name = &plugin.preamble.name;
    let mut going: Vec<(Vec<String>, String)> = Vec::new();
    let named = connector.component.as_deref().and_then(|wanted| plugin.component(Role::Sink, Some(wanted)));
    let Some(new) = named.or_else(|| plugin.component(Role::Sink, None)) else {
        let message = format!("the plugin `{name}` has no sink, and `{}` is written to", connector.name);
        return Err(
            Diagnostic::error(message).help("name another; `usher plugins list` says what each offers")
        );
    };
    if let (Some(wanted), None) = (&connector.component, named) {
        let why = format!("`{name}` has no sink `{wanted}`; `{}` is taken", new.name);
        going.push((vec!["component".to_owned()], why));
    }
    if connector.hosts.is_some() && plugin.preamble.hosts.is_empty() {
        going.push((vec!["hosts".to_owned()], format!("`{name}` asks for no network")));
    }
    let secrets = secret_pointers(&old.options, &connector.options);
    let segments = |pointer: &str| KeyPath::from(["options"]).pointer(pointer).segments().to_vec();
    for pointer in secrets.iter().map(|pointer| segments(pointer)) {
        // The whole option: an address or a name beside a secret is of the same account.
        let option = pointer[..2].to_vec();
        if going.iter().all(|(other, _)| *other != option) {
            going.push((option, "it holds a secret, which no other vendor is to be told".to_owned()));
        }
    }
    for path in unknown_options(connector, new).iter().map(|pointer| segments(pointer)) {
        if going.iter().all(|(other, _)| !path.starts_with(other)) {
            going.push((path, format!("`{name}` has no such option")));
        }
    }
    for (field, _) in unknown_columns(connector, new) {
        let like = like(old, field, new);
        let like = like.map(|(column, claim)| format!("; `{column}` takes what it stands for: {claim}"));
        let why = format!("`{name}` has no such column{}", like.unwrap_or_default());
        going.push((vec!["fields".to_owned(), field.to_owned()], why));
    }
    Ok(going)
}

/// The column that is filled by the same claims, if nobody says otherwise.
fn like<'c>(old: &'c Component, field: &str, new: &'c Component) -> Option<(&'c str, &'c str)> {
    let known = |column: &&Column| column.name == field || column.aliases.iter().any(|alias| alias == field);
    let default = old.columns.iter().find(known)?.default.as_deref()?;
    let same = new.columns.iter().find(|column| column.default.as_deref() == Some(default))?;
    Some((&same.name, default))
}

/// Puts one connector into the place of another in these chains.
///
/// # Errors
///
/// A text that cannot be changed.
pub fn of_chains(
    manifest: &Manifest,
    (old, new): (&str, &str),
    chains: &[String],
) -> Result<Change, Diagnostic> {
    let (mut edit, mut gone) = (Edit::of(manifest.text())?, Vec::new());
    for chain in manifest.chains.iter().filter(|chain| chains.contains(&chain.name)) {
        let to = KeyPath::from(["chains", chain.name.as_str(), "to"]);
        let Some(at) = chain.to.iter().position(|name| name == old) else { continue };
        if chain.to.iter().any(|name| name == new) {
            edit.remove(&to.child(at));
            let why = format!("`{new}` has the rows of `{}` already", chain.name);
            gone.push(Gone { key: to.child(at).to_string(), why });
        } else {
            edit.set(&to.child(at), &serde_json::Value::from(new).to_string())?;
        }
    }
    Ok(Change { text: edit.text(), gone })
}
