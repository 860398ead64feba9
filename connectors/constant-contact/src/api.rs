//! Constant Contact's HTTP calls as text: what is sent and how replies are read. No sockets.
//!
//! Sources: `OAS` the vendor's description of its API, `EVAN` what others read in its guide; the README has the addresses.

use std::fmt::Write as _;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use usher_sdk::{Multipart, abi::Error};

use crate::options::SmsPermission;

/// Imports as files, as JSON, of one person who signs up, and of tags (`OAS`).
pub(crate) const FILE_IMPORT: &str = "/activities/contacts_file_import";
pub(crate) const JSON_IMPORT: &str = "/activities/contacts_json_import";
pub(crate) const SIGN_UP: &str = "/contacts/sign_up_form";
pub(crate) const TAGGING: &str = "/activities/contacts_taggings_add";
/// What there is (`OAS`).
pub(crate) const ACTIVITIES: &str = "/activities";
pub(crate) const CONTACTS: &str = "/contacts";
pub(crate) const LISTS: &str = "/contact_lists";
pub(crate) const FIELDS: &str = "/contact_custom_fields";
pub(crate) const TAGS: &str = "/contact_tags";
pub(crate) const ACCOUNT: &str = "/account/summary";
pub(crate) const PRIVILEGES: &str = "/account/user/privileges";

/// The name of the file of a unit, by which it is found again among the activities.
pub(crate) fn file_name(unit: &str) -> String {
    format!("usher-{unit}.csv")
}

/// The body of a JSON import: `records` are objects, one a line (`OAS`: `ContactsJsonImport`).
pub(crate) fn json_import(records: &[u8], lists: &[String], sms: SmsPermission) -> Vec<u8> {
    let mut body = Vec::with_capacity(records.len() + 200 + lists.len() * 40);
    body.extend_from_slice(b"{\"import_data\":[");
    let lines = records.strip_suffix(b"\n").unwrap_or(records);
    body.extend(lines.iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }));
    let mut end = String::from("],\"list_ids\":");
    let _ = write!(end, "{}", json!(lists));
    if sms == SmsPermission::Explicit {
        end.push_str(",\"sms_permission_to_send\":\"explicit\"");
    }
    end.push('}');
    body.extend_from_slice(end.as_bytes());
    body
}

/// The form of a file import (`OAS`). The type is left to the form: a request that says another is answered with 415, as is
/// a file whose name does not end with `.csv`.
pub(crate) fn file_import(
    unit: &str,
    header: &[u8],
    records: &[u8],
    lists: &[String],
    sms: SmsPermission,
) -> Multipart {
    let form = Multipart::new().file("file", &file_name(unit), "text/csv", [header, records].concat());
    let form = form.text("list_ids", &lists.join(","));
    if sms == SmsPermission::Explicit { form.text("sms_permission_to_send", "explicit") } else { form }
}

/// The body by which tags are given to everybody on lists (`OAS`: `TagAddRemoveContacts`).
pub(crate) fn tagging(lists: &[String], tags: &[String]) -> Value {
    json!({ "source": { "list_ids": lists }, "tag_ids": tags })
}

/// The body by which one contact signs up (`OAS`: `ContactCreateOrUpdateInput`); `contact` is a row as the JSON import has
/// it, `field` answers the id of a custom field.
pub(crate) fn sign_up(
    contact: &Map<String, Value>,
    lists: &[String],
    field: impl Fn(&str) -> Option<String>,
) -> Value {
    let mut body = Map::new();
    let (mut address, mut fields) = (Map::new(), Vec::new());
    for (name, value) in contact {
        match name.as_str() {
            "email" => drop(body.insert("email_address".to_owned(), value.clone())),
            "phone" => drop(body.insert("phone_number".to_owned(), value.clone())),
            "street" | "city" | "state" | "country" => drop(address.insert(name.clone(), value.clone())),
            "zip" => drop(address.insert("postal_code".to_owned(), value.clone())),
            other => match other.strip_prefix("cf:") {
                Some(custom) => {
                    fields.extend(field(custom).map(|id| json!({ "custom_field_id": id, "value": value })));
                }
                None => drop(body.insert(name.clone(), value.clone())),
            },
        }
    }
    if !address.is_empty() {
        // The plain address of an import is one at home, too.
        address.insert("kind".to_owned(), "home".into());
        body.insert("street_address".to_owned(), address.into());
    }
    if !fields.is_empty() {
        body.insert("custom_fields".to_owned(), fields.into());
    }
    body.insert("list_memberships".to_owned(), json!(lists));
    body.into()
}

