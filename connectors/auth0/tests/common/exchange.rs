//! A tenant that answers what a test has written down, and what it was asked, as text.

use serde_json::{Value, json};
use usher_sdk::abi::{Error, LogLevel, PlanRequest, Report, Split};
use usher_testkit::{MemoryHost, Reply, SentRequest, drive::Source, records};

const DOMAIN: &str = "acme.eu.auth0.com";
pub(crate) const JOB: &str = "job_0000000000000001";
pub(crate) const LINK: &str =
    "https://exports.example.com/job_0000000000000001/acme.json.gz?Expires=1&Signature=SIG";

const TOKEN_URL: &str = "https://acme.eu.auth0.com/oauth/token";
const ORDER_URL: &str = "https://acme.eu.auth0.com/api/v2/jobs/users-exports";
const JOB_URL: &str = "https://acme.eu.auth0.com/api/v2/jobs/job_0000000000000001";

/// What must not be shown.
const SECRETS: [&str; 4] = ["hush-secret", "hush-token", "hush-other", "SIG"];

/// A tenant with its replies.
pub(crate) trait Tenant: Sized {
    fn on(self, method: &str, url: &str, replies: impl IntoIterator<Item = Reply>) -> Self;

    fn token(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", TOKEN_URL, replies)
    }

    fn order(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", ORDER_URL, replies)
    }

    fn job(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", JOB_URL, replies)
    }

    fn file(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", LINK, replies)
    }

    /// A tenant that does as it should.
    fn good(self, file: &str) -> Self {
        self.token([token()])
            .order([pending()])
            .job([pending(), completed()])
            .file([Reply::new(200).body(file)])
    }
}

impl Tenant for MemoryHost {
    fn on(self, method: &str, url: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        replies.into_iter().fold(self, |host, reply| host.with_reply(method, url, reply))
    }
}

pub(crate) fn token() -> Reply {
    token_of("hush-token", "read:users create:users")
}

pub(crate) fn token_of(token: &str, scope: &str) -> Reply {
    Reply::new(200)
        .json(&json!({ "access_token": token, "token_type": "Bearer", "expires_in": 86_400, "scope": scope }))
}

/// A job with a status and more.
pub(crate) fn job(status: &str, more: Value) -> Reply {
    let mut job = json!({ "id": JOB, "type": "users_export", "status": status, "created_at": "2026-01-01T00:00:00.000Z" });
    let (Value::Object(job), Value::Object(more)) = (&mut job, more) else { panic!("objects") };
    job.extend(more);
    Reply::new(200).json(&Value::Object(job.clone()))
}

pub(crate) fn pending() -> Reply {
    job("pending", json!({}))
}

pub(crate) fn completed() -> Reply {
    job("completed", json!({ "location": LINK }))
}

/// A refusal of the Management API.
pub(crate) fn refusal(status: u16, error: &str, message: &str) -> Reply {
    Reply::new(status).json(&json!({ "statusCode": status, "error": error, "message": message }))
}

/// A refusal of the Authentication API.
pub(crate) fn oauth_refusal(status: u16, error: &str, description: &str) -> Reply {
    Reply::new(status).json(&json!({ "error": error, "error_description": description }))
}

/// Options for the tenant.
pub(crate) fn options(more: Value) -> Value {
    let mut tenant = json!({ "domain": DOMAIN, "client_id": "app", "client_secret": "hush-secret" });
    let (Value::Object(all), Value::Object(more)) = (&mut tenant, more) else { panic!("objects") };
    all.extend(more);
    json!({ "tenant": tenant })
}

/// An open source of the tenant.
pub(crate) fn open(host: &MemoryHost, more: Value) -> Source {
    open_with(host, &options(more))
}

pub(crate) fn open_with(host: &MemoryHost, options: &Value) -> Source {
    Source::open(usher_auth0::plugin(), "users", &options.to_string(), &host.services()).unwrap()
}

/// The rows of all splits.
pub(crate) fn rows(source: &mut Source, splits: &[Split]) -> Result<(String, Report), Error> {
    let (mut batches, mut report) = (Vec::new(), Report::default());
    for split in splits {
        let pulled = source.open_split(split, &[])?.drain(&mut report)?;
        batches.extend(pulled.into_iter().map(|pulled| pulled.batch));
    }
    Ok((records(&batches), report))
}

/// A run: check, plan, rows.
pub(crate) fn run(host: &MemoryHost, more: Value, request: &PlanRequest) -> Result<String, Error> {
    let mut source = open(host, more);
    let problems = source.check()?;
    if let Some(problem) = problems.iter().find(|p| !p.warning) {
        return Err(Error::config(problem.code.clone(), format!("{}: {}", problem.pointer, problem.message)));
    }
    let splits = source.plan(request)?;
    rows(&mut source, &splits).map(|(rows, _)| rows)
}

/// The requests in order, what was logged, how long was slept, what is kept, and what came of it. Nothing of it may
/// hold a secret but the requests, where they are told and masked.
pub(crate) fn story(host: &MemoryHost, outcome: &Result<String, Error>) -> String {
    let mut after = String::new();
    for (level, line) in host.logs() {
        let level = if level == LogLevel::WARN { "warning" } else { "log" };
        after.push_str(&format!("{level}: {line}\n"));
    }
    after.push_str(&format!("slept {} s\n", host.clock().slept_ms() / 1_000));
    for (key, value) in host.state() {
        after.push_str(&format!("state {key} = {}\n", String::from_utf8_lossy(&value)));
    }
    match outcome {
        Ok(rows) => after.push_str(rows),
        Err(e) => {
            let wait =
                if e.retry_after_ms == 0 { String::new() } else { format!(", wait {} ms", e.retry_after_ms) };
            after.push_str(&format!("{} ({}{wait}): {e}\n", e.code, e.class.name()));
            for secret in SECRETS {
                assert!(!format!("{e:?}").contains(secret), "{e:?}");
            }
        }
    }
    for secret in SECRETS {
        assert!(!after.contains(secret), "{after}");
    }
    assert_eq!(host.open_requests(), 0);
    assert_eq!(host.open_readers(), 0);
    requests(host) + &after
}

/// The requests, secrets masked by their name.
pub(crate) fn requests(host: &MemoryHost) -> String {
    host.requests().iter().map(request).collect()
}

fn request(sent: &SentRequest) -> String {
    let head = &sent.head;
    let flags = [("reads", head.reads), ("idempotent", head.idempotent)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
    let limits = head.limits.iter().map(|limit| format!("limit {limit} of {}", head.account));
    let flags: Vec<String> = flags.chain(limits).collect();
    let mut text = format!("{} {} ({})\n", head.method, head.url, flags.join(", "));
    for (name, value) in &head.headers {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    if !sent.body.is_empty() {
        text.push_str(&format!("  {}\n", sent.text()));
    }
    let masks = ["<secret>", "<token>", "<other token>", "<signature>"];
    SECRETS.iter().zip(masks).fold(text, |text, (secret, mask)| text.replace(secret, mask))
}
