//! Names to columns: the expressions of a chain, bound to what its source has. Collects every problem on the way.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use serde_json::Value;
use usher_abi::{Catalog, Component, Consent, Error, ErrorClass, Problem, Services};

use super::{
    doubts::{never_boolean, unwritten},
    engine::{Engine, options_text},
    mapping::{Filling, Mapped, map_columns, takes_everything, unknown_columns},
    names::{Meaning, NOTHING, Names},
    outcome::Failure,
    prepare::{Guess, Opened, PreparedSink},
    shape::{Condition, ConsentStage, Owner, Shaped, SinkStage},
    sync::Gone,
    through::{Opener, Stage, Through},
    unique::UniqueStage,
};
use crate::{
    expression::{Bound, Expression, NamePath, Program, Segment},
    manifest::{Chain, Connector, Diagnostic, Exclude, Keep, KeyPath, Manifest, Severity, Span, Unique},
    runner::{Sink, Source, open_source, open_transform},
};

/// What an expression is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A column's values.
    Value,
    /// A key by which rows are chosen.
    Key,
    /// A condition that rows must meet.
    Condition,
}

/// Collects problems and what the expressions need while a chain is prepared.
pub(super) struct Preparation<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The first failure that is not the manifest's fault; told when nothing is wrong with the manifest.
    failure: Option<Failure>,
    projection: Vec<String>,
    pub(super) guesses: BTreeMap<String, Guess>,
    pub(super) needs_nothing: bool,
    /// So many threads expressions may use.
    threads: usize,
}

impl<'a> Preparation<'a> {
    pub(super) fn new(manifest: &'a Manifest, diagnostics: Vec<Diagnostic>, threads: usize) -> Self {
        Self {
            manifest,
            diagnostics,
            failure: None,
            projection: Vec::new(),
            guesses: BTreeMap::new(),
            needs_nothing: false,
            threads,
        }
    }

    fn problems(&mut self, connector: &Connector, problems: &[Problem]) {
        self.diagnostics.extend(problems.iter().map(|p| self.manifest.problem(connector, p)));
    }

