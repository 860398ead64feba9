//! The service of one connector: tickets.

use std::{
    collections::HashMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use usher_abi::{
    Error, ErrorClass, HttpReply, RVec,
    service::{HttpService, InputFile, Slab},
};

use super::{
    body::SLAB,
    course::Course,
    mask::Mask,
    network::{ConnectorNetwork, Network},
    request::Request,
    tape::Track,
    ticket::Ticket,
    workers::Workers,
};
use crate::services::{Cancel, Sending, private::lock};

/// Tickets that one connector may have open at once; more are never closed, by mistake.
const MOST_TICKETS: usize = 10_000;
/// The most bytes of a body that is recorded: it is held in memory.
const MOST_RECORDED: usize = 256 << 20;

/// Of each rate limit a counter of this name and the limit's: requests that count against it, those that a dry run does
/// not send among them.
pub(crate) const REQUESTS: &str = "http.requests.";

/// The requests of one connector. Those that are under way when it is dropped are given up.
pub struct Http {
    course: Arc<Course>,
    workers: Arc<Workers>,
    tickets: Mutex<HashMap<u64, Arc<Ticket>>>,
    last: AtomicU64,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("connector", &self.course.connector).finish_non_exhaustive()
    }
}

impl Http {
    pub(super) fn new(network: Arc<Network>, connector: ConnectorNetwork) -> Self {
        let workers = Workers::new(network.options.at_once);
        let course = Arc::new(Course { network, connector });
        Self { course, workers, tickets: Mutex::default(), last: AtomicU64::new(0) }
    }

    fn cancel(&self) -> &Cancel {
        &self.course.network.options.cancel
    }

    fn ticket(&self, ticket: u64) -> Result<Arc<Ticket>, Error> {
        lock(&self.tickets).get(&ticket).cloned().ok_or_else(|| {
            Error::bug("http.unknown-ticket", format!("there is no request {ticket}, or it was closed"))
        })
    }

    fn started(&self, head: &str, body: &[u8]) -> Result<u64, Error> {
        self.cancel().check()?;
        let Course { connector, .. } = &*self.course;
        let agent = format!("usher/{} ({})", env!("CARGO_PKG_VERSION"), connector.plugin);
        let request = Request::new(head, body, &connector.hosts, &connector.rate_limits, &agent)?;
        for limit in &request.limits {
            connector.log.metric(&format!("{REQUESTS}{}", limit.name), 1);
        }
        let sending = connector.sending.get();
        let sent = match sending {
            Sending::All => true,
            Sending::Reads | Sending::Held => request.head.reads,
            Sending::Nothing => false,
        };
        if !sent {
            connector.log.metric("http.not-sent", 1);
            let refused = match sending {
                Sending::Nothing => Error::unsupported(
                    "http.dry-run",
                    "nothing is sent by `check`; `usher check --online` and `usher plan` send what only reads",
                ),
                Sending::Held => Error::bug(
                    "http.too-early",
                    "a sink sends what writes in `finish`, when the rows of all sinks have passed; report this to the \
                     plugin's author",
                ),
                _ => Error::unsupported(
                    "http.dry-run",
                    "a dry run sends no request that writes; `usher run` does",
                ),
            };
            return Err(refused.context(request.name()));
        }
        let mut tickets = lock(&self.tickets);
        if tickets.len() >= MOST_TICKETS {
            let text = format!("{MOST_TICKETS} requests are open; close those that are done");
            return Err(Error::bug("http.too-many", text));
        }
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let ticket = Arc::new(Ticket::default());
        let track = self.course.network.deck.as_ref().map(|deck| deck.track(&connector.name));
        let (course, cancel, handed) = (Arc::clone(&self.course), self.cancel().clone(), Arc::clone(&ticket));
        self.workers
            .submit(Box::new(move || {
                let end = catch_unwind(AssertUnwindSafe(|| {
                    deliver(&course, &request, track.as_ref(), &handed, &cancel)
                }));
                let end =
                    end.unwrap_or_else(|_| Err(Error::bug("host.panic", "the host panicked while sending")));
                handed.end(end.map_err(|error| clean(&course.connector, error)));
            }))
            .map_err(|e| {
                Error::transient("http.threads", format!("no thread to send with ({e}); run again"))
            })?;
        tickets.insert(id, ticket);
        Ok(id)
    }
}

