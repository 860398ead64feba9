//! Contacts that are signed up one by one: nobody who has unsubscribed, was deleted, or waits for a confirmation.
//!
//! A sign-up makes the permission of a contact that is there `explicit` and restores a deleted one (OAS), so the contact is
//! looked up before each one, also before one that is sent again.

use serde::Deserialize;
use serde_json::{Value, json};
use usher_sdk::{
    Http, RequestBuilder,
    abi::Error,
    outbox::{Doubt, Fates, RowReject, Unit, UnitOutcome},
};

use crate::{
    api,
    delivery::Delivery,
    person::{Person, Standing, standing},
};

/// Contacts that are not signed up: standing, code, and why.
const KEPT_BACK: [(Standing, &str, &str); 3] = [
    (
        Standing::Unsubscribed,
        "contact.unsubscribed",
        "it has unsubscribed, and a sign-up would subscribe it again; only the person can do so",
    ),
    (
        Standing::Deleted,
        "contact.deleted",
        "it was deleted in Constant Contact, and a sign-up would restore it; revive it there if that is meant",
    ),
    (
        Standing::Waiting,
        "contact.pending",
        "it waits for the person's confirmation, and a second sign-up would make its permission explicit without that; \
         nothing of this row was sent",
    ),
];

/// Whether a reject says of a contact only that it is not to be signed up.
pub(crate) fn is_kept_back(code: &str) -> bool {
    KEPT_BACK.iter().any(|(_, known, _)| *known == code)
}

/// The reject of a row whose contact has unsubscribed.
pub(crate) fn unsubscribed(row: u64) -> RowReject {
    kept_back(row, "contact.unsubscribed", "it has unsubscribed, and an import puts nobody on a list who has")
}

fn kept_back(row: u64, code: &str, why: &str) -> RowReject {
    RowReject { row, code: code.to_owned(), message: why.to_owned(), ..RowReject::default() }
}

#[derive(Deserialize)]
struct Found {
    contacts: Vec<Person>,
}

/// The contact of a unit of one.
fn contact(unit: &Unit) -> Result<Value, Error> {
    serde_json::from_slice(&unit.records).map_err(|e| Error::bug("import.record", e.to_string()))
}

impl Delivery<'_> {
    /// The request of a sign-up; or what becomes of one who is not signed up.
    pub(crate) fn sign_up(
        &mut self,
        http: &Http,
        unit: &Unit,
    ) -> Result<Result<RequestBuilder, UnitOutcome>, Error> {
        if let Some(outcome) = self.kept_back(unit)? {
            return Ok(Err(outcome));
        }
        let contact = contact(unit)?.as_object().cloned().unwrap_or_default();
        let body = api::sign_up(&contact, &self.account.lists(), |name| self.account.field(name));
        Ok(Ok(http.post(self.client.url(api::SIGN_UP)).json(&body)))
    }

    /// A sign-up that may have arrived: where a confirmation is waited for now, it has.
    pub(crate) fn doubt_sign_up(&mut self, unit: &Unit) -> Result<Doubt, Error> {
        self.doubted.insert(unit.number);
        Ok(self.kept_back(unit)?.map_or(Doubt::SendAgain, Doubt::Done))
    }

    /// What becomes of a contact that must not be signed up.
    fn kept_back(&mut self, unit: &Unit) -> Result<Option<UnitOutcome>, Error> {
        let contact = contact(unit)?;
        let standing = self.standing(contact["email"].as_str().unwrap_or_default())?;
        if standing == Standing::Waiting && self.doubted.contains(&unit.number) {
            let answer = json!({ "permission_to_send": "pending_confirmation" });
            return Ok(Some(UnitOutcome::all(Fates::Accepted, answer)));
        }
        let found = KEPT_BACK.iter().find(|(kept_back, ..)| *kept_back == standing);
        Ok(found.map(|(_, code, why)| {
            let outcome = UnitOutcome::all(Fates::Confirmed, json!({ "kept_back": code }));
            UnitOutcome { rejects: vec![kept_back(0, code, why)], ..outcome }
        }))
    }

    /// How the contact of an address stands now. An answer without a list of contacts does not say that there is none.
    fn standing(&mut self, email: &str) -> Result<Standing, Error> {
        let url = self.client.url(api::CONTACTS);
        let call = "asking whether a contact may be signed up";
        let text = self.client.text(call, &url, &[("email", email), ("status", "all")])?;
        let found: Found = api::read(&text, "a list of contacts")?;
        standing(&found.contacts, email)
    }
}
