//! The vendor's limits.

use usher_sdk::{PartLimits, abi::Limit};

use crate::options::Options;

/// Bytes of a file. "Up to 10 Mb" (IMPEXP): whether 10,000,000 or 10,485,760 is not documented, so less than the smaller.
pub(crate) const BYTES: u64 = 9_999_999;

/// As `describe()` shows them.
pub(crate) fn describe() -> Vec<Limit> {
    vec![Limit { of: "bytes".to_owned(), max: BYTES, deliver: String::new(), source: "IMPEXP".to_owned() }]
}

/// For the files of a run.
pub(crate) fn of_parts(options: &Options) -> PartLimits {
    PartLimits { rows: options.max_rows, bytes: Some(options.max_bytes.unwrap_or(BYTES)), row_bytes: None }
}
