//! From a manifest's chain to opened connectors and bound expressions. Everything wrong is found in one go: what cannot
//! be opened is passed over, and what is known of the rest is checked all the same.

use std::{collections::BTreeMap, sync::Arc};

use usher_abi::{Column, Component, LogLevel, RateLimit, Role, service::OutputService};

use super::{
    binding::{Preparation, Purpose},
    engine::{Engine, allowed_hosts, component_of, options_text},
    mapping::Filling,
    names::Names,
    outcome::Failure,
    retry::Retried,
    run::Mode,
    shape::{ChainStage, Exclude, SinkStage},
    sync::{self, Gone, Roll, Suspended, Suspender},
    thresholds::Usual,
    through::Through,
};
use crate::{
    expression::Bound,
    manifest::{Chain, Connector, Diagnostic, KeyPath, MaxRejects, Severity, check_options, written_secrets},
    plugins::Plugin,
    runner::{Sink, Source, open_sink},
    runs::Passed,
    services::{Attempt, Exclusive, InputRegistry, Inputs, LogLine, Staging},
};

/// A chain, ready to run.
pub(super) struct PreparedChain {
    /// The manifest's words.
    pub chain: Chain,
    pub(super) inputs: Arc<InputRegistry>,
    pub(super) view: Arc<Inputs>,
    pub(super) source: Box<dyn Source>,
    /// All plugins of the chain, each once.
    pub(super) plugins: Vec<Arc<Plugin>>,
    /// The source's plugin and its version, for messages.
    pub(super) label: String,
    pub(super) through: Through,
    /// What expressions may name.
    pub(super) names: Names,
    /// What the source is asked for.
    pub(super) projection: Vec<String>,
    pub(super) needs_nothing: bool,
    pub(super) guesses: Vec<Guess>,
    /// Who is in the source, if a sink gets only what has changed.
    pub(super) roll: Option<Roll>,
    pub(super) stage: ChainStage,
    /// The source whose keys are left out, until the survey has read them.
    pub(super) suppression: Option<Suppression>,
    /// The sinks, in the manifest's order.
    pub sinks: Vec<PreparedSink>,
    /// Remarks of the source and warnings of the checks.
    pub warnings: Vec<Diagnostic>,
    /// Remarks of the source for the report.
    pub notes: Vec<String>,
    /// Nobody else sends what this chain sends, while it does.
    pub(super) alone: Option<Exclusive>,
    /// Whether it goes on with a run that read something else.
    pub(super) reads_anew: bool,
    /// The column with the address, if the chain has one; read for whoever does the work of a run again.
    pub(super) email: Option<String>,
    /// What is read instead of the source's inputs.
    pub(super) retried: Option<Retried>,
    /// The rate limits of all connectors, by name.
    pub(super) rate_limits: BTreeMap<String, Vec<RateLimit>>,
    /// How many rows are usual, if the chain wants to know.
    pub(super) usual: Option<Usual>,
}

impl PreparedChain {
    /// What the checks said of one connector.
    pub(super) fn said_of(&self, connector: &str) -> Vec<String> {
        let key = KeyPath::from(["connectors", connector]).to_string();
        let of = |d: &&Diagnostic| d.key == key || d.key.starts_with(&format!("{key}."));
        self.warnings.iter().filter(of).map(|d| format!("`{}`: {}", d.key, d.message)).collect()
    }
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
    /// Its table of columns.
    pub(super) rules: Vec<Column>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) stage: SinkStage,
    pub(super) max_rejects: MaxRejects,
    pub(super) allow_empty: bool,
    /// Whether its plugin may go over the network.
    pub(super) network: bool,
    /// When the last row has passed: rows that it has not said anything of.
    pub(super) held: u64,
    /// Who is gone, when the last row has passed; nobody, unless it gets only what has changed.
    pub(super) gone: Gone,
    /// Suspends those who are gone from the source, if the manifest asks for that.
    pub(super) suspender: Option<Suspender>,
    /// Its books at that time.
    pub(super) passed: Option<Passed>,
}

impl PreparedSink {
    /// Whether it holds rows that it is going to send.
    pub(super) fn sends(&self) -> bool {
        self.network && self.held > 0
    }

    /// Whether something that writes has left this machine, or may have.
    pub(super) fn has_sent(&self) -> bool {
        self.stage.books.sent() > 0 || self.gone.suspended.as_ref().is_some_and(Suspended::went_out)
    }
}

