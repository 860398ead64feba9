//! The requests to one app, and their replies as far as all calls have them in common. The host sends them.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;
use usher_sdk::{
    Http, Reply, RequestBuilder, Secret,
    abi::{Error, ErrorClass},
    outbox::Reaction,
};

use crate::{
    api::{self, Envelope},
    limits::{REPLY_BYTES, REQUESTS},
    live::Live,
    options::Options,
    refusals::{Call, refused},
};

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: String,
    token: Secret,
    /// Names the key whose rate limit it is; some digits that the key is not to be had from.
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
        let mut hasher = DefaultHasher::new();
        live.token.reveal().hash(&mut hasher);
        Self {
            base: options.api_base.trim_end_matches('/').to_owned(),
            token: live.token.clone(),
            key: format!("key {:08x}", hasher.finish() >> 32),
        }
    }

    /// Where the API is, without the scheme.
    pub(crate) fn host(&self) -> &str {
        self.base.split_once("://").map_or(&self.base, |(_, host)| host)
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
            Err(_) if !well => Vec::new(),
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
                mask(&mut envelope.data, token);
            }
        }
        let status = envelope.as_ref().filter(|_| well).map_or(status, |envelope| envelope.status);
        Ok(Said { status, envelope, text, retry_after_ms })
    }
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
