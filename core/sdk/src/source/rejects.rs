//! Rejects that every source gives, worded once.

use usher_abi::{Origin, Reject};

use crate::words::counted;

/// Records longer than this are rejected unless an option says otherwise; 10 MB.
pub const MAX_RECORD_BYTES: usize = 10_000_000;

/// Rejects after which a batch ends early, so that a file of nothing but broken lines needs no memory of its size.
pub(crate) const REJECTS_A_CALL: usize = 1_000;

/// `record.too-long` of delimited text: line ends within a record stand in quotes, so one that was forgotten makes
/// records long.
pub(crate) fn too_long_in_quotes(input: u32, offset: u64, length: u64, limit: usize, lines: usize) -> Reject {
    let mut reject = too_long(input, offset, length, limit);
    if lines > 0 {
        let lines = counted(lines as u64, "line end stands", "line ends stand");
        reject.message =
            format!("{}; {lines} inside its quotes: look whether a quote is not closed", reject.message)
                .into();
    }
    reject
}

/// `record.too-long`.
pub(crate) fn too_long(input: u32, offset: u64, length: u64, limit: usize) -> Reject {
    let message = format!(
        "the record has {length} bytes, the limit is {limit}; raise `max_record_bytes` if it is meant"
    );
    Reject::new(origin(input, offset, length), "", "record.too-long", message)
}

/// An origin; lengths that do not fit are cut (no such record is ever kept).
pub(crate) fn origin(input: u32, offset: u64, length: u64) -> Origin {
    Origin { input, offset, length: u32::try_from(length).unwrap_or(u32::MAX) }
}

/// A value, shortened for a message.
pub(crate) fn shown(value: &str) -> String {
    const SHOWN: usize = 40;
    let mut text: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}
