//! A user of the account, and how the API shows it.

use serde_json::{Map, Value, json};

use crate::clock;

/// A user as stored.
#[derive(Clone, Debug)]
pub struct User {
    /// Zendesk's id, beyond 32 bits.
    pub id: i64,
    /// Properties as written, without addresses; `user_fields` merged key by key.
    pub properties: Map<String, Value>,
    /// Addresses; the first is the primary one.
    pub emails: Vec<String>,
    /// Telephone numbers; the first is `phone`.
    pub phones: Vec<String>,
    /// Ids of organizations; the first is the default.
    pub organizations: Vec<i64>,
    /// How many rows were applied to this user, the one that made it included.
    pub deliveries: u32,
    /// The jobs that did so; the single call leaves an empty text.
    pub jobs: Vec<String>,
    /// When it was made.
    pub created_at: String,
}

impl User {
    pub(crate) fn new(id: i64) -> Self {
        Self {
            id,
            properties: Map::new(),
            emails: Vec::new(),
            phones: Vec::new(),
            organizations: Vec::new(),
            deliveries: 0,
            jobs: Vec::new(),
            created_at: clock::now_text(),
        }
    }

    /// A property as text; empty when it is missing or no text.
    pub fn text(&self, property: &str) -> &str {
        self.properties.get(property).and_then(Value::as_str).unwrap_or_default()
    }

    /// A field of `user_fields`.
    pub fn field(&self, key: &str) -> Option<&Value> {
        self.properties.get("user_fields")?.get(key)
    }

    /// As `GET /users/me` and the single call show it: the recorded form of a bare end user, with what was written.
    pub(crate) fn shown(&self, base: &str) -> Value {
        let mut user = json!({
            "id": self.id,
            "url": format!("{base}/api/v2/users/{}.json", self.id),
            "name": null,
            "email": self.emails.first(),
            "created_at": self.created_at,
            "updated_at": clock::now_text(),
            "time_zone": "America/New_York",
            "iana_time_zone": "America/New_York",
            "phone": self.phones.first(),
            "shared_phone_number": null,
            "photo": null,
            "locale_id": 1,
            "locale": "en-US",
            "organization_id": self.organizations.first(),
            "role": "end-user",
            "verified": false,
            "external_id": null,
            "tags": [],
            "alias": null,
            "active": true,
            "shared": false,
            "shared_agent": false,
            "last_login_at": null,
            "two_factor_auth_enabled": false,
            "signature": null,
            "details": null,
            "notes": null,
            "role_type": null,
            "custom_role_id": null,
            "moderator": false,
            "ticket_restriction": "requested",
            "only_private_comments": false,
            "restricted_agent": true,
            "suspended": false,
            "default_group_id": null,
            "report_csv": false,
            "user_fields": {},
        });
        for (name, value) in &self.properties {
            user[name] = value.clone();
        }
        user
    }
}
