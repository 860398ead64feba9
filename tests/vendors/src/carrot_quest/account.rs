//! The app: users, imports on their way, and what was asked.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};

use super::{calls, envelope, settings::Settings, user::User};
use crate::{
    clock,
    faults::Faults,
    limits::Window,
    message::{Asked, Reply},
    simulator::Vendor,
};

/// A file that was taken.
#[derive(Clone, Debug)]
pub struct Import {
    /// Bytes of the file.
    pub bytes: usize,
    /// `$user_id` or `$email`.
    pub merge_field: String,
    /// Tags of its users.
    pub tags: Vec<String>,
    /// Records in the file, the header left out.
    pub records: usize,
    /// Rows refused at once, by the number that was told.
    pub row_errors: BTreeMap<usize, String>,
    /// What `updates_planned` said.
    pub planned: usize,
    /// Keys of rows that were accepted and lost.
    pub lost: Vec<String>,
    pub(crate) waiting: Vec<Map<String, Value>>,
    pub(crate) taken: Instant,
}

/// An app of Carrot quest.
#[derive(Debug)]
pub struct Account {
    /// What it was made from; may be changed while it runs.
    pub settings: Settings,
    /// Users by the vendor's id.
    pub users: BTreeMap<u64, User>,
    /// Files that were taken, in their order.
    pub imports: Vec<Import>,
    /// Calls of `/props` that were done.
    pub pushes: u32,
    /// People who had unsubscribed and were subscribed again by `double_subscribe`.
    pub resubscribed: Vec<u64>,
    /// Every request that arrived, in its order.
    pub requests: Vec<Asked>,
    /// Always empty: no description of this API was found.
    pub violations: Vec<String>,
    /// Requests refused by the rate limit.
    pub throttled: u32,
    pub(crate) by_user_id: HashMap<String, u64>,
    pub(crate) by_email: HashMap<String, Vec<u64>>,
    pub(crate) window: Window,
    pub(crate) random: fastrand::Rng,
    activity: u64,
    last_id: u64,
}

impl Account {
    pub(crate) fn new(settings: Settings) -> Self {
        let minute = clock::scaled(Duration::from_secs(60), settings.speed);
        let mut account = Self {
            users: BTreeMap::new(),
            imports: Vec::new(),
            pushes: 0,
            resubscribed: Vec::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            throttled: 0,
            by_user_id: HashMap::new(),
            by_email: HashMap::new(),
            window: Window::new(settings.requests_per_minute, minute),
            random: fastrand::Rng::with_seed(settings.seed),
            activity: 0,
            // Beyond 53 bits: whoever reads it as a float gets another user.
            last_id: 1_152_921_504_606_846_976,
            settings,
        };
        for user in account.settings.users.clone() {
            let id = account.create();
            for (name, value) in user.as_object().into_iter().flatten() {
                account.write(id, name, Some(value.clone()));
            }
        }
        account
    }

    /// The user of the app's own id.
    pub fn user(&self, user_id: &str) -> Option<&User> {
        self.users.get(self.by_user_id.get(user_id)?)
    }

    /// Users who share an address.
    pub fn users_by_email(&self, email: &str) -> Vec<&User> {
        self.by_email.get(email).into_iter().flatten().filter_map(|id| self.users.get(id)).collect()
    }

    /// Users to whom more than one row or call was applied.
    pub fn delivered_twice(&self) -> Vec<&User> {
        self.users.values().filter(|user| user.deliveries > 1).collect()
    }

    /// Keys of all rows that were accepted and lost.
    pub fn lost(&self) -> Vec<&str> {
        self.imports.iter().flat_map(|import| &import.lost).map(String::as_str).collect()
    }

    /// Whether accepted rows still wait.
    pub fn is_busy(&self) -> bool {
        self.imports.iter().any(|import| !import.waiting.is_empty())
    }

    /// Requests whose line begins so (`POST /users/import`).
    pub fn count(&self, begin: &str) -> usize {
        self.requests.iter().filter(|asked| asked.line().starts_with(begin)).count()
    }

    pub(crate) fn create(&mut self) -> u64 {
        self.last_id += 1;
        self.activity += 1;
        let user = User {
            id: self.last_id,
            user_id: None,
            properties: Map::new(),
            tags: std::collections::BTreeSet::new(),
            deliveries: 0,
            activity: self.activity,
            is_unsubscribed: false,
            made: Instant::now(),
        };
        self.users.insert(self.last_id, user);
        self.last_id
    }

    /// Sets a property, or takes it away.
    pub(crate) fn write(&mut self, id: u64, name: &str, value: Option<Value>) {
        let user = self.users.get_mut(&id).expect("whoever is written is there");
        if name == "$user_id" {
            let value = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            if !value.is_empty() && !self.by_user_id.contains_key(value) {
                self.by_user_id.insert(value.to_owned(), id);
                user.user_id = Some(value.to_owned());
            }
            return;
        }
        if name == "$email" {
            for ids in self.by_email.values_mut() {
                ids.retain(|known| *known != id);
            }
            if let Some(email) = value.as_ref().and_then(Value::as_str) {
                self.by_email.entry(email.to_owned()).or_default().push(id);
            }
        }
        match value {
            Some(value) => user.properties.insert(name.to_owned(), value),
            None => user.properties.remove(name),
        };
    }

    /// Somebody did something: of users who share an address, the last one active is written.
    pub fn active(&mut self, id: u64) {
        self.activity += 1;
        if let Some(user) = self.users.get_mut(&id) {
            user.activity = self.activity;
        }
    }
}

impl Vendor for Account {
    fn advance(&mut self) {
        self.apply_due_rows();
    }

    fn answer(&mut self, asked: &Asked, _faults: &Faults) -> Reply {
        calls::answer(self, asked)
    }

    fn refusal(status: u16) -> Reply {
        match status {
            429 => envelope::too_many(),
            500 => envelope::error(500, "Error500", "server error"),
            _ => Reply::html(status, "service unavailable"),
        }
    }

    fn note(&mut self, asked: Asked, violations: Vec<String>) {
        self.violations.extend(violations);
        self.requests.push(asked);
    }
}
