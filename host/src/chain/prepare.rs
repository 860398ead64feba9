//! From a manifest's chain to opened connectors and bound expressions. Everything wrong is found in one go.

use std::{collections::BTreeMap, sync::Arc};

use usher_abi::{Component, Error, ErrorClass, LogLevel, Problem, Role, service::OutputService};

use super::{
    binding::Preparation,
    engine::{Engine, component_of, options_text},
    mapping::{Filling, unknown_columns},
    names::Names,
    outcome::Failure,
    shape::{ChainStage, Exclude, SinkStage},
};
use crate::{
    manifest::{Chain, Connector, Diagnostic, KeyPath, Manifest, MaxRejects, Severity},
    plugins::Plugin,
    runner::{Sink, Source, Transform, open_sink, open_source, open_transform},
    services::{InputRegistry, Inputs, Staging},
};

/// A chain, ready to run.
pub(super) struct PreparedChain {
    /// The manifest's words.
    pub chain: Chain,
    pub(super) inputs: Arc<InputRegistry>,
    pub(super) view: Arc<Inputs>,
    pub(super) source: Box<dyn Source>,
    /// The source's plugin and its version, for messages.
    pub(super) label: String,
    pub(super) transforms: Vec<Box<dyn Transform>>,
    pub(super) projection: Vec<String>,
    pub(super) needs_nothing: bool,
    pub(super) guesses: Vec<Guess>,
    pub(super) stage: ChainStage,
    /// The source whose keys are left out, until the survey has read them.
    pub(super) suppression: Option<Suppression>,
    /// The sinks, in the manifest's order.
    pub sinks: Vec<PreparedSink>,
    /// Remarks of the source and warnings of the checks.
    pub warnings: Vec<Diagnostic>,
    /// Remarks of the source for the report.
    pub notes: Vec<String>,
}

/// A sink, ready to run.
pub(super) struct PreparedSink {
    /// Its name in the manifest.
    pub name: String,
    /// Its plugin's name.
    pub plugin: String,
    /// Its plugin's version.
    pub version: String,
    /// The form it delivers, if it has several.
    pub deliver: String,
    /// The columns, why each is filled, and how its expression runs.
    pub columns: Vec<(String, Filling, String)>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) stage: SinkStage,
    pub(super) max_rejects: MaxRejects,
    pub(super) allow_empty: bool,
}

/// An attribute that the catalog does not list.
#[derive(Clone, Debug, Default)]
pub(super) struct Guess {
    pub(super) column: String,
    /// Not even what it stands in is known: worth a warning.
    pub(super) unknown: bool,
    /// Used in `where`, `consent` or `unique`: that no record has it is an error.
    pub(super) decides: bool,
}

/// `exclude`: where the keys come from.
pub(super) struct Suppression {
    pub(super) source: Box<dyn Source>,
    pub(super) column: String,
}

/// Opens and binds everything. `staging` gives the sinks their outputs.
pub(super) fn prepare(
    engine: &mut Engine,
    chain_name: &str,
    run: &str,
    staging: &Staging,
) -> Result<PreparedChain, Failure> {
    let chain = engine.manifest.chain(chain_name)?.clone();
    let opened = open_plugins(engine, &chain)?;
    let inputs = engine.inputs();
    let manifest = engine.manifest.clone();
    let mut prep = Preparation {
        manifest: &manifest,
        diagnostics: Vec::new(),
        missing: Vec::new(),
        listing: String::new(),
        projection: Vec::new(),
        guesses: BTreeMap::new(),
        needs_nothing: false,
    };

    let from = &opened[&chain.from];
    let (services, view) = engine.services(&chain.name, run, &from.connector, &inputs, None);
    let mut source =
        open_source(&from.plugin, &from.component.name, &options_text(&from.connector.options), services)
            .map_err(|e| option_failure(&manifest, &from.connector, e))?;
    engine.on_cancel(source.canceller());
    prep.problems(&from.connector, source.check()?);
    prep.stop_if_bad()?;
    let catalog = source.catalog()?;
    let own: Vec<(String, String)> = chain.claims.iter().map(|c| (c.name.clone(), c.path.clone())).collect();
    let names = Names::new(catalog.clone(), &own);
    prep.claims(&chain, &names);

    let chain_key = KeyPath::from(["chains", chain.name.as_str()]);
    let mut stage = ChainStage::default();
    if let Some(text) = &chain.where_ {
        stage.where_ = prep.condition(&names, &text.text, &chain_key.child("where"), "where", "where");
    }
    let mut suppression = None;
    if let Some(exclude) = &chain.exclude {
        let listed = &opened[&exclude.from];
        let key = prep.expression(&names, &exclude.key, &chain_key.child("exclude").child("key"), true);
        let (services, _) = engine.services(&chain.name, run, &listed.connector, &inputs, None);
        let mut other = open_source(
            &listed.plugin,
            &listed.component.name,
            &options_text(&listed.connector.options),
            services,
        )
        .map_err(|e| option_failure(&manifest, &listed.connector, e))?;
        engine.on_cancel(other.canceller());
        prep.problems(&listed.connector, other.check()?);
        let column = prep.suppression_key(&other.catalog()?, &exclude.from, &exclude.key);
        if let (Some(key), Some(column)) = (key, column) {
            stage.exclude = Some(Exclude { key, keys: usher_keys::Fingerprints::new() });
            suppression = Some(Suppression { source: other, column });
        }
    }
    stage.unique = chain.unique.as_ref().and_then(|u| prep.unique(&names, u, &chain_key.child("unique")));

    let mut sinks = Vec::new();
    for (index, name) in chain.to.iter().enumerate() {
        let opened = &opened[name];
        let output: Arc<dyn OutputService> = Arc::new(staging.outputs(name)?);
        let (services, _) = engine.services(&chain.name, run, &opened.connector, &inputs, Some(output));
        let sink = open_sink(
            &opened.plugin,
            &opened.component.name,
            &options_text(&opened.connector.options),
            services,
        )
        .map_err(|e| option_failure(&manifest, &opened.connector, e));
        match sink {
            Ok(sink) => {
                engine.on_cancel(sink.canceller());
                sinks.push(prep.sink(&chain, opened, sink, &names, &own, index)?);
            }
            Err(Failure::Manifest(problems)) => prep.diagnostics.extend(problems),
            Err(other) => return Err(other),
        }
    }
    let mut transforms = Vec::new();
    for name in &chain.through {
        let opened = &opened[name];
        let (services, _) = engine.services(&chain.name, run, &opened.connector, &inputs, None);
        let mut transform = open_transform(
            &opened.plugin,
            &opened.component.name,
            &options_text(&opened.connector.options),
            services,
        )
        .map_err(|e| option_failure(&manifest, &opened.connector, e))?;
        engine.on_cancel(transform.canceller());
        prep.problems(&opened.connector, transform.check()?);
        transforms.push(transform);
    }
    prep.stop_if_bad()?;
    prep.order_projection(&catalog);
    let guesses = prep.guesses.into_iter().map(|(column, guess)| Guess { column, ..guess }).collect();
    Ok(PreparedChain {
        chain,
        inputs,
        view,
        source,
        label: from.plugin.label(),
        transforms,
        projection: prep.projection,
        needs_nothing: prep.needs_nothing,
        guesses,
        stage,
        suppression,
        sinks,
        warnings: prep.diagnostics,
        notes: catalog.notes,
    })
}

