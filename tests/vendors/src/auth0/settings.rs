//! What a tenant is like, and what the sheet does not know.

use std::time::Duration;

use serde_json::Value;

use super::people;
use crate::faults::FaultPlan;

/// A tenant of Auth0 before its first request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// 0 is a free port.
    pub port: u16,
    /// The tenant's name, which its files have.
    pub tenant: String,
    /// The application's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// What the application may do; an export needs `read:users`.
    pub scopes: Vec<String>,
    /// One of these is enough to ask for a job, on which sources disagree.
    pub polling_scopes: Vec<String>,
    /// Connections by id and name.
    pub connections: Vec<(String, String)>,
    /// Users as profiles; [`made_up`](super::made_up) makes some.
    pub users: Vec<Value>,
    /// How long a job takes, on the wall clock.
    pub job_time: Duration,
    /// Statuses of a job until it is done, each for an equal share of its time; all but `pending` are unverified.
    pub statuses: Vec<String>,
    /// How jobs end: `completed`, `failed`, `expired`, or something that no sheet knows.
    pub ending: String,
    /// What `status_details` says of a job that did not end well.
    pub status_details: String,
    /// Whether a job says `percentage_done` and `time_left_seconds`.
    pub tells_progress: bool,
    /// How long a link is good, on the wall clock.
    pub link_lives: Duration,
    /// Whether links begin with a scheme. The vendor's sample has none.
    pub links_have_scheme: bool,
    /// Whether files are packed.
    pub packs: bool,
    /// Management requests a second, and at once: Free 2 and 2, Enterprise 16 and 50.
    pub requests_per_second: f64,
    /// Requests at once.
    pub burst: u32,
    /// How much faster than real the vendor's seconds and days pass.
    pub speed: f64,
    /// Whether 429 has OAuth's form of body; else the Management API's.
    pub throttles_in_oauth_form: bool,
    /// What a job without `fields` exports, which is unverified.
    pub default_fields: Vec<String>,
    /// Whether a path without `export_as` comes as nested objects in JSON; else as a flat key. Unverified.
    pub nests_paths: bool,
    /// Whether an absent attribute comes as null in JSON; else its key is missing.
    pub absent_as_null: bool,
    /// How CSV spells true and false, which is unverified.
    pub booleans: [String; 2],
    /// Whether booleans of CSV are escaped as texts are.
    pub escapes_booleans: bool,
    /// Whether CSV begins with a byte order mark, which is unverified.
    pub byte_order_mark: bool,
    /// How lines of CSV end, which is unverified.
    pub line_end: String,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Default for Settings {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        let fields =
            ["user_id", "email", "email_verified", "name", "nickname", "picture", "created_at", "updated_at"];
        Self {
            port: 0,
            tenant: text("acme"),
            client_id: text("usher-client"),
            client_secret: text("hush-secret"),
            scopes: vec![text("read:users")],
            polling_scopes: vec![text("create:users"), text("read:users")],
            connections: vec![(text("con_0000000000000001"), text("Username-Password-Authentication"))],
            users: people::made_up(10),
            job_time: Duration::from_millis(50),
            statuses: vec![text("pending")],
            ending: text("completed"),
            status_details: text("something went wrong"),
            tells_progress: true,
            link_lives: Duration::from_secs(60),
            links_have_scheme: false,
            packs: true,
            requests_per_second: 16.0,
            burst: 50,
            speed: 1.0,
            throttles_in_oauth_form: false,
            default_fields: fields.map(text).to_vec(),
            nests_paths: false,
            absent_as_null: false,
            booleans: [text("true"), text("false")],
            escapes_booleans: false,
            byte_order_mark: false,
            line_end: text("\n"),
            faults: FaultPlan::none(),
        }
    }
}
