//! A vendor's account, and what an import did to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The users of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// By the vendor's own id, given in order of creation.
    pub(crate) users: BTreeMap<u64, User>,
    /// Organizations that exist (Zendesk).
    pub(crate) organizations: BTreeSet<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// Plain values by the vendor's name for them; a blank value is not there.
    pub(crate) fields: BTreeMap<String, String>,
    /// Addresses, the primary one first.
    pub(crate) emails: Vec<String>,
    /// Phone numbers, the direct line first.
    pub(crate) phones: Vec<String>,
    /// Memberships (Zendesk).
    pub(crate) organizations: BTreeSet<String>,
    /// The one that new tickets go to.
    pub(crate) default_organization: Option<String>,
    /// Tags.
    pub(crate) tags: BTreeSet<String>,
    /// Lists that the user is on (Constant Contact, Cohort).
    pub(crate) lists: BTreeSet<String>,
    /// Has unsubscribed (Constant Contact).
    pub(crate) unsubscribed: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImportResult {
    /// Why the file as a whole was not taken; nothing has changed then.
    pub(crate) refused: Option<String>,
    /// Users made.
    pub(crate) created: u64,
    /// Users found and written to, once for each row.
    pub(crate) updated: u64,
    /// Rows passed over because of the import's type.
    pub(crate) ignored: u64,
    /// Rows not taken, by number (the first row below the header is 1), in order.
    pub(crate) failed: Vec<(u64, String)>,
    /// Rows of `failed` that a person can put right in the vendor's pages (Constant Contact).
    pub(crate) correctable: u64,
    /// Rows beyond a limit, of which the vendor says nothing (Constant Contact).
    pub(crate) dropped: u64,
    /// Contacts that had unsubscribed and were not put on the list (Constant Contact).
    pub(crate) cannot_add_to_list: u64,
    /// Mails that went out to users (Zendesk).
    pub(crate) mails: u64,
    /// What happened without the vendor saying so.
    pub(crate) silent: Vec<String>,
}

impl ImportResult {
    /// A file that was not taken.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self { refused: Some(reason.into()), ..Self::default() }
    }

    /// Notes a row that was not taken.
    pub(super) fn fail(&mut self, row: u64, reason: impl Into<String>) {
        self.failed.push((row, reason.into()));
    }
}

/// A vendor's importer with the choices that a person makes in its pages.
pub(crate) trait Importer {
    /// Takes a file.
    fn run(&self, account: &mut Account, file: &[u8]) -> ImportResult;
}

impl Account {
    /// Uploads a file.
    pub(crate) fn import(&mut self, file: &[u8], settings: &impl Importer) -> ImportResult {
        let mut result = settings.run(self, file);
        result.failed.sort();
        result
    }

    /// Adds a user; answers the id.
    pub(crate) fn add(&mut self, user: User) -> u64 {
        let id = self.users.last_key_value().map_or(1, |(last, _)| last + 1);
        self.users.insert(id, user);
        id
    }

    /// The user with an address, in any case.
    pub(crate) fn by_email(&self, email: &str) -> Option<&User> {
        self.users.values().find(|u| u.emails.iter().any(|e| fold(e) == fold(email)))
    }
}

impl User {
    /// Someone with one address.
    pub(crate) fn with_email(email: &str) -> Self {
        Self { emails: vec![email.to_owned()], ..Self::default() }
    }

    /// A field; blank when it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Writes a field; a blank value removes it.
    pub(crate) fn put(&mut self, name: &str, value: &str) {
        if value.is_empty() {
            self.fields.remove(name);
        } else {
            self.fields.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Appends an address unless it is there in any case.
    pub(super) fn append_email(&mut self, email: &str) {
        if !self.emails.iter().any(|e| fold(e) == fold(email)) {
            self.emails.push(email.to_owned());
        }
    }
}

/// Users by a key.
#[derive(Debug, Default)]
pub(super) struct Index(HashMap<String, BTreeSet<u64>>);

impl Index {
    /// All users of an account under their keys.
    pub(super) fn of(account: &Account, keys: impl Fn(&User) -> Vec<String>) -> Self {
        let mut index = Self::default();
        for (id, user) in &account.users {
            for key in keys(user) {
                index.add(key, *id);
            }
        }
        index
    }

    pub(super) fn add(&mut self, key: String, id: u64) {
        self.0.entry(key).or_default().insert(id);
    }

    pub(super) fn get(&self, key: &str) -> impl Iterator<Item = u64> {
        self.0.get(key).into_iter().flatten().copied()
    }
}

/// A text whose case does not count.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// Whether a text has the form of an address: no white space, one `@`, a domain with a dot.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let labels = domain.split('.').all(|label| !label.is_empty());
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@' || c == ',');
    plain(local) && plain(domain) && domain.contains('.') && labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_address_in_any_case() {
        let mut account = Account::default();
        let ada = account.add(User::with_email("Ada@Example.com"));
        let bob = account.add(User::with_email("bob@example.com"));
        assert_eq!((ada, bob), (1, 2));
        assert_eq!(account.by_email("ada@example.COM"), account.users.get(&ada));
        assert_eq!(account.by_email("eve@example.com"), None);
    }

    #[test]
    fn addresses() {
        for good in ["a@b.co", "josé@example.com", "a+b@x.y.z"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.co", "a@b..co", "a b@c.de", "a@@b.co", " a@b.co", "a@b.co,c@d.ef"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