/// A connector with its loaded plugin.
pub(super) struct Opened {
    pub(super) connector: Connector,
    pub(super) plugin: Arc<Plugin>,
    pub(super) component: Component,
}

/// Loads every plugin of a chain and holds the options against their schemas, all problems at once.
fn open_plugins(engine: &mut Engine, chain: &Chain) -> Result<BTreeMap<String, Opened>, Failure> {
    let mut roles: Vec<(&String, Role)> = vec![(&chain.from, Role::Source)];
    roles.extend(chain.exclude.as_ref().map(|e| (&e.from, Role::Source)));
    roles.extend(chain.through.iter().map(|name| (name, Role::Transform)));
    roles.extend(chain.to.iter().map(|name| (name, Role::Sink)));
    let mut opened = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (name, role) in roles {
        let Some(connector) = engine.manifest.connector(name).cloned() else { continue };
        let key = KeyPath::from(["connectors", name.as_str()]);
        let plugin = match engine.plugin(&connector) {
            Ok(plugin) => plugin,
            Err(message) => {
                // Below the one line stands a layout difference of some hundred, for `-v` only.
                let (line, detail) = message.split_once('\n').unwrap_or((&message, ""));
                if !detail.is_empty() && engine.settings.log <= LogLevel::DEBUG {
                    (engine.settings.lines)(detail);
                }
                diagnostics.push(engine.manifest.error(&key.child("plugin"), line));
                continue;
            }
        };
        match component_of(&plugin, &connector, role) {
            Ok(component) => {
                opened.insert(name.clone(), Opened { connector, plugin, component });
            }
            Err(message) => {
                let place = if connector.component.is_some() { "component" } else { "plugin" };
                diagnostics.push(engine.manifest.error(&key.child(place), &message));
            }
        }
    }
    let component = |connector: &Connector| opened.get(&connector.name).map(|o| o.component.clone());
    let secrets = crate::manifest::written_secrets(&engine.manifest, &component);
    diagnostics.extend(crate::manifest::check_options(&engine.manifest, &component));
    engine.manifest.secrets.extend(secrets);
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        // The sinks will not be opened, so what their tables say of `fields` is said here.
        for Opened { connector, component, .. } in opened.values().filter(|o| o.component.role == Role::Sink)
        {
            let fields = KeyPath::from(["connectors", connector.name.as_str(), "fields"]);
            let unknown = unknown_columns(connector, component);
            diagnostics.extend(
                unknown.map(|(column, message)| engine.manifest.error(&fields.child(column), &message)),
            );
        }
        return Err(Failure::Manifest(diagnostics));
    }
    Ok(opened)
}

/// `open` refused: problems with options are the manifest's, everything else is the run's.
fn option_failure(manifest: &Manifest, connector: &Connector, error: Error) -> Failure {
    if error.class != ErrorClass::CONFIG {
        return error.into();
    }
    match serde_json::from_str::<Vec<Problem>>(error.details.as_str()) {
        Ok(problems) if !problems.is_empty() => {
            Failure::Manifest(problems.iter().map(|p| manifest.problem(connector, p)).collect())
        }
        _ => error.into(),
    }
}
