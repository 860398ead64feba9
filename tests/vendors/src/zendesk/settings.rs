//! What an account is like, and what the sheet does not know.

use std::time::Duration;

use serde_json::Value;

use crate::{faults::FaultPlan, unknown::OnUnknown};

/// Somebody who may call the API.
#[derive(Clone, Debug)]
pub struct Agent {
    /// `Authorization: Basic base64("{email}/token:{token}")`.
    pub email: String,
    /// The API token.
    pub token: String,
    /// `Authorization: Bearer {oauth}`.
    pub oauth: String,
    /// `admin`, `agent` or `end-user`.
    pub role: String,
    /// Whether an agent's custom role may manage users; administrators always may.
    pub may_manage_users: bool,
}

impl Agent {
    /// `admin@example.com` with the token `hush-token`, or the bearer token `hush-oauth`.
    pub fn admin() -> Self {
        Self {
            email: "admin@example.com".to_owned(),
            token: "hush-token".to_owned(),
            oauth: "hush-oauth".to_owned(),
            role: "admin".to_owned(),
            may_manage_users: true,
        }
    }
}

/// A field that the account has for users.
#[derive(Clone, Debug)]
pub struct UserField {
    /// The key in `user_fields`.
    pub key: String,
    /// `checkbox`, `date`, `decimal`, `dropdown`, `integer`, `lookup`, `multiselect`, `regexp`, `text`, `textarea`.
    pub kind: String,
    /// Tags of a drop-down or a multiple choice.
    pub options: Vec<String>,
}

impl UserField {
    /// A field without options.
    pub fn new(key: &str, kind: &str) -> Self {
        Self { key: key.to_owned(), kind: kind.to_owned(), options: Vec::new() }
    }

    /// A drop-down of tags.
    pub fn dropdown(key: &str, tags: &[&str]) -> Self {
        let options = tags.iter().map(|&tag| tag.to_owned()).collect();
        Self { options, ..Self::new(key, "dropdown") }
    }
}

/// How a `create_many` or `update_many` job tells of rows that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateFailures {
    /// `{index, error, details}`, and the job is `failed` (what the sheet has for other jobs).
    IndexedInFailedJob,
    /// As upserts do: `{id: position, error, details, status}`, and the job is `completed`.
    PositionedInCompletedJob,
}

/// An account of Zendesk before its first request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// 0 is a free port.
    pub port: u16,
    /// Who may call.
    pub agents: Vec<Agent>,
    /// Whether Zendesk's support has switched imports on; else the `…_many` calls answer 403.
    pub imports_enabled: bool,
    /// Requests a minute: Team 200, Growth and Professional 400, Enterprise 700, Enterprise Plus 2,500, Essential 10.
    pub requests_per_minute: u32,
    /// How much faster than real the vendor's minutes and days pass: at 60, a minute lasts a second.
    pub speed: f64,
    /// How long a job takes from its request to its end, on the wall clock.
    pub job_time: Duration,
    /// Queued and running jobs at a time.
    pub jobs_at_a_time: usize,
    /// The status of `TooManyJobs`, which is unverified.
    pub too_many_jobs_status: u16,
    /// Where positions in the results of jobs begin, which is unverified.
    pub position_base: usize,
    /// Whether telephone numbers must be E.164 (`InvalidFormat`).
    pub enforces_e164: bool,
    /// How failed rows of `create_many` and `update_many` are told.
    pub create_failures: CreateFailures,
    /// An unknown key of `user_fields`, an unknown zone, locale or organization.
    pub on_unknown: OnUnknown,
    /// Beside Light Agent, which is always there.
    pub custom_roles: Vec<String>,
    /// Languages of the account; the first is the default.
    pub locales: Vec<String>,
    /// Zones that the account takes by name; empty takes any.
    pub time_zones: Vec<String>,
    /// Fields of users.
    pub user_fields: Vec<UserField>,
    /// Names of the organizations that are there.
    pub organizations: Vec<String>,
    /// Users that are there, in the form of `create_many`.
    pub users: Vec<Value>,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            agents: vec![Agent::admin()],
            imports_enabled: true,
            requests_per_minute: 700,
            speed: 1.0,
            job_time: Duration::from_millis(50),
            jobs_at_a_time: 30,
            too_many_jobs_status: 429,
            position_base: 0,
            enforces_e164: false,
            create_failures: CreateFailures::IndexedInFailedJob,
            on_unknown: OnUnknown::Refuse,
            custom_roles: vec!["Tier two".to_owned()],
            locales: vec!["en-US".to_owned(), "de".to_owned(), "fr".to_owned()],
            time_zones: Vec::new(),
            user_fields: vec![UserField::new("plan", "text"), UserField::new("subscription_date", "date")],
            organizations: vec!["Acme".to_owned(), "Globex".to_owned()],
            users: Vec::new(),
            faults: FaultPlan::none(),
        }
    }
}
