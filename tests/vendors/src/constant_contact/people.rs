//! `GET /contacts`: contacts as stored, by address, status and time of the last change.

use serde_json::{Value, json};

use super::{account::Account, contact::Contact, errors::invalid, library::page};
use crate::message::{Asked, Reply};

/// Values of `status`.
const STATUSES: [&str; 7] =
    ["all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"];

impl Account {
    /// Without `status`, contacts that are not deleted.
    pub(crate) fn show_contacts(&self, asked: &Asked) -> Result<Reply, Reply> {
        let wanted = |name: &str| asked.parameter(name);
        let status: Vec<&str> = wanted("status").map(|text| text.split(',').collect()).unwrap_or_default();
        if status.iter().any(|one| !STATUSES.contains(one)) {
            return Err(invalid("status is none of those that are documented"));
        }
        let after = wanted("updated_after").map(str::parse::<jiff::Timestamp>).transpose();
        let after = after.map_err(|_| invalid("updated_after is no date of ISO-8601"))?;
        let has_lists =
            wanted("include").is_some_and(|text| text.split(',').any(|one| one == "list_memberships"));
        let is_meant = |contact: &&Contact| {
            let of_status = match status.as_slice() {
                [] => !contact.is_deleted,
                some => some.iter().any(|status| has_status(contact, status)),
            };
            of_status
                && wanted("email").is_none_or(|email| contact.email.eq_ignore_ascii_case(email))
                && after
                    .is_none_or(|after| contact.updated.parse().is_ok_and(|at: jiff::Timestamp| at > after))
        };
        let found: Vec<Value> =
            self.contacts.values().filter(is_meant).map(|contact| shown(contact, has_lists)).collect();
        Ok(Reply::json(200, &page(asked, "contacts", &found, 500)?))
    }
}

fn has_status(contact: &Contact, status: &str) -> bool {
    match status {
        "all" => true,
        "deleted" => contact.is_deleted,
        "active" => !contact.is_deleted && !contact.is_unsubscribed(),
        other => !contact.is_deleted && contact.permission == other,
    }
}

fn shown(contact: &Contact, has_lists: bool) -> Value {
    let mut shown = json!({
        "contact_id": contact.contact_id,
        "email_address": { "address": contact.email, "permission_to_send": contact.permission },
        "create_source": contact.opt_in_source,
        "updated_at": contact.updated,
    });
    if contact.is_deleted {
        shown["deleted_at"] = json!(contact.updated.get(..10));
    }
    if has_lists {
        shown["list_memberships"] = json!(contact.lists);
    }
    shown
}
