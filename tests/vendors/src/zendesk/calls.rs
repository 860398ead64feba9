//! The calls: which path and method does what.

use serde_json::{Map, Value, json};

use super::{
    account::Account, checks::Refused, contract, fields, gate, jobs::JobKind, settings::Agent, user::User,
};
use crate::{
    faults::Faults,
    message::{Asked, Reply},
};

/// A row of a bulk call.
pub(crate) type Row = Map<String, Value>;

pub(crate) fn answer(account: &mut Account, asked: &Asked, faults: &Faults) -> Reply {
    let reply = match account.gate.request() {
        Ok(()) => routed(account, asked, faults),
        Err(reply) => Err(reply),
    };
    let reply = reply.unwrap_or_else(|refused| refused);
    if reply.status == 429 && reply.headers.iter().any(|(name, _)| name == "retry-after") {
        account.throttled += 1;
    }
    account.gate.headers(reply)
}

fn routed(account: &mut Account, asked: &Asked, faults: &Faults) -> Result<Reply, Reply> {
    // With or without `.json` at the end: both work.
    let path = asked.path.strip_suffix(".json").unwrap_or(&asked.path).to_owned();
    let base = base(asked);
    let caller = gate::caller(&account.settings, asked).cloned();
    if path == "/api/v2/users/me" && asked.method == "GET" {
        return Ok(me(account, caller.as_ref(), &base));
    }
    let caller = caller.ok_or_else(gate::unauthorized)?;
    let job = path.strip_prefix("/api/v2/job_statuses/");
    match (asked.method.as_str(), path.as_str()) {
        ("GET", "/api/v2/user_fields") => Ok(fields::user_fields(account, &base)),
        ("GET", "/api/v2/locales") => Ok(fields::locales(account, &base)),
        ("GET", "/api/v2/custom_roles") => Ok(fields::custom_roles(account)),
        ("GET", "/api/v2/users/show_many") => {
            shown(&caller, asked, |name, key| account.shown_user(name, key, &base))
        }
        ("GET", "/api/v2/organizations/show_many") => {
            shown(&caller, asked, |name, key| account.shown_organization(name, key, &base))
        }
        ("GET", "/api/v2/job_statuses") => Ok(account.show_jobs(None, &base)),
        ("GET", "/api/v2/job_statuses/show_many") => Ok(account.show_jobs(asked.parameter("ids"), &base)),
        ("GET", _) if let Some(id) = job => account.show_job(id, &base, faults, &asked.line()),
        ("POST", "/api/v2/users/create_or_update_many") => {
            bulk(account, asked, &caller, faults, JobKind::Upsert, rows(asked, "users")?)
        }
        ("POST", "/api/v2/users/create_many") => {
            bulk(account, asked, &caller, faults, JobKind::Create, rows(asked, "users")?)
        }
        ("PUT", "/api/v2/users/update_many") => {
            bulk(account, asked, &caller, faults, JobKind::Update, updates(asked)?)
        }
        ("POST", "/api/v2/users/create_or_update") => single(account, asked, &caller, &base),
        ("POST", "/api/v2/organizations/create_many") => {
            let rows = rows(asked, "organizations")?;
            account.start_job(JobKind::Organizations, rows, &base, faults, &asked.line())
        }
        ("POST", "/api/v2/organizations/create_or_update") => {
            let row = one(asked, "organization")?;
            account.upsert_organization(&row, &base).map_err(|refused| refused.reply())
        }
        _ => Err(not_found()),
    }
}

/// The address that clients know the simulator by.
fn base(asked: &Asked) -> String {
    format!("http://{}", asked.header("host").unwrap_or("localhost"))
}

pub(crate) fn not_found() -> Reply {
    Reply::json(404, &json!({ "error": "RecordNotFound", "description": "Not found" }))
}

fn me(account: &Account, caller: Option<&Agent>, base: &str) -> Reply {
    let Some(caller) = caller else {
        // The trap: no 401, but a stranger without an id.
        let mut user = User::new(0).shown(base);
        user["id"] = Value::Null;
        user["url"] = Value::Null;
        user["name"] = json!("Anonymous user");
        return Reply::json(200, &json!({ "user": user }));
    };
    let mut user = User::new(6_163_000_000_001);
    user.emails.push(caller.email.clone());
    let mut user = user.shown(base);
    user["name"] = json!(caller.email.split('@').next());
    user["role"] = json!(caller.role);
    user["verified"] = json!(true);
    user["ticket_restriction"] = Value::Null;
    user["restricted_agent"] = json!(caller.role != "admin");
    user["locale"] = json!(account.settings.locales.first());
    Reply::json(200, &json!({ "user": user }))
}

