//! The account: users, organizations, jobs, and what was asked.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{calls, contract, gate::Gate, jobs::Job, settings::Settings, user::User};
use crate::{
    contract::Contract,
    faults::Faults,
    message::{Asked, Reply},
    simulator::Vendor,
};

/// An organization as stored.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Zendesk's id.
    pub id: i64,
    /// What was written.
    pub properties: serde_json::Map<String, Value>,
}

impl Organization {
    /// Its name.
    pub fn name(&self) -> &str {
        self.properties.get("name").and_then(Value::as_str).unwrap_or_default()
    }
}

/// An account of Zendesk.
#[derive(Debug)]
pub struct Account {
    /// What it was made from; may be changed while it runs.
    pub settings: Settings,
    /// Users by id.
    pub users: BTreeMap<i64, User>,
    /// Organizations by id.
    pub organizations: BTreeMap<i64, Organization>,
    /// Jobs by id, those that are no longer shown included.
    pub jobs: HashMap<String, Job>,
    /// Ids of users who were sent a welcome mail: new, and without `skip_verify_email`.
    pub welcomed: Vec<i64>,
    /// Roles that were unknown and became Light Agent: the user and the id that was asked for.
    pub light_agents: Vec<(i64, i64)>,
    /// Every request that arrived, in its order.
    pub requests: Vec<Asked>,
    /// Where requests or replies depart from the official description.
    pub violations: Vec<String>,
    /// Requests refused by a rate limit.
    pub throttled: u32,
    /// The most jobs that were queued or running at a time.
    pub most_jobs_at_a_time: usize,
    pub(crate) by_email: HashMap<String, i64>,
    pub(crate) by_external_id: HashMap<String, i64>,
    pub(crate) gate: Gate,
    last_id: i64,
}

impl Account {
    pub(crate) fn new(settings: Settings) -> Self {
        let mut account = Self {
            gate: Gate::new(&settings),
            users: BTreeMap::new(),
            organizations: BTreeMap::new(),
            jobs: HashMap::new(),
            welcomed: Vec::new(),
            light_agents: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            throttled: 0,
            most_jobs_at_a_time: 0,
            by_email: HashMap::new(),
            by_external_id: HashMap::new(),
            last_id: 6_164_000_000_000,
            settings,
        };
        for name in account.settings.organizations.clone() {
            account.add_organization(&name);
        }
        for user in account.settings.users.clone() {
            let row = user.as_object().cloned().unwrap_or_default();
            let id = account.create(&row, "").expect("users of the settings are good");
            account.users.get_mut(&id).expect("it was just made").deliveries = 0;
        }
        account.welcomed.clear();
        account
    }

    /// The user who has an address, in any case.
    pub fn user(&self, email: &str) -> Option<&User> {
        self.users.get(self.by_email.get(&email.to_lowercase())?)
    }

    /// The user who has an external id, in any case.
    pub fn user_by_external_id(&self, external_id: &str) -> Option<&User> {
        self.users.get(self.by_external_id.get(&external_id.to_lowercase())?)
    }

    /// Deletes the user who has an external id, as somebody in Admin Center does.
    pub fn delete(&mut self, external_id: &str) {
        if let Some(id) = self.by_external_id.remove(&external_id.to_lowercase()) {
            self.users.remove(&id);
            self.by_email.retain(|_, user| *user != id);
        }
    }

    /// Users to whom more than one row was applied: delivered twice, or twice in the input.
    pub fn delivered_twice(&self) -> Vec<&User> {
        self.users.values().filter(|user| user.deliveries > 1).collect()
    }

    /// Rows applied in all.
    pub fn deliveries(&self) -> u64 {
        self.users.values().map(|user| u64::from(user.deliveries)).sum()
    }

    /// Requests whose line begins so (`POST /api/v2/users`).
    pub fn count(&self, begin: &str) -> usize {
        self.requests.iter().filter(|asked| asked.line().starts_with(begin)).count()
    }

    pub(crate) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }
}

impl Vendor for Account {
    fn advance(&mut self) {
        self.run_due_jobs();
    }

    fn answer(&mut self, asked: &Asked, faults: &Faults) -> Reply {
        calls::answer(self, asked, faults)
    }

    fn refusal(status: u16) -> Reply {
        match status {
            429 => Reply::text(429, "Too Many Requests"),
            503 => Reply::html(503, "service unavailable"),
            _ => Reply::text(status, "something went wrong"),
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
