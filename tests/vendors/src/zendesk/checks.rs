//! What makes a row fail, as the API words it.

use serde_json::{Value, json};

use super::{account::Account, calls::Row};
use crate::{message::Reply, text, unknown::OnUnknown};

/// Why a row, or a single user, was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    field: String,
    description: String,
    error: &'static str,
}

impl Refused {
    pub(crate) fn invalid(field: &str, description: &str) -> Self {
        Self { field: field.to_owned(), description: description.to_owned(), error: "InvalidValue" }
    }

    pub(crate) fn format(field: &str, description: String) -> Self {
        Self { field: field.to_owned(), description, error: "InvalidFormat" }
    }

    pub(crate) fn duplicate(field: &str, label: &str, value: &str) -> Self {
        let description = format!("{label}: {value} is already being used by another user");
        Self { field: field.to_owned(), description, error: "DuplicateValue" }
    }

    /// As the details of a job's row.
    pub(crate) fn details(&self) -> String {
        self.description.clone()
    }

    /// As the reply to a single call.
    pub(crate) fn reply(&self) -> Reply {
        let mut details = json!({});
        details[&self.field] = json!([{ "description": self.description, "error": self.error }]);
        let body = json!({ "error": "RecordInvalid", "description": "Record validation errors", "details": details });
        Reply::json(422, &body)
    }
}

/// A text property; anything else counts as missing.
pub(crate) fn text_of<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str)
}

/// Addresses of a row: `email`, then identities.
pub(crate) fn emails(row: &Row) -> Vec<String> {
    contacts(row, "email", &["email"])
}

/// Numbers of a row: `phone`, then identities.
pub(crate) fn phones(row: &Row) -> Vec<String> {
    contacts(row, "phone", &["phone_number", "phone"])
}

fn contacts(row: &Row, property: &str, kinds: &[&str]) -> Vec<String> {
    let mut found: Vec<String> =
        text_of(row, property).filter(|t| !t.is_empty()).map(str::to_owned).into_iter().collect();
    let identities = row.get("identities").and_then(Value::as_array).into_iter().flatten();
    for identity in identities {
        let kind = identity["type"].as_str().unwrap_or_default();
        if let (true, Some(value)) = (kinds.contains(&kind), identity["value"].as_str()) {
            found.push(value.to_owned());
        }
    }
    found
}

impl Account {
    /// What the form of a row's values alone can say.
    pub(crate) fn check(&self, row: &Row) -> Result<(), Refused> {
        for email in emails(row) {
            if !text::is_address(&email) {
                return Err(Refused::invalid(
                    "email",
                    &format!("Name: Email: {email} is not properly formatted"),
                ));
            }
        }
        if self.settings.enforces_e164
            && let Some(phone) = phones(row).into_iter().find(|phone| !text::is_e164(phone))
        {
            return Err(Refused::format("phone", format!("Phone: {phone} is not properly formatted")));
        }
        if let Some(role) = text_of(row, "role").filter(|role| !["end-user", "agent", "admin"].contains(role))
        {
            return Err(Refused::invalid("role", &format!("Role: {role} is invalid")));
        }
        let zone = text_of(row, "time_zone").unwrap_or_default();
        let zones = &self.settings.time_zones;
        if self.refuses() && !zone.is_empty() && !zones.is_empty() && !zones.iter().any(|known| known == zone)
        {
            return Err(Refused::invalid("time_zone", &format!("Time zone: {zone} is invalid")));
        }
        let locale = text_of(row, "locale").unwrap_or_default();
        if self.refuses() && !locale.is_empty() && !self.settings.locales.iter().any(|known| known == locale)
        {
            return Err(Refused::invalid("locale", &format!("Locale: {locale} is invalid")));
        }
        self.check_organization(row)?;
        self.check_fields(row)
    }

    pub(crate) fn refuses(&self) -> bool {
        self.settings.on_unknown == OnUnknown::Refuse
    }

    fn check_organization(&self, row: &Row) -> Result<(), Refused> {
        let named = row.get("organization").and_then(|o| o["name"].as_str());
        if let Some(name) = named.filter(|name| self.refuses() && self.organization_named(name).is_none()) {
            return Err(Refused::invalid("organization", &format!("Organization: {name} is invalid")));
        }
        let ids = row.get("organization_ids").and_then(Value::as_array).into_iter().flatten();
        let mut ids = ids.chain(row.get("organization_id")).filter_map(Value::as_i64);
        match ids.find(|id| self.refuses() && !self.organizations.contains_key(id)) {
            Some(id) => Err(Refused::invalid("organization", &format!("Organization: {id} is invalid"))),
            None => Ok(()),
        }
    }

    fn check_fields(&self, row: &Row) -> Result<(), Refused> {
        for (key, value) in row.get("user_fields").and_then(Value::as_object).into_iter().flatten() {
            let Some(field) = self.settings.user_fields.iter().find(|field| field.key == *key) else {
                if self.refuses() {
                    return Err(Refused::invalid(key, &format!("{key}: is no field of this account")));
                }
                continue;
            };
            let fits = |value: &Value| match field.kind.as_str() {
                "checkbox" => value.is_boolean() || matches!(value.as_str(), Some("true" | "false")),
                "date" => value.as_str().is_some_and(is_date),
                "integer" | "lookup" => {
                    value.is_i64() || value.as_str().is_some_and(|t| t.parse::<i64>().is_ok())
                }
                "decimal" => value.is_number() || value.as_str().is_some_and(|t| t.parse::<f64>().is_ok()),
                "dropdown" => {
                    value.as_str().is_some_and(|tag| field.options.iter().any(|known| known == tag))
                }
                "multiselect" => value.as_array().is_some_and(|tags| {
                    tags.iter()
                        .all(|tag| tag.as_str().is_some_and(|t| field.options.iter().any(|known| known == t)))
                }),
                _ => value.is_string(),
            };
            let is_empty = value.is_null() || value.as_str() == Some("");
            if !is_empty && !fits(value) {
                return Err(Refused::invalid(key, &format!("{key}: {value} is invalid")));
            }
        }
        Ok(())
    }
}

/// `YYYY-MM-DD`, alone or with a time behind it, as dates are read back.
fn is_date(text: &str) -> bool {
    let date = text.split('T').next().unwrap_or_default();
    date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok()
}
