//! Who a row is meant for, and what it does to them.

use serde_json::{Map, Value, json};

use super::{
    account::Account,
    calls::{BY_EXTERNAL_ID, Row},
    checks::{Refused, emails, phones, text_of},
    fields::LIGHT_AGENT,
    user::User,
};

/// Properties that are not kept as they come: they are read elsewhere, or are not the user's.
const APART: [&str; 9] = [
    "id",
    "email",
    "phone",
    "identities",
    "user_fields",
    "organization",
    "organization_id",
    "organization_ids",
    BY_EXTERNAL_ID,
];

impl Account {
    /// By external id, else by address: updated if known, made if not. The user, and whether it is new.
    pub(crate) fn upsert(&mut self, row: &Row, job: &str) -> Result<(i64, bool), Refused> {
        self.check(row)?;
        let by_external_id = text_of(row, "external_id").and_then(|id| self.known_external_id(id));
        let by_email = text_of(row, "email").and_then(|email| self.known_email(email));
        match by_external_id.or(by_email) {
            Some(id) => self.apply(id, row, job).map(|()| (id, false)),
            None => self.create(row, job).map(|id| (id, true)),
        }
    }

    /// A new user; one who has the address or the external id already makes it fail.
    pub(crate) fn create(&mut self, row: &Row, job: &str) -> Result<i64, Refused> {
        self.check(row)?;
        if text_of(row, "name").is_none_or(|name| name.trim().is_empty()) {
            return Err(Refused::invalid("name", "Name: is missing"));
        }
        if let Some(id) = text_of(row, "external_id").filter(|id| self.known_external_id(id).is_some()) {
            return Err(Refused::duplicate("external_id", "External", id));
        }
        self.not_anothers(None, row)?;
        let id = self.next_id();
        self.users.insert(id, User::new(id));
        self.apply(id, row, job)?;
        let is_mailed = row.get("skip_verify_email").and_then(Value::as_bool) != Some(true);
        if is_mailed && !self.users[&id].emails.is_empty() {
            self.welcomed.push(id);
        }
        Ok(id)
    }

    /// A change of somebody known, by id or external id.
    pub(crate) fn update(&mut self, row: &Row, job: &str) -> Result<i64, Refused> {
        let by_id = row.get("id").and_then(Value::as_i64).filter(|id| self.users.contains_key(id));
        let by_external_id = text_of(row, BY_EXTERNAL_ID).and_then(|id| self.known_external_id(id));
        let id = by_id.or(by_external_id).ok_or_else(|| Refused::invalid("id", "User: is not found"))?;
        self.check(row)?;
        self.apply(id, row, job).map(|()| id)
    }

    /// Whom an id, or an external id in any case, names.
    pub(crate) fn shown_user(&self, name: &str, key: &str, base: &str) -> Option<Value> {
        let id = if name == "ids" { key.parse().ok() } else { self.known_external_id(key) };
        Some(self.users.get(&id?)?.shown(base))
    }

    fn known_email(&self, email: &str) -> Option<i64> {
        self.by_email.get(&email.to_lowercase()).copied()
    }

    fn known_external_id(&self, id: &str) -> Option<i64> {
        self.by_external_id.get(&id.to_lowercase()).copied().filter(|_| !id.is_empty())
    }

    fn not_anothers(&self, id: Option<i64>, row: &Row) -> Result<(), Refused> {
        let is_anothers = |owner: Option<i64>| owner.is_some() && owner != id;
        match emails(row).into_iter().find(|email| is_anothers(self.known_email(email))) {
            Some(email) => Err(Refused::duplicate("email", "Email", &email)),
            None => Ok(()),
        }
    }

    fn apply(&mut self, id: i64, row: &Row, job: &str) -> Result<(), Refused> {
        self.not_anothers(Some(id), row)?;
        if let Some(external_id) = text_of(row, "external_id") {
            if self.known_external_id(external_id).is_some_and(|owner| owner != id) {
                return Err(Refused::duplicate("external_id", "External", external_id));
            }
            let old = self.users[&id].text("external_id").to_lowercase();
            self.by_external_id.remove(&old);
            if !external_id.is_empty() {
                self.by_external_id.insert(external_id.to_lowercase(), id);
            }
        }
        for email in emails(row) {
            self.by_email.insert(email.to_lowercase(), id);
        }
        let organizations = self.memberships(row, &self.users[&id].organizations);
        let light_agent = self.role(id, row);
        let known_fields: Vec<String> =
            self.settings.user_fields.iter().map(|field| field.key.clone()).collect();

        let user = self.users.get_mut(&id).expect("whoever is changed is there");
        for (name, value) in row.iter().filter(|(name, _)| !APART.contains(&name.as_str())) {
            user.properties.insert(name.clone(), value.clone());
        }
        // A further address is added; it replaces nothing.
        add(&mut user.emails, emails(row));
        add(&mut user.phones, phones(row));
        user.organizations = organizations;
        let fields = user.properties.entry("user_fields").or_insert_with(|| Value::Object(Map::new()));
        for (key, value) in row.get("user_fields").and_then(Value::as_object).into_iter().flatten() {
            if known_fields.contains(key) {
                fields[key] = value.clone();
            }
        }
        roles(user, light_agent);
        user.deliveries += 1;
        user.jobs.push(job.to_owned());
        Ok(())
    }

    /// Light Agent's id when the role that was asked for does not exist: nothing tells so.
    fn role(&mut self, id: i64, row: &Row) -> Option<i64> {
        let asked = row.get("custom_role_id").and_then(Value::as_i64)?;
        if self.custom_role_ids().contains(&asked) {
            return None;
        }
        self.light_agents.push((id, asked));
        Some(LIGHT_AGENT)
    }

    /// `organization_id` takes all other memberships away; names and lists add.
    fn memberships(&self, row: &Row, old: &[i64]) -> Vec<i64> {
        let mut all = match row.get("organization_id").and_then(Value::as_i64) {
            Some(id) => vec![id],
            None => old.to_vec(),
        };
        let ids = row.get("organization_ids").and_then(Value::as_array).into_iter().flatten();
        let named = row.get("organization").and_then(|o| o["name"].as_str());
        let named = named.and_then(|name| self.organization_named(name));
        for id in ids.filter_map(Value::as_i64).chain(named) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        all.retain(|id| self.organizations.contains_key(id));
        all
    }
}

/// Adds what is not there yet, whatever its case.
fn add(to: &mut Vec<String>, more: Vec<String>) {
    for value in more {
        if !to.iter().any(|known| known.eq_ignore_ascii_case(&value)) {
            to.push(value);
        }
    }
}

/// What roles and restrictions become.
fn roles(user: &mut User, light_agent: Option<i64>) {
    let properties = &mut user.properties;
    if let Some(id) = light_agent {
        properties.insert("custom_role_id".to_owned(), json!(id));
    }
    if properties.get("custom_role_id").is_some_and(Value::is_i64) && user_role(properties) == "end-user" {
        properties.insert("role".to_owned(), json!("agent"));
    }
    let role = user_role(properties).to_owned();
    properties.insert("role".to_owned(), json!(role));
    let restriction = properties.get("ticket_restriction").and_then(Value::as_str);
    if role == "end-user" && !matches!(restriction, Some("organization" | "requested")) {
        properties.insert("ticket_restriction".to_owned(), json!("requested"));
    }
}

fn user_role(properties: &Map<String, Value>) -> &str {
    properties.get("role").and_then(Value::as_str).unwrap_or("end-user")
}
