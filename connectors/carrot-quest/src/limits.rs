//! The vendor's limits.

use usher_sdk::{
    PartLimits,
    abi::{Limit, RateLimit},
    outbox::UnitLimits,
};

use crate::options::{Deliver, Options};

/// Bytes of a file: less than 30 MB (IMPORT, HELP-EN).
pub(crate) const BYTES: u64 = 29_999_999;
/// People in a file for the admin panel (TUNING, HELP-RU; the newest HELP-EN no longer says so).
pub(crate) const UI_ROWS: u64 = 4_000;
/// Bytes of a request that carries a file. The 30 MB are the file's (IMPORT); ours, so that no counting of theirs is passed.
pub(crate) const REQUEST_BYTES: u64 = BYTES;
/// Properties in a call of `/props` (SETPROPS); of the import it is not documented.
pub(crate) const COLUMNS: usize = 250;
/// Items of a list (PROPS).
pub(crate) const LIST_ITEMS: u32 = 30;
/// Largest whole number, and with a minus the smallest (PROPS).
pub(crate) const INTEGER: i64 = 1 << 53;

/// Name of the rate limit of the API.
pub(crate) const REQUESTS: &str = "requests";

/// Parts under way at once. Ours: each is some 30 MB in memory.
pub(crate) const IMPORTS_IN_FLIGHT: usize = 2;
/// People set one by one at once. Ours: the rate limit is what counts.
pub(crate) const PROPS_IN_FLIGHT: usize = 4;
/// Milliseconds for an answer to a part, which may go out slowly. Ours.
pub(crate) const IMPORT_TIMEOUT_MS: u64 = 10 * 60 * 1_000;
/// The longest reply that is read. Ours: a part of short rows that are all refused stays below it.
pub(crate) const REPLY_BYTES: usize = 256 << 20;
/// People of a part that are looked for before the next part's. Ours.
pub(crate) const ROUND: u32 = 20;
/// How often a question is asked whose answer breaks off. Ours.
pub(crate) const MOST_TRIES: u32 = 3;
/// The least time that an import of which no answer came gets, before the same addresses are imported again: from when the
/// doubt arose, whatever the options say. Ours: how long imports take is not documented.
pub(crate) const LEAST_LET_RUN_MS: u64 = 2 * 60 * 1_000;
/// The longest wait before people are looked for again. Ours.
pub(crate) const MOST_POLL_MS: u64 = 60_000;

/// Bounds of options. Ours.
pub(crate) const MOST_SAMPLE: u64 = 1_000;
/// As above.
pub(crate) const MOST_WAIT_SECONDS: u64 = 86_400;
/// As above: they are held in memory, and sent sixty a minute.
pub(crate) const MOST_PROPS: u64 = 1_000;

/// How often the API lets itself be asked; far more gets the key blocked (LIMITS).
pub(crate) fn rate_limits() -> Vec<RateLimit> {
    let source = "LIMITS: 60 requests a minute for each API key".to_owned();
    vec![RateLimit { name: REQUESTS.to_owned(), requests: 60, per_seconds: 60, source }]
}

/// As `describe()` shows them.
pub(crate) fn describe() -> Vec<Limit> {
    let limit = |of: &str, max, deliver: &str, source: &str| Limit {
        of: of.to_owned(),
        max,
        deliver: deliver.to_owned(),
        source: source.to_owned(),
    };
    vec![limit("bytes", BYTES, "", "IMPORT, HELP-EN"), limit("rows", UI_ROWS, "ui-file", "TUNING, HELP-RU")]
}

/// For the files of a run.
pub(crate) fn of_parts(options: &Options) -> PartLimits {
    let rows = match options.deliver {
        Deliver::UiFile => Some(options.max_rows.unwrap_or(UI_ROWS)),
        Deliver::ApiFile | Deliver::Api => options.max_rows,
    };
    PartLimits { rows, bytes: Some(options.max_bytes.unwrap_or(BYTES)), row_bytes: None }
}

/// For the parts of an API delivery, whose header and frame have so many bytes: the file keeps to `max_bytes`, the whole
/// request to [`REQUEST_BYTES`].
pub(crate) fn of_units(options: &Options, header: u64, frame: u64) -> UnitLimits {
    let file = options.max_bytes.unwrap_or(BYTES).saturating_sub(header);
    let request = REQUEST_BYTES.saturating_sub(header + frame);
    UnitLimits { rows: options.max_rows.unwrap_or(u64::MAX), bytes: file.min(request) }
}
