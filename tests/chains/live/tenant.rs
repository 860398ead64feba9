//! A stand-in for an Auth0 tenant on this machine: as much of it as an export needs, and the troubles that exports have.

use std::{collections::VecDeque, io::Write, net::SocketAddr};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::support::server::{Answer, Asked, Server};

/// What happens to a download.
pub(super) enum Trouble {
    /// The link is older than its 60 seconds.
    Expired,
    /// The connection breaks in the middle.
    Cut,
}

/// What the stand-in knows.
pub(super) struct Account {
    /// The file that every export gives, before it is packed.
    pub(super) users: String,
    /// So many questions for a job are answered with `pending`.
    pub(super) pending: u64,
    pub(super) troubles: VecDeque<Trouble>,
}

pub(super) type Tenant = Server<Account>;

/// A tenant with these users.
pub(super) fn tenant(users: &str) -> Tenant {
    Server::new(Account { users: users.to_owned(), pending: 0, troubles: VecDeque::new() }, answer)
}

fn answer(asked: &Asked, address: SocketAddr, account: &mut Account) -> Answer {
    const JOB: &str = "job_0000000000000001";
    let json = |status, value: Value| Answer::json(status, &value);
    let file = |status, body, cut| Answer { status, body, cut };
    let refused = |status, message: &str| {
        json(status, json!({ "statusCode": status, "error": "x", "message": message }))
    };
    let job = |more: Value| {
        let mut job = json!({ "id": JOB, "type": "users_export" });
        for (key, value) in more.as_object().into_iter().flatten() {
            job[key] = value.clone();
        }
        json(200, job)
    };
    let is_known = asked.authorization.as_deref() == Some("Bearer hush-token");
    match asked.line.as_str() {
        "POST /oauth/token" if asked.body.contains("client_secret=hush-secret") => json(
            200,
            json!({ "access_token": "hush-token", "token_type": "Bearer", "expires_in": 86_400, "scope": "read:users" }),
        ),
        "POST /oauth/token" => {
            json(401, json!({ "error": "access_denied", "error_description": "Unauthorized" }))
        }
        line if line.starts_with("GET /files/") => match account.troubles.pop_front() {
            _ if asked.authorization.is_some() => file(400, b"<Error/>".to_vec(), false),
            Some(Trouble::Expired) => file(403, b"<Error/>".to_vec(), false),
            trouble => file(200, packed(&account.users), trouble.is_some()),
        },
        _ if !is_known => refused(401, "Invalid token"),
        "POST /api/v2/jobs/users-exports" => job(json!({ "status": "pending" })),
        line if *line == format!("GET /api/v2/jobs/{JOB}") => {
            if account.pending > 0 {
                account.pending -= 1;
                return job(json!({ "status": "pending", "time_left_seconds": 1 }));
            }
            let location = format!("{address}/files/acme.json.gz?Signature=hush-signature");
            job(json!({ "status": "completed", "location": location }))
        }
        _ => refused(404, "Not found"),
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory");
    encoder.finish().expect("memory")
}
