//! From a request to its reply: attempts, redirects, and waits between them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use usher_abi::{Error, HttpReply, LogLevel, RateLimit};

use super::{
    body::{self, Body},
    hint,
    limits::Key,
    network::{ConnectorNetwork, Network},
    redirect::{self, Hop},
    request::Request,
    retry::{self, Ending, Terms, Tried, words},
    wire::Missed,
};
use crate::services::private::lock;

/// A wait from which on a person is told.
const TELL_MS: u64 = 10_000;

/// How the requests of one connector take their course.
pub(super) struct Course {
    pub(super) network: Arc<Network>,
    pub(super) connector: ConnectorNetwork,
}

impl Course {
    /// Sends until there is a reply that is to be kept, or nothing more to be done. `given_up` says that nobody waits.
    pub(super) fn run(
        &self,
        request: &Request,
        given_up: &dyn Fn() -> bool,
    ) -> Result<(HttpReply, Body), Error> {
        let options = &self.network.options;
        let (keys, begun) = (self.keys(request), options.clock.now_ms());
        let terms = Terms {
            idempotent: request.head.idempotent,
            refused_once: request.head.refused_once,
            most: request.head.max_attempts,
            patience_ms: options.patience_ms,
        };
        let (mut tried, mut told) = (Tried { attempts: 0, troubles: 0, elapsed_ms: 0 }, false);
        loop {
            let passed = self.network.limits.pass(&keys, &*options.clock, terms.patience_ms);
            passed.map_err(|error| match error.code.as_str() {
                "http.rate-limit" if tried.troubles > 0 => {
                    Missed::Lost(error.message.to_string()).error(&request.name(), &after(tried))
                }
                _ => error.context(request.name()),
            })?;
            options.cancel.check()?;
            if given_up() {
                return Err(Error::cancelled());
            }
            tried.attempts += 1;
            self.connector.log.metric("http.requests", 1);
            let outcome = self.attempt(request)?;
            let now = options.clock.now_ms();
            let asks = match &outcome {
                Ok((reply, _)) if matches!(reply.status, 429 | 503) => hint::wait_ms(&reply.headers, now),
                _ => None,
            };
            if let Some(ms) = asks {
                self.network.limits.hold(&keys, now.saturating_add(ms));
            }
            let (ending, why) = match &outcome {
                Ok((reply, _)) => {
                    (Ending::Reply(reply.status, asks), format!("was answered with {}", reply.status))
                }
                Err(missed) => (Ending::Missed(missed), missed.why()),
            };
            tried.troubles += u64::from(ending.may_have_worked());
            tried.elapsed_ms = now.saturating_sub(begun);
            let wait = retry::again(&ending, terms, tried, &mut lock(&self.network.random));
            let Some(wait) = wait else {
                if told && outcome.is_ok() {
                    let text =
                        format!("{} is answered again, after {}", request.name(), words(tried.elapsed_ms));
                    self.connector.log.log(LogLevel::WARN, "http", &text);
                }
                let attempts = tried.attempts;
                return match outcome {
                    Ok((reply, body)) => Ok((HttpReply { attempts, retry_after_ms: asks, ..reply }, body)),
                    // This attempt got nowhere, but one before it may have.
                    Err(missed) if tried.troubles > 0 => {
                        Err(missed.not_known().error(&request.name(), &after(tried)))
                    }
                    Err(missed) => Err(missed.error(&request.name(), &after(tried))),
                };
            };
            if wait >= TELL_MS && !told {
                told = true;
                let text = format!(
                    "{} {why}; waiting {}, and trying for {} in all",
                    request.name(),
                    words(wait),
                    words(terms.patience_ms)
                );
                self.connector.log.log(LogLevel::WARN, "http", &text);
            }
            drop(outcome);
            options.clock.sleep_ms(wait)?;
        }
    }

    /// One attempt with its redirects. What is wrong beyond retrying is an error.
    fn attempt(&self, request: &Request) -> Result<Result<(HttpReply, Body), Missed>, Error> {
        let options = &self.network.options;
        let timeout = match request.head.timeout_ms {
            0 => options.timeout,
            ms => Duration::from_millis(ms),
        };
        let mut hop = Hop {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            body: &request.body,
        };
        for hops in 0.. {
            let moved = |missed: Missed| if hops > 0 { missed.not_known() } else { missed };
            let received = match self.network.wire.exchange(&hop, timeout) {
                Ok(received) => received,
                Err(missed) => return Ok(Err(moved(missed))),
            };
            let location = received.headers.iter().find(|(name, _)| name == "location");
            let location = location.map(|(_, value)| value.as_str());
            let named = |error: Error| error.context(request.name());
            let next = redirect::follow(
                &hop,
                received.status,
                location,
                &request.credentials,
                &self.connector.hosts,
            );
            match next.map_err(named)? {
                Some(_) if hops == redirect::MOST => {
                    let text = format!(
                        "leads on and on, more than {hops} times; look at the address in the options"
                    );
                    return Err(named(Error::permanent("http.redirect", text)));
                }
                Some(next) => hop = next,
                None => {
                    // The head took its own time.
                    let deadline = Instant::now() + timeout;
                    let opened = body::open(received, request.head.gzip, options.most_body, deadline);
                    return Ok(opened
                        .map(|(reply, body)| (HttpReply { url: hop.uri.to_string(), ..reply }, body))
                        .map_err(moved));
                }
            }
        }
        Err(Error::bug("http.redirect", "redirects without end"))
    }

    /// The limits that a request counts against, and the host, which may ask for a pause.
    fn keys(&self, request: &Request) -> Vec<(Key, Option<RateLimit>)> {
        let key = |name: &str| Key {
            plugin: self.connector.plugin.clone(),
            name: name.to_owned(),
            account: request.head.account.clone(),
        };
        let host = request.uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let limits = request.limits.iter().map(|limit| (key(&limit.name), Some(limit.clone())));
        limits.chain([(key(host), None)]).collect()
    }
}

/// What was tried, when it was more than once.
fn after(tried: Tried) -> String {
    let Tried { attempts, elapsed_ms, .. } = tried;
    if attempts > 1 { format!(" after {attempts} attempts in {}", words(elapsed_ms)) } else { String::new() }
}
