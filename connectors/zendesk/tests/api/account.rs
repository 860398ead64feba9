//! An account that answers what a test has written down, and what it was asked, as text.

use std::{fmt::Write as _, sync::Arc};

use arrow_array::RecordBatch;
use serde_json::{Value, json};
use usher_sdk::abi::{Error, Report, Services};
use usher_testkit::{MemoryHost, Reply, SentRequest, Written, drive::Sink, origin_columns};
use usher_zendesk::plugin;

use crate::rows::rows;

pub(crate) const BASE: &str = "https://acme.zendesk.com";
pub(crate) const ME: &str = "/api/v2/users/me";
pub(crate) const FIELDS: &str = "/api/v2/user_fields";
pub(crate) const ROLES: &str = "/api/v2/custom_roles";
pub(crate) const LOCALES: &str = "/api/v2/locales";
pub(crate) const UPSERT: &str = "/api/v2/users/create_or_update_many";
pub(crate) const CREATE: &str = "/api/v2/users/create_many";
pub(crate) const UPDATE: &str = "/api/v2/users/update_many";
pub(crate) const ORGANIZATIONS: &str = "/api/v2/organizations/create_many";

/// Where users are looked up by their external ids.
pub(crate) fn looked_up(ids: &[&str]) -> String {
    format!("/api/v2/users/show_many?external_ids={}", ids.join(","))
}

/// What must not be shown; the second is the first as Basic authentication writes it.
const SECRETS: [(&str, &str); 3] = [
    ("hush-token", "<token>"),
    ("YWdlbnRAZXhhbXBsZS5jb20vdG9rZW46aHVzaC10b2tlbg==", "<email/token:token>"),
    ("hush-oauth", "<oauth>"),
];

/// An account with its replies.
pub(crate) trait Account: Sized {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self;

    fn admin(self) -> Self {
        self.on("GET", ME, [me(json!({ "id": 1, "role": "admin" }))])
    }

    /// Users who are looked up, and those of them who are there, with their ids.
    fn users(self, ids: &[&str], there: &[(&str, i64)]) -> Self {
        let users: Vec<Value> =
            there.iter().map(|(key, id)| json!({ "id": id, "external_id": key })).collect();
        self.on("GET", &looked_up(ids), [ok(json!({ "users": users }))])
    }

    /// Jobs that are asked for together.
    fn jobs(self, ids: &[&str], replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", &format!("/api/v2/job_statuses/show_many?ids={}", ids.join(",")), replies)
    }

    /// A job that is asked for by itself.
    fn job(self, id: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", &format!("/api/v2/job_statuses/{id}"), replies)
    }
}

impl Account for MemoryHost {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        replies.into_iter().fold(self, |host, reply| host.with_reply(method, &format!("{BASE}{path}"), reply))
    }
}

pub(crate) fn ok(body: Value) -> Reply {
    Reply::new(200).json(&body)
}

pub(crate) fn me(user: Value) -> Reply {
    ok(json!({ "user": user }))
}

/// A job that was begun.
pub(crate) fn queued(id: &str) -> Reply {
    ok(json!({ "job_status": status(id, "queued", Value::Null) }))
}

pub(crate) fn status(id: &str, status: &str, results: Value) -> Value {
    json!({ "id": id, "status": status, "total": 1, "progress": null, "message": null, "results": results })
}

/// What `show_many` answers.
pub(crate) fn shown(jobs: impl IntoIterator<Item = Value>) -> Reply {
    ok(json!({ "job_statuses": jobs.into_iter().collect::<Vec<_>>() }))
}

/// A job that is done.
pub(crate) fn done(id: &str, results: Value) -> Reply {
    shown([status(id, "completed", results)])
}

/// So many results that say so.
pub(crate) fn created(count: usize) -> Value {
    (0..count).map(|n| json!({ "id": 1_000 + n, "status": "Created", "email": "x@example.com" })).collect()
}

/// Options with an account.
pub(crate) fn options(more: Value) -> Value {
    options_with(json!({}), more)
}

