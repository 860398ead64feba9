//! Birthdays, anniversaries and other dates, in the forms that Constant Contact reads (KB-HEAD, OAS).

use std::fmt::Write as _;

use jiff::civil::Date;
use usher_sdk::checks::{self, Fault, Verdict, shown};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day of birth; the year is unknown when the source says 0000 or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Birthday {
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// A date as `YYYY-MM-DD` (rule `date`); the month comes first where the year comes last, as Constant Contact reads it.
pub(crate) fn date(value: &str, out: &mut String) -> Verdict {
    let Some(date) = parse(value) else { return not_a_date(value) };
    let _ = write!(out, "{date}");
    if out == value { Verdict::Keep } else { Verdict::Changed("date") }
}

/// As [`date`], after 1900 and not more than ten years after `today`.
pub(crate) fn anniversary(value: &str, today: Date, out: &mut String) -> Verdict {
    let verdict = date(value, out);
    if let (Verdict::Keep | Verdict::Changed(_), Some(date)) = (&verdict, parse(value)) {
        let month_and_day = |date: Date| (date.month(), date.day());
        let last_year = today.year().saturating_add(10);
        let ahead =
            date.year() > last_year || date.year() == last_year && month_and_day(date) > month_and_day(today);
        if date.year() <= 1900 || ahead {
            let message = format!("{} is not after 1900 and at most 10 years ahead", shown(value));
            return Verdict::Bad(Fault::new("date.out-of-range", message));
        }
    }
    verdict
}

/// A day of birth for the upload page: `MM/DD/YYYY`, or `DD-Month` without a year (rule `birthday`).
pub(crate) fn birthday_page(value: &str, out: &mut String) -> Verdict {
    let Some(Birthday { year, month, day }) = parse_birthday(value) else { return not_a_date(value) };
    match year {
        Some(year) => {
            let _ = write!(out, "{month:02}/{day:02}/{year:04}");
        }
        None => day_and_month(day, month, out),
    }
    if out == value { Verdict::Keep } else { Verdict::Changed("birthday") }
}

/// A day of birth for the API: month and day as `MM-DD`, for `layout.rs` to take apart (rule `birthday`).
pub(crate) fn birthday_api(value: &str, out: &mut String) -> Verdict {
    let Some(Birthday { month, day, .. }) = parse_birthday(value) else { return not_a_date(value) };
    let _ = write!(out, "{month:02}-{day:02}");
    Verdict::Changed("birthday")
}

/// Appends `24-August`.
pub(crate) fn day_and_month(day: i8, month: i8, out: &mut String) {
    let name = usize::try_from(month - 1).ok().and_then(|i| MONTHS.get(i)).copied().unwrap_or_default();
    let _ = write!(out, "{day:02}-{name}");
}

/// Whether some year has that day: 29 February is one.
pub(crate) fn exists(month: i8, day: i8) -> bool {
    Date::new(2000, month, day).is_ok()
}

fn not_a_date(value: &str) -> Verdict {
    Verdict::Bad(Fault::new("value.not-date", format!("{} is not a date; write YYYY-MM-DD", shown(value))))
}

/// `YYYY-M-D`, `YYYY/M/D`, `M/D/YYYY`, `M-D-YYYY`, or an ISO 8601 date-time, of which the date is taken as written.
fn parse(value: &str) -> Option<Date> {
    let value = value.trim();
    let separator = if value.contains('/') { '/' } else { '-' };
    let mut parts = value.split(separator);
    let fields = [parts.next()?, parts.next().unwrap_or_default(), parts.next().unwrap_or_default()];
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i16>().ok()).flatten();
    let (year, month, day) = match fields.map(str::len) {
        _ if parts.next().is_some() => return checks::parse_date(value),
        [4, 1 | 2, 1 | 2] => (fields[0], fields[1], fields[2]),
        [1 | 2, 1 | 2, 4] => (fields[2], fields[0], fields[1]),
        _ => return checks::parse_date(value),
    };
    Date::new(number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?).ok()
}

fn parse_birthday(value: &str) -> Option<Birthday> {
    if let Some(date) = parse(value) {
        let year = (date.year() > 0).then(|| date.year());
        return Some(Birthday { year, month: date.month(), day: date.day() });
    }
    // `DD-Month` or `DD-Month-YY`: a year of two digits says nothing.
    let mut parts = value.trim().split('-');
    let (day, name) = (parts.next()?, parts.next()?);
    if parts.next().is_some_and(|year| year.len() != 2 || !year.bytes().all(|b| b.is_ascii_digit()))
        || parts.next().is_some()
    {
        return None;
    }
    let begins = |month: &str| month.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let month = i8::try_from(MONTHS.iter().position(|month| name.len() >= 3 && begins(month))? + 1).ok()?;
    let day = day.parse().ok().filter(|day| exists(month, *day))?;
    Some(Birthday { year: None, month, day })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(check: impl Fn(&str, &mut String) -> Verdict, value: &str) -> String {
        let mut out = String::new();
        match check(value, &mut out) {
            Verdict::Keep => "keep".to_owned(),
            Verdict::Changed(rule) => format!("{rule}: {out}"),
            Verdict::Bad(fault) => fault.code.to_owned(),
        }
    }

    #[test]
    fn every_form_of_a_date() {
        assert_eq!(run(date, "2024-02-29"), "keep");
        for form in [
            "2/29/2024",
            "02/29/2024",
            "2-29-2024",
            "2024/2/29",
            "2024-2-29",
            " 2024-02-29 ",
            "2024-02-29T23:59:59Z",
        ] {
            assert_eq!(run(date, form), "date: 2024-02-29", "{form}");
        }
        for bad in
            ["2023-02-29", "29/02/2024", "24-2-29", "2024", "soon", "", "1/2/3/2024", "1-2/2024", "é/1/2024"]
        {
            assert_eq!(run(date, bad), "value.not-date", "{bad}");
        }
    }

    #[test]
    fn birthdays_lose_their_year_or_have_none() {
        assert_eq!(run(birthday_page, "1815-12-10"), "birthday: 12/10/1815");
        assert_eq!(run(birthday_page, "12/10/1815"), "keep");
        assert_eq!(run(birthday_page, "0000-12-10"), "birthday: 10-December");
        assert_eq!(run(birthday_page, "0000-02-29"), "birthday: 29-February");
        assert_eq!(run(birthday_page, "9-Sept-71"), "birthday: 09-September");
        assert_eq!(run(birthday_page, "29-Feb"), "birthday: 29-February");
        assert_eq!(run(birthday_api, "1815-12-10"), "birthday: 12-10");
        assert_eq!(run(birthday_api, "1-may"), "birthday: 05-01");
        for bad in [
            "2023-02-29",
            "30-February",
            "31-April",
            "1815",
            "10-De",
            "10-Dezember",
            "0-May",
            "10-May-1815-x",
        ] {
            assert_eq!(run(birthday_page, bad), "value.not-date", "{bad}");
        }
        assert!(exists(2, 29) && !exists(2, 30) && !exists(4, 31) && exists(12, 31));
    }

    #[test]
    fn anniversaries_are_near() {
        let today: Date = "2026-02-28".parse().unwrap();
        let run = |value| run(|v: &str, out: &mut String| anniversary(v, today, out), value);
        assert_eq!(run("1901-01-01"), "keep");
        assert_eq!(run("1900-12-31"), "date.out-of-range");
        assert_eq!(run("2036-02-28"), "keep");
        assert_eq!(run("2/29/2036"), "date.out-of-range");
        assert_eq!(run("2037-01-01"), "date.out-of-range");
    }
}