    /// A plugin's answer. A refusal of options is the manifest's fault, everything else the run's.
    pub(super) fn attempt<T>(&mut self, connector: &Connector, answer: Result<T, Error>) -> Option<T> {
        let error = match answer {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        match serde_json::from_str::<Vec<Problem>>(error.details.as_str()) {
            Ok(problems) if error.class == ErrorClass::CONFIG && problems.iter().any(|p| !p.warning) => {
                self.problems(connector, &problems);
            }
            _ => self.failure = self.failure.take().or(Some(error.into())),
        }
        None
    }

    /// What was found wrong, if anything was.
    pub(super) fn stop_if_bad(&mut self) -> Result<(), Failure> {
        if let Some(Failure::Cancelled) = self.failure {
            return Err(Failure::Cancelled);
        }
        if self.diagnostics.iter().any(|d| d.severity == Severity::Error) {
            let mut problems = std::mem::take(&mut self.diagnostics);
            problems.sort_by_key(|problem| problem.location.map(|location| location.span.start));
            return Err(Failure::Manifest(problems));
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        Ok(())
    }

    /// Opens a source, has it check itself and asks what it has.
    pub(super) fn source(
        &mut self,
        engine: &Engine,
        opened: &Opened,
        services: Arc<Services>,
    ) -> Option<(Box<dyn Source>, Catalog)> {
        let Opened { connector, plugin, component, .. } = opened;
        let text = options_text(&connector.options);
        let mut source = self.attempt(connector, open_source(plugin, &component.name, &text, services))?;
        engine.on_cancel(source.canceller());
        let problems = self.attempt(connector, source.check())?;
        self.problems(connector, &problems);
        if problems.iter().any(|p| !p.warning) {
            return None;
        }
        let catalog = self.attempt(connector, source.catalog())?;
        Some((source, catalog))
    }

    /// Opens a transform and has it check itself.
    pub(super) fn transform(
        &mut self,
        engine: &Engine,
        opened: &Opened,
        services: Arc<Services>,
    ) -> Option<Stage> {
        let Opened { connector, plugin, component, .. } = opened;
        let (text, name) = (options_text(&connector.options), component.name.clone());
        let (opened, register) = (plugin.clone(), engine.canceller());
        let opener: Opener = Box::new(move || {
            let transform = open_transform(&opened, &name, &text, services.clone())?;
            register(transform.canceller());
            Ok(transform)
        });
        let mut transform = self.attempt(connector, opener())?;
        let problems = self.attempt(connector, transform.check())?;
        self.problems(connector, &problems);
        Some(Stage::new(connector.name.clone(), plugin.label(), transform, opener))
    }

    pub(super) fn need(&mut self, bound: &Bound) {
        if bound.column == NOTHING {
            self.needs_nothing = true;
        } else if !self.projection.contains(&bound.column) {
            self.projection.push(bound.column.clone());
        }
    }

    /// The claims that the chain names must be attributes.
    pub(super) fn claims(&mut self, chain: &Chain, names: &Names) {
        if names.unknown {
            return;
        }
        for claim in &chain.claims {
            let key = KeyPath::from(["chains", chain.name.as_str(), "claims", claim.name.as_str()]);
            match Expression::parse(&claim.path).map(|e| e.names()) {
                Ok(paths) if paths.len() == 1 && paths[0].to_string() == claim.path => {
                    match names.resolve(&paths[0]) {
                        Meaning::Unknown(message) => {
                            self.diagnostics.push(self.manifest.error(&key, &message))
                        }
                        Meaning::Known(_) | Meaning::Guessed(_) => {}
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

    /// Warns of claims of the chain that nobody uses, which lose what they were to bring. To be called when everything is bound.
    pub(super) fn unused_claims(&mut self, chain: &Chain, names: &Names) {
        for claim in &chain.claims {
            let key = KeyPath::from(["chains", chain.name.as_str(), "claims", claim.name.as_str()]);
            if self.projection.contains(&claim.path) {
                let meaning = Expression::parse(&claim.path)
                    .map(|path| path.names().first().map(|name| names.resolve(name)));
                if let Ok(Some(Meaning::Guessed(bound))) = meaning {
                    self.guesses.entry(bound.column).or_default().named_at.get_or_insert(key);
                }
                continue;
            }
            let instead = match names.lists(&claim.name) {
                true => format!(": `{}` is an attribute first", claim.name),
                false => String::new(),
            };
            let message = format!(
                "nobody uses the claim `{}`: no connector of the chain takes it by itself, and no expression names it{instead}",
                claim.name
            );
            self.diagnostics.push(self.manifest.warning(&key, &message));
        }
    }

    /// Parses and binds an expression of the manifest.
    pub(super) fn expression(
        &mut self,
        names: &Names,
        text: &str,
        key: &KeyPath,
        purpose: Purpose,
    ) -> Option<Program> {
        let expression = match Expression::parse(text) {
            Ok(expression) => expression,
            Err(error) => {
                let at = error.offset().min(text.len());
                let span = Span { start: at, end: at + usize::from(at < text.len()) };
                let mut message = error.message().to_owned();
                if let Some(heading) = names.spelt_out(text) {
                    let _ = write!(message, "; the column `{heading}` is written row['{heading}']");
                }
                self.diagnostics.push(self.manifest.error_within(key, span, &message));
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
        let decides = purpose != Purpose::Value;
        for (_, meaning) in &meanings {
            match meaning {
                Meaning::Known(bound) => {
                    self.need(bound);
                    // Below a known attribute anything may stand; but what decides over rows must stand somewhere.
                    if decides && !names.lists(&bound.column) {
                        self.guesses.entry(bound.column.clone()).or_default().decides = true;
                    }
                }
                Meaning::Guessed(bound) => {
                    self.need(bound);
                    let guess = self.guesses.entry(bound.column.clone()).or_default();
                    guess.decides = guess.decides || decides;
                    guess.named_at.get_or_insert_with(|| key.clone());
                }
                Meaning::Unknown(_) => {}
            }
        }
        match program {
            Ok(program) => {
                let doubt = never_boolean(names, &expression, purpose);
                self.diagnostics.extend(doubt.map(|message| self.manifest.warning(key, &message)));
                Some(program.on_threads(self.threads))
            }
            Err(error) if error.unknown.is_empty() => {
                self.diagnostics.push(self.manifest.error(key, &error.to_string()));
                None
            }
            Err(error) => {
                for unknown in &error.unknown {
                    if let Some(word) = &unknown.hyphenated {
                        let column = names.lists(word).then(|| format!("row['{word}'] for the column, or "));
                        let message = format!(
                            "`{word}` is read as a subtraction; write {}'{word}' for the text",
                            column.unwrap_or_default()
                        );
                        self.diagnostics.push(self.manifest.error(key, &message));
                        break;
                    }
                    let span =
                        Span { start: unknown.offset, end: unknown.offset + unknown.path.to_string().len() };
                    if let Some(Meaning::Unknown(message)) = find(&unknown.path) {
                        self.diagnostics.push(self.manifest.error_within(key, span, &message));
                    }
                }
                None
            }
        }
    }

    pub(super) fn condition(
        &mut self,
        names: &Names,
        text: &str,
        path: &KeyPath,
        key: &'static str,
        reason: &'static str,
    ) -> Option<Condition> {
        let program = self.expression(names, text, path, Purpose::Condition)?;
        Some(Condition { program, key, reason })
    }

    pub(super) fn unique(&mut self, names: &Names, unique: &Unique, key: &KeyPath) -> Option<UniqueStage> {
        let program = self.expression(names, &unique.key, key, Purpose::Key);
        let rank = match &unique.keep {
            Keep::Max(attribute) => Some(self.expression(names, attribute, key, Purpose::Key)?),
            _ => None,
        };
        Some(UniqueStage::new(program?, unique.keep.clone(), rank))
    }

    /// The column of a suppression list that holds the keys: the claim or attribute of the same name.
    pub(super) fn suppression_key(
        &mut self,
        catalog: &Catalog,
        exclude: &Exclude,
        key: &KeyPath,
    ) -> Option<String> {
        let names = Names::new(catalog.clone(), &[]);
        let path = NamePath { segments: vec![Segment::Key(exclude.key.clone())], quoted: false };
        match names.resolve(&path) {
            Meaning::Known(bound) | Meaning::Guessed(bound) => Some(bound.column),
            Meaning::Unknown(message) => {
                let message = format!("in `{}`: {message}", exclude.from);
                self.diagnostics.push(self.manifest.error(key, &message));
                None
            }
        }
    }

    /// A sink that was not opened, because its options are wrong: what can be said of its mapping without it.
    pub(super) fn unopened_sink(&mut self, opened: &Opened, names: &Names) {
        let Opened { connector, component, .. } = opened;
        let key = KeyPath::from(["connectors", connector.name.as_str()]);
        for (column, message) in unknown_columns(connector, component) {
            self.diagnostics.push(self.manifest.error_at_key(&key.child("fields").child(column), &message));
        }
        for field in &connector.fields {
            let path = key.child("fields").child(&field.column);
            self.expression(names, &field.expression, &path, Purpose::Value);
        }
        if let Some(text) = &connector.where_ {
            self.expression(names, &text.text, &key.child("where"), Purpose::Condition);
        }
        if let Some(unique) = &connector.unique {
            self.unique(names, unique, &key.child("unique"));
        }
    }

    pub(super) fn sink(
        &mut self,
        chain: &Chain,
        opened: &Opened,
        mut sink: Box<dyn Sink>,
        names: &Names,
        own: &[(String, String)],
        index: usize,
    ) -> Option<PreparedSink> {
        let Opened { connector, plugin, component, .. } = opened;
        let key = KeyPath::from(["connectors", connector.name.as_str()]);
        let mapped = map_columns(connector, component, names, own);
        let columns: Vec<String> = mapped.iter().map(|m| m.column.clone()).collect();
        if columns.is_empty() && !names.unknown {
            let message = format!(
                "nothing fills a column of `{}`: none of the claims that it takes is provided",
                connector.name
            );
            let listing = if names.catalog().open {
                String::new()
            } else {
                format!("the input has {}; ", names.listing())
            };
            let help = format!(
                "{listing}say in the chain what provides a claim, `claims = {{ email = \"…\" }}`, or give this connector \
                 `fields`"
            );
            self.diagnostics.push(self.manifest.error(&key, &message).help(help));
            return None;
        }
        let mut problems = self.attempt(connector, sink.check(&columns))?;
        // Without the source nobody knows which claims fill a column: what is missing may only seem so.
        let named = |p: &Problem| connector.fields.iter().any(|f| p.pointer == field_pointer(&f.column));
        problems.retain(|p| !names.unknown || named(p));
        self.problems(connector, &problems);
        let (mut shaped, mut described) = (Vec::new(), Vec::new());
        for one in &mapped {
            let program = match one.filling {
                Filling::Default => self.default_program(names, one),
                _ => self.expression(names, &one.expression, &one.key, Purpose::Value),
            };
            if let Some(program) = program {
                described.push((one.column.clone(), one.filling, program.describe()));
                shaped.push(Shaped { name: one.column.clone(), program });
            }
        }
        let read: Vec<String> = shaped.iter().flat_map(|s| s.program.columns().to_vec()).collect();
        if takes_everything(connector, component)
            && let Some(message) = unwritten(&chain.from, names, &mapped, &read)
        {
            self.diagnostics.push(self.manifest.warning(&key, &message));
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
        Some(PreparedSink {
            name: connector.name.clone(),
            plugin: plugin.preamble.name.clone(),
            version: plugin.preamble.version.clone(),
            deliver: delivers(connector, component),
            columns: described,
            sink,
            stage: SinkStage {
                only: None,
                owner: Owner(Some(index)),
                where_,
                unique,
                consent,
                columns: shaped,
                books: super::books::Books::default(),
                filled,
                sample: None,
                sync: None,
                went_out: None,
                left: None,
                longest: None,
                key: None,
            },
            rules: component.columns.clone(),
            max_rejects: self.manifest.max_rejects(chain, connector),
            allow_empty: self.manifest.allow_empty(chain, connector),
            network: plugin.preamble.wants.iter().any(|service| service == "http"),
            held: 0,
            gone: Gone::default(),
            suspender: None,
            passed: None,
        })
    }

    /// A default is the plugin's expression over claims; those that the chain does not have are nothing.
    pub(super) fn default_program(&mut self, names: &Names, mapped: &Mapped) -> Option<Program> {
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

    pub(super) fn consent(
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
            (Some(_), _) => self.expression(names, "email", &path, Purpose::Value),
            (None, Some(unique)) => self.expression(names, &unique.key, &path, Purpose::Key),
            (None, None) => None,
        };
        let refusals = address.map(|program| (program, usher_keys::Fingerprints::new()));
        Some(ConsentStage { condition, refusals })
    }

    /// What the source must send, in the order of its catalog, so that the plan does not depend on the order of the
    /// manifest. `key` is the chain's `through`.
    pub(super) fn projection(
        &mut self,
        catalog: &Catalog,
        through: &mut Through,
        key: &KeyPath,
    ) -> Result<Vec<String>, Failure> {
        let place =
            |path: &String| catalog.attributes.iter().position(|a| a.path == *path).unwrap_or(usize::MAX);
        let needed = std::mem::take(&mut self.projection);
        let mut projection = through.sources(&needed);
        projection.sort_by_key(|path| (place(path), path.clone()));
        match through.lost(catalog, &projection, &needed) {
            Ok(lost) => {
                for (column, transform) in lost {
                    let message =
                        format!("`{column}` does not come out of `{transform}`, and this chain uses it");
                    self.diagnostics.push(self.manifest.error(key, &message));
                }
            }
            Err((transform, error)) => {
                let manifest = self.manifest;
                let connector = manifest.connector(&transform);
                connector.and_then(|connector| self.attempt::<()>(connector, Err(error)));
            }
        }
        self.stop_if_bad()?;
        Ok(projection)
    }
}

/// How a problem points at a column.
fn field_pointer(column: &str) -> String {
    format!("/fields/{}", column.replace('~', "~0").replace('/', "~1"))
}

/// The form that a connector delivers, of a component that has several: as its options say, or by default.
pub fn delivers(connector: &Connector, component: &Component) -> String {
    let default = || component.options.get("properties")?.get("deliver")?.get("default");
    let form = connector.options.get("deliver").or_else(default).and_then(Value::as_str);
    form.unwrap_or_default().to_owned()
}
