//! What most commands share: loading the manifest, running chains one after the other, saying what went wrong.

use std::{
    fmt::Display,
    io::{self, IsTerminal},
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use serde::Serialize;
use usher_abi::LogLevel;

use super::{Global, interrupt, plugins::lock_of};
use crate::{
    chain::{self, ConnectorOutcome, Engine, Failure, Mode, Outcome, Progress, Settings},
    manifest::{Diagnostic, Draft, KeyPath, Manifest, Overrides, Severity, render_file},
    plugins::{Registry, SearchPath},
    report::{
        Watch, at_work, complain, is_json, log, log_with_key, on_terminal, print, tell, waits, watch,
        write_metrics,
    },
    runs::{Plan, Retry},
    services::{Cancel, LogLine, Synced, Tape},
};

/// Exit codes.
pub(super) mod code {
    pub(in crate::cli) const DONE: u8 = 0;
    pub(in crate::cli) const FAILED: u8 = 1;
    pub(in crate::cli) const USAGE: u8 = 2;
    pub(in crate::cli) const REFUSED: u8 = 3;
    pub(in crate::cli) const PARTLY: u8 = 4;
}

/// A loaded manifest and how to talk about it.
pub(super) struct Session {
    pub(super) engine: Engine,
    pub(super) global: Global,
    /// Where metrics of the chains go.
    metrics: Option<PathBuf>,
    withdrawn: Option<u8>,
    show_values: bool,
    signal: interrupt::Signal,
}

/// How a chain ended, as `--json` shows it: by its books, or by what is wrong.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Ended {
    Well(Box<Outcome>),
    Badly(Failed),
}

/// What is wrong with a chain.
#[derive(Debug, Serialize)]
pub(super) struct Failed {
    chain: String,
    #[serde(flatten)]
    problem: Diagnostic,
}

impl Ended {
    /// The outcome, if there is one.
    pub(super) fn well(&mut self) -> Option<&mut Outcome> {
        match self {
            Self::Well(outcome) => Some(outcome),
            Self::Badly(_) => None,
        }
    }
}

/// What `run`, `plan` and `preview` add.
#[derive(Debug, Clone, Default)]
pub(super) struct RunFlags {
    pub(super) out: Option<PathBuf>,
    pub(super) limit: Option<u64>,
    pub(super) run_id: Option<String>,
    pub(super) tape: Option<Tape>,
    pub(super) retry: Option<Arc<Retry>>,
    pub(super) plan: Option<Arc<Plan>>,
    pub(super) metrics: Option<PathBuf>,
    pub(super) anew: bool,
    pub(super) wait: bool,
    pub(super) locates: bool,
    /// Messages that may quote values are shown where no terminal shows them, too.
    pub(super) show_values: bool,
    pub(super) full: bool,
    /// The exit code when all is well but for people who are withdrawn.
    pub(super) withdrawn: Option<u8>,
}

impl Session {
    /// Loads the manifest; on failure everything wrong has been printed and the exit code is answered.
    pub(super) fn open(global: &Global, flags: RunFlags) -> Result<Self, u8> {
        let Draft { manifest, problems } =
            draft(global).map_err(|problems| refuse_manifest(global, &problems))?;
        let lock = lock_of(global)?;
        let search = SearchPath::new(&global.plugin_dir, Some(&manifest.folder), &manifest.plugins);
        let registry = Registry::new(search, &manifest.folder, lock).forcing(global.isolation);
        let settings = Settings {
            out: flags.out,
            limit: flags.limit,
            threads: global.threads.map_or_else(most_threads, usize::from),
            run_id: flags.run_id,
            tape: flags.tape,
            full: flags.full,
            retry: flags.retry,
            plan: flags.plan,
            anew: flags.anew,
            wait: flags.wait,
            locates: flags.locates,
            log: if global.verbose { LogLevel::DEBUG } else { LogLevel::WARN },
            lines: Arc::new(log),
        };
        let engine = Engine::new(manifest, registry, settings, Cancel::new());
        let signal = interrupt::listen(engine.stopper(), engine.sweeper());
        let mut session = Self {
            engine,
            global: global.clone(),
            metrics: flags.metrics,
            withdrawn: flags.withdrawn,
            show_values: flags.show_values,
            signal,
        };
        tell_waiting(global, &session.engine.manifest);
        if problems.is_empty() { Ok(session) } else { Err(session.refuse(problems)) }
    }

