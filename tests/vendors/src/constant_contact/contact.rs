//! A contact of the account.

use std::collections::{BTreeMap, BTreeSet};

/// A contact as stored.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    /// The vendor's id.
    pub contact_id: String,
    /// The address as first written.
    pub email: String,
    /// Properties by their names in imports (`first_name`, `home_city`).
    pub properties: BTreeMap<String, String>,
    /// Custom fields by `name`.
    pub custom_fields: BTreeMap<String, String>,
    /// Ids of lists.
    pub lists: BTreeSet<String>,
    /// Ids of tags.
    pub tags: BTreeSet<String>,
    /// `implicit`, `explicit`, `pending_confirmation`, `unsubscribed`.
    pub permission: &'static str,
    /// `Account` or `Contact`.
    pub opt_in_source: &'static str,
    /// When it was last changed.
    pub updated: String,
    /// Whether somebody has deleted it.
    pub is_deleted: bool,
    /// How many rows of imports, and forms, were applied.
    pub deliveries: u32,
    /// The activities that did so.
    pub activities: Vec<String>,
}

impl Contact {
    /// A property or, with `cf:` in front, a custom field; empty when there is none.
    pub fn text(&self, name: &str) -> &str {
        let found = match name.strip_prefix("cf:") {
            Some(name) => self.custom_fields.get(name),
            None => self.properties.get(name),
        };
        found.map(String::as_str).unwrap_or_default()
    }

    /// Whether the person has unsubscribed.
    pub fn is_unsubscribed(&self) -> bool {
        self.permission == "unsubscribed"
    }
}
