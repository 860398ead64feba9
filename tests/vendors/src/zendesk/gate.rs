//! Who may call, and how often.

use std::{collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::settings::{Agent, Settings};
use crate::{
    clock,
    limits::Window,
    message::{Asked, Reply},
};

/// The account's rate limits at work.
#[derive(Debug)]
pub(crate) struct Gate {
    requests: Window,
    singles: Window,
    by_user: HashMap<String, Window>,
    minute: Duration,
}

impl Gate {
    pub(crate) fn new(settings: &Settings) -> Self {
        let minute = clock::scaled(Duration::from_secs(60), settings.speed);
        Self {
            requests: Window::new(settings.requests_per_minute, minute),
            singles: Window::new(1, clock::scaled(Duration::from_secs(1), settings.speed)),
            by_user: HashMap::new(),
            minute,
        }
    }

    /// Counts a request of the account.
    pub(crate) fn request(&mut self) -> Result<(), Reply> {
        self.requests.take().map_err(too_many)
    }

    /// Counts a single create or update: one a second, five a minute for the same user.
    pub(crate) fn single(&mut self, user: &str) -> Result<(), Reply> {
        self.singles.take().map_err(too_many)?;
        let minute = self.minute;
        let of_user = self.by_user.entry(user.to_lowercase()).or_insert_with(|| Window::new(5, minute));
        of_user.take().map_err(too_many)
    }

    /// All the spellings that the sheet has: documented, and recorded.
    pub(crate) fn headers(&self, reply: Reply) -> Reply {
        let (most, remaining) = (self.requests.most(), self.requests.remaining());
        let reset = clock::whole_seconds(self.requests.resets_in());
        reply
            .with("x-rate-limit", most)
            .with("x-rate-limit-remaining", remaining)
            .with("ratelimit-limit", most)
            .with("ratelimit-remaining", remaining)
            .with("ratelimit-reset", reset)
            .with("rate-limit", most)
            .with("rate-limit-remaining", remaining)
            .with("rate-limit-reset", reset)
    }
}

fn too_many(wait: Duration) -> Reply {
    Reply::text(429, "Too Many Requests").with("retry-after", clock::whole_seconds(wait))
}

/// Whose credentials came with a request.
pub(crate) fn caller<'a>(settings: &'a Settings, asked: &Asked) -> Option<&'a Agent> {
    let header = asked.header("authorization")?;
    if let Some(token) = header.strip_prefix("Bearer ") {
        return settings.agents.iter().find(|agent| agent.oauth == token);
    }
    let bytes = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (email, token) = text.split_once("/token:")?;
    settings.agents.iter().find(|agent| agent.email == email && agent.token == token)
}

/// Bad credentials; the wording is unverified.
pub(crate) fn unauthorized() -> Reply {
    Reply::json(401, &json!({ "error": "Couldn't authenticate you" }))
}

/// Imports not enabled, or a role without the right; the sheet has no body for it.
pub(crate) fn forbidden() -> Reply {
    Reply::text(403, "Forbidden")
}
