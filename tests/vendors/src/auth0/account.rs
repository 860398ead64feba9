//! The tenant: jobs, links, and what was asked.

use std::time::Duration;

use super::{calls, contract, jobs::Job, settings::Settings};
use crate::{
    clock,
    contract::Contract,
    faults::Faults,
    limits::Bucket,
    message::{Asked, Reply},
    simulator::Vendor,
};

/// A tenant of Auth0.
#[derive(Debug)]
pub struct Account {
    /// What it was made from; may be changed while it runs.
    pub settings: Settings,
    /// Jobs, in the order in which they were made.
    pub jobs: Vec<Job>,
    /// How often tokens were handed out.
    pub tokens: Vec<String>,
    /// Files that were sent whole, as far as the server can tell.
    pub downloads: u32,
    /// Downloads that came with an `Authorization` header, which must never go there.
    pub leaked_credentials: u32,
    /// Downloads by links that were no longer good, a fault's included.
    pub expired_links: u32,
    /// Every request that arrived, in its order.
    pub requests: Vec<Asked>,
    /// Where requests or replies depart from the official descriptions.
    pub violations: Vec<String>,
    /// Requests refused by the rate limit.
    pub throttled: u32,
    pub(crate) bucket: Bucket,
}

impl Account {
    pub(crate) fn new(settings: Settings) -> Self {
        let interval = Duration::from_secs_f64(1.0 / settings.requests_per_second);
        Self {
            bucket: Bucket::new(settings.burst, clock::scaled(interval, settings.speed)),
            jobs: Vec::new(),
            tokens: Vec::new(),
            downloads: 0,
            leaked_credentials: 0,
            expired_links: 0,
            requests: Vec::new(),
            violations: Vec::new(),
            throttled: 0,
            settings,
        }
    }

    /// Requests whose line begins so (`POST /api/v2/jobs`).
    pub fn count(&self, begin: &str) -> usize {
        self.requests.iter().filter(|asked| asked.line().starts_with(begin)).count()
    }
}

impl Vendor for Account {
    fn advance(&mut self) {}

    fn answer(&mut self, asked: &Asked, faults: &Faults) -> Reply {
        calls::answer(self, asked, faults)
    }

    fn refusal(status: u16) -> Reply {
        match status {
            429 => calls::too_many(false),
            500 => calls::refused(500, "Internal Server Error", "something went wrong"),
            _ => Reply::html(status, "service unavailable"),
        }
    }

    fn contract() -> Option<&'static Contract> {
        Some(contract::contract())
    }

    fn note(&mut self, asked: Asked, violations: Vec<String>) {
        self.violations.extend(violations);
        self.requests.push(asked);
    }
}
