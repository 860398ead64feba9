//! The option `tenant`: whose users are exported, and with which credentials.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{
    Secret,
    abi::Problem,
    options::{problem, warning},
};

/// A tenant that is asked for an export.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Tenant {
    /// The tenant's own domain (`acme.eu.auth0.com`), not a custom one
    pub(crate) domain: String,
    /// Of a machine-to-machine application that may use the Management API with the scope `read:users`
    pub(crate) client_id: String,
    /// The application's secret
    pub(crate) client_secret: Secret,
    /// Export the users of this connection only (`con_` and 16 characters; not the connection's name)
    #[serde(default)]
    pub(crate) connection_id: Option<String>,
    /// What Auth0 writes: `json` (one object a line) keeps what `csv` loses
    #[serde(default)]
    pub(crate) format: ExportFormat,
    /// Export so many users at most
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(crate) limit: Option<u64>,
}

/// Form of an export, as the job's `format` has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum ExportFormat {
    #[default]
    Json,
    Csv,
}

impl ExportFormat {
    /// The name, as options write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }
}

impl Tenant {
    /// What is wrong with the options, by what can be told without asking Auth0.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let host = host(&self.domain);
        if !is_domain(&self.domain) {
            let message = format!(
                "`{}` is no domain; write it as the Dashboard shows it, without scheme and path: acme.eu.auth0.com",
                self.domain
            );
            problems.push(problem("/tenant/domain", "tenant.domain", message));
        } else if !host.to_ascii_lowercase().ends_with(".auth0.com") && !self.is_this_machine() {
            let message = format!(
                "`{host}` does not end with `.auth0.com`; give the tenant's own domain, since tokens for the Management \
                 API are asked for by that one"
            );
            problems.push(warning("/tenant/domain", "tenant.custom-domain", message));
        }
        for (pointer, text) in [
            ("/tenant/client_id", self.client_id.as_str()),
            ("/tenant/client_secret", self.client_secret.reveal()),
        ] {
            if text.trim().is_empty() {
                let message = "it is empty; the Dashboard shows it in the settings of the application";
                problems.push(problem(pointer, "option.invalid", message));
            }
        }
        if let Some(id) = self.connection_id.as_deref().filter(|id| !is_connection_id(id)) {
            let message = format!(
                "`{id}` is no id of a connection (`con_` and 16 letters or digits); a connection's name is not its id"
            );
            problems.push(problem("/tenant/connection_id", "tenant.connection-id", message));
        }
        if self.limit == Some(0) {
            let message = "at least 1; leave it out to export all users";
            problems.push(problem("/tenant/limit", "option.invalid", message));
        }
        problems
    }

    /// A URL of the tenant.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.is_this_machine() { "http" } else { "https" };
        format!("{scheme}://{}{path}", self.domain)
    }

    /// Whom the token is for: the Management API, with the slash at the end (`COMM`). A name, not an address: a stand-in has
    /// the same.
    pub(crate) fn audience(&self) -> String {
        format!("https://{}/api/v2/", self.domain)
    }

    /// Whether a stand-in for Auth0 on this machine is meant (`127.0.0.1:8080`), which is spoken to without TLS.
    pub(crate) fn is_this_machine(&self) -> bool {
        self.domain.rsplit_once(':').is_some_and(|(host, port)| is_loopback(host) && is_port(port))
    }
}

/// `localhost` and the loopback addresses.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// A domain without its port.
fn host(domain: &str) -> &str {
    domain.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(domain, |(host, _)| host)
}

fn is_domain(text: &str) -> bool {
    let host = host(text);
    let labels = || host.split('.');
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_loopback(host) || labels().count() > 1 && labels().all(label)
}

/// `^con_[A-Za-z0-9]{16}$` (`OAS`).
fn is_connection_id(text: &str) -> bool {
    let rest = text.strip_prefix("con_");
    rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use usher_sdk::Secret;

    use super::{ExportFormat, Tenant};

    fn tenant(domain: &str) -> Tenant {
        Tenant {
            domain: domain.to_owned(),
            client_id: "id".to_owned(),
            client_secret: Secret::new("hush"),
            connection_id: None,
            format: ExportFormat::Json,
            limit: None,
        }
    }

    fn codes(tenant: &Tenant) -> Vec<String> {
        tenant.check().into_iter().map(|p| p.code).collect()
    }

    #[test]
    fn domains() {
        for good in
            ["acme.auth0.com", "acme.eu.auth0.com", "ACME.Auth0.com", "127.0.0.1:80", "localhost:8080"]
        {
            assert_eq!(codes(&tenant(good)), [""; 0], "{good}");
        }
        for bad in
            ["", "acme", "https://acme.auth0.com", "acme.auth0.com/", "a b.auth0.com", "acme..com", "u@a.com"]
        {
            assert_eq!(codes(&tenant(bad)), ["tenant.domain"], "{bad}");
        }
        for custom in ["login.acme.com", "auth0.com", "acme.auth0.com.evil.org", "evilauth0.com", "127.0.0.1"]
        {
            assert_eq!(codes(&tenant(custom)), ["tenant.custom-domain"], "{custom}");
        }
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        assert_eq!(tenant("acme.auth0.com").audience(), "https://acme.auth0.com/api/v2/");
        assert_eq!(tenant("127.0.0.1:8080").audience(), "https://127.0.0.1:8080/api/v2/");
        assert_eq!(tenant("127.0.0.1:8080").url("/x"), "http://127.0.0.1:8080/x");
        assert_eq!(tenant("[::1]:8080").url("/x"), "http://[::1]:8080/x");
        for other in
            ["127.0.0.1", "localhost", "128.0.0.1:80", "localhost.evil.org:80", "acme.auth0.com:8080"]
        {
            assert!(tenant(other).url("/").starts_with("https://"), "{other}");
        }
    }

    #[test]
    fn ids_and_secrets() {
        let with = |id: &str| Tenant { connection_id: Some(id.to_owned()), ..tenant("acme.auth0.com") };
        assert_eq!(codes(&with("con_0000000000AbCdEf")), [""; 0]);
        for bad in [
            "Username-Password-Authentication",
            "con_000000000000000",
            "con_00000000000000000",
            "con_000000000000000-",
        ] {
            assert_eq!(codes(&with(bad)), ["tenant.connection-id"], "{bad}");
        }
        let empty =
            Tenant { client_id: " ".to_owned(), client_secret: Secret::new(""), ..tenant("acme.auth0.com") };
        assert_eq!(codes(&empty), ["option.invalid"; 2]);
        assert_eq!(codes(&Tenant { limit: Some(0), ..tenant("acme.auth0.com") }), ["option.invalid"]);
        assert!(!format!("{:?}", tenant("acme.auth0.com")).contains("hush"));
    }
}
