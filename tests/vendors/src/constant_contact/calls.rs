//! The calls: which path and method does what.

use serde_json::json;

use super::{
    account::Account,
    errors::{denied, not_found, refused},
};
use crate::{
    faults::Faults,
    message::{Asked, Reply},
};

pub(crate) fn answer(account: &mut Account, asked: &Asked, faults: &Faults) -> Reply {
    let reply = match (asked.method.as_str(), asked.path.as_str()) {
        ("POST", "/oauth2/default/v1/token") => account.oauth.token(&account.settings, asked),
        ("POST", "/oauth2/default/v1/device/authorize") => account.oauth.device(&account.settings, asked),
        _ => limited(account)
            .and_then(|()| allowed(account, asked))
            .and_then(|()| routed(account, asked, faults)),
    };
    let reply = reply.unwrap_or_else(|refused| refused);
    account.throttled += u32::from(reply.status == 429);
    reply
}

/// Neither headers nor a time to wait: the vendor gives none.
fn limited(account: &mut Account) -> Result<(), Reply> {
    let refuse = if account.settings.throttles_with_one_object { denied } else { refused };
    account.second.take().map_err(|_| refuse(429, "throttled", "Too Many Requests"))?;
    account.day.take().map_err(|_| refuse(429, "quota_exceeded", "Limit Exceeded"))
}

fn allowed(account: &Account, asked: &Asked) -> Result<(), Reply> {
    let token = asked.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    if !token.is_some_and(|token| account.oauth.is_good(token, &account.settings)) {
        return Err(denied(401, "unauthorized", "Unauthorized"));
    }
    let scope = if asked.path.starts_with("/v3/account/") { "account_read" } else { "contact_data" };
    let settings = &account.settings;
    if !settings.scopes.iter().any(|known| known == scope) {
        return Err(denied(403, "forbidden", "you lack the necessary scopes"));
    }
    // The description names a privilege for each call.
    let privilege = match (asked.method.as_str(), asked.path.as_str()) {
        (_, path) if path.starts_with("/v3/activities") => "contacts:write",
        ("POST", "/v3/contact_lists") => "contacts:lists:write",
        _ => return Ok(()),
    };
    match settings.privileges.iter().any(|known| known == privilege) {
        true => Ok(()),
        false => Err(denied(403, "forbidden", "you lack the necessary user privileges")),
    }
}

fn routed(account: &mut Account, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
    let path = asked.path.strip_prefix("/v3/").ok_or_else(not_found)?;
    match (asked.method.as_str(), path) {
        ("POST", "activities/contacts_file_import") => account.import_file(asked, faults),
        ("POST", "activities/contacts_json_import") => account.import_json(asked, faults),
        ("POST", "activities/contacts_taggings_add") => account.start_tagging(asked, faults),
        ("GET", "activities") => account.show_activities(asked),
        ("GET", _) if let Some(id) = path.strip_prefix("activities/") => {
            account.show_activity(id, faults, &asked.line())
        }
        ("GET", "contacts") => account.show_contacts(asked),
        ("POST", "contacts/sign_up_form") => account.sign_up(asked),
        ("GET", "contact_lists") => account.show_lists(asked),
        ("POST", "contact_lists") => account.make_list(asked),
        ("GET", "contact_custom_fields") => account.show_fields(asked),
        ("POST", "contact_custom_fields") => account.make_field(asked),
        ("GET", "contact_tags") => account.show_tags(asked),
        ("POST", "contact_tags") => account.make_tag(asked),
        ("GET", "account/summary") => Ok(summary()),
        ("GET", "account/user/privileges") => Ok(privileges(account)),
        _ => Err(not_found()),
    }
}

fn privileges(account: &Account) -> Reply {
    let privilege = |name: &String| json!({ "privilege_id": 30, "privilege_name": name });
    Reply::json(200, &account.settings.privileges.iter().map(privilege).collect::<Vec<_>>().into())
}

fn summary() -> Reply {
    let body = json!({
        "encoded_account_id": "a07e1hush",
        "organization_name": "Acme",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "contact_email": "ada@example.com",
        "country_code": "us",
        "state_code": "NY",
        "time_zone_id": "US/Eastern",
    });
    Reply::json(200, &body)
}
