//! A request that is put together.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use usher_abi::{Error, HttpRequest};

use super::{Http, Multipart, PendingReply, Reply, encode::push_pairs};
use crate::{Secret, options::to_json};

/// A request that is put together; [`send`](Self::send) sends it. What is wrong with a part of it comes out there.
#[must_use = "a request that is not sent does nothing"]
#[derive(Debug)]
pub struct RequestBuilder {
    http: Http,
    head: HttpRequest,
    body: Vec<u8>,
    failed: Option<Error>,
}

impl RequestBuilder {
    pub(super) fn new(http: Http, method: &str, url: String) -> Self {
        let head = HttpRequest { method: method.to_owned(), url, ..HttpRequest::default() };
        Self { http, head, body: Vec::new(), failed: None }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.head.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header that holds a credential: it stays with this host when a redirect leads to another, and is in no
    /// log and no recording.
    pub fn credential(mut self, name: &str, value: &Secret) -> Self {
        self.head.credentials.push(name.to_owned());
        self.header(name, value.reveal())
    }

    /// `Authorization: Bearer …`
    pub fn bearer(self, token: &Secret) -> Self {
        self.header("Authorization", format!("Bearer {}", token.reveal()))
    }

    /// `Authorization: Basic …`
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        let pair = BASE64_STANDARD.encode(format!("{user}:{}", password.reveal()));
        self.header("Authorization", format!("Basic {pair}"))
    }

    /// Adds parameters to the URL.
    pub fn query<N: AsRef<str>, V: AsRef<str>>(mut self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut text = String::new();
        push_pairs(pairs, &mut text);
        if !text.is_empty() {
            let fragment = self.head.url.find('#').map(|at| self.head.url.split_off(at));
            self.head.url.push(if self.head.url.contains('?') { '&' } else { '?' });
            self.head.url.push_str(&text);
            self.head.url.extend(fragment);
        }
        self
    }

    /// The body, and what it is (`text/csv`).
    pub fn body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("Content-Type", content_type)
    }

    /// A value as JSON.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(error) => {
                let error = Error::bug("http.json", format!("the request's body is no JSON: {error}"));
                self.failed.get_or_insert(error);
                self
            }
        }
    }

    /// Fields as `application/x-www-form-urlencoded`.
    pub fn form<N: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut text = String::new();
        push_pairs(pairs, &mut text);
        self.body("application/x-www-form-urlencoded", text)
    }

    /// Fields and files as `multipart/form-data`.
    pub fn multipart(self, form: &Multipart) -> Self {
        let (content_type, body) = form.encode();
        self.body(&content_type, body)
    }

    /// Sent twice it does what it does once, so that the host may send it again.
    pub fn idempotent(mut self) -> Self {
        self.head.idempotent = true;
        self
    }

    /// It changes nothing at the other side, so that it is sent in dry runs, too.
    pub fn reads(mut self) -> Self {
        self.head.reads = true;
        self
    }

    /// It counts against a rate limit that the component declares ([`Component::rate_limits`](usher_abi::Component)).
    /// May be called several times.
    pub fn limit(mut self, name: &str) -> Self {
        self.head.limits.push(name.to_owned());
        self
    }

    /// Whose rate limits these are: an account or key at the vendor, by something that is no secret.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.head.account = account.into();
        self
    }

    /// Milliseconds until an attempt must have its reply, and the longest silence within the reply's body.
    pub fn timeout_ms(mut self, ms: u64) -> Self {
        self.head.timeout_ms = ms;
        self
    }

    /// The most attempts, the first one counted; 1: none but the first.
    pub fn max_attempts(mut self, attempts: u64) -> Self {
        self.head.max_attempts = attempts;
        self
    }

    /// A 429 is answered as it came, and not tried again: for a vendor whose 429 has more than one meaning (too many in
    /// this second, too many today). The connector waits by the clock service.
    pub fn refused_once(mut self) -> Self {
        self.head.refused_once = true;
        self
    }

    /// Asks for a packed body, which comes unpacked.
    pub fn gzip(mut self) -> Self {
        self.head.gzip = true;
        self
    }

    /// Sends it and waits for the reply, whatever its status is. An error when there is none.
    pub fn send(self) -> Result<Reply, Error> {
        self.begin()?.wait()
    }

    /// Begins to send it, so that several are under way at once; the host bounds how many.
    pub fn begin(self) -> Result<PendingReply, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let name = format!("{} {}", self.head.method, shown(&self.head.url));
        Ok(PendingReply::new(name, self.http.begin(&to_json(&self.head)?, &self.body)?))
    }
}

/// A URL without its parameters, which may hold secrets.
fn shown(url: &str) -> &str {
    &url[..url.find(['?', '#']).unwrap_or(url.len())]
}