/// Options with an account of which more is said.
pub(crate) fn options_with(api: Value, more: Value) -> Value {
    let mut all = json!({
        "deliver": "api", "import_type": "create_and_update", "plan": "team",
        "api": { "subdomain": "acme", "email": "agent@example.com", "api_token": "hush-token" },
    });
    let mut put = |at: &str, more: Value| {
        let (Some(Value::Object(all)), Value::Object(more)) = (all.pointer_mut(at), more) else {
            panic!("objects")
        };
        all.extend(more);
    };
    put("/api", api);
    put("", more);
    all
}

/// `count` people with a name, an address and an id.
pub(crate) fn people(count: usize) -> String {
    (0..count).fold("name,emails,external_id\n".to_owned(), |mut text, n| {
        let _ = writeln!(text, "Ada {n},ada{n}@example.com,{n}");
        text
    })
}

/// Runs the sink as the host does. With an error, what was reported before it is lost.
pub(crate) fn deliver(host: &MemoryHost, options: &Value, csv: &str) -> Result<Written, Error> {
    deliver_on(&host.services(), options, &rows(csv))
}

/// As [`deliver`], on any services.
pub(crate) fn deliver_on(
    services: &Arc<Services>,
    options: &Value,
    batch: &RecordBatch,
) -> Result<Written, Error> {
    let batch = origin_columns(batch, 0).expect("origins");
    let schema = batch.schema();
    let names: Vec<&str> =
        schema.fields().iter().map(|f| f.name().as_str()).filter(|n| !n.starts_with('_')).collect();
    let mut sink = Sink::open(plugin(), "users", &options.to_string(), services)?;
    let problems = sink.check(&names)?;
    if let Some(problem) = problems.iter().find(|problem| !problem.warning) {
        return Err(Error::config(problem.code.clone(), format!("{}: {}", problem.pointer, problem.message)));
    }
    sink.begin(&schema)?;
    let mut report = Report::default();
    sink.write(&batch, 1, &mut report)?;
    sink.flush(&mut report)?;
    let mut fresh = Report::default();
    let receipt = sink.finish(&mut fresh)?;
    report.merge(fresh);
    Ok(Written { problems, report, receipt })
}

/// Everything of a run: requests, files, fates, receipt. Nothing of it may hold a secret but the requests, where they
/// are told and masked.
pub(crate) fn story(host: &MemoryHost, outcome: &Result<Written, Error>) -> String {
    requests(host) + &after(host, outcome)
}

/// The same without the requests.
pub(crate) fn after(host: &MemoryHost, outcome: &Result<Written, Error>) -> String {
    let mut text = String::new();
    for (_, line) in host.logs() {
        let _ = writeln!(text, "log {line}");
    }
    for part in host.parts() {
        let _ = writeln!(text, "== {} ({} rows)\n{}", part.name, part.records, part.text());
    }
    match outcome {
        Err(error) => {
            let _ = writeln!(text, "error {} {}: {error}", error.class.name(), error.code);
            hushed(&format!("{error:?}"));
        }
        Ok(written) => {
            hushed(&format!("{written:?}"));
            for problem in &written.problems {
                let _ = writeln!(text, "warning {} {}: {}", problem.pointer, problem.code, problem.message);
            }
            fates(written, &mut text);
            for warning in &written.receipt.warnings {
                let _ = writeln!(text, "warning {warning}");
            }
            for (name, fact) in &written.receipt.facts {
                let _ = writeln!(text, "fact {name} = {fact}");
            }
            if let Some(delivery) = &written.receipt.delivery {
                let _ = writeln!(
                    text,
                    "delivery to {}: {} of {} units settled, {} earlier",
                    delivery.account, delivery.settled, delivery.units, delivery.earlier
                );
                for answer in &delivery.answers {
                    let _ = writeln!(text, "answer {}", sorted(answer));
                }
                if let Some(stopped) = &delivery.stopped {
                    let again = if stopped.retryable { ", retryable" } else { "" };
                    let _ = writeln!(text, "stopped {}{again}: {}", stopped.code, stopped.message);
                }
            }
        }
    }
    hushed(&text);
    assert_eq!(host.open_requests(), 0);
    assert_eq!(host.open_parts(), [""; 0]);
    text
}

