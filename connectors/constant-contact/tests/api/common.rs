//! An account that answers what a test has written down, and what it was asked, as text.

use serde_json::{Value, json};
use usher_constant_contact::plugin;
use usher_sdk::abi::{Error, LogLevel, Problem, Report};
use usher_testkit::{
    MemoryHost, Reply, SentRequest, Written, drive::Sink, origin_columns, text_batch, write,
};

const AUTH: &str = "https://authz.constantcontact.com/oauth2/default/v1";
const API: &str = "https://api.cc.email/v3";
pub(crate) const LIST: &str = "06a8e55c-9f1c-11ee-8c90-0242ac120002";
pub(crate) const FIELD: &str = "1618ae62-4752-11e9-9c8a-fa163e6b01c1";
pub(crate) const TAG: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
pub(crate) const JOB: &str = "04fe9a97-a579-43c5-bb1a-58ed29bf0a6a";

/// What must not be shown.
const SECRETS: [&str; 6] =
    ["hush-option", "hush-secret", "hush-refresh-2", "hush-refresh-1", "hush-access-2", "hush-access-1"];

/// An account with its replies; paths begin after `/v3`, those of tokens are `token` and `device`.
pub(crate) trait Vendor: Sized {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self;

    fn token(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", "token", replies)
    }

    fn file_import(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", "/activities/contacts_file_import", replies)
    }

    fn json_import(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("POST", "/activities/contacts_json_import", replies)
    }

    fn job(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.on("GET", &format!("/activities/{JOB}"), replies)
    }

    /// Whose account it is, and that the login may import.
    fn its_account(self) -> Self {
        self.on("GET", "/account/summary", [account()]).on("GET", "/activities?limit=1", [listed(json!([]))])
    }

    /// A list of all activities.
    fn activities(self, replies: impl IntoIterator<Item = Value>) -> Self {
        self.on("GET", "/activities?limit=500", replies.into_iter().map(listed))
    }

    /// What a run asks before it sends, but for a token: whose account it is, whether it may import, the list.
    fn seen(self) -> Self {
        self.its_account().on("GET", "/contact_lists?name=Newsletter", [lists(&[("Newsletter", LIST, None)])])
    }

    /// The same with a token.
    fn known(self) -> Self {
        self.token([token(1)]).its_account().on(
            "GET",
            "/contact_lists?name=Newsletter",
            [lists(&[("Newsletter", LIST, None)])],
        )
    }
}

impl Vendor for MemoryHost {
    fn on(self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        let url = match path {
            "token" => format!("{AUTH}/token"),
            "device" => format!("{AUTH}/device/authorize"),
            path => format!("{API}{path}"),
        };
        replies.into_iter().fold(self, |host, reply| host.with_reply(method, &url, reply))
    }
}

pub(crate) fn listed(activities: Value) -> Reply {
    Reply::new(200).json(&json!({ "activities": activities }))
}

/// Contacts as the account shows them: address, permission, when they were updated or deleted, and their lists.
pub(crate) fn contacts(contacts: &[Value]) -> Reply {
    Reply::new(200).json(&json!({ "contacts": contacts }))
}

pub(crate) fn contact(email: &str, permission: &str) -> Value {
    json!({
        "contact_id": "ab7ab702-b935-11e9-8a58-fa163e6b01c1",
        "email_address": { "address": email, "permission_to_send": permission },
        "updated_at": "2026-11-22T00:00:05Z", "list_memberships": [LIST],
    })
}

/// The tokens of this number.
pub(crate) fn token(number: u32) -> Reply {
    Reply::new(200).json(&json!({
        "access_token": format!("hush-access-{number}"), "refresh_token": format!("hush-refresh-{number}"),
        "token_type": "Bearer", "expires_in": 86_400, "scope": "contact_data offline_access account_read",
    }))
}

pub(crate) fn account() -> Reply {
    Reply::new(200).json(&json!({ "encoded_account_id": "p07e1l8cdif9dl", "contact_email": "x@example.com" }))
}

