//! Time as vendors write it, and a vendor's minutes made shorter.

use std::time::{Duration, SystemTime};

use jiff::{Timestamp, tz::TimeZone};

/// A vendor's own span of time at a speed: at 60, its minute lasts a second.
pub(crate) fn scaled(span: Duration, speed: f64) -> Duration {
    assert!(speed > 0.0, "a speed is above zero");
    span.div_f64(speed)
}

/// Whole seconds, rounded up: who waits that long has waited long enough.
pub(crate) fn whole_seconds(span: Duration) -> u64 {
    span.as_millis().div_ceil(1000).max(1) as u64
}

/// Now, as `2023-09-18T23:28:35Z`.
pub(crate) fn now_text() -> String {
    written("%Y-%m-%dT%H:%M:%SZ")
}

/// Now, in a form of `strftime`, in UTC.
pub(crate) fn written(form: &str) -> String {
    Timestamp::now().to_zoned(TimeZone::UTC).strftime(form).to_string()
}

/// Seconds since 1970 at a moment that lies so far ahead, rounded up.
pub(crate) fn epoch_in(ahead: Duration) -> u64 {
    let since = (SystemTime::now() + ahead).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis().div_ceil(1000) as u64
}
