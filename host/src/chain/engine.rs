//! What all chains of one command share.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;
use usher_abi::{Error, LogLevel, Role, Services, service::OutputService};

use super::{prepare::Opened, run::Mode};
use crate::{
    manifest::{Chain, Connector, Manifest, RejectRecord, redact},
    plugins::{Plugin, Registry},
    runner,
    runs::{Plan, Retry},
    services::{
        AllowedHosts, Attempt, Busy, Cancel, ConnectorNetwork, Database, Exclusive, Gate, InputOptions,
        InputRegistry, Inputs, LineSink, LogLine, Network, NetworkOptions, Right, RunLog, Sending, Staging,
        SystemClock, Tape,
    },
};

/// What the command line adds to the manifest.
#[derive(Clone)]
pub struct Settings {
    /// Instead of the manifest's `out`.
    pub out: Option<PathBuf>,
    /// Read at most so many records.
    pub limit: Option<u64>,
    /// Splits of the input that are read at a time, at least 1. The results do not depend on it.
    pub threads: usize,
    /// Instead of an id made from the time.
    pub run_id: Option<String>,
    /// The least severity of log lines that are shown.
    pub log: LogLevel,
    /// Where log lines go.
    pub lines: LineSink,
    /// Wait for a run of the same chain that is sending, instead of failing.
    pub wait: bool,
    /// Forget what an unfinished run has sent, and send everything.
    pub anew: bool,
    /// Send what has not changed, too, to sinks that get only what has.
    pub full: bool,
    /// Read what an earlier run did not take instead of the source's inputs.
    pub retry: Option<Arc<Retry>>,
    /// Rows of an earlier run are to be located, which takes their addresses.
    pub locates: bool,
    /// What a run must be, or else it neither sends nor publishes anything.
    pub plan: Option<Arc<Plan>>,
    /// Where exchanges over the network are recorded, or come from.
    pub tape: Option<Tape>,
}

/// Manifest, plugins, and what stops everything.
pub struct Engine {
    /// The manifest.
    pub manifest: Manifest,
    /// Its plugins.
    pub plugins: Registry,
    /// What the command line said.
    pub settings: Settings,
    /// Throws everything out of its waits.
    pub cancel: Cancel,
    /// What sources and transforms may send.
    pub(super) asking: Gate,
    /// What sinks may send.
    pub(super) delivering: Gate,
    /// State and ledger; a replay's are its own.
    database: Arc<Database>,
    network: Arc<Network>,
    stops: Arc<Mutex<Vec<runner::Cancel>>>,
    /// Of the connectors that were opened since they were last taken.
    logs: Mutex<Vec<Arc<RunLog>>>,
    staging: Arc<Mutex<Option<PathBuf>>>,
}

impl Engine {
    /// An engine; plugins are loaded as they are needed.
    pub fn new(manifest: Manifest, plugins: Registry, settings: Settings, cancel: Cancel) -> Self {
        let database = match settings.tape {
            // It is a rehearsal: nothing reaches a vendor, and no run must go on from it.
            Some(Tape::Replay(_)) => Database::in_memory(),
            _ => Database::new(&manifest.state),
        };
        Self {
            manifest,
            plugins,
            database,
            network: Network::new(NetworkOptions {
                tape: settings.tape.clone(),
                ..NetworkOptions::new(cancel.clone())
            }),
            settings,
            cancel,
            asking: Gate::new(Sending::Nothing),
            delivering: Gate::new(Sending::Nothing),
            stops: Arc::default(),
            logs: Mutex::default(),
            staging: Arc::default(),
        }
    }

