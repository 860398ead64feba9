//! The requests to one app, and their replies as far as all calls have them in common. The host sends them.

use serde_json::Value;
use usher_sdk::{
    Http, Reply, RequestBuilder, Secret,
    abi::{Error, ErrorClass},
    outbox::Reaction,
};

use crate::{
    api::{self, Envelope},
    limits::{MOST_TRIES, REPLY_BYTES, REQUESTS},
    live::Live,
    options::Options,
    refusals::{Call, refused},
};

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: String,
    token: Secret,
    /// Names the token, by some digits that it is not to be had from.
    key: String,
}

/// A reply, read.
#[derive(Debug)]
pub(crate) struct Said {
    /// The HTTP status, or `meta.status` where that says less good (ERR).
    pub(crate) status: u16,
    pub(crate) envelope: Option<Envelope>,
    /// The body, without the token should it repeat that.
    pub(crate) text: String,
    retry_after_ms: Option<u64>,
}

impl Client {
    pub(crate) fn new(options: &Options, live: &Live) -> Self {
        Self {
            base: options.api_base.trim_end_matches('/').to_owned(),
            token: live.token.clone(),
            key: format!("key {}", live.token.fingerprint().get(..8).unwrap_or_default()),
        }
    }

    /// Whose data it is. `$self_app` names no app but that of the token, so the token is named as well: what was sent to
    /// one app must not count as sent to another.
    pub(crate) fn account(&self, app: &str) -> String {
        let host = self.base.split_once("://").map_or(self.base.as_str(), |(_, host)| host);
        if app == "$self_app" { format!("{host} {app} of {}", self.key) } else { format!("{host} {app}") }
    }

    /// Asks, and reads the reply: again when that breaks off or is none of Carrot quest's (a gateway's page), which does no
    /// harm to what only reads.
    pub(crate) fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<Said, Error> {
        let mut tries = 1;
        loop {
            let said = self.read(request().send()?);
            let is_none = match &said {
                Err(error) => broke_off(error),
                Ok(said) => said.is_riddle(),
            };
            if !is_none || tries >= MOST_TRIES {
                return said;
            }
            tries += 1;
        }
    }

    pub(crate) fn get(&self, http: &Http, path: &str) -> RequestBuilder {
        self.signed(http.get(format!("{}{path}", self.base)))
    }

    pub(crate) fn post(&self, http: &Http, path: &str) -> RequestBuilder {
        self.signed(http.post(format!("{}{path}", self.base)))
    }

    /// The token goes into a header, which no log shows (AUTH).
    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        let token = Secret::new(format!("Token {}", self.token.reveal()));
        request.credential("Authorization", &token).limit(REQUESTS).account(&self.key)
    }

    /// Reads a reply, whatever its status is.
    pub(crate) fn read(&self, reply: Reply) -> Result<Said, Error> {
        let (status, well, retry_after_ms) =
            (reply.status(), reply.is_success(), reply.head().retry_after_ms);
        let body = match reply.bytes(REPLY_BYTES) {
            Ok(body) => body,
            // A refusal whose body cannot be read is one all the same.
            Err(error) if !well && (broke_off(&error) || error.class == ErrorClass::DATA) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut text = String::from_utf8_lossy(&body).into_owned();
        let mut envelope = api::envelope(&text);
        let token = self.token.reveal();
        // Should it repeat what it was sent. Read first, so that no token can make another reply of it.
        if text.contains(token) {
            text = text.replace(token, "***");
            if let Some(envelope) = &mut envelope {
                envelope.words = envelope.words.replace(token, "***");
                envelope.ignored.iter_mut().for_each(|ignored| ignored.mask(token));
                mask(&mut envelope.data, token);
            }
        }
        let status = envelope.as_ref().filter(|_| well).map_or(status, |envelope| envelope.status);
        Ok(Said { status, envelope, text, retry_after_ms })
    }
}

/// A body that did not come to its end.
fn broke_off(error: &Error) -> bool {
    matches!(error.class, ErrorClass::TRANSIENT | ErrorClass::TIMEOUT)
}

fn mask(value: &mut Value, token: &str) {
    match value {
        Value::String(text) => *text = text.replace(token, "***"),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, token)),
        Value::Object(map) => map.values_mut().for_each(|value| mask(value, token)),
        _ => {}
    }
}

impl Said {
    /// The envelope of a reply that is a success by both statuses.
    pub(crate) fn success(&self) -> Option<&Envelope> {
        self.envelope.as_ref().filter(|_| (200..300).contains(&self.status))
    }

    /// Whether it says that all is well, and is no envelope.
    fn is_riddle(&self) -> bool {
        (200..300).contains(&self.status) && self.envelope.is_none()
    }

    /// Whether it says that something was not found by its id (GETUSER).
    pub(crate) fn is_lookup_error(&self) -> bool {
        self.status == 400 && self.envelope.as_ref().is_some_and(|envelope| envelope.error == "LookupError")
    }

    /// The error that a refusal is; `None` for a success, and for a reply that is neither.
    pub(crate) fn refusal(&self, call: Call) -> Option<Error> {
        let refused_by = |status: u16| refused(call, status, self.envelope.as_ref(), self.retry_after_ms);
        (!(200..300).contains(&self.status)).then(|| refused_by(self.status))
    }

    /// What a unit's reply means that is no success: a refusal took nothing, unless the server itself failed.
    pub(crate) fn no_success(self, call: Call) -> Result<Reaction, Error> {
        match self.refusal(call) {
            None => Ok(Reaction::NotUnderstood(self.text)),
            Some(error) if error.class == ErrorClass::TRANSIENT => Err(error),
            Some(error) => Ok(Reaction::Refused(error)),
        }
    }
}
