//! OAuth as text: replies, and what refusals mean. No sockets, no state.
//!
//! Sources: `GUIDE-SRV`, `GUIDE-DEV`, `STAFF-TOK`, RFC 6749 and RFC 8628; the README has the addresses.

use serde::Deserialize;
use usher_sdk::{
    Secret,
    abi::{Error, ErrorClass},
};

use crate::api::plain;

/// A token reply (RFC 6749 §5.1).
#[derive(Deserialize)]
pub(crate) struct TokenReply {
    pub(crate) access_token: Secret,
    #[serde(default)]
    pub(crate) refresh_token: Option<Secret>,
    #[serde(default)]
    pub(crate) expires_in: Option<u64>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// What begins a login on another device (RFC 8628 §3.2).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Device {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    pub(crate) verification_uri: String,
    #[serde(default)]
    pub(crate) verification_uri_complete: Option<String>,
    pub(crate) expires_in: u64,
    #[serde(default = "five")]
    pub(crate) interval: u64,
}

fn five() -> u64 {
    5
}

/// What a refusal of the token address means (RFC 6749 §5.2).
pub(crate) fn meaning(status: u16, text: &str, secrets: &[&Secret]) -> Error {
    let words = Words::new(text);
    // What it was sent, should it repeat that.
    let secrets = secrets.iter().map(|secret| secret.reveal()).filter(|secret| !secret.is_empty());
    let shown = secrets.fold(words.shown(), |words, secret| words.replace(secret, "***"));
    let (class, code, help) = match (words.error.as_str(), status) {
        ("invalid_grant", _) => (
            ErrorClass::AUTH,
            "login.refused",
            "the refresh token is void: it was used before (by another machine, or in a run that was ended before the \
             reply came), or not for 180 days, or was taken back; run `usher login <connector>`, or give a new \
             `refresh_token`",
        ),
        ("invalid_client" | "unauthorized_client", _) | (_, 401) => (
            ErrorClass::AUTH,
            "login.client",
            "compare `client_id` and `client_secret` with the application in the developer portal; applications of \
             the device flow have no secret",
        ),
        ("invalid_scope", _) => (
            ErrorClass::AUTH,
            "login.scope",
            "the application may not ask for `contact_data`, `account_read` and `offline_access`; see the developer \
             portal",
        ),
        (_, 429) => (
            ErrorClass::RATE_LIMITED,
            "login.throttled",
            "tokens are given out once a second; wait, and run again",
        ),
        (_, 408 | 500..=599) => (
            ErrorClass::TRANSIENT,
            "login.unavailable",
            "it has trouble; run again later; if the refresh token is refused then, it was used up by this: run \
             `usher login <connector>`",
        ),
        _ => (ErrorClass::PERMANENT, "login.other", "see `client_id` and `auth_base`"),
    };
    Error::new(class, code, format!("asking for a token: answered {status}{shown}; {help}"))
}

/// The two words of an OAuth refusal.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) error: String,
    description: String,
}

impl Words {
    pub(crate) fn new(text: &str) -> Self {
        let body: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let word = |key: &str| plain(body[key].as_str().unwrap_or_default());
        Self { error: word("error"), description: word("error_description") }
    }

    fn shown(&self) -> String {
        match (self.error.is_empty(), self.description.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!(" ({})", self.error),
            (true, false) => format!(" ({})", self.description),
            (false, false) => format!(" ({}: {})", self.error, self.description),
        }
    }
}

/// The error of a login that nobody has finished in time.
pub(crate) fn expired() -> Error {
    let message = "nobody has entered the code in time; run `usher login` again";
    Error::new(ErrorClass::AUTH, "login.expired", message)
}

/// The error of a code that the vendor does not know any more (RFC 6749 §5.2, of a device code).
pub(crate) fn spent() -> Error {
    let message = "the code of this login is not good any more: it was used already, or has expired; run `usher login` again";
    Error::new(ErrorClass::AUTH, "login.code", message)
}

pub(crate) fn has_scope(scopes: &str, scope: &str) -> bool {
    scopes.split([' ', '+']).any(|s| s == scope)
}

pub(crate) fn no_scope(scopes: &str) -> Error {
    let message = format!(
        "the login has not the scope `contact_data`, without which nothing can be imported, but `{}`; log in again with an \
         application that has it",
        plain(scopes)
    );
    Error::new(ErrorClass::AUTH, "login.scope", message)
}

/// The reply to a request for a token did not come, or not whole: it may have arrived, and its refresh token with it have
/// become void. Also when somebody stopped the run: the request may be on its way.
pub(crate) fn lost(error: Error) -> Error {
    let before = [
        "http.dry-run",
        "http.unreachable",
        "http.host-not-allowed",
        "http.rate-limit",
        "http.untrusted",
        "http.url",
        "http.replay",
        "http.unknown-limit",
        "http.too-many",
        "http.threads",
        "service.absent",
    ];
    if before.contains(&error.code.as_str()) {
        return error;
    }
    let class = if error.class == ErrorClass::DATA { ErrorClass::AUTH } else { error.class };
    let why = if class == ErrorClass::CANCELLED {
        "it was stopped before the reply came".to_owned()
    } else {
        format!("the reply was lost ({error})")
    };
    let message = format!(
        "asking for a token: {why}; the login may be lost by that, since the refresh token may be used up; run again, and \
         if it is refused then, run `usher login <connector>`"
    );
    Error::new(class, "login.lost", message)
}
