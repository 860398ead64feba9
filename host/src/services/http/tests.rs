//! The service against a server on this machine.

mod reaching;
mod receiving;
mod sending;
mod server;
mod taping;

use std::sync::{Arc, Mutex};

use usher_abi::{Error, HostLog, HttpReply, HttpRequest, LogLevel, service::HttpService};

use self::server::Server;
use super::{AllowedHosts, ConnectorNetwork, Http, Network, NetworkOptions};
use crate::services::{Cancel, Gate, Sending, VirtualClock, private::lock};

/// When the clock of every test begins: 2026-11-22T12:00:00Z.
const NOW: u64 = 1_795_348_800_000;

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    metrics: Mutex<Vec<String>>,
}

impl HostLog for Log {
    fn log(&self, _: LogLevel, _: &str, message: &str) {
        lock(&self.lines).push(message.to_owned());
    }
    fn metric(&self, name: &str, amount: i64) {
        lock(&self.metrics).push(format!("{name} {amount}"));
    }
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A network whose clock passes only in its own waits.
fn network(cancel: &Cancel, set: impl FnOnce(&mut NetworkOptions)) -> Arc<Network> {
    let mut options = NetworkOptions {
        clock: Arc::new(VirtualClock::new(NOW, cancel.clone())),
        variable: Box::new(|_| None),
        seed: 7,
        ..NetworkOptions::new(cancel.clone())
    };
    set(&mut options);
    Network::new(options)
}

/// A connector that may go anywhere on this machine.
fn connector() -> (ConnectorNetwork, Arc<Log>) {
    let log = Arc::new(Log::default());
    let connector = ConnectorNetwork {
        name: "people".to_owned(),
        plugin: "acme".to_owned(),
        hosts: AllowedHosts::new(&["127.0.0.1".to_owned(), "localhost".to_owned()], None).unwrap(),
        rate_limits: Vec::new(),
        sending: Gate::new(Sending::All),
        log: log.clone(),
        redact: Arc::new(|text: &str| text.replace("hunter2", "[secret]")),
        inputs: None,
    };
    (connector, log)
}

/// The usual one.
fn http() -> Http {
    network(&Cancel::new(), |_| {}).service(connector().0)
}

fn request(method: &str, url: impl Into<String>) -> HttpRequest {
    HttpRequest { method: method.to_owned(), url: url.into(), ..HttpRequest::default() }
}

fn get(url: impl Into<String>) -> HttpRequest {
    HttpRequest { idempotent: true, reads: true, ..request("GET", url) }
}

fn begin(http: &Http, request: &HttpRequest, body: &[u8]) -> Result<u64, Error> {
    http.begin(&serde_json::to_string(request).unwrap(), body)
}

fn wait(http: &Http, ticket: u64) -> Result<HttpReply, Error> {
    Ok(serde_json::from_str(&http.wait(ticket)?).unwrap())
}

fn rest(http: &Http, ticket: u64) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(slab) = http.next(ticket)? {
        assert_eq!(slab.offset, body.len() as u64);
        assert!(!slab.bytes().is_empty());
        body.extend_from_slice(slab.bytes());
    }
    Ok(body)
}

/// A whole exchange.
fn send(http: &Http, request: &HttpRequest, body: &[u8]) -> Result<(HttpReply, Vec<u8>), Error> {
    let ticket = begin(http, request, body)?;
    let reply = wait(http, ticket).and_then(|reply| Ok((reply, rest(http, ticket)?)));
    http.close(ticket);
    reply
}

/// The time on a network's clock since its beginning.
fn passed(network: &Network) -> u64 {
    network.options.clock.now_ms() - NOW
}