/// An attribute that the catalog does not list.
#[derive(Clone, Debug, Default)]
pub(super) struct Guess {
    pub(super) column: String,
    /// The first place of the manifest that names it, if not even what it stands in is known, which is worth a warning.
    pub(super) named_at: Option<KeyPath>,
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
    attempt: &Attempt,
    staging: &Staging,
    mode: Mode,
) -> Result<PreparedChain, Failure> {
    let chain = engine.manifest.chain(chain_name)?.clone();
    let (opened, diagnostics) = open_plugins(engine, &chain);
    let inputs = engine.inputs(staging);
    let manifest = engine.manifest.clone();
    let mut prep = Preparation::new(&manifest, diagnostics, engine.settings.threads);
    let chain_key = KeyPath::from(["chains", chain.name.as_str()]);

    let mut source = None;
    let mut retried = None;
    if let Some(from) = opened.get(&chain.from).filter(|o| o.sound) {
        let (services, view) = engine.services(attempt, from, &inputs, None);
        if let Some(retry) = &engine.settings.retry {
            retried = Some(Retried::lay_out(retry, &view, staging)?);
        }
        source = prep.source(engine, from, services).map(|(source, catalog)| (from, view, source, catalog));
    }
    let own: Vec<(String, String)> = chain.claims.iter().map(|c| (c.name.clone(), c.path.clone())).collect();
    let mut through = Through::new(&own);
    let mut after = source.as_ref().map(|(.., catalog)| catalog.clone());
    for name in &chain.through {
        let stage = opened.get(name).filter(|o| o.sound).and_then(|opened| {
            let (services, _) = engine.services(attempt, opened, &inputs, None);
            Some((opened, prep.transform(engine, opened, services)?))
        });
        after = match (stage, after) {
            (Some((opened, stage)), Some(before)) => {
                prep.attempt(&opened.connector, through.push(stage, &before))
            }
            _ => None,
        };
    }
    let names = after.map_or_else(Names::unknown, |catalog| Names::new(catalog, &own));
    prep.claims(&chain, &names);

    let mut stage = ChainStage::default();
    if let Some(text) = &chain.where_ {
        stage.where_ = prep.condition(&names, &text.text, &chain_key.child("where"), "where", "where");
    }
    let mut suppression = None;
    if let Some(exclude) = &chain.exclude {
        let exclude_key = chain_key.child("exclude").child("key");
        let key = prep.expression(&names, &exclude.key, &exclude_key, Purpose::Key);
        let listed = opened.get(&exclude.from).filter(|o| o.sound).and_then(|listed| {
            let (services, _) = engine.services(attempt, listed, &inputs, None);
            prep.source(engine, listed, services)
        });
        if let Some((source, catalog)) = listed
            && let Some(column) = prep.suppression_key(&catalog, exclude, &exclude_key)
            && let Some(key) = key
        {
            stage.exclude = Some(Exclude { key, keys: usher_keys::Fingerprints::new() });
            suppression = Some(Suppression { source, column });
        }
    }
    stage.unique = chain.unique.as_ref().and_then(|u| prep.unique(&names, u, &chain_key.child("unique")));

    let email = names.claim("email").filter(|_| engine.settings.locates).map(str::to_owned);
    if let Some(column) = &email {
        prep.need(&Bound { column: column.clone(), consumed: 1 });
    }
    let mut sinks = Vec::new();
    for (index, name) in chain.to.iter().enumerate() {
        let Some(opened) = opened.get(name) else { continue };
        let mut sink = None;
        if opened.sound {
            let output: Arc<dyn OutputService> = Arc::new(staging.outputs(name)?);
            let services = || engine.services(attempt, opened, &inputs, Some(output.clone())).0;
            let text = options_text(&opened.connector.options);
            let result = open_sink(&opened.plugin, &opened.component.name, &text, services());
            sink = prep
                .attempt(&opened.connector, result)
                .map(|sink| (sink, prep.suspender(engine, opened, services)));
        }
        match sink {
            Some((sink, suspender)) => {
                engine.on_cancel(sink.canceller());
                let prepared = prep.sink(&chain, opened, sink, &names, &own, index);
                sinks.extend(prepared.map(|sink| PreparedSink { suspender, ..sink }));
            }
            None => prep.unopened_sink(opened, &names),
        }
    }
    if let Some(retried) = &retried {
        retried.check(&chain.to)?;
        retried.direct(&mut sinks);
        // One that is for another sink stands for nobody: each sink chooses among its own.
        if let Some(unique) = &chain.unique {
            stage.unique = None;
            for sink in sinks.iter_mut().filter(|sink| sink.stage.unique.is_none()) {
                sink.stage.unique = prep.unique(&names, unique, &chain_key.child("unique"));
            }
        }
    }
    for sink in &mut sinks {
        let unique = sink.stage.unique.as_ref().or(stage.unique.as_ref());
        // After a survey, records of one place that a source sends twice would both stay.
        let first = unique.filter(|unique| !unique.needs_survey());
        sink.stage.key = first.and_then(|unique| unique.key.copied()).map(str::to_owned);
    }
    let roll = sync::prepare(engine, &mut prep, &chain, &names, &mut sinks, mode)?;
    prep.stop_if_bad()?;
    prep.unused_claims(&chain, &names);
    let Some((from, view, source, catalog)) = source else {
        // Only a draft gets here: what keeps its source from being opened was found when it was read.
        return Err(Failure::Manifest(prep.diagnostics));
    };
    let projection = prep.projection(&catalog, &mut through, &chain_key.child("through"))?;
    let guesses = prep.guesses.into_iter().map(|(column, guess)| Guess { column, ..guess }).collect();
    let usual = match chain.max_change {
        // The first records are for a look.
        Some(percent) if engine.settings.limit.is_none() && engine.settings.retry.is_none() => {
            Usual::load(&engine.out().join(&chain.name), percent)?
        }
        _ => None,
    };
    Ok(PreparedChain {
        chain,
        inputs,
        view,
        source,
        plugins: plugins_of(&opened),
        rate_limits: opened
            .iter()
            .map(|(name, opened)| (name.clone(), opened.component.rate_limits.clone()))
            .collect(),
        label: from.plugin.label(),
        through,
        names,
        projection,
        needs_nothing: prep.needs_nothing,
        guesses,
        roll,
        stage,
        suppression,
        sinks,
        warnings: prep.diagnostics,
        notes: catalog.notes,
        alone: None,
        reads_anew: false,
        email,
        retried,
        usual,
    })
}

