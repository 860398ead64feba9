//! Lists, custom fields and tags: looked up by name, made by name.

use serde_json::{Map, Value, json};

use super::{
    account::{Account, uuid},
    errors::{conflict, invalid},
};
use crate::{
    clock,
    message::{Asked, Reply},
};

/// A list or a tag.
#[derive(Clone, Debug)]
pub struct Named {
    /// The vendor's id.
    pub id: String,
    /// Its name.
    pub name: String,
    made: String,
}

impl Named {
    pub(crate) fn new(name: &str) -> Self {
        Self { id: uuid(), name: name.to_owned(), made: clock::now_text() }
    }
}

/// A custom field.
#[derive(Clone, Debug)]
pub struct CustomField {
    /// The vendor's id.
    pub id: String,
    /// What people see.
    pub label: String,
    /// What imports use: the label with `_` for blanks.
    pub name: String,
    /// `string`, `date`, …
    pub kind: String,
    made: String,
}

impl CustomField {
    pub(crate) fn new(label: &str, kind: &str) -> Self {
        let name = label.replace(char::is_whitespace, "_");
        Self { id: uuid(), label: label.to_owned(), name, kind: kind.to_owned(), made: clock::now_text() }
    }

    fn shown(&self) -> Value {
        json!({
            "custom_field_id": self.id,
            "label": self.label,
            "name": self.name,
            "type": self.kind,
            "created_at": self.made,
            "updated_at": self.made,
        })
    }
}

/// Fields of an account.
const MOST_FIELDS: usize = 100;
/// Types of fields.
const KINDS: [&str; 9] = [
    "string",
    "date",
    "datetime",
    "currency",
    "text_area",
    "number",
    "boolean",
    "single_select",
    "multi_select",
];

impl Account {
    pub(crate) fn show_lists(&self, asked: &Asked) -> Result<Reply, Reply> {
        let name = asked.parameter("name");
        let lists: Vec<Value> =
            self.lists.iter().filter(|list| name.is_none_or(|name| list.name == name)).map(list).collect();
        let mut body = page(asked, "lists", &lists, 1000)?;
        if asked.parameter("include_count") == Some("true") {
            body["lists_count"] = json!(lists.len());
        }
        Ok(Reply::json(200, &body))
    }

    pub(crate) fn make_list(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let body = body(asked)?;
        let name = name(&body, "name", 255)?;
        if self.lists.iter().any(|list| list.name == name) {
            return Err(conflict("a list of that name is there already"));
        }
        let made = Named::new(name);
        let reply = Reply::json(201, &list(&made));
        self.lists.push(made);
        Ok(reply)
    }

    pub(crate) fn show_tags(&self, asked: &Asked) -> Result<Reply, Reply> {
        let tags: Vec<Value> = self.tags.iter().map(|t| self.shown_tag(t, asked)).collect();
        Ok(Reply::json(200, &page(asked, "tags", &tags, 500)?))
    }

    fn shown_tag(&self, tag: &Named, asked: &Asked) -> Value {
        let mut shown = tag_shown(tag);
        if asked.parameter("include_count") == Some("true") {
            let count = self.contacts.values().filter(|contact| contact.tags.contains(&tag.id)).count();
            shown["contacts_count"] = json!(count);
        }
        shown
    }

    pub(crate) fn make_tag(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let body = body(asked)?;
        let name = name(&body, "name", 255)?;
        if self.tags.iter().any(|tag| tag.name == name) {
            return Err(conflict("a tag of that name is there already"));
        }
        let made = Named::new(name);
        let reply = Reply::json(201, &tag_shown(&made));
        self.tags.push(made);
        Ok(reply)
    }

    pub(crate) fn show_fields(&self, asked: &Asked) -> Result<Reply, Reply> {
        let fields: Vec<Value> = self.custom_fields.iter().map(CustomField::shown).collect();
        Ok(Reply::json(200, &page(asked, "custom_fields", &fields, 100)?))
    }

    pub(crate) fn make_field(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let body = body(asked)?;
        let label = name(&body, "label", 50)?;
        let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
        if !KINDS.contains(&kind) {
            return Err(invalid("type is not one of the types of custom fields"));
        }
        let made = CustomField::new(label, kind);
        if self.custom_fields.iter().any(|field| field.label == made.label || field.name == made.name) {
            return Err(conflict("a custom field of that label is there already"));
        }
        if self.custom_fields.len() >= MOST_FIELDS {
            return Err(invalid("an account has no more than 100 custom fields"));
        }
        let reply = Reply::json(201, &made.shown());
        self.custom_fields.push(made);
        Ok(reply)
    }
}

fn list(list: &Named) -> Value {
    json!({ "list_id": list.id, "name": list.name, "description": "", "favorite": false,
            "created_at": list.made, "updated_at": list.made })
}

fn tag_shown(tag: &Named) -> Value {
    json!({ "tag_id": tag.id, "name": tag.name, "tag_source": "Contact",
            "created_at": tag.made, "updated_at": tag.made })
}

/// The body of a request, which must be an object.
pub(crate) fn body(asked: &Asked) -> Result<Map<String, Value>, Reply> {
    match asked.json() {
        Some(Value::Object(body)) => Ok(body),
        _ => Err(invalid("the body is no JSON object")),
    }
}

fn name<'a>(body: &'a Map<String, Value>, field: &str, longest: usize) -> Result<&'a str, Reply> {
    let name = body.get(field).and_then(Value::as_str).unwrap_or_default();
    match name.chars().count() {
        0 => Err(invalid(&format!("{field} is missing"))),
        length if length > longest => Err(invalid(&format!("{field} is longer than {longest} characters"))),
        _ => Ok(name),
    }
}

/// A page of things, with the path of the next one.
pub(crate) fn page(asked: &Asked, name: &str, all: &[Value], largest: usize) -> Result<Value, Reply> {
    let limit = match asked.parameter("limit") {
        None => 50,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=largest).contains(limit))
            .ok_or_else(|| invalid(&format!("limit is from 1 to {largest}")))?,
    };
    let offset: usize = asked.parameter("cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let shown: Vec<&Value> = all.iter().skip(offset).take(limit).collect();
    let next = offset + shown.len();
    let mut body = json!({});
    body[name] = json!(shown);
    if next < all.len() {
        body["_links"] = json!({ "next": { "href": format!("{}?limit={limit}&cursor={next}", asked.path) } });
    }
    Ok(body)
}
