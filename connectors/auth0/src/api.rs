//! Auth0's HTTP calls as text: what is sent and how replies are read. No sockets.
//!
//! Sources: `AUTH` the Authentication API, `OAS` the Management API, `EXP` Bulk User Exports, `COMM` Auth0's community on
//! the audience. The README has the addresses.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use usher_sdk::{Secret, abi::Error};

use crate::tenant::{Tenant, is_loopback};

/// Where tokens are asked for (`AUTH`).
pub(crate) const TOKEN: &str = "/oauth/token";
/// Where exports are ordered (`OAS`).
pub(crate) const EXPORTS: &str = "/api/v2/jobs/users-exports";

/// Where a job is asked for (`OAS`).
pub(crate) fn job_path(id: &str) -> String {
    format!("/api/v2/jobs/{id}")
}

/// The form that asks for a token with the application's own credentials (`AUTH`).
pub(crate) fn token_form(tenant: &Tenant) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", tenant.client_id.clone()),
        ("client_secret", tenant.client_secret.reveal().to_owned()),
        ("audience", tenant.audience()),
    ]
}

/// A token, as it comes (`AUTH`).
#[derive(Debug, Deserialize)]
pub(crate) struct TokenReply {
    pub(crate) access_token: Secret,
    /// Seconds.
    #[serde(default = "a_day")]
    pub(crate) expires_in: u64,
    /// What the application may do, with blanks between.
    #[serde(default)]
    pub(crate) scope: Option<String>,
}

/// What `AUTH` documents for tokens of the Management API.
fn a_day() -> u64 {
    86_400
}

/// A job, as it comes (`OAS`: `id`, `type` and `status` are always there).
#[derive(Debug, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) status: String,
    /// The link to the file, which is signed: whoever has it may download.
    #[serde(default)]
    pub(crate) location: Option<Secret>,
    #[serde(default)]
    time_left_seconds: Value,
    #[serde(default)]
    status_details: Value,
}

impl Job {
    /// Auth0's guess of how long it will take.
    pub(crate) fn seconds_left(&self) -> Option<u64> {
        self.time_left_seconds.as_u64()
    }

    /// Why it failed, in Auth0's words.
    pub(crate) fn why(&self) -> Option<&str> {
        self.status_details.as_str().filter(|text| !text.is_empty())
    }
}

/// Reads the reply to a request for a token.
pub(crate) fn token(text: &str) -> Result<TokenReply, Error> {
    read(text, "a token")
}

/// Reads the reply to an order, or to a question for a job. Its id goes into a path, so it must look like one.
pub(crate) fn job(text: &str) -> Result<Job, Error> {
    let job: Job = read(text, "a job")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if job.id.is_empty() || !job.id.bytes().all(plain) {
        return Err(Error::data("export.reply", "Auth0 answered a job whose id is none; run again"));
    }
    Ok(job)
}

/// The text itself may hold a token or a signed link, so no error repeats it.
fn read<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let message =
            format!("Auth0 answered something that is not {what} ({place}); see whether `domain` is right");
        Error::data("export.reply", message)
    })
}

/// The link to the file as a URL: the documented sample has no scheme. Anything but https is refused, unless both the
/// tenant and the link are on this machine.
pub(crate) fn link(location: &Secret, tenant: &Tenant) -> Result<Secret, Error> {
    let text = location.reveal();
    let here = |rest: &str| {
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        tenant.is_this_machine()
            && is_loopback(authority.rsplit_once(':').map_or(authority, |(host, _)| host))
    };
    let is_scheme = |scheme: &str| scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    match text.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        Some(("https", _)) => Ok(location.clone()),
        Some(("http", rest)) if here(rest) => Ok(location.clone()),
        Some((scheme, _)) => Err(Error::data(
            "export.link",
            format!(
                "Auth0 answered a link that begins with `{scheme}://`, which is not followed; only https is"
            ),
        )),
        None if here(text) => Ok(Secret::new(format!("http://{text}"))),
        None => Ok(Secret::new(format!("https://{text}"))),
    }
}

