//! What an account is like, and what the sheet does not know.

use std::{collections::VecDeque, time::Duration};

use crate::faults::FaultPlan;

/// What an included blank does, which is unverified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blanks {
    /// Nothing.
    Keep,
    /// It empties the property.
    Clear,
}

/// An account of Constant Contact before its first request.
#[derive(Clone, Debug)]
pub struct Settings {
    /// 0 is a free port.
    pub port: u16,
    /// The application's id, which is the API key, too.
    pub client_id: String,
    /// Its secret; empty for applications with PKCE or the device flow, which have none.
    pub client_secret: String,
    /// The refresh token that a person has got by logging in.
    pub refresh_token: String,
    /// An access token that is good from the start; empty for none.
    pub access_token: String,
    /// Whether a refresh token is good for one use, and refreshing voids the old ones; else it is long-lived.
    pub rotates: bool,
    /// What tokens are good for.
    pub scopes: Vec<String>,
    /// How long access tokens live, on the wall clock.
    pub access_token_lives: Duration,
    /// Whether the device flow gives refresh tokens with `offline_access`, on which sources disagree.
    pub device_gives_refresh_token: bool,
    /// How long until the person has agreed on the device page; `None` waits for [`super::OAuth::approve`].
    pub approves_after: Option<Duration>,
    /// Requests a second for the API key.
    pub requests_per_second: u32,
    /// Requests a day for the API key.
    pub requests_per_day: u32,
    /// Requests a second at the token endpoint.
    pub tokens_per_second: u32,
    /// How much faster than real the vendor's seconds and days pass.
    pub speed: f64,
    /// How long an activity takes from its request to its end, on the wall clock.
    pub activity_time: Duration,
    /// Activities at a time.
    pub most_queued: usize,
    /// How the next activities end, when not `completed`: `failed`, `cancelled`, `timed_out`. They have no effect then.
    pub endings: VecDeque<&'static str>,
    /// Bytes of a request body beyond which an import drops the rest: 4,000,000, or 4,194,304.
    pub largest_body: usize,
    /// Lines of an import, the header included, beyond which the rest is dropped.
    pub most_lines: usize,
    /// Whether the CSV import takes `home_…`, `work_…` and `other_…` columns as the JSON import does. Unverified.
    pub csv_takes_all_columns: bool,
    /// What an included blank does.
    pub blanks: Blanks,
    /// Whether the account confirms opt-ins by mail.
    pub confirms_opt_in: bool,
    /// Whether 429 comes as one object; else as an array.
    pub throttles_with_one_object: bool,
    /// Names of lists that are there.
    pub lists: Vec<String>,
    /// Labels of custom fields that are there, of type `string`.
    pub custom_fields: Vec<String>,
    /// Names of tags that are there.
    pub tags: Vec<String>,
    /// Addresses of people who have unsubscribed.
    pub unsubscribed: Vec<String>,
    /// Addresses of contacts that were deleted.
    pub deleted: Vec<String>,
    /// Addresses that no import takes, for reasons of the vendor's own.
    pub refuses: Vec<String>,
    /// What the user may do.
    pub privileges: Vec<String>,
    /// Whether errors of imports name the line of a contact. Unverified: the second version of the API did so.
    pub names_lines: bool,
    /// What goes wrong.
    pub faults: FaultPlan,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "usher-client".to_owned(),
            client_secret: "hush-secret".to_owned(),
            refresh_token: "hush-refresh-0".to_owned(),
            access_token: String::new(),
            rotates: true,
            scopes: ["contact_data", "account_read", "offline_access"].map(str::to_owned).to_vec(),
            access_token_lives: Duration::from_secs(24 * 60 * 60),
            device_gives_refresh_token: true,
            approves_after: None,
            requests_per_second: 4,
            requests_per_day: 10_000,
            tokens_per_second: 1,
            speed: 1.0,
            activity_time: Duration::from_millis(50),
            most_queued: 1000,
            endings: VecDeque::new(),
            largest_body: 4_000_000,
            most_lines: 40_000,
            csv_takes_all_columns: false,
            blanks: Blanks::Keep,
            confirms_opt_in: false,
            throttles_with_one_object: false,
            lists: vec!["Newsletter".to_owned()],
            custom_fields: vec!["plan".to_owned()],
            tags: Vec::new(),
            unsubscribed: Vec::new(),
            deleted: Vec::new(),
            refuses: Vec::new(),
            privileges: ["contacts:read", "contacts:write", "contacts:lists:read", "contacts:lists:write"]
                .map(str::to_owned)
                .to_vec(),
            names_lines: true,
            faults: FaultPlan::none(),
        }
    }
}