    /// Says all that is wrong with a draft: what was found when it was read, and what the plugins find in the rest.
    fn refuse(&mut self, mut problems: Vec<Diagnostic>) -> u8 {
        let chains: Vec<String> = self.engine.manifest.chains.iter().map(|c| c.name.clone()).collect();
        for chain in chains {
            if let Err(Failure::Manifest(more)) = chain::check(&mut self.engine, &chain, false) {
                add_new(&mut problems, more);
            }
        }
        problems.sort_by_key(|problem| problem.location.map(|location| location.span.start));
        self.say(&problems)
    }

    /// The chains to run: those named, or all.
    pub(super) fn chains(&self, named: &[String]) -> Result<Vec<String>, u8> {
        if named.is_empty() {
            return Ok(self.engine.manifest.chains.iter().map(|c| c.name.clone()).collect());
        }
        let problems: Vec<Diagnostic> =
            named.iter().filter_map(|n| self.engine.manifest.chain(n).err()).collect();
        if !problems.is_empty() {
            return Err(self.say(&problems));
        }
        let mut chains: Vec<String> = Vec::new();
        for name in named {
            if !chains.contains(name) {
                chains.push(name.clone());
            }
        }
        Ok(chains)
    }

    /// Runs chains in order, and shows the results as `text` or as JSON; answers the worst exit code.
    pub(super) fn run_chains(
        &mut self,
        chains: &[String],
        mode: Mode,
        text: impl Fn(&Outcome) -> String,
    ) -> u8 {
        let (mut ended, mut code) = self.run_each(chains, mode);
        if mode == Mode::Run && self.masks() {
            for outcome in ended.iter_mut().filter_map(Ended::well) {
                outcome.mask();
            }
        }
        let is_withdrawn = |ended: &Ended| match ended {
            Ended::Well(outcome) => outcome.connectors.iter().any(ConnectorOutcome::has_withdrawn),
            Ended::Badly(_) => false,
        };
        if let Some(withdrawn) =
            self.withdrawn.filter(|_| code == code::DONE && ended.iter().any(is_withdrawn))
        {
            code = withdrawn;
        }
        if let Some(path) = &self.metrics
            && let Err(error) = self.write_metrics(path, chains, &ended)
        {
            tell!(error, "cannot write the metrics to `{}` ({error}); name another file", path.display());
            code = worst_of(code, code::FAILED);
        }
        if self.global.json {
            print_json(&ended);
        }
        for outcome in &ended {
            match outcome {
                Ended::Well(outcome) if !self.global.json => print(&text(outcome)),
                _ => {}
            }
        }
        code
    }

    /// Whether messages that may quote values of people are not to be shown.
    pub(super) fn masks(&self) -> bool {
        !self.show_values && (self.global.json || !on_terminal())
    }

    fn write_metrics(&self, path: &Path, chains: &[String], ended: &[Ended]) -> io::Result<()> {
        let outcome = |chain: &str| {
            ended.iter().find_map(|ended| match ended {
                Ended::Well(outcome) if outcome.chain == chain => Some(&**outcome),
                _ => None,
            })
        };
        let endings: Vec<_> = chains.iter().map(|chain| (chain.as_str(), outcome(chain))).collect();
        write_metrics(path, &endings, jiff::Timestamp::now().as_second())
    }

    /// Runs chains in order; answers how each ended, and the worst exit code.
    pub(super) fn run_each(&mut self, chains: &[String], mode: Mode) -> (Vec<Ended>, u8) {
        let mut ended = Vec::new();
        let mut worst = code::DONE;
        for chain in chains {
            at_work(Some(chain), None);
            let progress = Arc::new(Progress::default());
            let watch = (!self.global.quiet && !self.global.json).then(|| watch(chain, &progress));
            let result = chain::run(&mut self.engine, chain, mode, &progress);
            if let Some(watch) = watch {
                Watch::end(watch);
            }
            match result {
                Ok(outcome) => {
                    if !outcome.partly.is_empty() {
                        worst = worst_of(worst, code::PARTLY);
                    } else if !outcome.refused.is_empty() {
                        worst = worst_of(worst, code::REFUSED);
                    }
                    log_end(&outcome, mode);
                    ended.push(Ended::Well(Box::new(outcome)));
                }
                Err(failure) => {
                    let (problems, exit) = self.fail(chains, chain, failure);
                    let failed = |problem| Ended::Badly(Failed { chain: chain.clone(), problem });
                    ended.extend(problems.into_iter().map(failed));
                    // Interrupted is worse than anything: nothing else is begun.
                    if self.engine.cancel.is_cancelled() {
                        return (ended, exit);
                    }
                    worst = worst_of(worst, exit);
                }
            }
        }
        (ended, worst)
    }

