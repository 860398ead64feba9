//! The vendor's limits.

use usher_sdk::{PartLimits, abi::Limit};

use crate::options::{Deliver, Options};

/// Bytes of a file: less than 30 MB (IMPORT, HELP-EN).
pub(crate) const BYTES: u64 = 29_999_999;
/// People in a file for the admin panel (TUNING, HELP-RU; the newest HELP-EN no longer says so).
pub(crate) const UI_ROWS: u64 = 4_000;
/// Properties in a call of `/props` (SETPROPS); of the import it is not documented.
pub(crate) const COLUMNS: usize = 250;
/// Items of a list (PROPS).
pub(crate) const LIST_ITEMS: u32 = 30;
/// Largest whole number, and with a minus the smallest (PROPS).
pub(crate) const INTEGER: i64 = 1 << 53;

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
        Deliver::ApiFile => options.max_rows,
    };
    PartLimits { rows, bytes: Some(options.max_bytes.unwrap_or(BYTES)), row_bytes: None }
}