fn plugins_of(opened: &BTreeMap<String, Opened>) -> Vec<Arc<Plugin>> {
    let mut plugins: Vec<Arc<Plugin>> = opened.values().map(|opened| opened.plugin.clone()).collect();
    plugins.sort_by(|a, b| a.path.cmp(&b.path));
    plugins.dedup_by(|a, b| a.path == b.path);
    plugins
}

/// A connector with its loaded plugin.
pub(super) struct Opened {
    pub(super) connector: Connector,
    pub(super) plugin: Arc<Plugin>,
    pub(super) component: Component,
    /// Whether its options are as the component wants them; else it is not opened.
    pub(super) sound: bool,
}

/// Loads every plugin of a chain and holds the options against their schemas. What cannot be loaded is not answered.
fn open_plugins(engine: &mut Engine, chain: &Chain) -> (BTreeMap<String, Opened>, Vec<Diagnostic>) {
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
                    (engine.settings.lines)(&LogLine::new(LogLevel::DEBUG, detail));
                }
                diagnostics.push(engine.manifest.error(&key.child("plugin"), line));
                continue;
            }
        };
        match component_of(&plugin, &connector, role) {
            Ok(component) => {
                engine.manifest.secrets.extend(written_secrets(&connector, &component));
                let mut sound = connector.options_read;
                for (i, message) in allowed_hosts(&plugin, &connector).err().unwrap_or_default() {
                    sound = false;
                    diagnostics.push(engine.manifest.error(&key.child("hosts").child(i), &message));
                }
                opened.insert(name.clone(), Opened { connector, plugin, component, sound });
            }
            Err(message) => {
                let place = if connector.component.is_some() { "component" } else { "plugin" };
                diagnostics.push(engine.manifest.error(&key.child(place), &message));
            }
        }
    }
    // Once the secrets of all are known, which no message may show.
    for opened in opened.values_mut().filter(|o| o.sound) {
        let problems = check_options(&engine.manifest, &opened.connector, &opened.component);
        opened.sound = !problems.iter().any(|p| p.severity == Severity::Error);
        diagnostics.extend(problems);
    }
    (opened, diagnostics)
}
