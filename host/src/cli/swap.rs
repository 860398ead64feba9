//! `usher swap`

use std::sync::Arc;

use clap::Args;

use super::{
    Global,
    plugins::lock_of,
    session::{RunFlags, Session, add_new, code, print_json, refuse_manifest},
};
use crate::{
    chain::{self, Failure, Progress, Provided, provided},
    manifest::{Diagnostic, Draft, KeyPath, Manifest, Overrides, Severity, changed_lines, save},
    plugins::{SearchPath, compare_sinks},
    report::{Watch, print, swap as shown, tell, watch},
    swap::{
        Change, Comparison, InChain, New, Parties, Side, Trial, Tried, meanings, of_chains, of_plugin, tried,
    },
};

/// Show what happens if another vendor takes the place of one: columns, limits, rows; and make the change
#[derive(Debug, Args)]
#[command(
    after_help = "What is set below the connector with `--set` is part of the change: the connector is compared without \
                        it, and `--write` writes it. Exit codes: 0 the changed manifest is in order, 1 its chains \
                        cannot run, 2 it is not in order, 3 it is, but a run would be kept back. Only with 0 is \
                        anything written."
)]
pub(super) struct Swap {
    /// The connector that goes, or the plugin that only one has
    old: String,
    /// The plugin that it gets instead, by name or the path of its file; or another connector to take its place
    new: String,
    /// Between connectors: change only this chain (may be given several times)
    #[arg(long, value_name = "CHAIN")]
    chain: Vec<String>,
    /// Try nothing out: reads no more than the inputs' heads
    #[arg(long)]
    no_data: bool,
    /// Read at most so many records
    #[arg(long, value_name = "N", conflicts_with = "no_data")]
    limit: Option<u64>,
    /// Show messages that may quote values of people also where no terminal shows them: in a pipe, in JSON
    #[arg(long)]
    show_values: bool,
    /// Change the manifest; comments, order and all other lines stay
    #[arg(long)]
    write: bool,
}

/// What is known before the manifest is changed.
struct Before {
    side: Side,
    chains: Vec<(String, Provided, Option<Tried>)>,
}

impl Swap {
    pub(super) fn execute(self, global: &Global) -> u8 {
        self.swap(global).unwrap_or_else(|code| code)
    }

    fn swap(&self, global: &Global) -> Result<u8, u8> {
        let refuse = |problem: Diagnostic| refuse_manifest(global, &[problem]);
        let overrides = Overrides::new(global.set.iter().cloned());
        let Draft { manifest, .. } = Draft::load(&global.manifest, &overrides)
            .map_err(|problems| refuse_manifest(global, &problems))?;
        let search = SearchPath::new(&global.plugin_dir, Some(&manifest.folder), &manifest.plugins);
        let parties =
            Parties::find(&manifest, &search, (&self.old, &self.new), &self.chain).map_err(refuse)?;
        locked(global, &manifest, &search, &parties.new)?;
        let key = KeyPath::from(["connectors", parties.old.as_str()]);
        let (given, others) = match parties.new {
            New::Plugin(_) => overrides.split(&key),
            New::Connector(_) => (Vec::new(), overrides),
        };
        if given.iter().any(|(path, _)| *path == key.child("plugin")) {
            let problem = Diagnostic::error("the plugin is what is swapped; take this `--set` out");
            return Err(refuse(problem.about(&key.child("plugin"))));
        }
        let global = Global { set: others.set.clone(), ..global.clone() };
        let mut session = Session::open(
            &global,
            RunFlags { limit: self.limit, show_values: self.show_values, ..RunFlags::default() },
        )?;
        let before = self.before(&mut session, &parties)?;
        let change = changed(&mut session, &before.side, &parties, &given)
            .map_err(|problem| session.say(&[problem]))?;
        let draft = Draft::parse(&global.manifest, change.text.clone(), &others, &|name| std::env::var(name))
            .map_err(|problems| session.say(&problems))?;
        let old = std::mem::replace(&mut session.engine.manifest, draft.manifest);
        let mut comparison = self.compare(&mut session, &old, before, &change, draft.problems, &parties)?;
        let exit = exit_code(&comparison);
        if self.write && exit == code::DONE {
            save(&old.path, old.text(), &change.text).map_err(|error| {
                tell!(error, "{error}");
                code::FAILED
            })?;
            comparison.written = true;
        }
        if global.json {
            print_json(&comparison);
        } else {
            print(&shown(&comparison, &global.manifest.display().to_string()));
            if !comparison.problems.is_empty() {
                tell!("the changed manifest:");
                session.say(&comparison.problems);
            }
        }
        comparison.failures.iter().for_each(|failure| tell!(error, "{failure}"));
        remark(exit, &parties);
        Ok(exit)
    }

