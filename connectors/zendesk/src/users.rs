//! The users of a unit, read back: by what they are looked up, and how those that are sent are written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use usher_sdk::{abi::Error, outbox::Unit};

use crate::held::line;

/// Ids of users by their external ids in lower case: Zendesk takes no heed of case there (DEV-USR).
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<String, i64>);

impl Known {
    pub(crate) fn add(&mut self, external_id: &str, id: i64) {
        self.0.insert(external_id.to_lowercase(), id);
    }

    pub(crate) fn id(&self, external_id: &str) -> Option<i64> {
        self.0.get(&external_id.to_lowercase()).copied()
    }
}

/// Whether users can be looked up by an external id: they are asked for in a list with commas between (DEV-USR).
pub(crate) fn is_searchable(external_id: &str) -> bool {
    !external_id.is_empty() && !external_id.contains(',')
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Users(Vec<Map<String, Value>>);

impl Users {
    pub(crate) fn of(unit: &Unit) -> Result<Self, Error> {
        let lines = unit.records.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let users: Result<Vec<_>, _> = lines.map(serde_json::from_slice).collect();
        Ok(Self(users.map_err(|e| Error::bug("users.json", e.to_string()))?))
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The external id of a row, if its user can be looked up by it.
    pub(crate) fn key(&self, row: u64) -> Option<&str> {
        self.text(row, "external_id").filter(|key| is_searchable(key))
    }

    /// The address by which results may name a row.
    pub(crate) fn address(&self, row: u64) -> &str {
        self.text(row, "email").unwrap_or_default()
    }

    /// The id of a row's user, if the account was asked for it and has it.
    pub(crate) fn id(&self, row: u64, known: &Known) -> Option<i64> {
        self.key(row).and_then(|key| known.id(key))
    }

    /// These rows as records. An update names users by their ids (sheet, 4.2) in place of the external ids.
    pub(crate) fn records(&self, rows: &[u64], ids: Option<&Known>) -> Result<Vec<u8>, Error> {
        let mut records = Vec::new();
        for row in rows {
            let Some(user) = self.user(*row) else { continue };
            match ids.and_then(|known| self.id(*row, known)) {
                None => records.extend(line(user)?),
                Some(id) => {
                    let mut user = user.clone();
                    user.remove("external_id");
                    user.insert("id".to_owned(), json!(id));
                    records.extend(line(&user)?);
                }
            }
        }
        Ok(records)
    }

    fn user(&self, row: u64) -> Option<&Map<String, Value>> {
        usize::try_from(row).ok().and_then(|row| self.0.get(row))
    }

    fn text(&self, row: u64, member: &str) -> Option<&str> {
        self.user(row)?.get(member)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let records = b"{\"name\":\"A\",\"external_id\":\"Auth0|A\"}\n{\"external_id\":\"a,b\"}\n{\"email\":\"c@example.com\"}\n";
        Users::of(&Unit { number: 0, rows: 3, records: records.to_vec(), id: String::new() }).unwrap()
    }

    #[test]
    fn users_are_looked_up_by_their_external_ids() {
        let users = users();
        assert_eq!((0..4).map(|row| users.key(row)).collect::<Vec<_>>(), [Some("Auth0|A"), None, None, None]);
        assert_eq!((users.count(), users.address(0), users.address(2)), (3, "", "c@example.com"));
    }

    #[test]
    fn an_update_names_users_by_their_ids() {
        let mut known = Known::default();
        known.add("auth0|a", 7);
        let read = |ids| -> Vec<Value> {
            let records = users().records(&[0, 2], ids).unwrap();
            String::from_utf8(records).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
        };
        let other = json!({ "email": "c@example.com" });
        assert_eq!(read(Some(&known)), [json!({ "id": 7, "name": "A" }), other.clone()]);
        assert_eq!(read(None), [json!({ "external_id": "Auth0|A", "name": "A" }), other]);
    }
}
