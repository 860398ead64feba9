//! The vendor's limits.

use usher_sdk::{PartLimits, abi::Limit};

use crate::options::Options;

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

/// As `describe()` shows them.
pub(crate) fn limits() -> Vec<Limit> {
    let limit = |of: &str, max: u64, source: &str| Limit {
        of: of.to_owned(),
        max,
        deliver: "ui-file".to_owned(),
        source: source.to_owned(),
    };
    vec![
        limit("rows", ROWS, SOURCE),
        limit("bytes", BYTES, SOURCE),
        limit("row_bytes", ROW_BYTES, SOURCE),
        limit("columns", COLUMNS as u64, SOURCE),
        limit("organizations", u64::from(ORGANIZATIONS), "KB-USR"),
    ]
}

/// What a file is held to.
pub(crate) fn of_a_file(options: &Options) -> PartLimits {
    PartLimits {
        rows: Some(options.max_rows.unwrap_or(ROWS).min(ROWS)),
        bytes: Some(options.max_bytes.unwrap_or(BYTES).min(BYTES)),
        row_bytes: Some(ROW_BYTES),
    }
}
