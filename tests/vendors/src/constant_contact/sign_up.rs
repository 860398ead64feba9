//! `POST /contacts/sign_up_form`: one contact who asked for it.

use serde_json::{Value, json};

use super::{
    account::Account,
    errors::{invalid, not_found},
    library::body,
};
use crate::{
    message::{Asked, Reply},
    text,
};

/// Texts of the form, the names that imports have for them, and their lengths.
const TEXTS: [(&str, &str, usize); 6] = [
    ("first_name", "first_name", 50),
    ("last_name", "last_name", 50),
    ("job_title", "job_title", 50),
    ("company_name", "company_name", 50),
    ("phone_number", "phone", 25),
    ("anniversary", "anniversary", usize::MAX),
];

impl Account {
    pub(crate) fn sign_up(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let body = body(asked)?;
        let email = body.get("email_address").and_then(Value::as_str).unwrap_or_default();
        if !text::is_address(email) || email.chars().count() > 50 {
            return Err(invalid("email_address is missing or no address of up to 50 characters"));
        }
        let lists = body.get("list_memberships").and_then(Value::as_array).cloned().unwrap_or_default();
        if !(1..=50).contains(&lists.len()) {
            return Err(invalid("list_memberships are 1 to 50"));
        }
        let lists: Vec<String> = lists.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if !lists.iter().all(|id| self.lists.iter().any(|list| list.id == *id)) {
            return Err(not_found());
        }
        let mut values = Vec::new();
        for (field, column, longest) in TEXTS {
            let Some(value) = body.get(field).and_then(Value::as_str) else { continue };
            if value.chars().count() > longest {
                return Err(invalid(&format!("{field} is longer than {longest} characters")));
            }
            values.push((column.to_owned(), value.to_owned()));
        }
        for (field, column) in [
            ("street", "street"),
            ("city", "city"),
            ("state", "state"),
            ("postal_code", "zip"),
            ("country", "country"),
        ] {
            if let Some(value) = body.get("street_address").and_then(|address| address[field].as_str()) {
                values.push((column.to_owned(), value.to_owned()));
            }
        }
        for field in ["birthday_month", "birthday_day"] {
            if let Some(value) = body.get(field).and_then(Value::as_i64) {
                values.push((field.to_owned(), value.to_string()));
            }
        }
        let custom = self.custom_values(&body)?;

        let is_new = self.contact(email).is_none();
        let permission =
            if is_new && self.settings.confirms_opt_in { "pending_confirmation" } else { "explicit" };
        self.signed_up.push(email.to_owned());
        let contact = self.contact_mut(email);
        contact.properties.extend(values);
        contact.custom_fields.extend(custom);
        contact.lists.extend(lists);
        contact.permission = permission;
        contact.is_deleted = false;
        if is_new {
            contact.opt_in_source = "Contact";
        }
        contact.deliveries += 1;
        let (status, action) = if is_new { (201, "created") } else { (200, "updated") };
        Ok(Reply::json(status, &json!({ "contact_id": contact.contact_id, "action": action })))
    }

    fn custom_values(&self, body: &serde_json::Map<String, Value>) -> Result<Vec<(String, String)>, Reply> {
        let given = body.get("custom_fields").and_then(Value::as_array).cloned().unwrap_or_default();
        if given.len() > 50 {
            return Err(invalid("custom_fields are up to 50"));
        }
        let named = given.iter().map(|field| {
            let known = self.custom_fields.iter().find(|known| field["custom_field_id"] == json!(known.id));
            let value = field["value"].as_str().filter(|value| value.chars().count() <= 255);
            let known = known.ok_or_else(|| invalid("there is no such custom field"))?;
            Ok((
                known.name.clone(),
                value.ok_or_else(|| invalid("value is longer than 255 characters"))?.to_owned(),
            ))
        });
        named.collect()
    }
}