fn fates(written: &Written, text: &mut String) {
    let report = &written.report;
    let _ = writeln!(
        text,
        "written {}, accepted {}, confirmed {}, unknown {}",
        report.written.count, report.accepted.count, report.confirmed.count, report.unknown.count
    );
    for r in &report.rejects {
        let row = r.origin.offset / 100;
        let _ = writeln!(text, "reject row {row} `{}` {}: {} {}", r.column, r.code, r.message, r.details);
    }
    for m in &report.merged {
        let _ = writeln!(text, "merged row {} into row {}", m.origin.offset / 100, m.survivor.offset / 100);
    }
    for l in &report.left_out {
        let row = l.origin.offset / 100;
        let _ = writeln!(
            text,
            "left out row {row} `{}` {:?} {}: {}",
            l.column,
            l.value.as_str(),
            l.code,
            l.message
        );
    }
    for c in &report.changed {
        let _ = writeln!(text, "changed `{}` {} {}", c.column, c.rule, c.count);
    }
}

fn hushed(text: &str) {
    for (secret, _) in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

/// The requests, secrets masked by their name.
pub(crate) fn requests(host: &MemoryHost) -> String {
    host.requests().iter().map(request).collect()
}

fn request(sent: &SentRequest) -> String {
    let head = &sent.head;
    let flags = [("reads", head.reads), ("idempotent", head.idempotent), ("refused once", head.refused_once)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
    let limits = head.limits.iter().map(|limit| format!("limit {limit} of {}", head.account));
    let flags: Vec<String> = flags.chain(limits).collect();
    let mut text = format!("{} {} ({})\n", head.method, head.url, flags.join(", "));
    for (name, value) in &head.headers {
        let _ = writeln!(text, "  {name}: {value}");
    }
    if !sent.body.is_empty() {
        let body: Value = serde_json::from_slice(&sent.body).expect("JSON");
        let _ = writeln!(text, "  {}", sorted(&body));
    }
    SECRETS.iter().fold(text, |text, (secret, mask)| text.replace(secret, mask))
}

/// JSON whose members stand in the order of their names, however the crate was built.
pub(crate) fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut all: Vec<(&String, &Value)> = members.iter().collect();
            all.sort_unstable_by_key(|(name, _)| *name);
            let all: Vec<String> =
                all.iter().map(|(name, value)| format!("{}:{}", json!(name), sorted(value))).collect();
            format!("{{{}}}", all.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// A sample of the sheet.
pub(crate) fn sample(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Fields of every kind.
pub(crate) fn user_fields() -> Reply {
    ok(json!({ "user_fields": [
        { "key": "plan", "type": "dropdown", "title": "Plan", "active": true, "custom_field_options": [
            { "name": "Pro", "value": "plan_pro" }, { "name": "Free", "value": "plan_free" } ] },
        { "key": "since", "type": "date", "title": "Since", "active": true },
        { "key": "vip", "type": "checkbox", "title": "VIP", "active": true },
        { "key": "seats", "type": "integer", "title": "Seats", "active": true },
        { "key": "rate", "type": "decimal", "title": "Rate", "active": true },
        { "key": "old", "type": "text", "title": "Old", "active": false },
        { "key": "topics", "type": "multiselect", "title": "Topics", "active": true, "custom_field_options": [
            { "name": "Billing", "value": "billing" } ] },
        { "key": "score", "type": "sentiment", "title": "Score" },
        { "key": "tier", "type": "dropdown", "title": "Tier" },
    ], "next_page": null, "count": 9 }))
}

/// The same services.
pub(crate) fn copy(all: &Services) -> Services {
    Services {
        log: all.log.clone(),
        input: all.input.clone(),
        output: all.output.clone(),
        clock: all.clock.clone(),
        state: all.state.clone(),
        ledger: all.ledger.clone(),
        http: all.http.clone(),
        others: Vec::new(),
    }
}
