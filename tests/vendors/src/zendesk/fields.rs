//! What an account says of itself: fields, roles, languages.

use serde_json::{Value, json};

use super::account::Account;
use crate::{clock, message::Reply};

/// The id of the role that unknown roles become.
pub(crate) const LIGHT_AGENT: i64 = 6_160_000_000_001;

pub(crate) fn user_fields(account: &Account, base: &str) -> Reply {
    let fields = account.settings.user_fields.iter().enumerate().map(|(at, field)| {
        let id = 6_161_000_000_001 + at as i64;
        let options: Vec<Value> = field.options.iter().enumerate().map(|(at, tag)| {
            json!({ "id": 6_161_100_000_001 + at as i64, "name": tag, "raw_name": tag, "value": tag, "position": at })
        }).collect();
        let mut shown = json!({
            "url": format!("{base}/api/v2/user_fields/{id}.json"),
            "id": id,
            "type": field.kind,
            "key": field.key,
            "title": field.key,
            "raw_title": field.key,
            "description": "",
            "raw_description": "",
            "position": at,
            "active": true,
            "system": false,
            "regexp_for_validation": null,
            "created_at": clock::now_text(),
            "updated_at": clock::now_text(),
        });
        if !options.is_empty() {
            shown["custom_field_options"] = json!(options);
        }
        shown
    });
    let fields: Vec<Value> = fields.collect();
    let count = fields.len();
    Reply::json(
        200,
        &json!({ "user_fields": fields, "next_page": null, "previous_page": null, "count": count }),
    )
}

pub(crate) fn locales(account: &Account, base: &str) -> Reply {
    let locales = account.settings.locales.iter().enumerate().map(|(at, locale)| {
        let id = at + 1;
        json!({
            "id": id,
            "url": format!("{base}/api/v2/locales/{locale}.json"),
            "locale": locale,
            "name": locale,
            "created_at": clock::now_text(),
            "updated_at": clock::now_text(),
        })
    });
    Reply::json(200, &json!({ "locales": locales.collect::<Vec<Value>>() }))
}

pub(crate) fn custom_roles(account: &Account) -> Reply {
    let names =
        std::iter::once("Light agent").chain(account.settings.custom_roles.iter().map(String::as_str));
    let roles = names.enumerate().map(|(at, name)| {
        json!({
            "id": LIGHT_AGENT + at as i64,
            "name": name,
            "description": "",
            "role_type": i64::from(at == 0),
            "team_member_count": 0,
            "created_at": clock::now_text(),
            "updated_at": clock::now_text(),
        })
    });
    Reply::json(200, &json!({ "custom_roles": roles.collect::<Vec<Value>>() }))
}

impl Account {
    /// Ids of custom roles: Light Agent, then those of the settings in their order.
    pub fn custom_role_ids(&self) -> Vec<i64> {
        (0..=self.settings.custom_roles.len() as i64).map(|at| LIGHT_AGENT + at).collect()
    }
}
