//! From a manifest's chain to opened connectors and bound expressions. Everything wrong is found in one go.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde_json::Value;
use usher_abi::{Catalog, Component, Consent, Error, ErrorClass, Problem, Role, service::OutputService};

use super::{
    engine::{Engine, component_of, options_text},
    mapping::{Filling, Mapped, map_columns},
    names::{Meaning, NOTHING, Names},
    outcome::Failure,
    shape::{ChainStage, Condition, ConsentStage, Exclude, Owner, Shaped, SinkStage},
    unique::UniqueStage,
};
use crate::{
    expression::{Bound, Expression, NamePath, Program, Segment},
    manifest::{Chain, Connector, Diagnostic, Keep, KeyPath, Manifest, MaxRejects, Severity, Span, Unique},
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
#[derive(Clone, Debug)]
pub(super) struct Guess {
    pub(super) column: String,
    /// Used in `where`, `consent` or `unique`: that no record has it is an error.
    pub(super) decides: bool,
}

/// `exclude`: where the keys come from.
pub(super) struct Suppression {
    pub(super) source: Box<dyn Source>,
    pub(super) column: String,
}

/// Collects problems and what the expressions need while a chain is prepared.
struct Preparation<'a> {
    manifest: &'a Manifest,
    diagnostics: Vec<Diagnostic>,
    /// Names that a closed input does not have: the input's fault, not the manifest's.
    missing: Vec<String>,
    projection: Vec<String>,
    guesses: BTreeMap<String, bool>,
    needs_nothing: bool,
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
    let guesses = prep.guesses.into_iter().map(|(column, decides)| Guess { column, decides }).collect();
    Ok(PreparedChain {
        chain,
        inputs,
        view,
        source,
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
struct Opened {
    connector: Connector,
    plugin: Arc<Plugin>,
    component: Component,
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
                diagnostics.push(engine.manifest.error(&key.child("plugin"), &message));
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

impl Preparation<'_> {
    fn problems(&mut self, connector: &Connector, problems: Vec<Problem>) {
        self.diagnostics.extend(problems.iter().map(|p| self.manifest.problem(connector, p)));
    }

    fn stop_if_bad(&mut self) -> Result<(), Failure> {
        if self.diagnostics.iter().any(|d| d.severity == Severity::Error) {
            return Err(Failure::Manifest(std::mem::take(&mut self.diagnostics)));
        }
        if let Some(first) = self.missing.first() {
            let more = self.missing.len() - 1;
            let more = if more > 0 { format!(" (and {more} more like it)") } else { String::new() };
            return Err(Error::data("input.attribute-missing", format!("{first}{more}")).into());
        }
        Ok(())
    }

    fn need(&mut self, bound: &Bound) {
        if bound.column == NOTHING {
            self.needs_nothing = true;
        } else if !self.projection.contains(&bound.column) {
            self.projection.push(bound.column.clone());
        }
    }

    /// The claims that the chain names must be attributes.
    fn claims(&mut self, chain: &Chain, names: &Names) {
        for claim in &chain.claims {
            let key = KeyPath::from(["chains", chain.name.as_str(), "claims", claim.name.as_str()]);
            match Expression::parse(&claim.path).map(|e| e.names()) {
                Ok(paths) if paths.len() == 1 && paths[0].to_string() == claim.path => {
                    if let Meaning::Unknown(message) = names.resolve(&paths[0]) {
                        self.unknown(names, &key, None, message);
                    }
                }
                // A heading that is no path (`First Name`) is taken as it stands.
                _ if names.catalog().attributes.iter().any(|a| a.path == claim.path) => {}
                _ => {
                    let message = format!("`{}` is no attribute of `{}`", claim.path, chain.from);
                    self.diagnostics.push(self.manifest.error(&key, &message));
                }
            }
        }
    }

    fn unknown(&mut self, names: &Names, key: &KeyPath, within: Option<Span>, message: String) {
        if names.catalog().open {
            let diagnostic = match within {
                Some(span) => self.manifest.error_within(key, span, &message),
                None => self.manifest.error(key, &message),
            };
            self.diagnostics.push(diagnostic);
        } else {
            self.missing.push(format!("{key}: {message}"));
        }
    }

    /// Parses and binds an expression of the manifest. `decides`: rows depend on it.
    fn expression(&mut self, names: &Names, text: &str, key: &KeyPath, decides: bool) -> Option<Program> {
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => {
                let at = error.offset().min(text.len());
                let span = Span { start: at, end: at + usize::from(at < text.len()) };
                self.diagnostics.push(self.manifest.error_within(key, span, error.message()));
                return None;
            }
        };
        let meanings: Vec<(NamePath, Meaning)> =
            expression.names().into_iter().map(|path| (path.clone(), names.resolve(&path))).collect();
        let find = |path: &NamePath| meanings.iter().find(|(p, _)| p == path).map(|(_, m)| m.clone());
        let program = expression.bind(&|path| match find(path) {
            Some(Meaning::Known(bound) | Meaning::Guessed(bound)) => Some(bound),
            _ => None,
        });
        for (_, meaning) in &meanings {
            match meaning {
                Meaning::Known(bound) => self.need(bound),
                Meaning::Guessed(bound) => {
                    self.need(bound);
                    let entry = self.guesses.entry(bound.column.clone()).or_default();
                    *entry = *entry || decides;
                }
                Meaning::Unknown(_) => {}
            }
        }
        match program {
            Ok(program) => Some(program),
            Err(error) if error.unknown.is_empty() => {
                self.diagnostics.push(self.manifest.error(key, &error.to_string()));
                None
            }
            Err(error) => {
                for unknown in &error.unknown {
                    let mut message = match find(&unknown.path) {
                        Some(Meaning::Unknown(message)) => message,
                        _ => format!("unknown name `{}`", unknown.path),
                    };
                    if let Some(word) = &unknown.hyphenated {
                        message = format!("`{word}` is read as a subtraction; write '{word}' for the text");
                        self.diagnostics.push(self.manifest.error(key, &message));
                        break;
                    }
                    let span =
                        Span { start: unknown.offset, end: unknown.offset + unknown.path.to_string().len() };
                    self.unknown(names, key, Some(span), message);
                }
                None
            }
        }
    }

    fn condition(
        &mut self,
        names: &Names,
        text: &str,
        path: &KeyPath,
        key: &'static str,
        reason: &'static str,
    ) -> Option<Condition> {
        self.expression(names, text, path, true).map(|program| Condition { program, key, reason })
    }

    fn unique(&mut self, names: &Names, unique: &Unique, key: &KeyPath) -> Option<UniqueStage> {
        let program = self.expression(names, &unique.key, key, true);
        let rank = match &unique.keep {
            Keep::Max(attribute) => Some(self.expression(names, attribute, key, true)?),
            _ => None,
        };
        Some(UniqueStage::new(program?, unique.keep.clone(), rank))
    }

    /// The column of a suppression list that holds the keys: the claim or attribute of the same name.
    fn suppression_key(&mut self, catalog: &Catalog, from: &str, key: &str) -> Option<String> {
        let names = Names::new(catalog.clone(), &[]);
        let path = NamePath { segments: vec![Segment::Key(key.to_owned())], quoted: false };
        match names.resolve(&path) {
            Meaning::Known(bound) | Meaning::Guessed(bound) => Some(bound.column),
            Meaning::Unknown(message) => {
                self.missing.push(format!("connectors.{from}: {message}"));
                None
            }
        }
    }

    fn sink(
        &mut self,
        chain: &Chain,
        opened: &Opened,
        mut sink: Box<dyn Sink>,
        names: &Names,
        own: &[(String, String)],
        index: usize,
    ) -> Result<PreparedSink, Failure> {
        let Opened { connector, plugin, component } = opened;
        let key = KeyPath::from(["connectors", connector.name.as_str()]);
        let mapped = map_columns(connector, component, names, own);
        let columns: Vec<String> = mapped.iter().map(|m| m.column.clone()).collect();
        if columns.is_empty() {
            let message = format!(
                "nothing fills a column of `{}`: the chain has none of its claims; give it `fields`",
                connector.name
            );
            self.diagnostics.push(self.manifest.error(&key, &message));
        }
        let problems = sink.check(&columns)?;
        for problem in &problems {
            // A column that a default or a claim brought is not in the manifest: say which.
            self.problems(connector, vec![problem.clone()]);
        }
        let (mut shaped, mut described) = (Vec::new(), Vec::new());
        for one in mapped {
            let program = match one.filling {
                Filling::Default => self.default_program(names, &one),
                _ => self.expression(names, &one.expression, &one.key, false),
            };
            if let Some(program) = program {
                described.push((one.column.clone(), one.filling, program.describe()));
                shaped.push(Shaped { name: one.column, program });
            }
        }
        let where_ = connector.where_.as_ref();
        let where_ =
            where_.and_then(|text| self.condition(names, &text.text, &key.child("where"), "where", "where"));
        let unique = connector.unique.as_ref().and_then(|u| self.unique(names, u, &key.child("unique")));
        let consent = self.consent(
            names,
            connector,
            component,
            &key,
            connector.unique.as_ref().or(chain.unique.as_ref()),
        );
        let filled = vec![false; shaped.len()];
        let option = |name: &str| connector.options.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(PreparedSink {
            name: connector.name.clone(),
            plugin: plugin.preamble.name.clone(),
            version: plugin.preamble.version.clone(),
            deliver: option("deliver").or_else(|| schema_default(component, "deliver")).unwrap_or_default(),
            columns: described,
            sink,
            stage: SinkStage {
                owner: Owner(Some(index)),
                where_,
                unique,
                consent,
                columns: shaped,
                books: super::books::Books::default(),
                filled,
                sample: None,
            },
            max_rejects: self.manifest.max_rejects(chain, connector),
            allow_empty: self.manifest.allow_empty(chain, connector),
        })
    }

    /// A default is the plugin's expression over claims; those that the chain does not have are nothing.
    fn default_program(&mut self, names: &Names, mapped: &Mapped) -> Option<Program> {
        let resolve = |path: &NamePath| {
            let claim = match path.segments.first() {
                Some(Segment::Key(key)) => names.claim(key),
                _ => None,
            };
            Some(match claim {
                Some(attribute) => Bound { column: attribute.to_owned(), consumed: 1 },
                None => Bound { column: NOTHING.to_owned(), consumed: path.segments.len() },
            })
        };
        let bound = Expression::parse(&mapped.expression)
            .map_err(|e| e.to_string())
            .and_then(|e| e.bind(&resolve).map_err(|e| e.to_string()));
        match bound {
            Ok(program) => {
                for column in program.columns().to_vec() {
                    self.need(&Bound { column, consumed: 1 });
                }
                Some(program)
            }
            Err(error) => {
                let message =
                    format!("the plugin's own default of `{}` cannot be used: {error}", mapped.column);
                self.diagnostics.push(self.manifest.error(&mapped.key, &message));
                None
            }
        }
    }

    fn consent(
        &mut self,
        names: &Names,
        connector: &Connector,
        component: &Component,
        key: &KeyPath,
        unique: Option<&Unique>,
    ) -> Option<ConsentStage> {
        if component.consent == Consent::None {
            return None;
        }
        let text = connector.options.get("consent").and_then(Value::as_str)?;
        let path = key.child("options").child("consent");
        let condition = self.condition(names, text, &path, "consent", "no-consent")?;
        // An address that refuses in one record refuses in all: known by the address, else by what makes rows unique.
        let address = match (names.claim("email"), unique) {
            (Some(_), _) => self.expression(names, "email", &path, false),
            (None, Some(unique)) => self.expression(names, &unique.key, &path, false),
            (None, None) => None,
        };
        let refusals = address.map(|program| (program, usher_keys::Fingerprints::new()));
        Some(ConsentStage { condition, refusals })
    }

    /// In the order of the catalog, so that the plan does not depend on the order of the manifest.
    fn order_projection(&mut self, catalog: &Catalog) {
        let place =
            |path: &String| catalog.attributes.iter().position(|a| a.path == *path).unwrap_or(usize::MAX);
        self.projection.sort_by_key(|path| (place(path), path.clone()));
    }
}

/// The default that the options' schema states.
fn schema_default(component: &Component, option: &str) -> Option<String> {
    component.options.get("properties")?.get(option)?.get("default")?.as_str().map(str::to_owned)
}

/// The folder a manifest's relative paths start at, for messages.
pub(super) fn shown(path: &Path) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(|p| p.display().to_string()))
        .unwrap_or_else(|| path.display().to_string())
}
