//! What Auth0 allows, each with its source, and what we bound ourselves.

use usher_sdk::abi::RateLimit;

/// The most fields of a CSV export (`EXP`).
pub(crate) const CSV_FIELDS: usize = 30;

/// All data of a job are deleted after 24 hours (`EXP`).
pub(crate) const JOB_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;

/// Between two questions for a job when Auth0 gives no hint (`EXT` asks every 5 seconds; no interval is documented).
pub(crate) const POLL_SECONDS: u64 = 5;

/// The shortest and the longest that a hint (`time_left_seconds`) makes us wait. Ours: a hint may be wrong.
pub(crate) const HINT_SECONDS: (u64, u64) = (1, 30);

/// How long a job may take before the run gives up. Ours: no time is documented. The job goes on, and the next run takes
/// it up.
pub(crate) const JOB_MS: u64 = 2 * 60 * 60 * 1_000;

/// How often a download is begun, each time with a link of its own. Ours.
pub(crate) const DOWNLOADS: u32 = 3;

/// A token is not used in the last minute of its life. Ours: the request must get there.
pub(crate) const TOKEN_MARGIN_MS: u64 = 60 * 1_000;

/// The longest reply of the two APIs that is read. Ours: they are some hundred bytes.
pub(crate) const REPLY_BYTES: usize = 1 << 20;

/// Name of the rate limit of the Management API.
pub(crate) const MANAGEMENT: &str = "management";

/// How often Auth0 lets itself be asked. An export asks every few seconds, so the lowest limit of all plans will do.
pub(crate) fn rate_limits() -> Vec<RateLimit> {
    let source = "RATE: Management API, Free: 2 per second, burst 2 (Enterprise: 16, burst 50)".to_owned();
    vec![RateLimit { name: MANAGEMENT.to_owned(), requests: 2, per_seconds: 1, source }]
}
