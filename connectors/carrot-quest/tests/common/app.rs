//! An app of Carrot quest that answers what a test has written down, and what it was asked, as text.

use arrow_array::RecordBatch;
use serde_json::{Value, json};
use usher_carrot_quest::plugin;
use usher_sdk::abi::{Error, LogLevel};
use usher_testkit::{MemoryHost, Reply, SentRequest, Written, balance, text_batch, write};

pub(crate) const BASE: &str = "https://api.carrotquest.io";

/// What must not be shown.
const SECRET: &str = "hush-token";

/// An app with its replies.
pub(crate) trait App: Sized {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self;

    /// The token is good.
    fn lets_in(self) -> Self {
        self.on("GET", "/apps/$self_app/users?limit=1", [ok(json!({ "users": [] }))])
    }

    fn import(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", "/users/import", replies)
    }

    fn user(self, id: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", &format!("/users/{id}?by_user_id=true&props_custom=true"), replies)
    }

    /// With the tags that everybody got.
    fn user_with_tags(self, id: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", &format!("/users/{id}?by_user_id=true&props_custom=true&tags=true"), replies)
    }

    fn props(self, id: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", &format!("/users/{id}/props?by_user_id=true"), replies)
    }
}

impl App for MemoryHost {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        replies.into_iter().fold(self, |host, reply| host.with_reply(method, &format!("{BASE}{path}"), reply))
    }
}

pub(crate) fn ok(data: Value) -> Reply {
    Reply::new(200).json(&json!({ "meta": { "status": 200 }, "data": data }))
}

/// The reply to an import; `errors` as it stands in the body.
pub(crate) fn imported(errors: &str, planned: u64) -> Reply {
    let text = format!(
        r#"{{"meta": {{"status": 200}}, "data": {{"row_errors": {errors}, "updates_planned": {planned}}}}}"#
    );
    Reply::new(200).header("Content-Type", "application/json").body(text)
}

pub(crate) fn refusal(status: u16, error: &str, message: &str) -> Reply {
    let meta = json!({ "status": status, "error": error, "error_message": message });
    Reply::new(status).json(&json!({ "meta": meta, "data": {} }))
}

pub(crate) fn nobody() -> Reply {
    refusal(400, "LookupError", "User not found")
}

/// A user as the API shows one.
pub(crate) fn user(id: &str, props: Value, custom: Value) -> Reply {
    ok(json!({ "id": 1, "user_id": id, "removed": null, "props": props, "props_custom": custom }))
}

/// A reply to `/props` that says which operations were ignored.
pub(crate) fn ignored(keys: &[&str]) -> Reply {
    let operations: Vec<Value> = keys
        .iter()
        .map(|key| json!({ "operation": { "op": "update_or_create", "key": key, "value": "x" }, "reason": "wrong type" }))
        .collect();
    let meta = json!({ "status": 200, "affected_props": ["$name"], "not_changed_props": [], "ignored_operations": operations });
    Reply::new(200).json(&json!({ "meta": meta, "data": {} }))
}

/// One of [`people`], as sent and with tags, which are shown as objects.
pub(crate) fn tagged(n: usize, tags: &[&str]) -> Reply {
    let tags: Vec<Value> = tags.iter().map(|tag| json!({ "id": 1, "name": tag })).collect();
    ok(json!({ "id": 1, "user_id": n.to_string(), "props": { "$name": format!("Person {n}") },
               "props_custom": { "plan": "pro" }, "tags": tags }))
}

/// One of [`people`], as sent.
pub(crate) fn person(n: usize) -> Reply {
    user(&n.to_string(), json!({ "$name": format!("Person {n}") }), json!({ "plan": "pro" }))
}

/// People with ids, names and a property of their own.
pub(crate) fn people(count: usize) -> RecordBatch {
    let ids: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
    let names: Vec<String> = (1..=count).map(|n| format!("Person {n}")).collect();
    text_batch(&[
        ("$user_id", ids.iter().map(|id| Some(id.as_str())).collect()),
        ("$name", names.iter().map(|name| Some(name.as_str())).collect()),
        ("plan", vec![Some("pro"); count]),
    ])
}

/// Options with these within `api`.
pub(crate) fn options(api: Value) -> Value {
    with(api, json!({}))
}

