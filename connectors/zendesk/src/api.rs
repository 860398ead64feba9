//! Zendesk's HTTP calls as text: what is sent, and how replies are read. No sockets.
//!
//! Sources are the short names of `README.md`.

use serde::Deserialize;
use serde_json::Value;

use crate::options::ImportType;

/// Who asks (OAS, NODE).
pub(crate) const ME: &str = "/api/v2/users/me";
/// The definitions of user fields (OAS).
pub(crate) const USER_FIELDS: &str = "/api/v2/user_fields";
/// The roles of agents, on Enterprise plans (OAS).
pub(crate) const CUSTOM_ROLES: &str = "/api/v2/custom_roles";
/// The languages of the account (OAS, DEV-LOC).
pub(crate) const LOCALES: &str = "/api/v2/locales";

/// Where several jobs are asked for (OAS); ids are those that [`Job::of`] has let through.
pub(crate) fn jobs_path(ids: &[&str]) -> String {
    format!("/api/v2/job_statuses/show_many?ids={}", ids.join(","))
}

/// Where one job is asked for (OAS).
pub(crate) fn job_path(id: &str) -> String {
    format!("/api/v2/job_statuses/{id}")
}

/// Most bytes of a list in a URL. Ours: the vendor names none, and servers commonly take 8,000 of a URL.
const LIST_BYTES: usize = 6_000;
/// Most ids of a question (DEV-USR, DEV-ORG).
const LIST_IDS: usize = 100;

/// Where users are asked for by their external ids, in as many questions as it takes (DEV-USR, "Show Many Users").
pub(crate) fn users_paths<'k>(external_ids: impl Iterator<Item = &'k str>) -> Vec<String> {
    lists("/api/v2/users/show_many?external_ids=", external_ids.map(encoded))
}

/// Where organizations are asked for by their ids (DEV-ORG, "Show Many Organizations").
pub(crate) fn organizations_paths(ids: impl Iterator<Item = i64>) -> Vec<String> {
    lists("/api/v2/organizations/show_many?ids=", ids.map(|id| id.to_string()))
}

fn lists(begin: &str, items: impl Iterator<Item = String>) -> Vec<String> {
    let (mut paths, mut list, mut count) = (Vec::new(), String::new(), 0);
    for item in items {
        if count > 0 && (count == LIST_IDS || list.len() + 1 + item.len() > LIST_BYTES) {
            paths.push(format!("{begin}{list}"));
            (list, count) = (String::new(), 0);
        }
        list += if count > 0 { "," } else { "" };
        list += &item;
        count += 1;
    }
    if count > 0 {
        paths.push(format!("{begin}{list}"));
    }
    paths
}

/// A text within a URL (RFC 3986).
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() + 8), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
        out
    })
}

/// What is sent by the hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    Users(ImportType),
    Organizations,
}

impl Load {
    /// Method and path (DEV-USR, DEV-ORG, OAS).
    pub(crate) fn call(self) -> (&'static str, &'static str) {
        match self {
            Self::Users(ImportType::Create) => ("POST", "/api/v2/users/create_many"),
            Self::Users(ImportType::Update) => ("PUT", "/api/v2/users/update_many"),
            Self::Users(ImportType::CreateAndUpdate) => ("POST", "/api/v2/users/create_or_update_many"),
            Self::Organizations => ("POST", "/api/v2/organizations/create_many"),
        }
    }

    /// Whether sending it twice does what sending it once does: an upsert, by its keys (DEV-USR); an update puts the
    /// same values again. What creates finds its own work in its way the second time, unless it looks first.
    pub(crate) fn is_idempotent(self) -> bool {
        matches!(self, Self::Users(ImportType::Update | ImportType::CreateAndUpdate))
    }

    /// The member of the body.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Users(_) => "users",
            Self::Organizations => "organizations",
        }
    }

    /// The body: the records, one JSON object a line, as an array.
    pub(crate) fn body(self, records: &[u8]) -> Vec<u8> {
        let mut body = Vec::with_capacity(records.len() + 32);
        body.extend_from_slice(b"{\"");
        body.extend_from_slice(self.member().as_bytes());
        body.extend_from_slice(b"\":[");
        let lines = records.strip_suffix(b"\n").unwrap_or(records);
        // A line end within a text is escaped in JSON, so these are the ends of records.
        body.extend(lines.iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }));
        body.extend_from_slice(b"]}");
        body
    }
}

