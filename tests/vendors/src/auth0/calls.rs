//! The calls: which path and method does what.

use std::time::Duration;

use serde_json::json;

use super::account::Account;
use crate::{
    clock,
    faults::Faults,
    message::{Asked, Reply},
};

/// An error in the Management API's own form.
pub(crate) fn refused(status: u16, error: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "statusCode": status, "error": error, "message": message }))
}

/// The two bodies of 429.
pub(crate) fn too_many(in_oauth_form: bool) -> Reply {
    if in_oauth_form {
        let body = json!({ "error": "too_many_requests", "error_description": "Rate limit exceeded." });
        return Reply::json(429, &body);
    }
    let headers = "Check the X-RateLimit-Limit, X-RateLimit-Remaining and X-RateLimit-Reset headers.";
    refused(429, "Too Many Requests", &format!("Too many requests. {headers}"))
}

pub(crate) fn answer(account: &mut Account, asked: &Asked, faults: &Faults) -> Reply {
    let path = asked.path.as_str();
    if path == "/oauth/token" && asked.method == "POST" {
        return account.token(asked).unwrap_or_else(|refused| refused);
    }
    if let Some(file) = path.strip_prefix("/files/") {
        return account.download(file, asked, faults);
    }
    let reply = match account.bucket.take() {
        Ok(()) => managed(account, asked, faults).unwrap_or_else(|refused| refused),
        Err(wait) => {
            account.throttled += 1;
            too_many(account.settings.throttles_in_oauth_form).with("retry-after", clock::whole_seconds(wait))
        }
    };
    let bucket = &account.bucket;
    reply
        .with("x-ratelimit-limit", bucket.most())
        .with("x-ratelimit-remaining", bucket.remaining())
        .with("x-ratelimit-reset", clock::epoch_in(bucket.full_in().max(Duration::from_millis(1))))
}

fn managed(account: &mut Account, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
    let Some(path) = asked.path.strip_prefix("/api/v2/") else {
        return Err(refused(404, "Not Found", "Not Found"));
    };
    let token = asked.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    if !token.is_some_and(|token| account.tokens.iter().any(|known| known == token)) {
        return Err(refused(401, "Unauthorized", "Invalid token"));
    }
    match (asked.method.as_str(), path) {
        ("POST", "jobs/users-exports") => {
            account.may(&["read:users".to_owned()])?;
            account.order(asked, faults)
        }
        ("GET", _) if let Some(rest) = path.strip_prefix("jobs/") => {
            account.may(&account.settings.polling_scopes.clone())?;
            match rest.strip_suffix("/errors") {
                Some(id) => account.job_errors(id),
                None => account.show_job(rest, asked, faults),
            }
        }
        _ => Err(refused(404, "Not Found", "Not Found")),
    }
}

impl Account {
    fn may(&self, any_of: &[String]) -> Result<(), Reply> {
        if any_of.iter().any(|scope| self.settings.scopes.contains(scope)) {
            return Ok(());
        }
        Err(refused(403, "Forbidden", &format!("Insufficient scope, expected any of: {}", any_of.join(","))))
    }
}
