//! What all connectors of a process share: connections, proxies, rate limits.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use usher_abi::{HostLog, RateLimit, service::ClockService};

use super::{AllowedHosts, Http, Tape, limits::Limits, proxy::Proxies, tape::Deck, wire::Wire};
use crate::services::{Cancel, Gate, Inputs, SystemClock};

/// How the value of an environment variable is found.
pub type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How requests are sent.
pub struct NetworkOptions {
    /// What waits are made on.
    pub clock: Arc<dyn ClockService>,
    /// Ends all waits.
    pub cancel: Cancel,
    /// Where the proxies are named; read once.
    pub variable: Variable,
    /// Where the randomness of waits begins.
    pub seed: u64,
    /// The most requests of one connector that are under way at once.
    pub at_once: usize,
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The time of an attempt, where the request does not say.
    pub timeout: Duration,
    /// The most milliseconds that attempts at one request and the waits between them may take.
    pub patience_ms: u64,
    /// The most bytes of a reply's body.
    pub most_body: u64,
    /// Where exchanges are recorded, or come from.
    pub tape: Option<Tape>,
}

impl NetworkOptions {
    /// The machine's clock and environment; eight requests at once, 10 s for a connection, 60 s for an attempt, a
    /// quarter of an hour for all of them, replies of at most 100 GB.
    pub fn new(cancel: Cancel) -> Self {
        Self {
            clock: Arc::new(SystemClock::new(cancel.clone())),
            cancel,
            variable: Box::new(|name| std::env::var(name).ok()),
            seed: fastrand::u64(..),
            at_once: 8,
            connect: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            patience_ms: 900_000,
            most_body: 100_000_000_000,
            tape: None,
        }
    }
}

impl fmt::Debug for NetworkOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkOptions").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

/// The network, as all connectors of a process share it. Nothing is opened before the first request.
pub struct Network {
    pub(super) options: NetworkOptions,
    pub(super) wire: Wire,
    pub(super) limits: Limits,
    pub(super) random: Mutex<fastrand::Rng>,
    pub(super) deck: Option<Deck>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Network {
    /// A network that nobody has used yet.
    pub fn new(options: NetworkOptions) -> Arc<Self> {
        Arc::new(Self {
            wire: Wire::new(Proxies::new(&options.variable), options.connect),
            limits: Limits::default(),
            random: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            deck: options.tape.clone().map(Deck::new),
            options,
        })
    }

    /// The service of one connector.
    pub fn service(self: &Arc<Self>, connector: ConnectorNetwork) -> Http {
        Http::new(Arc::clone(self), connector)
    }
}

/// Takes the secrets out of a text.
pub type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// What is one connector's own.
pub struct ConnectorNetwork {
    /// Its name in the manifest.
    pub name: String,
    /// The plugin's name, by which rate limits are shared.
    pub plugin: String,
    /// Where it may go.
    pub hosts: AllowedHosts,
    /// What its component declares.
    pub rate_limits: Vec<RateLimit>,
    /// Which of its requests are sent.
    pub sending: Gate,
    /// Where it says that it waits, and counts.
    pub log: Arc<dyn HostLog>,
    /// Takes the manifest's secrets out of errors.
    pub redact: Redact,
    /// Where replies that are kept become inputs.
    pub inputs: Option<Arc<Inputs>>,
}

impl fmt::Debug for ConnectorNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorNetwork").field("name", &self.name).finish_non_exhaustive()
    }
}
