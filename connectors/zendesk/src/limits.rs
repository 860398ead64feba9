//! The vendor's limits.

use usher_sdk::{
    PartLimits,
    abi::{Limit, RateLimit},
    outbox::UnitLimits,
};

use crate::{access::Rate, options::Options};

const SOURCE: &str = "KB-USR, SEED-001";

/// Rows of a file, the header not counted ("500,000 rows: one header row and up to 499,999 rows of data").
pub(crate) const ROWS: u64 = 499_999;
/// Bytes of a file ("can't exceed 1 GB").
pub(crate) const BYTES: u64 = 1_000_000_000;
/// The least that the option `max_bytes` may say: a header must fit in.
pub(crate) const LEAST_BYTES: u64 = 1_000;
/// Bytes of a row, its line end counted ("each row can't exceed 128 KB").
pub(crate) const ROW_BYTES: u64 = 128_000;
/// Columns of a file ("a maximum of 200 columns").
pub(crate) const COLUMNS: usize = 200;
/// Organizations of a user.
pub(crate) const ORGANIZATIONS: u32 = 50;
/// Organizations of a user on the plan `team`.
pub(crate) const ORGANIZATIONS_TEAM: u32 = 1;

/// Users of a request (DEV-USR, ZENPY: 101 are `TooManyValues`).
pub(crate) const API_ROWS: u64 = 100;
/// Bytes of a request's body. Ours: the vendor names none.
pub(crate) const API_BYTES: u64 = 1_000_000;
/// Bytes of a user as JSON. Ours: what the data importer takes as a row.
pub(crate) const API_ROW_BYTES: u64 = 128_000;
/// What stands around the users in a body: `{"organizations":[…]}`.
const ENVELOPE: u64 = 32;
/// Jobs that an account queues and runs at a time (DEV-RATE).
pub(crate) const JOBS: usize = 30;
/// An account keeps what a job did for a day (DEV-JOB); a job that has not ended long before then is left to the next
/// run. Ours: two hours.
pub(crate) const JOB_MS: u64 = 2 * 60 * 60 * 1_000;
/// So long after it was begun a job may be unknown (NODE: briefly). Ours: a minute.
pub(crate) const JOB_APPEARS_MS: u64 = 60 * 1_000;
/// How long an account may be full of jobs of others before the run gives up. Ours: a quarter of an hour, as the host
/// waits for other things.
pub(crate) const FULL_MS: u64 = 15 * 60 * 1_000;
/// Between two attempts while the account is full, where the vendor gives no hint. Ours.
pub(crate) const LATER_MS: u64 = 5_000;
/// The longest reply that is read. Ours: thirty jobs of a hundred results each are a few megabytes.
pub(crate) const REPLY_BYTES: usize = 16 << 20;
/// How often a question is asked whose answer cannot be read: a gateway may put a page of its own in its place for a moment.
/// Ours.
pub(crate) const READS: u32 = 3;
/// The most pages of user fields. Ours: 100 fields each (OAS).
pub(crate) const PAGES: usize = 100;

/// As `describe()` shows them.
pub(crate) fn limits() -> Vec<Limit> {
    let limit = |deliver: &str, of: &str, max: u64, source: &str| Limit {
        of: of.to_owned(),
        max,
        deliver: deliver.to_owned(),
        source: source.to_owned(),
    };
    let ours = "ours: the vendor names none";
    vec![
        limit("ui-file", "rows", ROWS, SOURCE),
        limit("ui-file", "bytes", BYTES, SOURCE),
        limit("ui-file", "row_bytes", ROW_BYTES, SOURCE),
        limit("ui-file", "columns", COLUMNS as u64, SOURCE),
        limit("ui-file", "organizations", u64::from(ORGANIZATIONS), "KB-USR"),
        limit("api", "rows", API_ROWS, "DEV-USR, ZENPY"),
        limit("api", "bytes", API_BYTES, ours),
        limit("api", "row_bytes", API_ROW_BYTES, ours),
        limit("api", "jobs", JOBS as u64, "DEV-RATE"),
    ]
}

/// Requests a minute, by plan (DEV-RATE).
const RATES: &[(Rate, u32)] = &[
    (Rate::Essential, 10),
    (Rate::Team, 200),
    (Rate::Professional, 400),
    (Rate::Enterprise, 700),
    (Rate::HighVolume, 2_500),
];

/// One rate limit for each plan; a request names that of its account.
pub(crate) fn rate_limits() -> Vec<RateLimit> {
    let limit = |(rate, requests): &(Rate, u32)| RateLimit {
        name: rate.name().to_owned(),
        requests: *requests,
        per_seconds: 60,
        source: "DEV-RATE".to_owned(),
    };
    RATES.iter().map(limit).collect()
}

/// Requests a minute by the name of a rate limit.
pub(crate) fn requests_a_minute(limit: &str) -> Option<u32> {
    RATES.iter().find(|(rate, _)| rate.name() == limit).map(|(_, requests)| *requests)
}

/// What a request is held to.
pub(crate) fn of_a_request() -> UnitLimits {
    UnitLimits { rows: API_ROWS, bytes: API_BYTES - ENVELOPE }
}

/// What a file is held to.
pub(crate) fn of_a_file(options: &Options) -> PartLimits {
    PartLimits {
        rows: Some(options.max_rows.unwrap_or(ROWS).min(ROWS)),
        bytes: Some(options.max_bytes.unwrap_or(BYTES).min(BYTES)),
        row_bytes: Some(ROW_BYTES),
    }
}
