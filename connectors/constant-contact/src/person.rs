//! A contact as the account shows it (`OAS`: `ContactResource`), and whether it may be signed up.

use serde::Deserialize;
use usher_sdk::abi::Error;

/// Every property may be missing; those of other contacts than was asked for do not matter.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Person {
    #[serde(default)]
    email_address: Option<EmailAddress>,
    #[serde(default)]
    pub(crate) updated_at: Option<String>,
    /// Those of deleted contacts only.
    #[serde(default)]
    deleted_at: Option<String>,
    /// Present when it was asked for.
    #[serde(default)]
    list_memberships: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct EmailAddress {
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    permission_to_send: Option<String>,
}

/// How a contact stands to a sign-up; of several, the one that forbids most counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// There is none, or one that may be written to.
    Free,
    /// It waits for its confirmation.
    Waiting,
    /// It was deleted: signing it up would restore it (OAS).
    Deleted,
    /// It has unsubscribed: signing it up would make its permission explicit (OAS).
    Unsubscribed,
}

impl Person {
    pub(crate) fn email(&self) -> Option<&str> {
        self.email_address.as_ref().and_then(|email| email.address.as_deref())
    }

    fn permission(&self) -> Option<&str> {
        self.email_address.as_ref().and_then(|email| email.permission_to_send.as_deref())
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    pub(crate) fn has_unsubscribed(&self) -> bool {
        self.permission() == Some("unsubscribed")
    }

    /// Whether it is on all of these lists; `None` when its lists are not said.
    pub(crate) fn is_on(&self, lists: &[String]) -> Option<bool> {
        let of = self.list_memberships.as_ref()?;
        Some(lists.iter().all(|list| of.iter().any(|known| known.eq_ignore_ascii_case(list))))
    }

    /// The permissions are those of the sheet (OAS); what is not known lets nobody be signed up.
    fn standing(&self) -> Result<Standing, Error> {
        match self.permission() {
            Some("unsubscribed") => Ok(Standing::Unsubscribed),
            _ if self.is_deleted() => Ok(Standing::Deleted),
            Some("pending_confirmation") => Ok(Standing::Waiting),
            Some("implicit" | "explicit" | "not_set" | "temp_hold") => Ok(Standing::Free),
            _ => Err(Error::data(
                "import.reply",
                "Constant Contact answered a contact without a permission that is known, and who has unsubscribed must \
                 not be signed up; see the contact in Constant Contact, and report it",
            )),
        }
    }
}

/// How the contact of an address stands, by what was answered to the question for it. One without an address is taken
/// for it.
pub(crate) fn standing(found: &[Person], email: &str) -> Result<Standing, Error> {
    let same = |person: &&Person| person.email().is_none_or(|address| address.eq_ignore_ascii_case(email));
    let standings: Vec<Standing> =
        found.iter().filter(same).map(Person::standing).collect::<Result<_, Error>>()?;
    Ok(standings.into_iter().max().unwrap_or(Standing::Free))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn person(permission: Value, deleted: Value) -> Person {
        let body = json!({
            "email_address": { "address": "ADA@example.com", "permission_to_send": permission }, "deleted_at": deleted,
        });
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn nobody_is_signed_up_who_has_left() {
        let of = |permission: &str| standing(&[person(json!(permission), json!(null))], "ada@example.com");
        for free in ["implicit", "explicit", "not_set", "temp_hold"] {
            assert_eq!(of(free), Ok(Standing::Free), "{free}");
        }
        assert_eq!(of("unsubscribed"), Ok(Standing::Unsubscribed));
        assert_eq!(of("pending_confirmation"), Ok(Standing::Waiting));
        let deleted = person(json!("explicit"), json!("2026-01-01"));
        assert_eq!(standing(std::slice::from_ref(&deleted), "ada@example.com"), Ok(Standing::Deleted));
        let both = [deleted, person(json!("unsubscribed"), json!(null))];
        assert_eq!(standing(&both, "ada@example.com"), Ok(Standing::Unsubscribed));
        // What is not known is no permission; other people are others.
        assert_eq!(of("maybe").unwrap_err().code, "import.reply");
        assert!(standing(&[Person::default()], "ada@example.com").is_err());
        assert_eq!(standing(&[person(json!("unsubscribed"), json!(null))], "a@b.co"), Ok(Standing::Free));
        assert_eq!(standing(&[], "a@b.co"), Ok(Standing::Free));
    }
}