    /// Says why one of the chains failed, or with `--json` answers it; and the exit code. No chains: none was to publish.
    pub(super) fn fail(&self, chains: &[String], chain: &str, failure: Failure) -> (Vec<Diagnostic>, u8) {
        let json = self.global.json;
        let key = KeyPath::from(["chains", chain]);
        match failure {
            Failure::Manifest(problems) if json => (problems, code::USAGE),
            Failure::Manifest(problems) => (Vec::new(), self.say(&problems)),
            Failure::Run(error) => {
                let message = self.engine.manifest.redact(&error.to_string());
                if json {
                    let problem = Diagnostic::error(message).about(&key).code(error.code.as_str());
                    return (vec![problem], code::FAILED);
                }
                let said = format!("chain `{chain}`: {message}");
                log(&LogLine { code: error.code.as_str(), ..LogLine::new(LogLevel::ERROR, &said) });
                match chains {
                    [] => {}
                    // The one failure after which a run is there: only `latest` was not moved.
                    _ if error.code == "output.latest" => {}
                    _ if error.code.starts_with("run.") || error.code.starts_with("plan.") => {
                        tell!("nothing was sent or published")
                    }
                    _ if self.engine.is_unfinished(chain) => {
                        tell!(
                            "nothing was published; what was sent is noted, and the same command goes on with it"
                        );
                    }
                    [_] => tell!("nothing was published"),
                    _ => tell!("of chain `{chain}` nothing was published"),
                }
                (Vec::new(), code::FAILED)
            }
            Failure::Cancelled => {
                let exit = self.signal.exit_code();
                let stopped = match chains {
                    _ if self.engine.is_unfinished(chain) => {
                        "was stopped while it was sending; what was sent is noted, and the same command goes on with it"
                    }
                    [_] => "was stopped, nothing was published; it is safe to run it again",
                    _ => "was stopped, nothing of it was published; it is safe to run it again",
                };
                if json {
                    let message = format!("interrupted: the chain {stopped}");
                    return (vec![Diagnostic::error(message).about(&key).code("cancelled")], exit);
                }
                tell!("interrupted: chain `{chain}` {stopped}");
                (Vec::new(), exit)
            }
        }
    }

    /// Says why nothing could be told of an earlier run; answers the exit code.
    pub(super) fn fail_looking(&self, failure: Failure) -> u8 {
        match failure {
            Failure::Manifest(problems) => return self.say(&problems),
            Failure::Run(error) => {
                say_error(&self.global, self.engine.manifest.redact(&error.to_string()));
            }
            Failure::Cancelled => return self.signal.exit_code(),
        }
        code::FAILED
    }

    /// Says why a login failed; answers the exit code.
    pub(super) fn fail_login(&self, connector: &str, failure: Failure) -> u8 {
        let key = KeyPath::from(["connectors", connector]);
        let (message, code, exit) = match failure {
            Failure::Manifest(problems) => return self.say(&problems),
            Failure::Run(error) => {
                (self.engine.manifest.redact(&error.to_string()), error.code.to_string(), code::FAILED)
            }
            Failure::Cancelled => (
                "it was stopped; nobody is logged in by it".to_owned(),
                "cancelled".to_owned(),
                self.signal.exit_code(),
            ),
        };
        if self.global.json {
            print_json(&[Diagnostic::error(message).about(&key).code(code.as_str())]);
        } else {
            tell!(error, "connector `{connector}`: {message}");
        }
        exit
    }

    /// Prints diagnostics; answers the exit code for a wrong manifest.
    pub(super) fn say(&self, problems: &[Diagnostic]) -> u8 {
        if self.global.json {
            print_json(&problems);
        } else if self.global.quiet && !is_json() {
            compact(problems, &self.engine.manifest.path.display().to_string());
        } else if is_json() {
            log_problems(problems);
        } else {
            complain(&self.engine.manifest.render(problems, colour()));
        }
        code::USAGE
    }
}

