//! A user of the app, and how the API shows one.

use std::{collections::BTreeSet, time::Instant};

use serde_json::{Map, Value, json};

/// A user as stored.
#[derive(Clone, Debug)]
pub struct User {
    /// The vendor's id, 64 bits.
    pub id: u64,
    /// The app's own id of the user.
    pub user_id: Option<String>,
    /// Properties, system (`$…`) and custom; `$user_id` is not among them.
    pub properties: Map<String, Value>,
    /// Tags of the imports that wrote the user.
    pub tags: BTreeSet<String>,
    /// How many rows and `/props` calls were applied.
    pub deliveries: u32,
    /// The order of last activity: the greatest was active last.
    pub activity: u64,
    /// Whether the person has unsubscribed; a test may set it.
    pub is_unsubscribed: bool,
    /// When it was made, for the list, which lags behind.
    pub(crate) made: Instant,
}

impl User {
    /// A property as text; empty when it is missing or no text.
    pub fn text(&self, property: &str) -> &str {
        self.properties.get(property).and_then(Value::as_str).unwrap_or_default()
    }

    /// As shown: custom properties and tags only where they are asked for.
    pub(crate) fn shown(&self, app: &str, asks: impl Fn(&str, bool) -> bool, as_text: bool) -> Value {
        let id = if asks("id_as_string", false) { json!(self.id.to_string()) } else { json!(self.id) };
        let app = app.parse::<u64>().map_or_else(|_| json!(app), |number| json!(number));
        let mut user =
            json!({ "id": id, "app": app, "user_id": self.user_id, "removed": null, "presence": "offline" });
        let of = |system: bool| {
            let all = self.properties.iter().filter(|(name, _)| name.starts_with('$') == system);
            let text = |value: &Value| match value {
                Value::String(_) => value.clone(),
                other => json!(other.to_string()),
            };
            all.map(|(n, v)| (n.clone(), if as_text { text(v) } else { v.clone() })).collect::<Map<_, _>>()
        };
        if asks("props", true) {
            user["props"] = Value::Object(of(true));
        }
        if asks("props_custom", false) {
            user["props_custom"] = Value::Object(of(false));
        }
        if asks("tags", false) {
            // Objects, of which only this field is known to be needed.
            user["tags"] = self.tags.iter().map(|tag| json!({ "name": tag })).collect();
        }
        user
    }
}
