//! `POST /oauth/token`: the application's own credentials for a token of the Management API.

use serde_json::{Value, json};

use super::account::Account;
use crate::message::{Asked, Reply};

impl Account {
    /// A form, or JSON.
    pub(crate) fn token(&mut self, asked: &Asked) -> Result<Reply, Reply> {
        let is_json = asked.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
        let body = if is_json { asked.json().unwrap_or_default() } else { Value::Null };
        let form = asked.form();
        let field = |name: &str| match is_json {
            true => body[name].as_str().unwrap_or_default(),
            false => form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default(),
        };
        if field("grant_type") != "client_credentials" {
            return Err(refused(403, "unsupported_grant_type", "Unsupported grant type"));
        }
        let settings = &self.settings;
        if field("client_id") != settings.client_id || field("client_secret") != settings.client_secret {
            return Err(refused(401, "access_denied", "Unauthorized"));
        }
        // With the slash at its end, or not at all.
        let audience = format!("https://{}/api/v2/", asked.header("host").unwrap_or_default());
        if field("audience") != audience {
            let description = format!("Service not enabled within domain: {}", field("audience"));
            return Err(refused(403, "access_denied", &description));
        }
        let token = format!("eyJ.hush-token-{}.{:016x}", self.tokens.len() + 1, fastrand::u64(..));
        self.tokens.push(token.clone());
        let scope = self.settings.scopes.join(" ");
        let body =
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 86_400, "scope": scope });
        Ok(Reply::json(200, &body))
    }
}

/// OAuth's own form of errors, not the Management API's.
fn refused(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "error_description": description }))
}
