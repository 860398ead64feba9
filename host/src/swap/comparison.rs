//! Everything that is told of a swap.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use usher_abi::{Component, Role};

use super::{Gone, Meaning, Trial, Tried};
use crate::{
    chain::{Engine, delivers},
    manifest::{Connector, Diagnostic, Hunk, KeyPath, written_secrets},
    plugins::{Change, Plugin, choices},
};

/// Everything that is told of a swap; nothing in it is a secret.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Who goes.
    pub old: Party,
    /// Who comes.
    pub new: Party,
    /// Rules for rows and files that differ; breaking are the stricter ones.
    pub differences: Vec<Change>,
    /// The chains that change.
    pub chains: Vec<InChain>,
    /// Keys that the manifest says no more.
    pub gone: Vec<Gone>,
    /// The lines of the manifest that change.
    pub change: Vec<Hunk>,
    /// What is wrong with the changed manifest, at its places in the changed text.
    pub problems: Vec<Diagnostic>,
    /// Why its chains cannot run, where they could before.
    pub failures: Vec<String>,
    /// Whether the manifest was written.
    pub written: bool,
}

impl Comparison {
    /// Whether a run of the changed manifest would be kept back.
    pub fn is_refused(&self) -> bool {
        let tried = self.chains.iter().filter_map(|chain| chain.trial.as_ref()?.new.as_ref());
        tried.into_iter().any(|new| matches!(new, Tried::Planned { refused, .. } if !refused.is_empty()))
    }
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub struct Party {
    /// The connector.
    pub connector: String,
    /// Its plugin.
    pub plugin: String,
    /// Its plugin's version.
    pub version: String,
    /// The component.
    pub component: String,
    /// The form that it delivers; empty if it has one only.
    pub form: String,
}

/// What changes in one chain.
#[derive(Clone, Debug, Serialize)]
pub struct InChain {
    /// The chain.
    pub chain: String,
    /// Whether its source could not be asked what it provides.
    pub assumed: bool,
    /// What its records say, and who takes it.
    pub meanings: Vec<Meaning>,
    /// Columns that must be filled, and that nothing fills any more.
    pub unfilled: Vec<String>,
    /// What the check has to say of the one that comes.
    pub warnings: Vec<String>,
    /// With the data at hand, if that was asked for.
    pub trial: Option<Trial>,
}

/// One side: a connector with its plugin and its sink.
#[derive(Clone, Debug)]
pub struct Side {
    /// The connector.
    pub connector: Connector,
    /// Its plugin.
    pub plugin: Arc<Plugin>,
    /// Its sink.
    pub component: Component,
}

impl Side {
    /// The connector of that name, of the manifest as the engine has it; its secrets are known to that then.
    ///
    /// # Errors
    ///
    /// A connector that is not there, a plugin that cannot be loaded, or one without that sink.
    pub fn load(engine: &mut Engine, name: &str) -> Result<Self, Diagnostic> {
        let key = KeyPath::from(["connectors", name]);
        let connector = engine.manifest.connector(name).cloned();
        let connector = connector.ok_or_else(|| engine.manifest.error(&key, "it cannot be read"))?;
        let plugin = engine.plugin(&connector).map_err(|message| {
            engine.manifest.error(&key.child("plugin"), message.lines().next().unwrap_or_default())
        })?;
        let component = plugin.component(Role::Sink, connector.component.as_deref()).cloned();
        let component = component.ok_or_else(|| {
            let message = format!("the plugin `{}` has no such sink", plugin.preamble.name);
            engine.manifest.error(&key.child("plugin"), &message)
        })?;
        engine.manifest.secrets.extend(written_secrets(&connector, &component));
        Ok(Self { connector, plugin, component })
    }

    /// As it is told. A form that the plugin does not know is a problem, and told as its own default.
    pub fn party(&self) -> Party {
        let preamble = &self.plugin.preamble;
        let options = &self.component.options;
        let forms = options.pointer("/properties/deliver").map(|schema| choices(options, schema));
        let mut connector = self.connector.clone();
        let known = |form: &str| forms.iter().flatten().any(|known| known == form);
        if !connector.options.get("deliver").and_then(Value::as_str).is_some_and(known) {
            connector.options = Value::Null;
        }
        Party {
            connector: self.connector.name.clone(),
            plugin: preamble.name.clone(),
            version: preamble.version.clone(),
            component: self.component.name.clone(),
            form: delivers(&connector, &self.component),
        }
    }
}
