//! The option `api`: which account, with which credentials, and how carefully.

use std::{collections::BTreeMap, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{Secret, abi::Problem, options::problem};

use crate::options::Plan;

/// An account that users are sent to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Api {
    /// The account: `acme` of `acme.zendesk.com`
    pub(crate) subdomain: String,
    /// Whose API token it is; with `api_token`
    #[serde(default)]
    pub(crate) email: Option<String>,
    /// An API token (Admin Center > Apps and integrations > APIs); with `email`
    #[serde(default)]
    pub(crate) api_token: Option<Secret>,
    /// Instead of `email` and `api_token`: an OAuth access token
    #[serde(default)]
    pub(crate) oauth_token: Option<Secret>,
    /// Create the organizations that users name before the users are sent; those that exist stay as they are
    #[serde(default)]
    pub(crate) create_organizations: bool,
    /// Ids of organizations by name. Without `create_organizations` no others are sent; with it, users of several
    /// organizations need those of organizations that exist
    #[serde(default)]
    pub(crate) organization_ids: BTreeMap<String, i64>,
    /// So many users go first, and unless Zendesk takes all of them, no other is sent; 0: none
    #[serde(default)]
    pub(crate) canary: u64,
    /// How often the account may be asked, if its `plan` does not say it
    #[serde(default)]
    pub(crate) rate: Option<Rate>,
    /// Where a stand-in for Zendesk on this machine listens (`http://127.0.0.1:8080`)
    #[serde(default)]
    pub(crate) api_base: Option<String>,
}

/// A plan, by how often its accounts may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Rate {
    Essential,
    Team,
    /// Growth, too
    Professional,
    Enterprise,
    /// Enterprise Plus, or the High Volume API add-on
    HighVolume,
}

impl Rate {
    /// As manifests write it; also the name of the rate limit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Team => "team",
            Self::Professional => "professional",
            Self::Enterprise => "enterprise",
            Self::HighVolume => "high_volume",
        }
    }
}

/// How a request says who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Credential<'a> {
    /// The user name of an API token, and the token (DEV-REQ).
    Token(&'a str, &'a Secret),
    /// DEV-REQ.
    Bearer(&'a Secret),
}

impl Api {
    /// What is wrong with the options, by what can be told without asking Zendesk.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |pointer: &str, message: String| {
            problems.push(problem(format!("/api/{pointer}"), "option.invalid", message));
        };
        if !is_subdomain(&self.subdomain) {
            let message = format!(
                "`{}` is no subdomain; write what stands before `.zendesk.com` in the account's address",
                self.subdomain
            );
            wrong("subdomain", message);
        }
        if let Some(base) = self.api_base.as_deref().filter(|base| !is_this_machine(base)) {
            let message = format!(
                "`{base}` is no address of this machine with a port, such as `http://127.0.0.1:8080`; leave it out to \
                 reach Zendesk"
            );
            wrong("api_base", message);
        }
        for (pointer, text) in [
            ("email", self.email.as_deref()),
            ("api_token", self.api_token.as_ref().map(Secret::reveal)),
            ("oauth_token", self.oauth_token.as_ref().map(Secret::reveal)),
        ] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                wrong(pointer, "it is empty".to_owned());
            }
        }
        match (&self.email, &self.api_token, &self.oauth_token) {
            (Some(_), Some(_), None) | (None, None, Some(_)) => {}
            (_, Some(_), None) => {
                wrong("email", "an API token needs the `email` of the person whose it is".to_owned());
            }
            (_, None, None) => wrong(
                "api_token",
                "give `email` and `api_token`, or `oauth_token`, so that Zendesk knows who asks".to_owned(),
            ),
            (_, _, Some(_)) => wrong(
                "oauth_token",
                "`email` and `api_token` say who asks already; keep one of the two".to_owned(),
            ),
        }
        problems
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        match &self.api_base {
            Some(base) => format!("{}{path}", base.trim_end_matches('/')),
            None => format!("https://{}.zendesk.com{path}", self.subdomain),
        }
    }

    /// Who asks; `None` when the options do not say.
    pub(crate) fn credential(&self) -> Option<Credential<'_>> {
        match (&self.oauth_token, &self.email, &self.api_token) {
            (Some(token), ..) => Some(Credential::Bearer(token)),
            (None, Some(email), Some(token)) => Some(Credential::Token(email, token)),
            _ => None,
        }
    }

    /// Where the credential stands, for problems.
    pub(crate) fn credential_pointer(&self) -> &'static str {
        if self.oauth_token.is_some() { "/api/oauth_token" } else { "/api/api_token" }
    }

    /// A text of Zendesk's without what must not be shown, should it repeat what it was sent.
    pub(crate) fn without_secrets(&self, text: &str) -> String {
        let secrets = [&self.api_token, &self.oauth_token].into_iter().flatten();
        secrets
            .filter(|secret| !secret.reveal().is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), "***"))
    }

    /// How often the account may be asked: by `rate`, by the plan, or else as the plan team, and whether that is known.
    pub(crate) fn rate(&self, plan: Option<Plan>) -> (Rate, bool) {
        match (self.rate, plan) {
            (Some(rate), _) => (rate, true),
            (None, Some(Plan::Team)) => (Rate::Team, true),
            (None, Some(Plan::Professional)) => (Rate::Professional, true),
            (None, Some(Plan::Enterprise)) => (Rate::Enterprise, true),
            (None, None) => (Rate::Team, false),
        }
    }
}

