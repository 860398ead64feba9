//! What came back.

use serde::de::DeserializeOwned;
use usher_abi::{
    Error, ErrorClass, HttpReply,
    service::{InputFile, Slab},
};

use super::Ticket;

/// As much of a refusal's body as goes into an error's details.
const EXCERPT: usize = 2_000;

/// A request that is under way; dropping it gives it up.
#[derive(Debug)]
pub struct PendingReply {
    name: String,
    ticket: Ticket,
}

impl PendingReply {
    pub(super) fn new(name: String, ticket: Ticket) -> Self {
        Self { name, ticket }
    }

    /// Blocks until there is a reply, whatever its status is.
    pub fn wait(self) -> Result<Reply, Error> {
        let head = self.ticket.wait()?;
        let head = serde_json::from_str(&head)
            .map_err(|e| Error::bug("abi.json", format!("the host sent an unreadable reply: {e}")))?;
        Ok(Reply { name: self.name, head, ticket: self.ticket })
    }
}

/// The reply to a request: its head, and its body, which comes slab by slab or whole. Dropping it gives up the rest.
#[derive(Debug)]
pub struct Reply {
    name: String,
    head: HttpReply,
    ticket: Ticket,
}

impl Reply {
    /// The status (200).
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// Whether the status is of the 200s.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.head.status)
    }

    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.head.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The whole head.
    pub fn head(&self) -> &HttpReply {
        &self.head
    }

    /// The next bytes of the body, never empty; `None` at the end.
    pub fn next_slab(&mut self) -> Result<Option<Slab>, Error> {
        self.ticket.next()
    }

    /// What is left of the body. Code `http.too-large` when that is more than `max` bytes.
    pub fn bytes(mut self, max: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(slab) = self.next_slab()? {
            if body.len() + slab.bytes().len() > max {
                return Err(self.about(Error::data(
                    "http.too-large",
                    format!("the reply is larger than {max} bytes; ask for less at once"),
                )));
            }
            body.extend_from_slice(slab.bytes());
        }
        Ok(body)
    }

    /// What is left of the body, as text of at most `max` bytes; `http.not-text` when it is not UTF-8.
    pub fn text(self, max: usize) -> Result<String, Error> {
        let name = self.name.clone();
        String::from_utf8(self.bytes(max)?).map_err(|_| {
            Error::data("http.not-text", "the reply is not UTF-8; see what the address answers").context(name)
        })
    }

    /// What is left of the body as text, whatever it is: what is not UTF-8 becomes U+FFFD, and what is beyond `max` bytes
    /// is cut off. For answers that are to be shown or kept. An error only when the body cannot be read to its end.
    pub fn lossy_text(mut self, max: usize) -> Result<String, Error> {
        let mut body = Vec::new();
        while body.len() <= max {
            let Some(slab) = self.next_slab()? else { break };
            body.extend_from_slice(slab.bytes());
        }
        body.truncate(max);
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// What is left of the body, as JSON of at most `max` bytes; `http.not-json` when it is something else.
    pub fn json<T: DeserializeOwned>(self, max: usize) -> Result<T, Error> {
        let (name, status) = (self.name.clone(), self.head.status);
        let body = self.bytes(max)?;
        serde_json::from_slice(&body).map_err(|error| {
            let message = format!("the reply ({status}) is not the JSON that was expected: {error}");
            Error::data("http.not-json", message).details(excerpt(status, &body)).context(name)
        })
    }

    /// Makes what is left of the body an input of the run under this name, which
    /// [`Input::read`](crate::Input::read) reads by its id, any number of times.
    pub fn keep(self, name: &str) -> Result<InputFile, Error> {
        self.ticket.keep(name)
    }

    /// The reply, if its status is of the 200s; else an error with the code `http.status`, whose class says what helps:
    /// `auth` for 401 and 403, `rate-limited` for 429, `transient` for 408 and the 500s, else `permanent`. Its details
    /// hold the status and the beginning of the body.
    pub fn error_for_status(mut self) -> Result<Self, Error> {
        if self.is_success() {
            return Ok(self);
        }
        let status = self.head.status;
        let (class, help) = match status {
            401 => (ErrorClass::AUTH, "check the credentials"),
            403 => (ErrorClass::AUTH, "check what these credentials may do"),
            429 => (ErrorClass::RATE_LIMITED, "too many requests; wait, and run again"),
            408 | 500..=599 => (ErrorClass::TRANSIENT, "the other side has trouble; run again later"),
            _ => (ErrorClass::PERMANENT, "see the connector's manual for what it means"),
        };
        let mut body = Vec::new();
        // What cannot be read any more is missing in the details only.
        while let Ok(Some(slab)) = self.next_slab() {
            body.extend_from_slice(slab.bytes());
            if body.len() >= EXCERPT {
                break;
            }
        }
        let mut error = Error::new(class, "http.status", format!("answered {status}; {help}"))
            .details(excerpt(status, &body));
        error.retry_after_ms = self.head.retry_after_ms.unwrap_or(0);
        Err(self.about(error))
    }

    fn about(&self, error: Error) -> Error {
        error.context(self.name.clone())
    }
}

fn excerpt(status: u16, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]);
    serde_json::json!({ "status": status, "body": body }).to_string()
}
