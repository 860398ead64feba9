//! What is counted on the way and told at the end.

use std::collections::BTreeMap;

use usher_sdk::{Columns, Row, words::counted};

use crate::{
    columns::{ADDRESSES, PHONES},
    limits,
    options::Deliver,
    roles,
};

/// Counts over the rows that were written.
#[derive(Debug)]
pub(crate) struct Notes {
    deliver: Deliver,
    phones: Vec<usize>,
    /// State and country of each address.
    states: Vec<(usize, usize)>,
    roles: BTreeMap<&'static str, u64>,
    long_emails: u64,
    international: u64,
    long_states: u64,
    /// Columns whose lists stand in the file as JSON text.
    lists: Vec<String>,
}

impl Notes {
    pub(crate) fn new(columns: &Columns, deliver: Deliver, lists: Vec<String>) -> Self {
        let index = |name: &str| columns.index(name);
        let state = |whose: &&str| index(&format!("{whose}state")).zip(index(&format!("{whose}country")));
        Self {
            deliver,
            phones: PHONES.iter().filter_map(|name| index(name)).collect(),
            states: ADDRESSES.iter().filter_map(state).collect(),
            roles: BTreeMap::new(),
            long_emails: 0,
            international: 0,
            long_states: 0,
            lists,
        }
    }

    /// Counts a row that was written.
    pub(crate) fn take(&mut self, email: &str, row: &Row) {
        if let Some(role) = roles::kind(email) {
            *self.roles.entry(role).or_default() += 1;
        }
        self.long_emails += u64::from(email.chars().nth(limits::EMAIL_AGREED).is_some());
        let abroad =
            |column: &usize| row.get(*column).starts_with('+') && !row.get(*column).starts_with("+1");
        self.international += self.phones.iter().filter(|column| abroad(column)).count() as u64;
        let spelt_out = |(state, country): &&(usize, usize)| {
            is_usa(row.get(*country)) && row.get(*state).chars().nth(2).is_some()
        };
        self.long_states += self.states.iter().filter(spelt_out).count() as u64;
    }

    /// Addresses that stand for a role, by kind.
    pub(crate) fn roles(&self) -> &BTreeMap<&'static str, u64> {
        &self.roles
    }

    /// What a person should know.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.roles.is_empty() {
            let kinds: Vec<String> =
                self.roles.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
            warnings.push(format!(
                "{} that stand for a role or group are imported but never written to, and many of them make Constant \
                 Contact review the account: {}; `role_addresses = \"reject\"` keeps them back",
                counted(self.roles.values().sum(), "address", "addresses"),
                kinds.join(", ")
            ));
        }
        if self.long_emails > 0 {
            warnings.push(format!(
                "{} above {} characters: the import's contract says {}, other pages say 80",
                counted(self.long_emails, "address is", "addresses are"),
                limits::EMAIL_AGREED,
                limits::EMAIL_AGREED
            ));
        }
        if self.international > 0 && self.deliver.is_api() {
            warnings.push(format!(
                "{} with the code of another country than the USA and Canada: the API's contract says that such numbers \
                 are currently not supported",
                counted(self.international, "phone number begins", "phone numbers begin")
            ));
        }
        if self.long_states > 0 && self.deliver == Deliver::UiFile {
            warnings.push(format!(
                "{} longer than the two letters that the upload page takes",
                counted(self.long_states, "state of the USA is", "states of the USA are")
            ));
        }
        if !self.lists.is_empty() {
            warnings.push(format!(
                "lists of {} stand in the file as JSON text; how a custom field takes several values is not documented",
                self.lists.join(", ")
            ));
        }
        warnings
    }
}

fn is_usa(country: &str) -> bool {
    ["US", "USA", "United States", "United States of America"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(country))
}