    /// What is known of the chains as they are.
    fn before(&self, session: &mut Session, parties: &Parties) -> Result<Before, u8> {
        let side =
            Side::load(&mut session.engine, &parties.old).map_err(|problem| session.say(&[problem]))?;
        let mut chains = Vec::new();
        for name in &parties.chains {
            let chain = session.engine.manifest.chain(name).cloned().map_err(|p| session.say(&[p]))?;
            let provided = provided(&mut session.engine, &chain);
            let tried = if self.no_data { None } else { Some(attempt(session, name, &parties.old)?) };
            chains.push((name.clone(), provided, tried));
        }
        Ok(Before { side, chains })
    }

    /// The two sides, once the session has the changed manifest.
    fn compare(
        &self,
        session: &mut Session,
        old: &Manifest,
        before: Before,
        change: &Change,
        mut problems: Vec<Diagnostic>,
        parties: &Parties,
    ) -> Result<Comparison, u8> {
        let name = match &parties.new {
            New::Plugin(_) => &parties.old,
            New::Connector(name) => name,
        };
        let new = Side::load(&mut session.engine, name).map_err(|problem| session.say(&[problem]))?;
        let (mut failures, mut chains) = (Vec::new(), Vec::new());
        for (chain, provided, was) in before.chains {
            let (more, warnings) = match checked(session, &chain, &mut failures, provided.assumed)? {
                Ok(said) => (Vec::new(), of_connector(said, name)),
                Err(problems) => (problems, Vec::new()),
            };
            let trial = match was {
                Some(old) if more.is_empty() => {
                    let new = attempt(session, &chain, name)?;
                    if let (Tried::Planned { .. }, Tried::NotTried(why)) = (&old, &new) {
                        add_once(&mut failures, format!("chain `{chain}`: {why}"));
                    }
                    Some(Trial { old, new: Some(new) })
                }
                was => was.map(|old| Trial { old, new: None }),
            };
            add_new(&mut problems, more);
            let columns = |side: &Side| provided.filled(&side.connector, &side.component);
            let (was, is) = (columns(&before.side), columns(&new));
            let required = new.component.columns.iter().filter(|column| column.required);
            let unfilled = required.filter(|column| is.iter().all(|filled| filled.column != column.name));
            chains.push(InChain {
                chain,
                assumed: provided.assumed,
                meanings: meanings((&before.side.component, &was), (&new.component, &is)),
                unfilled: unfilled.map(|column| column.name.clone()).collect(),
                warnings,
                trial,
            });
        }
        problems.retain(|problem| problem.severity == Severity::Error);
        let (was, is) = (before.side.party(), new.party());
        let sides = ((&before.side.component, &*was.form), (&new.component, &*is.form));
        let differences = compare_sinks(sides.0, sides.1);
        let mut lines = changed_lines(old.text(), &change.text);
        for line in lines.iter_mut().flat_map(|hunk| hunk.removed.iter_mut().chain(&mut hunk.added)) {
            *line = old.redact(&session.engine.manifest.redact(line));
        }
        let gone = change.gone.clone();
        Ok(Comparison {
            old: was,
            new: is,
            differences,
            chains,
            gone,
            change: lines,
            problems,
            failures,
            written: false,
        })
    }
}

/// What to do next.
fn remark(exit: u8, parties: &Parties) {
    let key = KeyPath::from(["connectors", parties.old.as_str()]);
    match (exit, &parties.new) {
        (code::USAGE, New::Plugin(_)) => tell!(
            "nothing was written; what is missing is given with `--set {key}.…=…`, which becomes part of the change"
        ),
        (code::USAGE | code::FAILED, _) => tell!("nothing was written"),
        _ => {}
    }
}