pub(crate) fn lists(lists: &[(&str, &str, Option<u64>)]) -> Reply {
    let list = |(name, id, members): &(&str, &str, Option<u64>)| json!({ "list_id": id, "name": name, "favorite": false, "membership_count": members });
    Reply::new(200)
        .json(&json!({ "lists": lists.iter().map(list).collect::<Vec<_>>(), "lists_count": lists.len() }))
}

pub(crate) fn fields(fields: &[(&str, &str)], next: Option<&str>) -> Reply {
    let field = |(name, label): &(&str, &str)| json!({ "custom_field_id": FIELD, "name": name, "label": label, "type": "string" });
    let links = next.map_or_else(|| json!({}), |href| json!({ "next": { "href": href } }));
    Reply::new(200)
        .json(&json!({ "custom_fields": fields.iter().map(field).collect::<Vec<_>>(), "_links": links }))
}

pub(crate) fn refusal(status: u16, key: &str, message: &str) -> Reply {
    Reply::new(status).json(&json!([{ "error_key": key, "error_message": message }]))
}

pub(crate) fn oauth_refusal(status: u16, error: &str, description: &str) -> Reply {
    Reply::new(status).json(&json!({ "error": error, "error_description": description }))
}

/// An activity in a state, with more.
pub(crate) fn activity(state: &str, more: Value) -> Reply {
    let mut body = json!({
        "activity_id": JOB, "state": state, "created_at": "2026-11-22T00:00:00.000Z",
        "_links": { "self": { "href": format!("/v3/activities/{JOB}") } },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    // Another id may be among what is given.
    Reply::new(if state == "initialized" { 201 } else { 200 }).json(&body)
}

pub(crate) fn queued() -> Reply {
    activity("initialized", json!({}))
}

/// An import that is done, with its counters: persons, errors, correctable, kept off the list.
pub(crate) fn done(persons: u64, errors: u64, correctable: u64, kept_off: u64, said: Value) -> Reply {
    let status = json!({
        "items_total_count": persons + 1, "person_count": persons, "error_count": errors,
        "correctable_count": correctable, "cannot_add_to_list_count": kept_off,
    });
    activity("completed", json!({ "status": status, "activity_errors": said }))
}

pub(crate) fn all_in(persons: u64) -> Reply {
    done(persons, 0, 0, 0, json!([]))
}

/// Options; `api` is laid over the option of that name.
pub(crate) fn options(api: Value, more: Value) -> Value {
    let mut access = json!({ "client_id": "app", "refresh_token": "hush-option", "canary": 0 });
    access.as_object_mut().unwrap().extend(api.as_object().unwrap().clone());
    let mut options =
        json!({ "deliver": "api", "consent": "consent", "lists": ["Newsletter"], "api": access });
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

/// Three people.
pub(crate) fn people() -> arrow_array::RecordBatch {
    text_batch(&[
        ("email", vec![Some("ada@example.com"), Some("grace@example.com"), Some("marie@example.com")]),
        ("first_name", vec![Some("Ada"), None, Some("Marie \"M\"")]),
        ("birthday", vec![Some("1815-12-10"), None, None]),
    ])
}

pub(crate) fn run(host: &MemoryHost, api: Value) -> Result<Written, Error> {
    run_with(host, options(api, json!({})), people())
}

pub(crate) fn run_with(
    host: &MemoryHost,
    options: Value,
    batch: arrow_array::RecordBatch,
) -> Result<Written, Error> {
    write(plugin(), "contacts", options, host, vec![batch])
}

/// A run of which the report is wanted even when `finish` answers an error.
pub(crate) fn problems(host: &MemoryHost, options: &Value, columns: &[&str]) -> Result<Vec<Problem>, Error> {
    Sink::open(plugin(), "contacts", &options.to_string(), &host.services())?.check(columns)
}

pub(crate) fn told(problems: &Result<Vec<Problem>, Error>) -> String {
    let text = match problems {
        Ok(problems) => problems
            .iter()
            .map(|p| {
                format!(
                    "{} {} {}{}\n",
                    p.pointer,
                    p.code,
                    p.message,
                    if p.warning { " (warning)" } else { "" }
                )
            })
            .collect(),
        Err(error) => error_text(error),
    };
    hidden(&text);
    text
}

fn error_text(e: &Error) -> String {
    hidden(&format!("{e:?}"));
    let wait = if e.retry_after_ms == 0 { String::new() } else { format!(", wait {} ms", e.retry_after_ms) };
    let details = if e.class == usher_sdk::abi::ErrorClass::CONFIG {
        format!("\n  {}", e.details)
    } else {
        String::new()
    };
    format!("{} ({}{wait}): {e}{details}\n", e.code, e.class.name())
}

fn hidden(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

fn report_text(report: &Report) -> String {
    let mut text = format!(
        "accepted {}, confirmed {}, unknown {}, written {}\n",
        report.accepted.count, report.confirmed.count, report.unknown.count, report.written.count
    );
    for r in &report.rejects {
        text.push_str(&format!(
            "reject row {} {}{}: {} {}\n",
            r.origin.offset / 100,
            r.code,
            if r.retryable { " (retryable)" } else { "" },
            r.message,
            r.details
        ));
    }
    text
}

/// What came of a run, without requests.
pub(crate) fn outcome(result: &Result<Written, Error>) -> String {
    let written = match result {
        Ok(written) => written,
        Err(error) => return error_text(error),
    };
    let mut text = report_text(&written.report);
    let receipt = &written.receipt;
    for warning in &receipt.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    for (name, fact) in &receipt.facts {
        text.push_str(&format!("{name}: {fact}\n"));
    }
    let delivery = receipt.delivery.clone().unwrap_or_default();
    text.push_str(&format!(
        "account {}, {} of {} units settled, {} earlier\n",
        delivery.account, delivery.settled, delivery.units, delivery.earlier
    ));
    if let Some(stopped) = delivery.stopped {
        text.push_str(&format!(
            "stopped: {} {} (retryable: {})\n",
            stopped.code, stopped.message, stopped.retryable
        ));
    }
    for answer in delivery.answers {
        text.push_str(&format!("answer: {answer}\n"));
    }
    hidden(&text);
    text
}

/// Requests, log, and what came of a run.
pub(crate) fn story(host: &MemoryHost, result: &Result<Written, Error>) -> String {
    let mut after = String::new();
    for (level, line) in host.logs() {
        let level = if level == LogLevel::WARN { "warning" } else { "log" };
        after.push_str(&format!("{level}: {line}\n"));
    }
    after.push_str(&outcome(result));
    hidden(&after);
    assert_eq!(host.open_requests(), 0);
    requests(host) + &after
}

/// The requests, secrets masked by their name.
pub(crate) fn requests(host: &MemoryHost) -> String {
    host.requests().iter().map(request).collect()
}

/// Method and address of each request.
pub(crate) fn asked(host: &MemoryHost) -> String {
    host.requests().iter().map(|sent| format!("{} {}\n", sent.head.method, sent.head.url)).collect()
}

pub(crate) fn mask(text: &str) -> String {
    let masks = ["<option>", "<secret>", "<refresh 2>", "<refresh 1>", "<access 2>", "<access 1>"];
    SECRETS.iter().zip(masks).fold(text.to_owned(), |text, (secret, mask)| text.replace(secret, mask))
}

fn request(sent: &SentRequest) -> String {
    let head = &sent.head;
    let flags = [("reads", head.reads), ("idempotent", head.idempotent), ("refused once", head.refused_once)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
    let flags: Vec<String> = flags.chain(head.limits.iter().map(|limit| format!("limit {limit}"))).collect();
    let mut text = format!("{} {} ({} of {})\n", head.method, head.url, flags.join(", "), head.account);
    for (name, value) in &head.headers {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    for line in sent.text().replace('\r', "").lines() {
        text.push_str(&format!("  {line}\n"));
    }
    mask(&text)
}

/// Rows as a run over several batches would have them.
pub(crate) fn many(count: usize) -> arrow_array::RecordBatch {
    let emails: Vec<String> = (0..count).map(|i| format!("user{i}@example.com")).collect();
    let batch = text_batch(&[("email", emails.iter().map(|e| Some(e.as_str())).collect())]);
    origin_columns(&batch, 0).unwrap()
}