/// Those of a list of ids or external ids that are there, in the order of the list (DEV-USR and DEV-ORG, "Show Many": up
/// to 100, for agents).
fn shown(caller: &Agent, asked: &Asked, show: impl Fn(&str, &str) -> Option<Value>) -> Result<Reply, Reply> {
    if !["admin", "agent"].contains(&caller.role.as_str()) {
        return Err(gate::forbidden());
    }
    let named = ["ids", "external_ids"].into_iter().filter_map(|name| Some((name, asked.parameter(name)?)));
    let keys: Vec<(&str, &str)> =
        named.flat_map(|(name, list)| list.split(',').map(move |key| (name, key))).collect();
    if keys.len() > 100 {
        return Err(Refused::invalid("ids", "more than 100 are asked for").reply());
    }
    let found: Vec<Value> = keys.into_iter().filter_map(|(name, key)| show(name, key)).collect();
    let reply = if asked.path.contains("/organizations/") {
        json!({ "count": found.len(), "next_page": null, "organizations": found, "previous_page": null })
    } else {
        json!({ "users": found })
    };
    Ok(Reply::json(200, &reply))
}

fn may_manage_users(caller: &Agent) -> Result<(), Reply> {
    let may = caller.role == "admin" || caller.role == "agent" && caller.may_manage_users;
    if may { Ok(()) } else { Err(gate::forbidden()) }
}

fn bulk(
    account: &mut Account,
    asked: &Asked,
    caller: &Agent,
    faults: &Faults,
    kind: JobKind,
    rows: Vec<Row>,
) -> Result<Reply, Reply> {
    may_manage_users(caller)?;
    if !account.settings.imports_enabled {
        return Err(gate::forbidden());
    }
    let line = asked.line();
    account
        .violations
        .extend(rows.iter().flat_map(contract::departures).map(|what| format!("{line}: {what}")));
    account.start_job(kind, rows, &base(asked), faults, &line)
}

fn single(account: &mut Account, asked: &Asked, caller: &Agent, base: &str) -> Result<Reply, Reply> {
    may_manage_users(caller)?;
    let row = one(asked, "user")?;
    account
        .violations
        .extend(contract::departures(&row).into_iter().map(|what| format!("{}: {what}", asked.line())));
    let key = row.get("external_id").or_else(|| row.get("email")).and_then(Value::as_str).unwrap_or_default();
    account.gate.single(key)?;
    let (id, created) = account.upsert(&row, "").map_err(|refused| refused.reply())?;
    let shown = account.users[&id].shown(base);
    Ok(Reply::json(if created { 201 } else { 200 }, &json!({ "user": shown })))
}

fn body(asked: &Asked) -> Result<Value, Reply> {
    asked.json().ok_or_else(|| Refused::invalid("body", "the body is no JSON").reply())
}

fn one(asked: &Asked, name: &str) -> Result<Row, Reply> {
    let row = body(asked)?.get(name).and_then(Value::as_object).cloned();
    row.ok_or_else(|| Refused::invalid(name, &format!("{name} is missing")).reply())
}

fn rows(asked: &Asked, name: &str) -> Result<Vec<Row>, Reply> {
    let body = body(asked)?;
    let rows = body.get(name).and_then(Value::as_array);
    let rows = rows.ok_or_else(|| Refused::invalid(name, &format!("{name} are missing")).reply())?;
    if rows.len() > 100 {
        let description = format!("Maximum 100 {name} may be created per call");
        return Err(Reply::json(400, &json!({ "error": "TooManyValues", "description": description })));
    }
    Ok(rows.iter().map(|row| row.as_object().cloned().unwrap_or_default()).collect())
}

/// One row for every user: a list with an id each, or the same change for ids or external ids of the URL.
fn updates(asked: &Asked) -> Result<Vec<Row>, Reply> {
    let named = ["ids", "external_ids"].into_iter().find_map(|name| Some((name, asked.parameter(name)?)));
    let Some((name, keys)) = named else { return rows(asked, "users") };
    let change = one(asked, "user")?;
    let keys: Vec<&str> = keys.split(',').filter(|key| !key.is_empty()).collect();
    if keys.len() > 100 {
        let error =
            json!({ "error": "TooManyValues", "description": "Maximum 100 users may be created per call" });
        return Err(Reply::json(400, &error));
    }
    let row = |key: &str| {
        let mut row = change.clone();
        // A key that names nobody fails its row, whatever it looks like.
        let key = if name == "ids" { json!(key.parse::<i64>().unwrap_or(-1)) } else { json!(key) };
        row.insert(if name == "ids" { "id" } else { BY_EXTERNAL_ID }.to_owned(), key);
        row
    };
    Ok(keys.into_iter().map(row).collect())
}

/// Where the external id of the URL stands in a row; the body may hold an `external_id` of its own, to be written.
pub(crate) const BY_EXTERNAL_ID: &str = "\0external_id";