/// Options with these within `api`, and others beside it.
pub(crate) fn with(api: Value, others: Value) -> Value {
    let mut all = json!({ "deliver": "api", "api": { "token": SECRET } });
    for (into, more) in [("/api", api), ("", others)] {
        let (Some(Value::Object(into)), Value::Object(more)) = (all.pointer_mut(into), more) else {
            panic!("objects")
        };
        into.extend(more);
    }
    all
}

pub(crate) fn run(host: &MemoryHost, options: Value, batch: RecordBatch) -> Result<Written, Error> {
    write(plugin(), "users", options, host, vec![batch])
}

/// Requests, waiting, and what came of it.
pub(crate) fn story(host: &MemoryHost, outcome: &Result<Written, Error>) -> String {
    requests(host) + &end(host, outcome)
}

/// What came of a run. Nothing of it may hold the token.
pub(crate) fn end(host: &MemoryHost, outcome: &Result<Written, Error>) -> String {
    let mut text = String::new();
    for (level, line) in host.logs() {
        text += &format!("{} {line}\n", if level == LogLevel::WARN { "warning" } else { "log" });
    }
    text += &format!("slept {} s\n", host.clock().slept_ms() / 1_000);
    match outcome {
        Ok(written) => text += &told(written),
        Err(e) => {
            text += &format!("error {} ({}): {e}\n", e.code, e.class.name());
            assert!(!format!("{e:?}").contains(SECRET), "{e:?}");
        }
    }
    for part in host.parts() {
        assert!(!part.text().contains(SECRET), "{}", part.name);
    }
    assert!(!text.contains(SECRET), "{text}");
    assert!(!format!("{outcome:?}").contains(SECRET));
    assert_eq!(host.open_requests(), 0);
    text
}

/// The counts and what else a run says.
pub(crate) fn told(written: &Written) -> String {
    let (report, mut text) = (&written.report, String::new());
    for p in &written.problems {
        text += &format!("problem {} {} {}\n", p.pointer, p.code, p.message);
    }
    let unknown = report.unknown.count;
    let (accepted, confirmed) = (report.accepted.count, report.confirmed.count);
    text += &format!("accepted {accepted}, confirmed {confirmed}, unknown {unknown}\n");
    for r in &report.rejects {
        text += &format!("reject row {} {}: {} {}\n", r.origin.offset / 100, r.code, r.message, r.details);
    }
    for warning in &written.receipt.warnings {
        text += &format!("warning {warning}\n");
    }
    let delivery = written.receipt.delivery.as_ref().expect("a delivery");
    text + &format!("{}\n", serde_json::to_string(delivery).expect("JSON"))
}

/// As [`run`] with every row accounted for.
pub(crate) fn whole(host: &MemoryHost, options: Value, batch: RecordBatch) -> Written {
    let rows = batch.num_rows() as u64;
    let written = run(host, options, batch).expect("a run");
    balance(&written.report, rows).expect("every row has a fate");
    written
}

/// The requests that write, as they are sent.
pub(crate) fn writes(host: &MemoryHost) -> Vec<SentRequest> {
    host.requests().into_iter().filter(|sent| !sent.head.reads).collect()
}

/// The requests, the token and boundaries masked.
pub(crate) fn requests(host: &MemoryHost) -> String {
    host.requests().iter().map(request).collect()
}

fn request(sent: &SentRequest) -> String {
    let head = &sent.head;
    let flags = [("reads", head.reads), ("idempotent", head.idempotent)];
    let flags: Vec<&str> = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    let limits = head.limits.join(", ");
    let mut text = format!("{} {} ({}; limit {limits})\n", head.method, head.url, flags.join(", "));
    assert!(head.account.starts_with("key ") && !head.account.contains(SECRET));
    assert!(head.credentials.contains(&"Authorization".to_owned()));
    let mut boundary = String::from("\0");
    for (name, value) in &head.headers {
        text += &format!("  {name}: {value}\n");
        if let Some((_, found)) = value.split_once("boundary=") {
            boundary = found.to_owned();
        }
    }
    for line in sent.text().lines() {
        text += &format!("  | {line}\n");
    }
    text.replace(SECRET, "<token>").replace(&boundary, "<boundary>")
}