    /// Cancels every instance that was opened; for a signal's thread.
    pub fn stopper(&self) -> impl Fn() + Send + Sync + use<> {
        let (stops, cancel) = (self.stops.clone(), self.cancel.clone());
        move || {
            cancel.cancel();
            for stop in stops.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                stop();
            }
        }
    }

    /// Removes the staging folder of the chain that runs; for whoever is about to end the process without unwinding.
    pub fn sweeper(&self) -> impl Fn() + Send + Sync + use<> {
        let staging = self.staging.clone();
        move || {
            if let Some(folder) = staging.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // Best effort: the next run of the chain removes what is left.
                // Other threads go on until the process ends, and may be making files in it.
                for _ in 0..100 {
                    if fs::remove_dir_all(&folder).is_ok() || !folder.exists() {
                        break;
                    }
                    thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    pub(super) fn guard(&self, staging: Option<&Path>) {
        *self.staging.lock().unwrap_or_else(PoisonError::into_inner) = staging.map(Path::to_owned);
    }

    pub(super) fn on_cancel(&self, stop: runner::Cancel) {
        self.canceller()(stop);
    }

    /// As [`Self::on_cancel`], for instances that are opened later.
    pub(super) fn canceller(&self) -> impl Fn(runner::Cancel) + Send + use<> {
        let stops = self.stops.clone();
        move |stop| stops.lock().unwrap_or_else(PoisonError::into_inner).push(stop)
    }

    /// The chain is over: its instances may close.
    pub(super) fn forget_stops(&self) {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The run that an attempt named `id` is one at: the one of this chain that was left unfinished, or else a new one.
    /// What was sent by another manifest is gone on with by nobody: a run that could send is refused then, unless it is to
    /// begin anew.
    pub(super) fn attempt(&self, chain: &Chain, id: &str, mode: Mode, alone: bool) -> Result<Attempt, Error> {
        let new =
            Attempt { chain: self.what(chain), run: id.to_owned(), manifest: self.manifest.digest(chain) };
        let Some(earlier) = Attempt::unfinished(&self.database, &new.chain)? else { return Ok(new) };
        if earlier.manifest == new.manifest && !self.settings.anew {
            return Ok(earlier);
        }
        if mode == Mode::Run {
            if !self.settings.anew && self.has_sent(&earlier, chain)? {
                let message = format!(
                    "run {} of this chain has sent rows and was left unfinished, with other options or columns than these: \
                     undo the change to go on with it, or `usher run --anew {}` to send every row from the start",
                    earlier.run, chain.name
                );
                return Err(Error::config("run.unfinished", message));
            }
            // Whoever is sending it goes by its notes.
            let _alone = if alone { None } else { self.lock(&chain.name, id)? };
            self.forget(&earlier)?;
        }
        Ok(new)
    }

    /// What a run does, as the notes of what was sent name it: a chain, or the retry of one of its runs.
    fn what(&self, chain: &Chain) -> String {
        match &self.settings.retry {
            Some(retry) => format!("{}, retry of {}", chain.name, retry.run),
            None => chain.name.clone(),
        }
    }

    /// Whether a sink of the chain gets only what has changed.
    pub(super) fn syncs(&self, chain: &Chain) -> bool {
        let mut sinks = chain.to.iter().filter_map(|name| self.manifest.connector(name));
        sinks.any(|connector| connector.changed_only.is_some())
    }

    /// Whether a run may have sent something.
    pub(super) fn has_sent(&self, attempt: &Attempt, chain: &Chain) -> Result<bool, Error> {
        let excluded = chain.exclude.iter().map(|exclude| &exclude.from);
        let readers = [&chain.from].into_iter().chain(&chain.through).chain(excluded).map(String::as_str);
        attempt.has_sent(&self.database, &readers.collect::<Vec<_>>())
    }

    /// Notes that a run is about to send what it read; answers whether an earlier attempt read something else.
    pub(super) fn begin_to_send(&self, attempt: &Attempt, inputs: &str) -> Result<bool, Error> {
        let earlier = attempt.begin_to_send(&self.database, inputs)?;
        Ok(earlier.is_some_and(|earlier| earlier != inputs))
    }

    /// Whether something of this chain was sent and not finished.
    pub fn is_unfinished(&self, chain: &str) -> bool {
        let Ok(chain) = self.manifest.chain(chain) else { return false };
        let earlier = Attempt::unfinished(&self.database, &self.what(chain));
        earlier.is_ok_and(|earlier| {
            earlier.is_some_and(|earlier| self.has_sent(&earlier, chain).unwrap_or(true))
        })
    }

    /// Forgets a run and what it noted.
    pub(super) fn forget(&self, attempt: &Attempt) -> Result<(), Error> {
        attempt.finish(&self.database)
    }

    /// Keeps other processes from sending what this chain sends, until it is dropped; `run` is this one's id.
    pub(super) fn lock(&self, chain: &str, run: &str) -> Result<Option<Exclusive>, Error> {
        // A replay sends nothing.
        let sends = !matches!(self.settings.tape, Some(Tape::Replay(_)));
        sends.then(|| self.take(Right::Send(&self.manifest.state), chain, run)).transpose()
    }

    /// Keeps other processes from running the chain into the same folder of results, until it is dropped.
    pub(super) fn go_alone(&self, chain: &str, run: &str) -> Result<Exclusive, Error> {
        self.take(Right::Run(&self.out()), chain, run)
    }

    fn take(&self, right: Right<'_>, chain: &str, run: &str) -> Result<Exclusive, Error> {
        let tell = |line: &str| (self.settings.lines)(&LogLine::new(LogLevel::INFO, line));
        let busy = if self.settings.wait { Busy::Wait(&self.cancel, &tell) } else { Busy::Fail };
        Exclusive::new(right, chain, run, busy)
    }

    /// The folder of results.
    pub fn out(&self) -> PathBuf {
        self.settings.out.clone().unwrap_or_else(|| self.manifest.out.clone())
    }

    /// The logs of the connectors that were opened for a chain.
    pub(super) fn take_logs(&self) -> Vec<Arc<RunLog>> {
        std::mem::take(&mut self.logs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether what it reads are rejects of a run, and records are not to stand among results.
    fn hides_records(&self) -> bool {
        self.settings.retry.is_some() && self.manifest.reject_record == RejectRecord::Masked
    }

    /// The inputs of a run.
    pub(super) fn inputs(&self, staging: &Staging) -> Arc<InputRegistry> {
        let options = InputOptions::new(&self.manifest.folder, std::env::temp_dir(), self.cancel.clone());
        InputRegistry::new(InputOptions { kept: Some(staging.keeper()), ..options })
    }

    /// The plugin of a connector, loaded; the error is one line.
    pub fn plugin(&mut self, connector: &Connector) -> Result<Arc<Plugin>, String> {
        self.plugins.get(&connector.plugin, &connector.jail)
    }

    /// The services of one instance: those that its plugin's file asks for, and no other. And its view of the inputs.
    pub(super) fn services(
        &self,
        attempt: &Attempt,
        opened: &Opened,
        inputs: &Arc<InputRegistry>,
        output: Option<Arc<dyn OutputService>>,
    ) -> (Arc<Services>, Arc<Inputs>) {
        let connector = &opened.connector;
        let wants = |service: &str| opened.plugin.preamble.wants.iter().any(|wanted| wanted == service);
        let view =
            Arc::new(inputs.view(&connector.options).storing(connector.store && !self.hides_records()));
        // Only a sink is given an output.
        let gate = if output.is_some() { &self.delivering } else { &self.asking };
        let (level, lines) = (self.settings.log, self.settings.lines.clone());
        // What a plugin logs may quote its options.
        let secrets = self.manifest.secrets.clone();
        let hidden = Arc::new(move |text: &str| redact(text, &secrets));
        let shown = hidden.clone();
        let lines: LineSink = Arc::new(move |line: &LogLine<'_>| {
            lines(&LogLine { message: &shown(line.message), ..*line });
        });
        let log = Arc::new(RunLog::new(&connector.name, level, lines, self.cancel.clone()));
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).push(log.clone());
        let input = wants("input").then(|| view.clone());
        let http = wants("http").then(|| {
            self.network.service(ConnectorNetwork {
                name: connector.name.clone(),
                plugin: opened.plugin.preamble.name.clone(),
                hosts: allowed_hosts(&opened.plugin, connector).unwrap_or_default(),
                rate_limits: opened.component.rate_limits.clone(),
                sending: gate.clone(),
                log: log.clone(),
                redact: hidden,
                inputs: input.clone(),
            })
        });
        let services = Services {
            log,
            input: input.map(|input| input as _),
            output: output.filter(|_| wants("output")),
            clock: wants("clock").then(|| Arc::new(SystemClock::new(self.cancel.clone())) as _),
            state: wants("state").then(|| Arc::new(self.database.state(&connector.name)) as _),
            ledger: wants("ledger")
                .then(|| Arc::new(self.database.ledger(attempt, &connector.name, gate.clone())) as _),
            http: http.map(|http| Arc::new(http) as _),
            others: Vec::new(),
        };
        (Arc::new(services), view)
    }
}

/// The network hosts that a connector may reach, or what is wrong with the entries of its `hosts`.
pub(super) fn allowed_hosts(
    plugin: &Plugin,
    connector: &Connector,
) -> Result<AllowedHosts, Vec<(usize, String)>> {
    AllowedHosts::new(&plugin.preamble.hosts, connector.hosts.as_deref())
}

/// A connector's component and its options as the plugin wants them.
pub(super) fn component_of(
    plugin: &Plugin,
    connector: &Connector,
    role: Role,
) -> Result<usher_abi::Component, String> {
    let found = plugin.component(role, connector.component.as_deref());
    found.cloned().ok_or_else(|| {
        let of_role: Vec<&str> = plugin
            .description
            .components
            .iter()
            .filter(|c| c.role == role)
            .map(|c| c.name.as_str())
            .collect();
        let role = match role {
            Role::Source => "source",
            Role::Transform => "transform",
            Role::Sink => "sink",
        };
        match (&connector.component, of_role.is_empty()) {
            (_, true) => format!("the plugin `{}` has no {role}", plugin.preamble.name),
            (Some(name), false) => format!(
                "the plugin `{}` has no {role} `{name}`, only {}{}",
                plugin.preamble.name,
                of_role.join(", "),
                usher_abi::nearest(name, of_role.iter().copied())
            ),
            (None, false) => format!("the plugin `{}` has no {role}", plugin.preamble.name),
        }
    })
}

/// Options as JSON text.
pub(super) fn options_text(options: &Value) -> String {
    options.to_string()
}
