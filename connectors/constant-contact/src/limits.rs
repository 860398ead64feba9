//! The vendor's limits.

use usher_sdk::{
    PartLimits,
    abi::{Limit, RateLimit},
};

use crate::options::{Deliver, Options};

/// Contacts in a file for the upload page: below 1,000,000 (KB-FAQ).
const UI_ROWS: u64 = 999_999;
/// Bytes of a file for the upload page: below 100 MB (KB-FAQ).
const UI_BYTES: u64 = 99_999_999;
/// Contacts in a file for the API; with the header they are 40,000 lines, and further ones are dropped silently (OAS).
const API_ROWS: u64 = 39_999;
/// Lines of a file for the API, the header and line breaks inside values counted (OAS).
pub(crate) const API_LINES: u64 = 40_000;
/// Bytes of a file for the API. What is above 4 MB of the request's body is dropped silently (OAS): 10,000 bytes are
/// left for the rest of the body, of which 50 lists take 2,000.
const API_BYTES: u64 = 3_990_000;
/// Lists of an import (OAS).
pub(crate) const LISTS: usize = 50;
/// Custom fields, phones and addresses of a contact (OAS, GUIDE-NEW).
pub(crate) const CUSTOM_FIELDS: usize = 25;
pub(crate) const PHONES: usize = 3;
pub(crate) const ADDRESSES: usize = 3;
/// Characters of an address above which pages disagree (OAS: 50 in the import, 80 in the contact).
pub(crate) const EMAIL_AGREED: usize = 50;
/// Characters of an address that signs up (OAS).
pub(crate) const SIGN_UP_EMAIL: u32 = 50;
/// Characters of a custom field's label (OAS).
pub(crate) const LABEL: usize = 50;
/// Custom fields of an account (OAS).
pub(crate) const ACCOUNT_FIELDS: usize = 100;
/// Characters of a list's name (OAS).
pub(crate) const LIST_NAME: usize = 255;
/// Characters of a tag's name, and tags that are given at once (OAS).
pub(crate) const TAG: usize = 255;
pub(crate) const TAGS: usize = 50;
/// Bytes of a request that imports; above, data is dropped silently (OAS). Whether 4 MB are these or 4,194,304 is not said.
pub(crate) const BODY: usize = 4_000_000;
/// The longest reply that is read: 500 activities with their errors.
pub(crate) const REPLY: usize = 16 << 20;

/// Names of the rate limits below.
pub(crate) const SECOND: &str = "second";
pub(crate) const DAY: &str = "day";
pub(crate) const TOKEN: &str = "token";

/// How often the vendor lets itself be asked, by application key, whatever the account.
pub(crate) fn rate_limits() -> Vec<RateLimit> {
    let limit = |name: &str, requests, per_seconds, source: &str| RateLimit {
        name: name.to_owned(),
        requests,
        per_seconds,
        source: source.to_owned(),
    };
    vec![
        limit(SECOND, 4, 1, "EVAN (rate limits), STAFF-RATE"),
        limit(DAY, 10_000, 86_400, "EVAN (rate limits), STAFF-RATE"),
        limit(TOKEN, 1, 1, "STAFF-RATE"),
    ]
}

/// Rows and bytes of a file.
pub(crate) fn vendors(deliver: Deliver) -> (u64, u64) {
    match deliver {
        Deliver::UiFile => (UI_ROWS, UI_BYTES),
        Deliver::ApiFile | Deliver::Api => (API_ROWS, API_BYTES),
    }
}

/// The API's limit of a column, where it is another than the upload page's (OAS).
pub(crate) fn api_chars(column: &str) -> Option<u32> {
    let part =
        ["home_", "work_", "other_"].iter().find_map(|whose| column.strip_prefix(whose)).unwrap_or(column);
    match part {
        "street" | "street2" => Some(255),
        "zip" | "country" => Some(50),
        _ => None,
    }
}

/// As `describe()` shows them.
pub(crate) fn describe() -> Vec<Limit> {
    let limit = |of: &str, max, deliver: &str, source: &str| Limit {
        of: of.to_owned(),
        max,
        deliver: deliver.to_owned(),
        source: source.to_owned(),
    };
    vec![
        limit("rows", UI_ROWS, "ui-file", "KB-FAQ"),
        limit("bytes", UI_BYTES, "ui-file", "KB-FAQ"),
        limit("rows", API_ROWS, "api-file", "OAS"),
        limit("bytes", API_BYTES, "api-file", "OAS"),
        limit("rows", API_ROWS, "api", "OAS, GUIDE-IMP"),
        limit("bytes", API_BYTES, "api", "OAS"),
    ]
}

/// For the files of a run.
pub(crate) fn of_parts(options: &Options) -> PartLimits {
    let (rows, bytes) = vendors(options.deliver);
    PartLimits {
        rows: Some(options.max_rows.unwrap_or(rows)),
        bytes: Some(options.max_bytes.unwrap_or(bytes)),
        row_bytes: None,
    }
}
