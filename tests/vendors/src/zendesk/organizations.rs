//! Organizations: matched by id or external id, never by name.

use serde_json::{Value, json};

use super::{
    account::{Account, Organization},
    calls::Row,
    checks::{Refused, text_of},
};
use crate::{clock, message::Reply};

impl Account {
    pub(crate) fn add_organization(&mut self, name: &str) -> i64 {
        let mut row = Row::new();
        row.insert("name".to_owned(), json!(name));
        self.create_organization(&row).expect("a name is enough")
    }

    pub(crate) fn create_organization(&mut self, row: &Row) -> Result<i64, Refused> {
        if text_of(row, "name").is_none_or(str::is_empty) {
            return Err(Refused::invalid("name", "Name: is missing"));
        }
        let id = self.next_id();
        self.organizations.insert(id, Organization { id, properties: row.clone() });
        Ok(id)
    }

    /// The first organization of a name, in any case.
    pub fn organization_named(&self, name: &str) -> Option<i64> {
        let found = self.organizations.values().find(|o| o.name().eq_ignore_ascii_case(name));
        found.map(|organization| organization.id)
    }

    pub(crate) fn upsert_organization(&mut self, row: &Row, base: &str) -> Result<Reply, Refused> {
        let by_id = row.get("id").and_then(Value::as_i64).filter(|id| self.organizations.contains_key(id));
        let external_id = text_of(row, "external_id").filter(|id| !id.is_empty());
        let has =
            |o: &&Organization| external_id.is_some() && text_of(&o.properties, "external_id") == external_id;
        let known = by_id.or_else(|| self.organizations.values().find(has).map(|o| o.id));
        let (id, status) = match known {
            Some(id) => (id, 200),
            None => (self.create_organization(row)?, 201),
        };
        let organization = self.organizations.get_mut(&id).expect("it is there");
        for (name, value) in row.iter().filter(|(name, _)| *name != "id") {
            organization.properties.insert(name.clone(), value.clone());
        }
        Ok(Reply::json(status, &json!({ "organization": organization.shown(base) })))
    }

    /// The organization that an id, or an external id in any case, names.
    pub(crate) fn shown_organization(&self, name: &str, key: &str, base: &str) -> Option<Value> {
        let fits = |o: &&Organization| match name {
            "ids" => key.parse() == Ok(o.id),
            _ => text_of(&o.properties, "external_id").is_some_and(|id| id.eq_ignore_ascii_case(key)),
        };
        self.organizations.values().find(fits).map(|organization| organization.shown(base))
    }
}

impl Organization {
    fn shown(&self, base: &str) -> Value {
        let mut shown = json!({
            "url": format!("{base}/api/v2/organizations/{}.json", self.id),
            "id": self.id,
            "created_at": clock::now_text(),
            "updated_at": clock::now_text(),
        });
        for (name, value) in &self.properties {
            shown[name] = value.clone();
        }
        shown
    }
}
