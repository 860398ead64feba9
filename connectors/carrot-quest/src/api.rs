//! Carrot quest's HTTP calls as text: what is sent and how replies are read. No sockets.
//!
//! Sources: `IMPORT`, `SETPROPS`, `GETUSER`, `APPUSERS`, `ERR`, `TYPES`; the README has the addresses.

use serde_json::Value;
use usher_sdk::Multipart;

use crate::{lenient, options::Options};

/// Where files are imported (`IMPORT`).
pub(crate) const IMPORT: &str = "/users/import";

/// Where the app's users are listed (`APPUSERS`).
pub(crate) fn users_path(app: &str) -> String {
    format!("/apps/{app}/users")
}

/// Where a user is read (`GETUSER`), by your own id; `None` for ids that no path can hold.
pub(crate) fn user_path(id: &str) -> Option<String> {
    if matches!(id, "" | "." | "..") {
        return None;
    }
    let mut path = String::from("/users/");
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(path)
}

/// Where a user's properties are set (`SETPROPS`).
pub(crate) fn props_path(id: &str) -> Option<String> {
    user_path(id).map(|path| path + "/props")
}

/// The name of a part's file: the same in every attempt of a run.
pub(crate) fn file_name(id: &str) -> String {
    format!("usher-{id}.csv")
}

/// What is sent with a file (`IMPORT`). An empty text is a value to this API, so nothing empty is sent (`TYPES`).
pub(crate) fn import_form(options: &Options, file_name: &str, content: Vec<u8>) -> Multipart {
    let delimiter = char::from(options.delimiter.byte()).to_string();
    let form = Multipart::new()
        .text("app", &options.app)
        .text("merge_field", options.merge_field.column())
        .text("delimiter", &delimiter);
    let form = if options.tags.is_empty() { form } else { form.text("tags", &tags(&options.tags)) };
    form.file("file", file_name, "text/csv", content)
}

/// Each name JSON-encoded, a comma between them (`IMPORT`).
pub(crate) fn tags(names: &[String]) -> String {
    names.iter().map(|name| Value::from(name.as_str()).to_string()).collect::<Vec<_>>().join(",")
}

/// Bytes of a request's body around the file's own.
pub(crate) fn frame_bytes(options: &Options) -> u64 {
    // Boundaries and ids have one length each.
    import_form(options, &file_name(&"0".repeat(32)), Vec::new()).encode().1.len() as u64
}

/// What every reply has around it (`ERR`).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Envelope {
    /// `meta.status`, which repeats the HTTP status.
    pub(crate) status: u16,
    /// `meta.error`: a name such as `ValidationError`.
    pub(crate) error: String,
    /// `meta.error_message` and `meta.error_fields`, shortened.
    pub(crate) words: String,
    /// The arguments that `meta.error_fields` names, as far as its form is what it seems to be.
    pub(crate) fields: Vec<String>,
    /// `meta.ignored_operations` of a call that sets properties (SETPROPS).
    pub(crate) ignored: Vec<Ignored>,
    pub(crate) data: Value,
}

/// An operation that was not done, although the others were.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ignored {
    /// The property; empty when that is not said.
    pub(crate) key: String,
    /// Why, in the vendor's words.
    pub(crate) reason: String,
}

impl Ignored {
    /// Takes a secret out.
    pub(crate) fn mask(&mut self, secret: &str) {
        self.key = self.key.replace(secret, "***");
        self.reason = self.reason.replace(secret, "***");
    }
}

/// Reads a reply's body; `None` when it is no envelope with a status.
pub(crate) fn envelope(text: &str) -> Option<Envelope> {
    let mut body = lenient::parse(text)?;
    let meta = body.get("meta")?;
    let status = u16::try_from(whole_number(meta.get("status")?)?).ok()?;
    let text = |key: &str| meta.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut words = text("error_message").to_owned();
    if let Some(fields) = meta.get("error_fields").filter(|fields| !fields.is_null()) {
        words.push_str(&format!(" {fields}"));
    }
    let words = short(&words, 300);
    let error = short(text("error"), 60);
    let fields = meta.get("error_fields").map(names).unwrap_or_default();
    let ignored = meta.get("ignored_operations").map(ignored).unwrap_or_default();
    let data = body.get_mut("data").map(Value::take).unwrap_or_default();
    Some(Envelope { status, error, words, fields, ignored, data })
}