/// One label of a host name.
fn is_subdomain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// `http://`, a loopback host, a port. Nothing else is spoken to without TLS.
fn is_this_machine(base: &str) -> bool {
    let Some(authority) = base.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')) else {
        return false;
    };
    let Some((host, port)) = authority.rsplit_once(':') else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let loopback =
        host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Api, is_subdomain, is_this_machine};

    fn api(more: serde_json::Value) -> Api {
        let mut all = json!({ "subdomain": "acme" });
        let (Some(all_), Some(more)) = (all.as_object_mut(), more.as_object()) else { panic!("objects") };
        all_.extend(more.clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn subdomains_and_stand_ins() {
        for good in ["acme", "Acme-2"] {
            assert!(is_subdomain(good), "{good}");
        }
        for bad in ["", "acme.zendesk.com", "https://acme", "-a", "a-", "a/b", "a@b", "a:1"] {
            assert!(!is_subdomain(bad), "{bad}");
        }
        for good in ["http://127.0.0.1:80", "http://localhost:8080/", "http://[::1]:1"] {
            assert!(is_this_machine(good), "{good}");
        }
        for bad in [
            "http://example.com:80",
            "https://127.0.0.1:80",
            "127.0.0.1:80",
            "http://127.0.0.1",
            "http://127.0.0.1:80/x",
            "http://localhost.example.com:80",
            "http://user@127.0.0.1:80",
        ] {
            assert!(!is_this_machine(bad), "{bad}");
        }
        assert_eq!(api(json!({})).url("/x"), "https://acme.zendesk.com/x");
        assert_eq!(api(json!({ "api_base": "http://127.0.0.1:8080/" })).url("/x"), "http://127.0.0.1:8080/x");
    }

    #[test]
    fn exactly_one_credential_and_none_is_shown() {
        let pointers = |more| -> Vec<String> { api(more).check().into_iter().map(|p| p.pointer).collect() };
        assert_eq!(pointers(json!({ "email": "a@example.com", "api_token": "hush" })), [""; 0]);
        assert_eq!(pointers(json!({ "oauth_token": "hush" })), [""; 0]);
        assert_eq!(pointers(json!({})), ["/api/api_token"]);
        assert_eq!(pointers(json!({ "email": "a@example.com" })), ["/api/api_token"]);
        assert_eq!(pointers(json!({ "api_token": "hush" })), ["/api/email"]);
        let both = json!({ "email": "a@example.com", "api_token": "hush", "oauth_token": "hush" });
        assert_eq!(pointers(both), ["/api/oauth_token"]);
        assert_eq!(pointers(json!({ "email": " ", "api_token": "" })), ["/api/email", "/api/api_token"]);
        let api = api(json!({ "email": "a@example.com", "api_token": "hush-token" }));
        assert!(!format!("{api:?}{:?}", api.credential()).contains("hush"));
        assert_eq!(api.without_secrets("no hush-token"), "no ***");
    }
}
