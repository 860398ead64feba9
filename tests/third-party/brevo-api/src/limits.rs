//! Brevo's limits, each with its source.

use usher_sdk::{
    abi::{Limit, RateLimit},
    outbox::UnitLimits,
};

/// Bytes of a request. Brevo takes 10 MB and recommends "a safe limit of around 8 MB" (IMPORT).
const BYTES: u64 = 8_000_000;

/// What requests below `/contacts` count against.
pub(crate) const CONTACTS: &str = "contacts";

/// What all other requests count against.
pub(crate) const OTHERS: &str = "others";

/// As `usher plugins describe` prints them.
pub(crate) fn describe() -> Vec<Limit> {
    let source = "IMPORT".to_owned();
    vec![Limit { of: "bytes".to_owned(), max: BYTES, source, deliver: String::new() }]
}

/// Those of every account; larger plans have more. The host keeps to them.
pub(crate) fn rates() -> Vec<RateLimit> {
    let rate = |name: &str, requests, per_seconds| RateLimit {
        name: name.to_owned(),
        requests,
        per_seconds,
        source: "LIMITS".to_owned(),
    };
    vec![rate(CONTACTS, 10, 1), rate(OTHERS, 100, 3_600)]
}

/// Of the rows of one import, `frame` being the bytes around them.
pub(crate) fn of_units(rows: u64, frame: usize) -> UnitLimits {
    UnitLimits { rows, bytes: BYTES - frame as u64 }
}