/// Columns that somebody who signs up may fill (`OAS`).
pub(crate) fn signs_up_with(column: &str) -> bool {
    column.starts_with("cf:")
        || [
            "email",
            "first_name",
            "last_name",
            "job_title",
            "company_name",
            "birthday",
            "birthday_month",
            "birthday_day",
            "anniversary",
            "phone",
            "street",
            "city",
            "state",
            "zip",
            "country",
        ]
        .contains(&column)
}

/// A list of contacts (`OAS`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct List {
    pub(crate) list_id: String,
    #[serde(default)]
    pub(crate) name: String,
    /// Known when it was asked for.
    #[serde(default)]
    pub(crate) membership_count: Option<u64>,
}

/// A custom field (`OAS`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Field {
    pub(crate) custom_field_id: String,
    /// What people see.
    #[serde(default)]
    pub(crate) label: String,
    /// What imports take.
    pub(crate) name: String,
}

/// A tag (`OAS`).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tag {
    pub(crate) tag_id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// One page of things, and where the next one is.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// Reads a page whose things stand under `name`.
pub(crate) fn page<T: DeserializeOwned>(text: &str, name: &str) -> Result<Page<T>, Error> {
    let body: Value = read(text, "a page of things")?;
    let next = body["_links"]["next"]["href"].as_str().map(str::to_owned);
    let items = match &body[name] {
        Value::Array(items) => items.iter().map(T::deserialize).collect(),
        Value::Null if body.is_object() => Ok(Vec::new()),
        _ => return Err(not_understood("a page of things", "no list stands where one should")),
    };
    let items = items.map_err(|error| not_understood("a page of things", &error.to_string()))?;
    Ok(Page { items, next })
}

/// Reads any other reply. The text may hold what must not be shown, so no error repeats it.
pub(crate) fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|error| not_understood(what, &format!("line {} column {}", error.line(), error.column())))
}

fn not_understood(what: &str, why: &str) -> Error {
    let message = format!("Constant Contact answered something that is not {what} ({why}); see `api_base`");
    Error::data("import.reply", message)
}

/// Where a link leads that is a path at the API's host.
pub(crate) fn follow(base: &str, href: &str) -> Result<String, Error> {
    let host = base.find("://").map_or(0, |at| at + 3);
    let end = base[host..].find('/').map_or(base.len(), |at| host + at);
    let origin = &base[..end];
    let rest = href.strip_prefix(origin).unwrap_or(href);
    if rest.starts_with('/') && !rest.starts_with("//") {
        return Ok(format!("{origin}{rest}"));
    }
    Err(Error::data("import.reply", "Constant Contact answered a link that leads to another host; report it"))
}

/// Why a request was refused, in the vendor's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) key: String,
    pub(crate) message: String,
}

impl Refusal {
    /// Reads the body: an array of errors, or one (`OAS`: `APIErrorSchema`, `AuthorizationErrorSchema`); of several the
    /// first has the key.
    pub(crate) fn new(status: u16, text: &str) -> Self {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let errors = match body {
            Value::Array(errors) => errors,
            other => vec![other],
        };
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let messages: Vec<String> =
            errors.iter().map(|e| text(&e["error_message"])).filter(|m| !m.is_empty()).take(10).collect();
        let key = errors.first().map(|error| text(&error["error_key"])).unwrap_or_default();
        Self { status, key, message: messages.join("; ") }
    }

