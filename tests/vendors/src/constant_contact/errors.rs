//! Errors in the vendor's two forms: an array, or one object where somebody may not.

use serde_json::{Value, json};

use crate::message::Reply;

fn error(key: &str, message: &str) -> Value {
    json!({ "error_key": key, "error_message": message })
}

/// Most errors: an array.
pub(crate) fn refused(status: u16, key: &str, message: &str) -> Reply {
    Reply::json(status, &json!([error(key, message)]))
}

/// Errors of authorization: one object.
pub(crate) fn denied(status: u16, key: &str, message: &str) -> Reply {
    Reply::json(status, &error(key, message))
}

/// What is wrong with a request.
pub(crate) fn invalid(message: &str) -> Reply {
    refused(400, "contacts.api.validation.error", message)
}

/// A thing that is not there; the key is unverified.
pub(crate) fn not_found() -> Reply {
    refused(404, "contacts.api.not_found", "the requested resource was not found")
}

/// A name that is taken; the key is unverified.
pub(crate) fn conflict(message: &str) -> Reply {
    refused(409, "contacts.api.conflict", message)
}
