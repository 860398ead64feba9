//! The envelope that every reply comes in.

use serde_json::{Value, json};

use crate::message::Reply;

/// A success: the status is told twice.
pub(crate) fn data(data: Value) -> Reply {
    Reply::json(200, &json!({ "meta": { "status": 200 }, "data": data }))
}

/// An error by its name.
pub(crate) fn error(status: u16, name: &str, message: &str) -> Reply {
    let meta = json!({ "status": status, "error": name, "error_message": message });
    Reply::json(status, &json!({ "meta": meta, "data": {} }))
}

/// A bad or missing argument; the form of `error_fields` is unverified.
pub(crate) fn invalid(field: &str, message: &str) -> Reply {
    let mut fields = json!({});
    fields[field] = json!(message);
    let meta = json!({ "status": 400, "error": "ValidationError", "error_message": message, "error_fields": fields });
    Reply::json(400, &json!({ "meta": meta, "data": {} }))
}

pub(crate) fn too_many() -> Reply {
    error(429, "TooManyRequests", "too many requests")
}

/// An id that is not there.
pub(crate) fn lookup(what: &str) -> Reply {
    error(400, "LookupError", what)
}