/// Words of the vendor, fit for a message.
pub(crate) fn short(words: &str, most: usize) -> String {
    words.trim().chars().filter(|c| !c.is_control()).take(most).collect()
}

/// The names in a map, or in a list of texts.
fn names(fields: &Value) -> Vec<String> {
    match fields {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A list of maps with `operation` and `reason` (SETPROPS); what is in another form counts, too.
fn ignored(operations: &Value) -> Vec<Ignored> {
    let list = match operations {
        Value::Array(list) => list.as_slice(),
        Value::Null => &[],
        other => std::slice::from_ref(other),
    };
    let text = |value: Option<&Value>| short(value.and_then(Value::as_str).unwrap_or_default(), 100);
    let read = |entry: &Value| {
        let key = entry.pointer("/operation/key").or_else(|| entry.get("key"));
        Ignored { key: text(key), reason: text(entry.get("reason")) }
    };
    list.iter().map(read).collect()
}

/// A whole number from 0 on, as a number or as a text.
pub(crate) fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_within_their_part_of_a_path() {
        for (id, path) in [
            ("135", Some("/users/135")),
            ("auth0|1", Some("/users/auth0%7C1")),
            ("a/../b?c#d%", Some("/users/a%2F..%2Fb%3Fc%23d%25")),
            ("я", Some("/users/%D1%8F")),
            (".", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(user_path(id).as_deref(), path, "{id}");
        }
    }

    #[test]
    fn envelopes() {
        let read = |text: &str| envelope(text).map(|e| (e.status, e.error, e.words, e.data));
        let none = |status, data| Some((status, String::new(), String::new(), data));
        assert_eq!(read(r#"{"meta":{"status":200},"data":{"a":1}}"#), none(200, serde_json::json!({"a":1})));
        assert_eq!(read(r#"{"meta":{"status":"200"}}"#), none(200, Value::Null));
        let refused = r#"{"meta":{"status":400,"error":"ValidationError","error_message":"no\n","error_fields":{"app":"x"}}}"#;
        let words = r#"no {"app":"x"}"#.to_owned();
        assert_eq!(read(refused), Some((400, "ValidationError".to_owned(), words, Value::Null)));
        assert_eq!(envelope(refused).unwrap().fields, ["app"]);
        for bad in ["", "<html>", "[]", "{}", r#"{"meta":{}}"#, r#"{"meta":{"status":-1}}"#] {
            assert_eq!(envelope(bad), None, "{bad}");
        }
    }

    #[test]
    fn operations_that_were_ignored() {
        let read = |ignored: &str| {
            let text = format!(r#"{{"meta":{{"status":200,"ignored_operations":{ignored}}}}}"#);
            let told = |i: Ignored| format!("{}: {}", i.key, i.reason);
            envelope(&text).unwrap().ignored.into_iter().map(told).collect::<Vec<_>>()
        };
        assert_eq!(read("null"), [""; 0]);
        assert_eq!(read("[]"), [""; 0]);
        assert_eq!(
            read(r#"[{"operation":{"op":"add","key":"n","value":"x"},"reason":"no number"}]"#),
            ["n: no number"]
        );
        assert_eq!(read(r#"[{"key":"n"}, "what"]"#), ["n: ", ": "]);
        assert_eq!(read(r#"{"operation":{"key":"n"}}"#), ["n: "]);
    }

    #[test]
    fn the_frame_is_counted_to_the_byte() {
        let options = Options { tags: vec!["a".to_owned(), "b \"c\"".to_owned()], ..Options::default() };
        let id = "0123456789abcdef0123456789abcdef";
        let body = import_form(&options, &file_name(id), b"$user_id\n1\n".to_vec()).encode().1;
        assert_eq!(body.len() as u64, frame_bytes(&options) + 11);
    }
}
