//! The calls: which path and method does what.

use std::time::Duration;

use serde_json::{Value, json};

use super::{account::Account, envelope};
use crate::{
    clock,
    message::{Asked, Reply},
    multipart, text,
};

/// Parameters of a request, wherever they stand: in the URL, a form, or parts.
pub(crate) struct Parameters(pub(crate) Vec<(String, String)>);

impl Parameters {
    fn of(account: &Account, asked: &Asked) -> Self {
        let mut all = asked.query.clone();
        let kind = asked.header("content-type").unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") {
            all.extend(asked.form());
        } else if kind.starts_with("multipart/") {
            let parts = multipart::parts(kind, &asked.body).unwrap_or_default();
            all.extend(parts.iter().filter(|p| p.file_name.is_none()).map(|p| (p.name.clone(), p.text())));
        } else if kind.starts_with("application/json") && account.settings.takes_json {
            let body = asked.json().unwrap_or_default();
            for (name, value) in body.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                all.push((name.clone(), value));
            }
        }
        Self(all)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The vendor's own rule: `false` in any case, `0` and nothing are false, anything else is true.
    pub(crate) fn flag(&self, name: &str, otherwise: bool) -> bool {
        self.get(name).map_or(otherwise, |value| !matches!(value.to_lowercase().as_str(), "false" | "0" | ""))
    }
}

pub(crate) fn answer(account: &mut Account, asked: &Asked) -> Reply {
    if let Err(wait) = account.window.take() {
        account.throttled += 1;
        return too_many(account, wait);
    }
    let parameters = Parameters::of(account, asked);
    routed(account, asked, &parameters).unwrap_or_else(|refused| refused)
}

fn too_many(account: &Account, wait: Duration) -> Reply {
    let reply = envelope::too_many();
    if account.settings.tells_retry_after {
        reply.with("retry-after", clock::whole_seconds(wait))
    } else {
        reply
    }
}

fn routed(account: &mut Account, asked: &Asked, parameters: &Parameters) -> Result<Reply, Reply> {
    let header = asked.header("authorization").unwrap_or_default();
    let token = header.strip_prefix("Token ").or_else(|| header.strip_prefix("Bearer "));
    if token.or_else(|| parameters.get("auth_token")) != Some(account.settings.token.as_str()) {
        return Err(envelope::error(401, "NotAuthenticated", "the token is wrong, expired or missing"));
    }
    let segments: Vec<String> =
        asked.path.split('/').filter(|s| !s.is_empty()).map(|s| text::decoded(s, false)).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let wants = |method: &str| match asked.method == method {
        true => Ok(()),
        false => Err(envelope::error(405, "MethodNotAllowed", "another verb is wanted")),
    };
    match segments[..] {
        ["users", "import"] => wants("POST").and_then(|()| account.import(asked, parameters)),
        ["users", id, "props"] => wants("POST").and_then(|()| account.push(id, parameters)),
        ["users", id] => wants("GET").and_then(|()| show(account, id, parameters)),
        ["apps", app, "users"] => wants("GET").and_then(|()| list(account, app, parameters)),
        _ => Err(envelope::error(404, "Error404", "no such method")),
    }
}

/// The vendor's id of whoever a path names.
pub(crate) fn known(account: &Account, id: &str, parameters: &Parameters) -> Option<u64> {
    match parameters.flag("by_user_id", false) {
        true => account.by_user_id.get(id).copied(),
        false => id.parse().ok().filter(|id| account.users.contains_key(id)),
    }
}

fn show(account: &Account, id: &str, parameters: &Parameters) -> Result<Reply, Reply> {
    let id = known(account, id, parameters).ok_or_else(|| envelope::lookup("there is no such user"))?;
    let as_text = !parameters.flag("convert_props_types", true);
    let asks = |name: &str, otherwise| parameters.flag(name, otherwise);
    Ok(envelope::data(account.users[&id].shown(&account.settings.app, asks, as_text)))
}

/// Those active last come first; optional parts of users cannot be asked for.
fn list(account: &Account, app: &str, parameters: &Parameters) -> Result<Reply, Reply> {
    account.is_app(app)?;
    let number = |name: &str, otherwise: usize| match parameters.get(name) {
        Some(text) => text.parse().map_err(|_| envelope::invalid(name, "an integer is wanted")),
        None => Ok(otherwise),
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", 20)?);
    if !(1..=50).contains(&limit) {
        return Err(envelope::invalid("limit", "from 1 to 50"));
    }
    let is_old = |user: &&super::User| user.made.elapsed() >= account.settings.list_delay;
    let mut users: Vec<&super::User> = account.users.values().filter(is_old).collect();
    users.sort_by_key(|user| std::cmp::Reverse(user.activity));
    let as_text = !parameters.flag("convert_props_types", true);
    let asks = |name: &str, otherwise: bool| {
        if name == "id_as_string" { parameters.flag(name, false) } else { otherwise }
    };
    let page = users.into_iter().skip(offset).take(limit);
    let page: Vec<Value> = page.map(|user| user.shown(&account.settings.app, asks, as_text)).collect();
    let data = if account.settings.list_right_in_data { json!(page) } else { json!({ "users": page }) };
    Ok(envelope::data(data))
}

impl Account {
    /// Whether a parameter names this app: by its id, or as the token's own.
    pub(crate) fn is_app(&self, app: &str) -> Result<(), Reply> {
        match app == self.settings.app || app == "$self_app" {
            true => Ok(()),
            false => Err(envelope::lookup("there is no such app")),
        }
    }
}