/// As many as the machine runs at a time.
fn most_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Adds what is not there yet: of a connector that two chains share, one complaint is enough.
pub(super) fn add_new(problems: &mut Vec<Diagnostic>, more: Vec<Diagnostic>) {
    for problem in more {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// Partly sent is worse than failed, which is worse than refused, which is worse than done; a wrong manifest is worst.
pub(super) fn worst_of(a: u8, b: u8) -> u8 {
    let rank = |code: u8| match code {
        code::DONE => 0,
        code::REFUSED => 1,
        code::FAILED => 2,
        code::PARTLY => 3,
        _ => 4,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// Says what is wrong with a manifest that cannot be used; answers the exit code.
pub(super) fn refuse_manifest(global: &Global, problems: &[Diagnostic]) -> u8 {
    if global.json {
        print_json(&problems);
    } else if global.quiet && !is_json() {
        compact(problems, &global.manifest.display().to_string());
    } else if is_json() {
        log_problems(problems);
    } else {
        complain(&render_file(problems, &global.manifest, colour()));
    }
    code::USAGE
}

/// Tells what waits to be confirmed, if something does: whoever forgets it sends the same rows again and again.
fn tell_waiting(global: &Global, manifest: &Manifest) {
    if global.quiet {
        return;
    }
    match Synced::new(&manifest.state).waiting() {
        Ok(waiting) => waiting.iter().for_each(|waiting| tell!("{}", waits(waiting))),
        Err(error) => tell!(warning, "{error}"),
    }
}

/// The manifest, without what waits and without its plugins. What is wrong with it has been printed, then.
pub(super) fn load(global: &Global) -> Result<Manifest, u8> {
    draft(global).map(|draft| draft.manifest).map_err(|problems| refuse_manifest(global, &problems))
}

/// The manifest, for whoever goes by one of its tables: what is wrong with that has been said.
pub(super) fn load_with(global: &Global, table: &str) -> Result<Manifest, u8> {
    let Draft { manifest, mut problems } =
        draft(global).map_err(|problems| refuse_manifest(global, &problems))?;
    let within = format!("{table}.");
    problems.retain(|problem| problem.key == table || problem.key.starts_with(&within));
    if problems.is_empty() { Ok(manifest) } else { Err(refuse_manifest(global, &problems)) }
}

fn draft(global: &Global) -> Result<Draft, Vec<Diagnostic>> {
    Draft::load(&global.manifest, &Overrides::new(global.set.iter().cloned()))
}

/// Where results are: what the command line says, else the manifest. What is wrong with the rest of the manifest keeps
/// nobody from looking at results.
pub(super) fn out_folder(global: &Global, out: Option<PathBuf>) -> Result<PathBuf, u8> {
    let manifest = draft(global).map(|draft| draft.manifest);
    manifest.iter().for_each(|manifest| tell_waiting(global, manifest));
    out.map_or_else(|| manifest.map(|manifest| manifest.out), Ok)
        .map_err(|problems| refuse_manifest(global, &problems))
}

/// Says what is wrong where there is no manifest to point at.
pub(super) fn say_error(global: &Global, message: impl Display) {
    if global.json {
        print_json(&[Diagnostic::error(message.to_string())]);
    } else {
        tell!(error, "{message}");
    }
}

/// The end of a chain, for whoever reads nothing but the log; people read the results.
fn log_end(outcome: &Outcome, mode: Mode) {
    if !is_json() {
        return;
    }
    for warning in outcome.warnings.iter().chain(&outcome.refused).chain(&outcome.partly) {
        tell!(warning, "{warning}");
    }
    for connector in &outcome.connectors {
        let rejected: u64 = connector.rejected.iter().map(|reject| reject.count).sum();
        let sent = connector.delivery.as_ref();
        let sent = sent.map_or(0, |sent| sent.accepted + sent.confirmed + sent.unknown);
        let message = format!("{} rows written, {sent} sent, {rejected} rejected", connector.written);
        let line = LogLine::new(LogLevel::INFO, &message);
        log(&LogLine { connector: Some(&connector.name), ..line });
    }
    let end = match (mode, outcome.latest) {
        (Mode::Run, true) => "published as `latest`",
        (Mode::Run, false) => "published, not as `latest`",
        _ => "nothing published",
    };
    tell!("{} records read, {end}", outcome.read);
}

/// Writes each problem as a line of the log.
fn log_problems(problems: &[Diagnostic]) {
    for problem in problems {
        let level = if problem.severity == Severity::Error { LogLevel::ERROR } else { LogLevel::WARN };
        let code = problem.code.as_deref().unwrap_or_default();
        log_with_key(&LogLine { code, ..LogLine::new(level, &problem.message) }, &problem.key);
    }
}

fn compact(problems: &[Diagnostic], path: &str) {
    for problem in problems {
        tell!("{}", problem.compact(path));
    }
}

/// Colours on a terminal that has not asked for none.
pub(super) fn colour() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Writes results as JSON.
pub(super) fn print_json<T: Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(&(text + "\n")),
        Err(error) => tell!(error, "{error}"),
    }
}