/// A job, as far as it matters (DEV-JOB, OAS, ZENPY).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) results: Value,
    /// As it came, for the run's folder should it not be understood.
    pub(crate) text: String,
}

impl Job {
    /// Reads a job; its id goes into URLs, so it must look like one (`V3-` and 32 digits, or 32 digits, in records).
    fn of(value: &Value) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let id = value["id"].as_str().filter(|id| {
            !id.is_empty() && id.len() <= 200 && id.bytes().all(plain) && !id.starts_with('.')
        })?;
        Some(Self {
            id: id.to_owned(),
            status: value["status"].as_str()?.to_owned(),
            results: value["results"].clone(),
            text: value.to_string(),
        })
    }

    /// From the reply to a request that begins or shows one.
    pub(crate) fn one(text: &str) -> Option<Self> {
        Self::of(&serde_json::from_str::<Value>(text).ok()?["job_status"])
    }

    /// From the reply to a question for several: the jobs, and what cannot be read as one.
    pub(crate) fn many(text: &str) -> Option<(Vec<Self>, Vec<Value>)> {
        let reply: Value = serde_json::from_str(text).ok()?;
        let (mut jobs, mut riddles) = (Vec::new(), Vec::new());
        for listed in reply["job_statuses"].as_array()? {
            match Self::of(listed) {
                Some(job) => jobs.push(job),
                None => riddles.push(listed.clone()),
            }
        }
        Some((jobs, riddles))
    }
}

/// The reply to a question for users by their external ids.
#[derive(Debug, Deserialize)]
pub(crate) struct UsersReply {
    pub(crate) users: Vec<UserReply>,
}

/// A user, as far as it matters.
#[derive(Debug, Deserialize)]
pub(crate) struct UserReply {
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) external_id: Option<String>,
}

/// The reply to a question for organizations by their ids.
#[derive(Debug, Deserialize)]
pub(crate) struct OrganizationsReply {
    pub(crate) organizations: Vec<OrganizationReply>,
}

/// An organization, as far as it matters.
#[derive(Debug, Deserialize)]
pub(crate) struct OrganizationReply {
    pub(crate) id: i64,
}

/// The reply of [`ME`].
#[derive(Debug, Deserialize)]
pub(crate) struct MeReply {
    pub(crate) user: Me,
}

/// Who asks. A wrong token is answered 200 with an anonymous user, who has no id (NODE).
#[derive(Debug, Deserialize)]
pub(crate) struct Me {
    #[serde(default)]
    pub(crate) id: Option<i64>,
    #[serde(default)]
    pub(crate) role: Option<String>,
}

/// A page of [`USER_FIELDS`].
#[derive(Debug, Deserialize)]
pub(crate) struct FieldsReply {
    pub(crate) user_fields: Vec<FieldReply>,
    #[serde(default)]
    pub(crate) next_page: Option<String>,
}

/// A user field, as it comes.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct FieldReply {
    pub(crate) key: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) active: Option<bool>,
    #[serde(default)]
    pub(crate) custom_field_options: Option<Vec<OptionReply>>,
}

/// An option of a drop-down.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OptionReply {
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The reply of [`CUSTOM_ROLES`].
#[derive(Debug, Deserialize)]
pub(crate) struct RolesReply {
    pub(crate) custom_roles: Vec<RoleReply>,
}

/// A role of agents.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RoleReply {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// 1: light agent (OAS).
    #[serde(default)]
    pub(crate) role_type: Option<i64>,
}

/// The reply of [`LOCALES`].
#[derive(Debug, Deserialize)]
pub(crate) struct LocalesReply {
    pub(crate) locales: Vec<LocaleReply>,
}

/// A language of the account.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct LocaleReply {
    pub(crate) locale: String,
}

/// Path and parameters of the URL of a further page, whatever its host is.
pub(crate) fn path_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map(|at| &rest[at..]).filter(|path| path.starts_with("/api/v2/"))
}

/// The name of the error in a body (`TooManyJobs`), where it has one.
pub(crate) fn error_name(text: &str) -> Option<String> {
    let body: Value = serde_json::from_str(text).ok()?;
    body["error"].as_str().map(str::to_owned)
}

