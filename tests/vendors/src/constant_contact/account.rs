//! The account: contacts, lists, fields, tags, activities, and what was asked.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use super::{
    activities::Activity,
    calls,
    contact::Contact,
    contract, errors,
    library::{CustomField, Named},
    oauth::OAuth,
    settings::Settings,
};
use crate::{
    clock,
    contract::Contract,
    faults::Faults,
    limits::Window,
    message::{Asked, Reply},
    simulator::Vendor,
};

/// An account of Constant Contact.
#[derive(Debug)]
pub struct Account {
    /// What it was made from; may be changed while it runs.
    pub settings: Settings,
    /// Contacts by address in lower case.
    pub contacts: BTreeMap<String, Contact>,
    /// Lists, in the order in which they were made.
    pub lists: Vec<Named>,
    /// Tags, in the order in which they were made.
    pub tags: Vec<Named>,
    /// Custom fields, in the order in which they were made.
    pub custom_fields: Vec<CustomField>,
    /// Activities, in the order in which they were made.
    pub activities: Vec<Activity>,
    /// Tokens.
    pub oauth: OAuth,
    /// Addresses whose permission `sign_up_form` made explicit: by rights only people who asked for it.
    pub signed_up: Vec<String>,
    /// Values of columns that the import does not have, or that name no custom field, dropped without a word: column and
    /// how many.
    pub dropped_fields: HashMap<String, u32>,
    /// Every request that arrived, in its order.
    pub requests: Vec<Asked>,
    /// Where requests or replies depart from the official description.
    pub violations: Vec<String>,
    /// Requests refused by a rate limit.
    pub throttled: u32,
    pub(crate) second: Window,
    pub(crate) day: Window,
}

impl Account {
    pub(crate) fn new(settings: Settings) -> Self {
        let span = |seconds| clock::scaled(Duration::from_secs(seconds), settings.speed);
        let mut account = Self {
            second: Window::new(settings.requests_per_second, span(1)),
            day: Window::new(settings.requests_per_day, span(24 * 60 * 60)),
            oauth: OAuth::new(&settings),
            contacts: BTreeMap::new(),
            lists: settings.lists.iter().map(|name| Named::new(name)).collect(),
            tags: settings.tags.iter().map(|name| Named::new(name)).collect(),
            custom_fields: settings
                .custom_fields
                .iter()
                .map(|label| CustomField::new(label, "string"))
                .collect(),
            activities: Vec::new(),
            signed_up: Vec::new(),
            dropped_fields: HashMap::new(),
            requests: Vec::new(),
            violations: Vec::new(),
            throttled: 0,
            settings,
        };
        for email in account.settings.unsubscribed.clone() {
            let contact = account.contact_mut(&email);
            (contact.permission, contact.opt_in_source) = ("unsubscribed", "Contact");
        }
        for email in account.settings.deleted.clone() {
            let contact = account.contact_mut(&email);
            (contact.permission, contact.opt_in_source, contact.is_deleted) = ("implicit", "Account", true);
        }
        account
    }

    /// The contact of an address, in any case.
    pub fn contact(&self, email: &str) -> Option<&Contact> {
        self.contacts.get(&email.to_lowercase())
    }

    /// The contact of an address, made if there is none, to be changed now.
    pub(crate) fn contact_mut(&mut self, email: &str) -> &mut Contact {
        let new = || Contact { contact_id: uuid(), email: email.to_owned(), ..Contact::default() };
        let contact = self.contacts.entry(email.to_lowercase()).or_insert_with(new);
        contact.updated = clock::now_text();
        contact
    }

    /// The id of a list.
    pub fn list(&self, name: &str) -> Option<&str> {
        self.lists.iter().find(|list| list.name == name).map(|list| list.id.as_str())
    }

    /// The id of a tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.id.as_str())
    }

    /// Contacts to whom more than one row or form was applied.
    pub fn delivered_twice(&self) -> Vec<&Contact> {
        self.contacts.values().filter(|contact| contact.deliveries > 1).collect()
    }

    /// Rows of all imports that were dropped without a word, beyond 4 MB or 40,000 lines.
    pub fn dropped_rows(&self) -> usize {
        self.activities.iter().map(|activity| activity.dropped).sum()
    }

    /// Whether activities are under way.
    pub fn is_busy(&self) -> bool {
        self.activities.iter().any(|activity| !activity.is_over())
    }

    /// Requests whose line begins so (`POST /v3/activities`).
    pub fn count(&self, begin: &str) -> usize {
        self.requests.iter().filter(|asked| asked.line().starts_with(begin)).count()
    }
}

/// An id such as `5c8f2b4e-…`.
pub(crate) fn uuid() -> String {
    let hex = format!("{:032x}", fastrand::u128(..));
    // Version and variant, so that those who look find a random one.
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

impl Vendor for Account {
    fn advance(&mut self) {
        self.run_due_activities();
    }

    fn answer(&mut self, asked: &Asked, faults: &Faults) -> Reply {
        calls::answer(self, asked, faults)
    }

    fn refusal(status: u16) -> Reply {
        match status {
            429 => errors::refused(429, "throttled", "Too Many Requests"),
            _ => errors::refused(
                status,
                "service.unavailable",
                "our internal service is temporarily unavailable",
            ),
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