/// Sends a request and hands its reply over, the body as it is taken.
fn deliver(
    course: &Course,
    request: &Request,
    track: Option<&Track>,
    ticket: &Ticket,
    cancel: &Cancel,
) -> Result<(), Error> {
    if ticket.is_given_up() {
        return Err(Error::cancelled());
    }
    if let (Some(track), Some(deck)) = (track, &course.network.deck) {
        let mask = Mask { redact: &*course.connector.redact };
        let (reply, body) = if deck.replays() {
            track.replay(request, &mask)?
        } else {
            record(course, request, track, ticket, &mask)?
        };
        return hand_over(&reply, body.chunks(SLAB).map(|slab| Ok(slab.to_vec())), ticket, cancel);
    }
    let (reply, mut body) = course.run(request, &|| ticket.is_given_up())?;
    let name = request.name();
    hand_over(&reply, std::iter::from_fn(|| body.next(&name).transpose()), ticket, cancel)
}

fn hand_over(
    reply: &HttpReply,
    slabs: impl Iterator<Item = Result<Vec<u8>, Error>>,
    ticket: &Ticket,
    cancel: &Cancel,
) -> Result<(), Error> {
    ticket.answer(Ok(serde_json::to_string(reply).map_err(|e| Error::bug("abi.json", e.to_string()))?));
    for slab in slabs {
        if !ticket.push(slab?, cancel) {
            return Err(Error::cancelled());
        }
    }
    Ok(())
}

/// Sends a request and writes down what came of it. The body is read to its end first, so that a record does not
/// depend on how much of it the connector takes.
fn record(
    course: &Course,
    request: &Request,
    track: &Track,
    ticket: &Ticket,
    mask: &Mask<'_>,
) -> Result<(HttpReply, Vec<u8>), Error> {
    let name = request.name();
    let whole = course.run(request, &|| ticket.is_given_up()).and_then(|(reply, mut body)| {
        let mut bytes = Vec::new();
        while let Some(slab) = body.next(&name)? {
            bytes.extend_from_slice(&slab);
            if bytes.len() > MOST_RECORDED {
                let text = format!("the reply to {name} is too large to be recorded; run without `--record`");
                return Err(Error::config("http.recorded", text));
            }
        }
        Ok((reply, bytes))
    });
    match &whole {
        Ok((reply, body)) => track.record(request, Ok((reply, body)), mask)?,
        Err(error) if error.class == ErrorClass::CANCELLED => {}
        Err(error) => track.record(request, Err(error), mask)?,
    }
    whole
}

/// An error without the manifest's secrets.
fn clean(connector: &ConnectorNetwork, error: Error) -> Error {
    let redact = |text: &str| (connector.redact)(text);
    let context: RVec<_> = error.context.iter().map(|text| redact(text).into()).collect();
    Error { message: redact(&error.message).into(), details: redact(&error.details).into(), context, ..error }
}

impl HttpService for Http {
    fn begin(&self, head: &str, body: &[u8]) -> Result<u64, Error> {
        self.started(head, body).map_err(|error| clean(&self.course.connector, error))
    }

    fn wait(&self, ticket: u64) -> Result<String, Error> {
        self.ticket(ticket)?.wait(self.cancel())
    }

    fn next(&self, ticket: u64) -> Result<Option<Slab>, Error> {
        let next = self.ticket(ticket)?.next(self.cancel())?;
        Ok(next.map(|(bytes, offset)| Slab::new(Arc::new(bytes), offset)))
    }

    fn keep(&self, ticket: u64, name: &str) -> Result<InputFile, Error> {
        let ticket = self.ticket(ticket)?;
        let inputs = self.course.connector.inputs.as_ref().ok_or_else(|| {
            Error::unsupported(
                "http.keep",
                "a reply becomes an input only where the plugin has the service `input`; list it in `wants`",
            )
        })?;
        inputs.keep(name, || Ok(ticket.next(self.cancel())?.map(|(bytes, _)| bytes)))
    }

    fn close(&self, ticket: u64) {
        if let Some(ticket) = lock(&self.tickets).remove(&ticket) {
            ticket.give_up();
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        for ticket in lock(&self.tickets).values() {
            ticket.give_up();
        }
    }
}
