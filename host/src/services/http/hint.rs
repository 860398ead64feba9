//! How long the other side asks to wait.

use jiff::fmt::rfc2822::DateTimeParser;

/// Numbers from here on are seconds since 1970 and not seconds from now: no vendor asks to wait for thirty years.
const EPOCH: f64 = 1_000_000_000.0;
/// Numbers from here on are milliseconds since 1970.
const EPOCH_MS: f64 = 1_000_000_000_000.0;

/// The milliseconds to wait that a reply asks for: `Retry-After` in seconds or as a date, before `X-RateLimit-Reset`
/// in seconds or as a time. Times count from the reply's own `Date`, if it has one: clocks differ.
pub(super) fn wait_ms(headers: &[(String, String)], now_ms: u64) -> Option<u64> {
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim());
    let now_ms = value("date").and_then(date_ms).unwrap_or(now_ms);
    if let Some(text) = value("retry-after") {
        if let Some(seconds) = seconds(text) {
            return Some(ms(seconds));
        }
        if let Some(until) = date_ms(text) {
            return Some(until.saturating_sub(now_ms));
        }
    }
    let reset = value("x-ratelimit-reset")
        .or_else(|| value("ratelimit-reset"))
        .or_else(|| value("x-rate-limit-reset"))
        .or_else(|| value("rate-limit-reset"));
    let reset = reset.and_then(seconds)?;
    Some(match reset {
        at if at >= EPOCH_MS => (at as u64).saturating_sub(now_ms),
        at if at >= EPOCH => ms(at).saturating_sub(now_ms),
        until => ms(until),
    })
}

fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

fn ms(seconds: f64) -> u64 {
    (seconds * 1_000.0).ceil() as u64
}

fn date_ms(text: &str) -> Option<u64> {
    let zoned = DateTimeParser::new().relaxed_weekday(true).parse_zoned(text).ok()?;
    u64::try_from(zoned.timestamp().as_millisecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T12:00:00Z
    const NOW: u64 = 1_795_348_800_000;

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        wait_ms(&headers, NOW)
    }

    #[test]
    fn every_form_is_read() {
        for (headers, expected) in [
            (&[("retry-after", "7")][..], Some(7_000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after", "0")], Some(0)),
            (&[("retry-after", "Sun, 22 Nov 2026 12:01:30 GMT")], Some(90_000)),
            (&[("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT")], Some(0)),
            (
                &[
                    ("retry-after", "Sun, 22 Nov 2026 12:01:30 GMT"),
                    ("date", "Sun, 22 Nov 2026 12:01:20 GMT"),
                ],
                Some(10_000),
            ),
            (&[("x-ratelimit-reset", "12")], Some(12_000)),
            (&[("x-ratelimit-reset", "1795348805")], Some(5_000)),
            (&[("x-ratelimit-reset", "1795348805250")], Some(5_250)),
            (&[("x-ratelimit-reset", "1795348700")], Some(0)),
            (&[("ratelimit-reset", "3")], Some(3_000)),
            (&[("rate-limit-reset", "3")], Some(3_000)),
            (&[("x-ratelimit-reset", "1795348805"), ("date", "Sun, 22 Nov 2026 12:00:01 GMT")], Some(4_000)),
            (&[("retry-after", "2"), ("x-ratelimit-reset", "60")], Some(2_000)),
            (&[("retry-after", "soon"), ("x-ratelimit-reset", "60")], Some(60_000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "NaN")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ] {
            assert_eq!(wait(headers), expected, "{headers:?}");
        }
    }
}