    /// Too many in this second (`EVAN`).
    pub(crate) fn is_throttled(&self) -> bool {
        self.status == 429 && self.key.contains("throttled")
    }

    /// Too many today (`EVAN`).
    pub(crate) fn is_quota(&self) -> bool {
        self.status == 429 && self.key.contains("quota_exceeded")
    }

    /// Key and message, in brackets, with a blank before; nothing if there is neither.
    pub(crate) fn words(&self) -> String {
        match (self.key.is_empty(), self.message.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!(" ({})", self.key),
            (true, false) => format!(" ({})", self.message),
            (false, false) => format!(" ({}: {})", self.key, self.message),
        }
    }

    /// As details of a reject.
    pub(crate) fn details(&self) -> Value {
        json!({ "status": self.status, "error_key": self.key, "error_message": self.message })
    }
}

/// A vendor's text as it may stand in a message.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// An id that may stand in a path.
pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_in_two_forms() {
        let refusal = |text: &str| Refusal::new(400, text).words();
        assert_eq!(refusal(r#"[{"error_key":"a.b","error_message":"no"}]"#), " (a.b: no)");
        assert_eq!(refusal(r#"{"error_key":"a.b","error_message":"no"}"#), " (a.b: no)");
        assert_eq!(
            refusal(r#"[{"error_key":"a","error_message":"x\n"},{"error_message":"y"}]"#),
            " (a: x; y)"
        );
        assert_eq!(refusal(r#"[{"error_key":"a"}]"#), " (a)");
        assert_eq!(refusal(r#"{"error_message":"no"}"#), " (no)");
        for other in ["", "<html>", "[]", "[7]", "7", "{}", r#"{"error_key":7}"#] {
            assert_eq!(refusal(other), "", "{other}");
        }
        let of = |key: &str| Refusal::new(429, &json!({ "error_key": key }).to_string());
        assert!(of("throttled").is_throttled() && of("quota_exceeded").is_quota());
        assert!(!of("other").is_throttled() && !of("other").is_quota());
    }

    #[test]
    fn links_stay_at_the_host() {
        let base = "https://api.cc.email/v3";
        let next = "/v3/contact_lists?cursor=a";
        assert_eq!(follow(base, next).unwrap(), "https://api.cc.email/v3/contact_lists?cursor=a");
        assert_eq!(
            follow(base, &format!("https://api.cc.email{next}")).unwrap(),
            format!("https://api.cc.email{next}")
        );
        assert_eq!(follow("http://127.0.0.1:80", "/x").unwrap(), "http://127.0.0.1:80/x");
        for other in ["https://evil.example/v3", "//evil.example", "v3", "https://api.cc.email.evil.example/"]
        {
            assert_eq!(follow(base, other).unwrap_err().code, "import.reply", "{other}");
        }
    }

    #[test]
    fn records_become_an_array() {
        let body =
            json_import(b"{\"a\":\"x\"}\n{\"b\":\"y\\n\"}\n", &["l".to_owned()], SmsPermission::Explicit);
        let body: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "import_data": [{ "a": "x" }, { "b": "y\n" }], "list_ids": ["l"], "sms_permission_to_send": "explicit",
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn a_contact_signs_up_with_an_address_and_ids_of_fields() {
        let contact = json!({
            "email": "a@b.co", "first_name": "A", "phone": "1", "city": "Paris", "zip": "75001", "birthday_month": 2,
            "cf:plan": "pro", "cf:gone": "x",
        });
        let field = |name: &str| (name == "plan").then(|| "f1".to_owned());
        let body = sign_up(contact.as_object().unwrap(), &["l".to_owned()], field);
        let expected = json!({
            "email_address": "a@b.co", "first_name": "A", "phone_number": "1", "birthday_month": 2,
            "street_address": { "city": "Paris", "postal_code": "75001", "kind": "home" },
            "custom_fields": [{ "custom_field_id": "f1", "value": "pro" }], "list_memberships": ["l"],
        });
        assert_eq!(body, expected);
    }
}