/// What a refusal says, in Auth0's own words. There are two forms (`OAS`: `message`, `AUTH`: `error_description`), and
/// either API may answer in the other's.
pub(crate) fn words(text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(text).ok()?;
    let said = ["message", "error_description", "error"].iter().find_map(|key| body[key].as_str())?;
    Some(said.chars().filter(|c| !c.is_control()).take(300).collect())
}

#[cfg(test)]
mod tests {
    use usher_sdk::Secret;

    use super::{job, link, token, words};
    use crate::tenant::Tenant;

    fn tenant(domain: &str) -> Tenant {
        let options = serde_json::json!({ "domain": domain, "client_id": "id", "client_secret": "hush" });
        serde_json::from_value(options).unwrap()
    }

    #[test]
    fn a_link_gets_the_scheme_that_it_lacks() {
        let at = |domain: &str, location: &str| {
            link(&Secret::new(location), &tenant(domain))
                .map(|link| link.reveal().to_owned())
                .map_err(|e| e.code.to_string())
        };
        let ok = |text: &str| Ok(text.to_owned());
        let refused = Err("export.link".to_owned());
        let (far, near) = ("acme.auth0.com", "127.0.0.1:80");
        assert_eq!(at(far, "files.example.com/a?b=c://d"), ok("https://files.example.com/a?b=c://d"));
        assert_eq!(at(far, "https://files.example.com/a"), ok("https://files.example.com/a"));
        assert_eq!(at(far, "http://files.example.com/a"), refused);
        assert_eq!(at(far, "http://127.0.0.1:80/a"), refused);
        assert_eq!(at(far, "127.0.0.1:80/a"), ok("https://127.0.0.1:80/a"));
        assert_eq!(at(near, "127.0.0.1:81/a"), ok("http://127.0.0.1:81/a"));
        assert_eq!(at(near, "http://localhost:81/a"), ok("http://localhost:81/a"));
        assert_eq!(at(near, "http://files.example.com/a"), refused);
        assert_eq!(at(near, "files.example.com/a"), ok("https://files.example.com/a"));
        assert_eq!(at(near, "file:///etc/passwd"), refused);
    }

    #[test]
    fn replies_may_say_more_and_less() {
        let bare =
            job(r#"{"id":"job_1","type":"users_export","status":"x","time_left_seconds":"soon","new":{}}"#)
                .unwrap();
        assert_eq!((bare.seconds_left(), bare.why(), bare.location.is_none()), (None, None, true));
        let full = job(r#"{"id":"job_1","status":"x","time_left_seconds":7,"status_details":"no"}"#).unwrap();
        assert_eq!((full.seconds_left(), full.why()), (Some(7), Some("no")));
        for bad in ["", "<html>", "[]", "{}", r#"{"id":"../x","status":"x"}"#, r#"{"id":"","status":"x"}"#] {
            assert_eq!(job(bad).unwrap_err().code, "export.reply", "{bad}");
        }
        assert_eq!(token(r#"{"access_token":"t"}"#).unwrap().expires_in, 86_400);
        let error = token(r#"{"access_token":["hush"]}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }

    #[test]
    fn no_debug_text_has_a_secret() {
        let job =
            job(r#"{"id":"job_1","status":"completed","location":"files.example.com/a?Signature=hush"}"#)
                .unwrap();
        let token = token(r#"{"access_token":"hush"}"#).unwrap();
        assert!(!format!("{job:?} {token:?}").contains("hush"));
    }

    #[test]
    fn refusals_come_in_two_forms() {
        assert_eq!(
            words(r#"{"statusCode":400,"error":"Bad Request","message":"no"}"#).as_deref(),
            Some("no")
        );
        let oauth = r#"{"error":"too_many_requests","error_description":"Rate limit exceeded."}"#;
        assert_eq!(words(oauth).as_deref(), Some("Rate limit exceeded."));
        assert_eq!(words(r#"{"error":"access_denied"}"#).as_deref(), Some("access_denied"));
        assert_eq!(words("<html>"), None);
        assert_eq!(words("{}"), None);
    }
}