/// With a lock, code of a plugin that is not in it is not run, not even to compare.
fn locked(global: &Global, manifest: &Manifest, search: &SearchPath, new: &New) -> Result<(), u8> {
    let (Some(lock), New::Plugin(plugin)) = (lock_of(global)?, new) else { return Ok(()) };
    let Ok(file) = search.find(plugin, &manifest.folder) else { return Ok(()) };
    let name = &file.preamble.name;
    if lock.plugin(name).is_some() {
        return Ok(());
    }
    let message = format!("`{name}` is not in `{}`, so none of its code is run", lock.path.display());
    let help = format!(
        "if you trust {}, add a connector with it, `[connectors.trial]` with `plugin = \"{plugin}\"`, run `usher plugins \
         lock`, and swap then",
        file.path.display()
    );
    Err(refuse_manifest(global, &[Diagnostic::error(message).help(help)]))
}

fn changed(
    session: &mut Session,
    side: &Side,
    parties: &Parties,
    given: &[(KeyPath, String)],
) -> Result<Change, Diagnostic> {
    let manifest = session.engine.manifest.clone();
    match &parties.new {
        New::Connector(new) => of_chains(&manifest, (&parties.old, new), &parties.chains),
        New::Plugin(written) => {
            let key = KeyPath::from(["connectors", parties.old.as_str(), "plugin"]);
            let plugin = session.engine.plugins.get(written, &side.connector.jail);
            let plugin = plugin.map_err(|message| {
                Diagnostic::error(message.lines().next().unwrap_or_default()).about(&key)
            })?;
            of_plugin(&manifest, (&side.connector, &side.component), (written, &plugin), given)
        }
    }
}

/// Checks a chain of the changed manifest: its warnings, or what is wrong with it. What keeps the chain from running as it
/// is (`assumed`: its source cannot be asked) is no matter of the swap; the trial says it.
fn checked(
    session: &mut Session,
    chain: &str,
    failures: &mut Vec<String>,
    assumed: bool,
) -> Result<Result<Vec<Diagnostic>, Vec<Diagnostic>>, u8> {
    match chain::check(&mut session.engine, chain, false) {
        Ok(warnings) => Ok(Ok(warnings)),
        Err(Failure::Manifest(problems)) => Ok(Err(problems)),
        Err(Failure::Run(error)) => {
            if !assumed {
                let message = session.engine.manifest.redact(&error.to_string());
                add_once(failures, format!("chain `{chain}`: {message}"));
            }
            Ok(Ok(Vec::new()))
        }
        Err(cancelled) => Err(session.fail(&[], chain, cancelled).1),
    }
}

/// Plans the chain for this connector; what is wrong with the manifest has been told.
fn attempt(session: &mut Session, chain: &str, connector: &str) -> Result<Tried, u8> {
    let progress = Arc::new(Progress::default());
    let quiet = session.global.quiet || session.global.json;
    let watch = (!quiet).then(|| watch(chain, &progress));
    let result = tried(&mut session.engine, chain, connector, &progress);
    if let Some(watch) = watch {
        Watch::end(watch);
    }
    let masks = session.masks();
    result
        .map(|mut tried| {
            if masks {
                tried.mask();
            }
            tried
        })
        .map_err(|failure| {
            let (problems, exit) = session.fail(&[], chain, failure);
            if session.global.json {
                print_json(&problems);
            }
            exit
        })
}

/// What the check says of one connector.
fn of_connector(said: Vec<Diagnostic>, connector: &str) -> Vec<String> {
    let key = KeyPath::from(["connectors", connector]).to_string();
    let of = |problem: &Diagnostic| problem.key == key || problem.key.starts_with(&format!("{key}."));
    said.into_iter().filter(of).map(|problem| format!("{}: {}", problem.key, problem.message)).collect()
}

fn add_once(list: &mut Vec<String>, one: String) {
    if !list.contains(&one) {
        list.push(one);
    }
}

fn exit_code(comparison: &Comparison) -> u8 {
    match () {
        () if !comparison.problems.is_empty() => code::USAGE,
        () if !comparison.failures.is_empty() => code::FAILED,
        () if comparison.is_refused() => code::REFUSED,
        () => code::DONE,
    }
}
