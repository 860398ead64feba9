//! A row as the API's user object. A blank cell is a property left out, never null (the API's pages say of no property
//! that it is erased).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use usher_sdk::{Columns, Row};

use crate::{
    columns::CUSTOM,
    duplicates::Addition,
    fields::Kind,
    properties::{Form, PROPERTIES},
};

/// The member that holds names of organizations until their ids are known; never sent.
pub(crate) const UNRESOLVED: &str = "organizations";

/// Encodes the rows of one run.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// By column: name of the property and form.
    properties: Vec<(usize, &'static str, Form)>,
    /// By column: key and kind.
    fields: Vec<(usize, String, Kind)>,
    organization_ids: BTreeMap<String, i64>,
}

impl Encoder {
    /// `kind` answers what a custom field holds, by its key.
    pub(crate) fn new(
        columns: &Columns,
        kind: impl Fn(&str) -> Kind,
        organization_ids: BTreeMap<String, i64>,
    ) -> Self {
        let (mut properties, mut fields) = (Vec::new(), Vec::new());
        for (at, name) in columns.names().enumerate() {
            if let Some(key) = name.strip_prefix(CUSTOM) {
                fields.push((at, key.to_owned(), kind(key)));
            } else if let Some(row) = PROPERTIES.iter().find(|row| row.column == name) {
                properties.push((at, row.name, row.form));
            }
        }
        Self { properties, fields, organization_ids }
    }

    /// The ids of organizations that the options give.
    pub(crate) fn organization_ids(&self) -> &BTreeMap<String, i64> {
        &self.organization_ids
    }

    /// The object. Of several organizations those without an id stay under [`UNRESOLVED`].
    pub(crate) fn encode(&self, row: &Row) -> Map<String, Value> {
        let mut user = Map::new();
        for &(column, name, form) in &self.properties {
            if !row.is_filled(column) {
                continue;
            }
            let cell = row.get(column);
            match form {
                Form::Text => set(&mut user, name, json!(cell)),
                Form::Boolean => set(&mut user, name, json!(cell == "true")),
                // Of digits by its check; more of them than an id has are for the vendor to refuse.
                Form::Integer => {
                    set(&mut user, name, cell.parse::<i64>().map_or_else(|_| json!(cell), Value::from));
                }
                Form::Restriction if cell == "none" => set(&mut user, name, Value::Null),
                Form::Restriction => set(&mut user, name, json!(cell)),
                Form::Tags => set(&mut user, name, row.items(column).collect()),
                Form::Emails => row.items(column).for_each(|email| add_email(&mut user, email)),
                Form::Phones => row.items(column).for_each(|phone| add_phone(&mut user, phone)),
                Form::SharedPhone => {
                    set(&mut user, name, json!(cell));
                    set(&mut user, "shared_phone_number", json!(true));
                }
                Form::Organizations => {
                    let names: Vec<&str> = row.items(column).collect();
                    organize(&mut user, &names, |name| self.organization_ids.get(name).copied());
                }
            }
        }
        let filled = self.fields.iter().filter(|(column, ..)| row.is_filled(*column));
        let fields: Map<String, Value> =
            filled.map(|(column, key, kind)| (key.clone(), kind.value(row.get(*column)))).collect();
        if !fields.is_empty() {
            set(&mut user, "user_fields", Value::Object(fields));
        }
        user
    }
}

fn set(user: &mut Map<String, Value>, name: &str, value: Value) {
    user.insert(name.to_owned(), value);
}

/// One organization goes by its id or else by its name, several by their ids: no other form is documented.
fn organize(user: &mut Map<String, Value>, names: &[&str], id: impl Fn(&str) -> Option<i64>) -> bool {
    let ids: Vec<Option<i64>> = names.iter().map(|name| id(name)).collect();
    match (names, ids.as_slice()) {
        ([_], [Some(id)]) => set(user, "organization_id", json!(id)),
        ([name], _) => set(user, "organization", json!({ "name": name })),
        (_, ids) if ids.iter().all(Option::is_some) => set(user, "organization_ids", json!(ids)),
        _ => {
            set(user, UNRESOLVED, json!(names));
            return false;
        }
    }
    true
}

/// The names of several organizations whose ids were not known, if there are any.
pub(crate) fn unresolved(user: &Map<String, Value>) -> Vec<&str> {
    let names = user.get(UNRESOLVED).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Puts ids in place of names; answers whether all are known now.
pub(crate) fn resolve(user: &mut Map<String, Value>, id: impl Fn(&str) -> Option<i64>) -> bool {
    let names: Vec<String> = unresolved(user).into_iter().map(str::to_owned).collect();
    user.remove(UNRESOLVED);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    organize(user, &names, id)
}

/// Adds what merged rows bring.
pub(crate) fn add(user: &mut Map<String, Value>, addition: &Addition) {
    let items = |list: &str| -> Vec<String> {
        list.split('|').filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    items(&addition.emails).iter().for_each(|email| add_email(user, email));
    items(&addition.phones).iter().for_each(|phone| add_phone(user, phone));
}

fn add_email(user: &mut Map<String, Value>, email: &str) {
    if user.contains_key("email") {
        identity(user, "email", email);
    } else {
        set(user, "email", json!(email));
    }
}

fn add_phone(user: &mut Map<String, Value>, phone: &str) {
    if user.contains_key("phone") {
        identity(user, "phone_number", phone);
    } else {
        set(user, "phone", json!(phone));
    }
}

fn identity(user: &mut Map<String, Value>, kind: &str, value: &str) {
    let all = user.entry("identities").or_insert_with(|| json!([]));
    if let Some(all) = all.as_array_mut() {
        all.push(json!({ "type": kind, "value": value }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_go_by_id_or_name() {
        let told = |names: &[&str]| {
            let mut user = Map::new();
            let known = organize(&mut user, names, |name| (name.len() == 1).then_some(name.len() as i64));
            format!("{known} {}", Value::Object(user))
        };
        assert_eq!(told(&["A"]), r#"true {"organization_id":1}"#);
        assert_eq!(told(&["Acme"]), r#"true {"organization":{"name":"Acme"}}"#);
        assert_eq!(told(&["A", "B"]), r#"true {"organization_ids":[1,1]}"#);
        assert_eq!(told(&["A", "Acme"]), r#"false {"organizations":["A","Acme"]}"#);
    }

    #[test]
    fn names_are_resolved_later() {
        let mut user = json!({ "organizations": ["A", "Acme"] }).as_object().unwrap().clone();
        assert_eq!(unresolved(&user), ["A", "Acme"]);
        let mut left = user.clone();
        assert!(!resolve(&mut left, |_| None));
        assert_eq!(unresolved(&left), ["A", "Acme"]);
        assert!(resolve(&mut user, |name| Some(name.len() as i64)));
        assert_eq!(Value::Object(user), json!({ "organization_ids": [1, 4] }));
    }

    #[test]
    fn merged_rows_bring_identities() {
        let mut user = json!({ "email": "a@example.com" }).as_object().unwrap().clone();
        let addition = Addition {
            emails: "b@example.com|c@example.com".to_owned(),
            phones: "+15550100001|+15550100002".to_owned(),
            ..Addition::default()
        };
        add(&mut user, &addition);
        assert_eq!(
            Value::Object(user),
            json!({
                "email": "a@example.com",
                "phone": "+15550100001",
                "identities": [
                    { "type": "email", "value": "b@example.com" },
                    { "type": "email", "value": "c@example.com" },
                    { "type": "phone_number", "value": "+15550100002" },
                ],
            })
        );
    }
}
