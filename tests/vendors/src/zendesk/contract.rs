//! Zendesk's description, where reality differs, and what the sheet adds to it.

use std::sync::OnceLock;

use serde_json::Value;

use super::calls::Row;
use crate::contract::{Contract, Document, Exception};

/// Replies that the vendor's own description does not fit.
const EXCEPTIONS: &[Exception] = &[
    Exception { line: "", holds: "status 4", reason: "the description lists successes only" },
    Exception {
        line: "GET /api/v2/job_statuses",
        holds: "/results",
        reason: "recorded results of jobs have other members (sheet, 4.5)",
    },
    Exception { line: "GET /api/v2/users/me", holds: "", reason: "recorded users hold null in most members" },
    Exception { line: "GET /api/v2/users/show_many", holds: "", reason: "the same" },
    Exception { line: "POST /api/v2/users/create_or_update", holds: "", reason: "the same" },
];

pub(crate) fn contract() -> &'static Contract {
    static READ: OnceLock<Contract> = OnceLock::new();
    READ.get_or_init(|| Contract {
        documents: vec![Document::new("zendesk", "", include_str!("../../openapi/zendesk.json"))],
        outside: &[],
        in_links: &[],
        ending: ".json", // with or without, both work
        exceptions: EXCEPTIONS,
    })
}

/// The user to be written (sheet, 4.4): the description names a few of its members, and allows any type for the others.
const PROPERTIES: [(&str, &str); 33] = [
    ("id", "integer"),
    ("name", "string"),
    ("email", "string"),
    ("identities", "array"),
    ("phone", "string"),
    ("shared_phone_number", "boolean"),
    ("external_id", "string"),
    ("role", "string"),
    ("custom_role_id", "integer"),
    ("ticket_restriction", "string or null"),
    ("organization", "object"),
    ("organization_id", "integer"),
    ("organization_ids", "array"),
    ("organization_name", "string"),
    ("details", "string"),
    ("notes", "string"),
    ("alias", "string"),
    ("signature", "string"),
    ("remote_photo_url", "string"),
    ("tags", "array"),
    ("time_zone", "string"),
    ("locale", "string"),
    ("locale_id", "integer"),
    ("moderator", "boolean"),
    ("only_private_comments", "boolean"),
    ("suspended", "boolean"),
    ("skip_verify_email", "boolean"),
    ("verified", "boolean"),
    ("default_group_id", "integer"),
    ("user_fields", "object"),
    ("agent_brand_ids", "array"),
    ("password", "string"),
    (super::calls::BY_EXTERNAL_ID, "string"),
];

/// Members of a user that the sheet does not know, or knows with another type.
pub(crate) fn departures(row: &Row) -> Vec<String> {
    let wrong = row.iter().filter_map(|(name, value)| {
        let Some((_, kind)) = PROPERTIES.iter().find(|(known, _)| known == name) else {
            return Some(format!("{name} is no property of users"));
        };
        let fits = match *kind {
            "integer" => value.is_i64(),
            "array" => value.is_array(),
            "boolean" => value.is_boolean(),
            "object" => value.is_object(),
            "string or null" => value.is_string() || value.is_null(),
            _ => value.is_string(),
        };
        (!fits).then(|| format!("{name} is {value}, no {kind}"))
    });
    let methods =
        row.get("identities").and_then(Value::as_array).into_iter().flatten().filter_map(|identity| {
            let method = identity["verification_method"].as_str()?;
            (!["none", "low"].contains(&method))
                .then(|| format!("verification_method {method} cannot be set"))
        });
    wrong.chain(methods).collect()
}
