//! `usher.http/1` without a network: replies that a test has written down, and what was asked.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{
    Error, HttpReply, HttpRequest,
    service::{HttpService, InputFile, Slab},
};

use super::{
    fault::{Call, Faults},
    input::Inputs,
    lock,
};

/// A reply that a test has written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: bool,
}

impl Reply {
    /// A reply without headers and body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: false }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self
    }

    /// Cuts the connection where the body ends: whoever reads or keeps it gets an error of class `transient` there.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.cut = true;
        self
    }

    /// Sets the body to JSON text, and its type.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }
}

/// A request that a connector has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// Its head.
    pub head: HttpRequest,
    /// Its body.
    pub body: Vec<u8>,
}

impl SentRequest {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.head.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// By method and URL, in the order in which they are given out.
    scripted: HashMap<(String, String), VecDeque<Reply>>,
    /// For requests that have none of their own.
    others: VecDeque<Reply>,
    sent: Vec<SentRequest>,
    tickets: HashMap<u64, Open>,
    last_ticket: u64,
    reads_only: bool,
}

#[derive(Debug)]
struct Open {
    url: String,
    reply: Reply,
    at: usize,
}

#[derive(Debug)]
pub(super) struct Network {
    inner: Mutex<Inner>,
    inputs: Arc<Inputs>,
    cancelled: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

impl Network {
    pub(super) fn new(inputs: Arc<Inputs>, cancelled: Arc<AtomicBool>, faults: Arc<Faults>) -> Self {
        Self { inner: Mutex::default(), inputs, cancelled, faults }
    }

    pub(super) fn add(&self, method: &str, url: &str, reply: Reply) {
        let key = (method.to_owned(), url.to_owned());
        lock(&self.inner).scripted.entry(key).or_default().push_back(reply);
    }

    pub(super) fn add_to_any(&self, reply: Reply) {
        lock(&self.inner).others.push_back(reply);
    }

    pub(super) fn set_reads_only(&self) {
        lock(&self.inner).reads_only = true;
    }

    pub(super) fn sent(&self) -> Vec<SentRequest> {
        lock(&self.inner).sent.clone()
    }

    pub(super) fn open(&self) -> usize {
        lock(&self.inner).tickets.len()
    }

    fn go_on(&self, call: Call) -> Result<(), Error> {
        self.faults.count(call)?;
        if self.cancelled.load(Ordering::SeqCst) { Err(Error::cancelled()) } else { Ok(()) }
    }
}

fn cut(url: &str) -> Error {
    // Parameters may hold secrets.
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    Error::transient("http.lost", format!("{url}: the connection was cut within the reply; run again"))
}

fn closed(ticket: u64) -> Error {
    Error::bug("http.unknown-ticket", format!("ticket {ticket} is not open"))
}

impl HttpService for Network {
    fn begin(&self, head: &str, body: &[u8]) -> Result<u64, Error> {
        self.go_on(Call::Send)?;
        let head: HttpRequest = serde_json::from_str(head)
            .map_err(|e| Error::bug("abi.json", format!("the connector sent an unreadable request: {e}")))?;
        let mut inner = lock(&self.inner);
        if inner.reads_only && !head.reads {
            return Err(Error::unsupported("http.dry-run", "a dry run sends no request that writes"));
        }
        let key = (head.method.clone(), head.url.clone());
        let own = inner.scripted.get_mut(&key).and_then(VecDeque::pop_front);
        let reply = own.or_else(|| inner.others.pop_front()).ok_or_else(|| {
            let (method, url) = &key;
            Error::permanent(
                "test.no-reply",
                format!("the test has no reply left for {method} {url}; give one with `with_reply`"),
            )
        })?;
        inner.last_ticket += 1;
        let ticket = inner.last_ticket;
        inner.tickets.insert(ticket, Open { url: head.url.clone(), reply, at: 0 });
        inner.sent.push(SentRequest { head, body: body.to_vec() });
        Ok(ticket)
    }

    fn wait(&self, ticket: u64) -> Result<String, Error> {
        self.go_on(Call::Receive)?;
        let inner = lock(&self.inner);
        let open = inner.tickets.get(&ticket).ok_or_else(|| closed(ticket))?;
        let retry_after = open
            .reply
            .headers
            .iter()
            .find(|(name, _)| name == "retry-after")
            .and_then(|(_, s)| s.parse().ok());
        let head = HttpReply {
            status: open.reply.status,
            headers: open.reply.headers.clone(),
            url: open.url.clone(),
            attempts: 1,
            retry_after_ms: retry_after.map(|seconds: u64| seconds.saturating_mul(1_000)),
        };
        serde_json::to_string(&head).map_err(|e| Error::bug("abi.json", e.to_string()))
    }

    fn next(&self, ticket: u64) -> Result<Option<Slab>, Error> {
        self.go_on(Call::ReceiveBody)?;
        let size = self.inputs.slab_size();
        let mut inner = lock(&self.inner);
        let open = inner.tickets.get_mut(&ticket).ok_or_else(|| closed(ticket))?;
        let from = open.at;
        open.at = open.reply.body.len().min(from.saturating_add(size));
        let bytes = open.reply.body[from..open.at].to_vec();
        if bytes.is_empty() && open.reply.cut {
            return Err(cut(&open.url));
        }
        Ok((!bytes.is_empty()).then(|| Slab::new(Arc::new(bytes), from as u64)))
    }

    fn keep(&self, ticket: u64, name: &str) -> Result<InputFile, Error> {
        self.go_on(Call::Keep)?;
        let rest = {
            let mut inner = lock(&self.inner);
            let open = inner.tickets.get_mut(&ticket).ok_or_else(|| closed(ticket))?;
            if open.reply.cut {
                return Err(cut(&open.url));
            }
            let rest = open.reply.body[open.at..].to_vec();
            open.at = open.reply.body.len();
            rest
        };
        Ok(self.inputs.add(name, rest))
    }

    fn close(&self, ticket: u64) {
        lock(&self.inner).tickets.remove(&ticket);
    }
}
