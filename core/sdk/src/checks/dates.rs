//! Dates and times.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};

use super::{Fault, Verdict, shown};

/// A calendar date out of `YYYY-MM-DD`, `YYYY/MM/DD` or an ISO 8601 date-time (of which the date is taken as written,
/// in its own zone).
///
/// ```
/// use usher_sdk::checks::parse_date;
///
/// let date = parse_date("2024/3/1").map(|date| date.to_string());
/// assert_eq!(date.as_deref(), Some("2024-03-01"));
/// assert_eq!(parse_date("01/03/2024"), None);
/// ```
pub fn parse_date(value: &str) -> Option<Date> {
    let value = value.trim();
    if let Ok(date) = value.parse::<Date>() {
        return Some(date);
    }
    if let Ok(time) = value.parse::<DateTime>() {
        return Some(time.date());
    }
    // With a zone or offset, the first ten characters are the date as written.
    if value.parse::<jiff::Timestamp>().is_ok() {
        return value.get(..10)?.parse().ok();
    }
    let mut parts = value.split('/');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `YYYY-MM-DD`; other forms that [`parse_date`] knows are rewritten (rule `date`), anything else is `value.not-date`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::iso_date("2024-03-01T10:00:00Z", &mut out), Verdict::Changed("date"));
/// assert_eq!(out, "2024-03-01");
/// ```
pub fn iso_date(value: &str, out: &mut String) -> Verdict {
    let Some(date) = parse_date(value) else {
        return Verdict::Bad(Fault::new(
            "value.not-date",
            format!("{} is not a date; write YYYY-MM-DD", shown(value)),
        ));
    };
    let _ = write!(out, "{date}");
    if out == value { Verdict::Keep } else { Verdict::Changed("date") }
}

/// `YYYY-MM-DDTHH:MM:SS` in UTC without a zone, or `YYYY-MM-DD`; a zone or offset is converted (rule `utc`). Anything
/// else is `value.not-date`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::iso_datetime_utc("2024-03-01T10:00:00+02:00", &mut out), Verdict::Changed("utc"));
/// assert_eq!(out, "2024-03-01T08:00:00");
/// ```
pub fn iso_datetime_utc(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if let Ok(time) = trimmed.parse::<jiff::Timestamp>() {
        let utc = time.to_zoned(jiff::tz::TimeZone::UTC).datetime();
        let _ = write!(out, "{}", utc.strftime("%Y-%m-%dT%H:%M:%S"));
        return Verdict::Changed("utc");
    }
    let time = (trimmed.len() > 10).then(|| trimmed.parse::<DateTime>().ok()).flatten();
    if let Some(time) = time {
        let _ = write!(out, "{}", time.strftime("%Y-%m-%dT%H:%M:%S"));
        return if out == value { Verdict::Keep } else { Verdict::Changed("date") };
    }
    iso_date(value, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let run = |value: &str| {
            let mut out = String::new();
            (iso_date(value, &mut out), out)
        };
        assert_eq!(run("2024-02-29"), (Verdict::Keep, "2024-02-29".into()));
        assert_eq!(run("2024/3/1"), (Verdict::Changed("date"), "2024-03-01".into()));
        assert_eq!(run("2015-08-24T23:10:20.011Z"), (Verdict::Changed("date"), "2015-08-24".into()));
        assert_eq!(run("2015-08-24T23:10:20+02:00"), (Verdict::Changed("date"), "2015-08-24".into()));
        for bad in ["2023-02-29", "yesterday", "24/12/2020", "12", "2020-13-01"] {
            assert!(matches!(run(bad).0, Verdict::Bad(_)), "{bad}");
        }
    }

    #[test]
    fn times_in_utc() {
        let run = |value: &str| {
            let mut out = String::new();
            (iso_datetime_utc(value, &mut out), out)
        };
        assert_eq!(
            run("2015-08-24T23:10:20.011+02:00"),
            (Verdict::Changed("utc"), "2015-08-24T21:10:20".into())
        );
        assert_eq!(run("2015-08-24T23:10:20"), (Verdict::Keep, "2015-08-24T23:10:20".into()));
        assert_eq!(run("2015-08-24"), (Verdict::Keep, "2015-08-24".into()));
        assert!(matches!(run("soon").0, Verdict::Bad(_)));
    }
}