/// What a refusal says, in Zendesk's own words. Bodies are JSON of two forms, plain text or HTML (DEV-REQ).
pub(crate) fn words(text: &str) -> Option<String> {
    let short = |said: &str| -> Option<String> {
        let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
        (!said.trim().is_empty()).then_some(said)
    };
    let Ok(body) = serde_json::from_str::<Value>(text) else {
        return if text.trim_start().starts_with('<') { None } else { short(text) };
    };
    let error = match &body["error"] {
        Value::Object(error) => error.get("message").or_else(|| error.get("title")).and_then(Value::as_str),
        error => error.as_str(),
    };
    let more = descriptions(&body["details"]);
    let said = [error, body["description"].as_str(), (!more.is_empty()).then_some(more.as_str())];
    short(&said.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

/// All `description`s within a value, joined.
pub(crate) fn descriptions(value: &Value) -> String {
    let mut found = Vec::new();
    collect(value, "description", &mut found);
    found.join("; ")
}

/// All texts under this key within a value.
pub(crate) fn collect<'v>(value: &'v Value, key: &str, into: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if name == key => into.push(text),
                    _ => collect(member, key, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_arrays_of_the_records() {
        let users = Load::Users(ImportType::Create);
        assert_eq!(users.body(b"{\"a\":\"\\n\"}\n{}\n"), b"{\"users\":[{\"a\":\"\\n\"},{}]}");
        assert_eq!(Load::Organizations.body(b"{}\n"), b"{\"organizations\":[{}]}");
    }

    #[test]
    fn questions_have_a_hundred_ids_and_no_more_bytes_than_a_url_may() {
        let ids: Vec<String> = (0..250).map(|n| format!("auth0|{n}")).collect();
        let paths = users_paths(ids.iter().map(String::as_str));
        let counts: Vec<usize> = paths.iter().map(|path| path.split(',').count()).collect();
        assert_eq!(counts, [100, 100, 50]);
        assert!(paths[0].starts_with("/api/v2/users/show_many?external_ids=auth0%7C0,auth0%7C1,"));
        let long = "é".repeat(500);
        let paths = users_paths([long.as_str(); 4].into_iter());
        assert_eq!(paths.len(), 4, "3,000 bytes each");
        assert_eq!(users_paths([].into_iter()), [""; 0]);
        assert_eq!(organizations_paths([7, 8].into_iter()), ["/api/v2/organizations/show_many?ids=7,8"]);
    }

    #[test]
    fn jobs_may_say_more_and_less() {
        let job =
            Job::one(r#"{"job_status":{"id":"V3-0a","status":"queued","results":null,"new":1}}"#).unwrap();
        assert_eq!((job.id.as_str(), job.status.as_str()), ("V3-0a", "queued"));
        for bad in [
            "",
            "<html>",
            "{}",
            r#"{"job_status":{"id":"../x","status":"queued"}}"#,
            r#"{"job_status":{"id":"a,b","status":"queued"}}"#,
            r#"{"job_status":{"id":7,"status":"queued"}}"#,
            r#"{"job_status":{"id":"V3-0a"}}"#,
        ] {
            assert_eq!(Job::one(bad), None, "{bad}");
        }
        let (jobs, riddles) = Job::many(r#"{"job_statuses":[{},{"id":"a","status":"x"}]}"#).unwrap();
        assert_eq!((jobs.len(), riddles.len()), (1, 1));
        assert_eq!(Job::many("{}"), None);
    }

    #[test]
    fn refusals_come_in_several_forms() {
        let said = |text: &str| words(text).unwrap_or_default();
        assert_eq!(said(r#"{"error":"Couldn't authenticate you"}"#), "Couldn't authenticate you");
        assert_eq!(said(r#"{"error":{"title":"Forbidden","message":"no"}}"#), "no");
        let invalid = r#"{"error":"RecordInvalid","description":"Record validation errors","details":{"email":[{"description":"Email: x is taken","error":"DuplicateValue"}]}}"#;
        assert_eq!(said(invalid), "RecordInvalid: Record validation errors: Email: x is taken");
        assert_eq!(said("Rate limited\n"), "Rate limited");
        assert_eq!(words("<html>sign in</html>"), None);
        assert_eq!(words("{}"), None);
    }

    #[test]
    fn further_pages_are_asked_for_at_the_same_host() {
        let path = "/api/v2/user_fields?page=2";
        assert_eq!(path_of(&format!("https://evil.example.com{path}")), Some(path));
        assert_eq!(path_of(path), Some(path));
        assert_eq!(path_of("https://example.com"), None);
        assert_eq!(path_of("https://example.com/elsewhere"), None);
    }
}
