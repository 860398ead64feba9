//! Filters from one text to one text, shared by both ways of running. They write into the caller's buffer.

use std::fmt::Write;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use memchr::memmem::Finder;
use phonenumber::country;
use sha2::{Digest, Sha256};

use super::ast::Const;
use super::cell::{Cell, short};
use super::list;

/// The longest text that an expression makes of a row, in bytes: as long as a record may be. What is longer was made to be, by
/// values that are put into each other.
pub(super) const LONGEST: usize = 10_000_000;

/// The message for a row whose text would be longer.
pub(super) fn too_long() -> String {
    format!("stopped at a text of more than {} MB; make the expression do less per row", LONGEST / 1_000_000)
}

/// A filter with its arguments, ready to be applied to many texts.
#[derive(Debug, Clone)]
pub(super) enum TextFilter {
    Lower,
    Upper,
    Trim,
    /// Trims any of these characters.
    TrimChars(Vec<char>),
    Replace {
        from: Box<Finder<'static>>,
        to: String,
    },
    /// The region national numbers belong to; without it only international ones are read.
    E164(Option<country::Id>),
    /// The strftime format.
    Date(String),
    Sha256,
    /// The separator.
    Join(String),
}

impl TextFilter {
    /// The filter of that name, `None` if the name is not one of these. The error says what is wrong with
    /// the arguments.
    pub(super) fn new(name: &str, arguments: &[Const]) -> Result<Option<TextFilter>, String> {
        let filter = match (name, arguments) {
            ("lower", []) => TextFilter::Lower,
            ("upper", []) => TextFilter::Upper,
            ("trim", []) => TextFilter::Trim,
            ("trim", [chars]) => TextFilter::TrimChars(argument(chars).chars().collect()),
            ("replace", [from, to]) => {
                let finder = Finder::new(&argument(from)).into_owned();
                TextFilter::Replace { from: Box::new(finder), to: argument(to) }
            }
            ("e164", []) => TextFilter::E164(None),
            ("e164", [region]) => {
                let region = argument(region);
                match country::Id::from_str(&region.to_ascii_uppercase()) {
                    Ok(id) => TextFilter::E164(Some(id)),
                    Err(_) => {
                        return Err(format!(
                            "unknown region `{region}`; write a country of ISO 3166, as in e164('US')"
                        ));
                    }
                }
            }
            ("date", []) => TextFilter::Date("%Y-%m-%d".to_owned()),
            ("date", [format]) => {
                let format = argument(format);
                let sample = BrokenDownTime::from(&Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC));
                if let Err(error) = sample.to_string(&format) {
                    return Err(format!(
                        "bad date format `{format}`: {}; write one as in date('%Y-%m-%d')",
                        one_line(&error)
                    ));
                }
                TextFilter::Date(format)
            }
            ("sha256", []) => TextFilter::Sha256,
            ("join", []) => TextFilter::Join(String::new()),
            ("join", [separator]) => TextFilter::Join(argument(separator)),
            ("lower" | "upper" | "sha256", _) => {
                return Err(format!("`{name}` takes no arguments; write `| {name}`"));
            }
            ("trim", _) => {
                return Err("`trim` takes at most the characters to trim, as in trim('-')".to_owned());
            }
            ("replace", _) => return Err("`replace` takes two texts, as in replace('a', 'b')".to_owned()),
            ("e164", _) => return Err("`e164` takes at most a region, as in e164('US')".to_owned()),
            ("date", _) => return Err("`date` takes at most a format, as in date('%Y-%m-%d')".to_owned()),
            ("join", _) => return Err("`join` takes at most a separator, as in join(', ')".to_owned()),
            _ => return Ok(None),
        };
        Ok(Some(filter))
    }

    /// Appends the result for `input`. False if the result is null; `out` may have grown by then. The error
    /// is the message for the row.
    pub(super) fn apply(&self, input: &str, out: &mut String) -> Result<bool, String> {
        match self {
            TextFilter::Lower => lower(input, out),
            TextFilter::Upper => upper(input, out),
            TextFilter::Trim => out.push_str(input.trim()),
            TextFilter::TrimChars(chars) => out.push_str(input.trim_matches(chars.as_slice())),
            TextFilter::Replace { from, to } => replace(from, to, input, out)?,
            TextFilter::E164(region) => return Ok(e164(*region, input, out)),
            TextFilter::Date(format) => date(format, input, out)?,
            TextFilter::Sha256 => sha256(input, out),
            TextFilter::Join(separator) => list::join_text(separator, input, out)?,
        }
        Ok(true)
    }
}

fn argument(value: &Const) -> String {
    value.cell().to_text().into_owned()
}

/// The only letter whose lower case depends on its place in the word.
const SIGMA: char = 'Σ';

fn lower(input: &str, out: &mut String) {
    if input.is_ascii() {
        let start = out.len();
        out.push_str(input);
        out[start..].make_ascii_lowercase();
    } else if input.contains(SIGMA) {
        out.push_str(&input.to_lowercase());
    } else {
        out.extend(input.chars().flat_map(char::to_lowercase));
    }
}

/// Whether [`lower`] makes the same of both.
pub(super) fn equal_in_lower_case(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else if left.contains(SIGMA) || right.contains(SIGMA) {
        left.to_lowercase() == right.to_lowercase()
    } else {
        left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
    }
}

fn upper(input: &str, out: &mut String) {
    if input.is_ascii() {
        let start = out.len();
        out.push_str(input);
        out[start..].make_ascii_uppercase();
    } else {
        out.extend(input.chars().flat_map(char::to_uppercase));
    }
}

fn replace(from: &Finder<'_>, to: &str, input: &str, out: &mut String) -> Result<(), String> {
    let start = out.len();
    let check = |out: &String| if out.len() - start > LONGEST { Err(too_long()) } else { Ok(()) };
    if from.needle().is_empty() {
        // As Rust and Jinja do: around every character.
        out.push_str(to);
        for char in input.chars() {
            out.push(char);
            out.push_str(to);
            check(out)?;
        }
        return Ok(());
    }
    let mut rest = 0;
    for found in from.find_iter(input.as_bytes()) {
        out.push_str(&input[rest..found]);
        out.push_str(to);
        rest = found + from.needle().len();
        check(out)?;
    }
    out.push_str(&input[rest..]);
    Ok(())
}

/// True if the input was a phone number.
fn e164(region: Option<country::Id>, input: &str, out: &mut String) -> bool {
    let digits = input.strip_prefix('+').unwrap_or_default();
    if (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        out.push_str(input);
        return true;
    }
    match phonenumber::parse(region, input) {
        Ok(number) if number.is_valid() => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", number.format().mode(phonenumber::Mode::E164));
            true
        }
        _ => false,
    }
}

/// Reads ISO 8601 dates and times; without an offset they are UTC, with one they become UTC.
fn date(format: &str, input: &str, out: &mut String) -> Result<(), String> {
    let time = read_time(input)
        .ok_or_else(|| format!("`{}` is not an ISO date or time; write it as in 2024-12-31", short(input)))?;
    BrokenDownTime::from(&time)
        .format(format, &mut *out)
        .map_err(|error| format!("`{}` cannot be printed as `{format}`: {}", short(input), one_line(&error)))
}

fn read_time(input: &str) -> Option<Zoned> {
    let input = input.trim();
    if let Ok(timestamp) = input.parse::<Timestamp>() {
        return Some(timestamp.to_zoned(TimeZone::UTC));
    }
    input.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()
}

fn one_line(error: &jiff::Error) -> String {
    error.to_string().replace('\n', " ")
}

fn sha256(input: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in Sha256::digest(input.as_bytes()) {
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Appends a timestamp in microseconds as expressions see it: ISO 8601 in UTC. False if it is out of range.
pub(super) fn print_timestamp(microseconds: i64, out: &mut String) -> bool {
    let Ok(timestamp) = Timestamp::from_microsecond(microseconds) else { return false };
    let _ = write!(out, "{timestamp}");
    true
}

/// Appends a date in days since 1970 as expressions see it. False if it is out of range.
pub(super) fn print_date(days: i32, out: &mut String) -> bool {
    let Ok(timestamp) = Timestamp::from_second(i64::from(days) * 86_400) else { return false };
    let _ = write!(out, "{}", timestamp.to_zoned(TimeZone::UTC).date());
    true
}

/// The text a filter on texts reads; null stays null.
pub(super) fn input(cell: Cell<'_>) -> Option<std::borrow::Cow<'_, str>> {
    match cell {
        Cell::Null => None,
        cell => Some(cell.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(name: &str, arguments: &[&str], input: &str) -> Result<Option<String>, String> {
        let arguments: Vec<Const> = arguments.iter().map(|text| Const::Text((*text).to_owned())).collect();
        let mut out = String::from("before ");
        let filter = TextFilter::new(name, &arguments)?.unwrap();
        let some = filter.apply(input, &mut out)?;
        Ok(some.then(|| out.strip_prefix("before ").unwrap().to_owned()))
    }

    #[test]
    fn letters_change_as_in_rust() {
        for input in ["", "ABC def", "ÀÉ ß İ ŉ", "ΟΔΥΣΣΕΥΣ ΣΑΣ", "ﬁn Ǆ"] {
            assert_eq!(apply("lower", &[], input).unwrap().unwrap(), input.to_lowercase());
            assert_eq!(apply("upper", &[], input).unwrap().unwrap(), input.to_uppercase());
        }
    }

    #[test]
    fn texts_are_equal_in_lower_case_when_lower_makes_them_so() {
        let texts = [
            "",
            "ABC def",
            "abc DEF",
            "abc deg",
            "ÀÉ ß",
            "àé SS",
            "ΟΔΥΣΣΕΥΣ",
            "οδυσσευς",
            "οδυσσευσ",
            "\u{212a}",
            "K",
            "k",
            "İ",
            "i\u{307}",
        ];
        for left in texts {
            for right in texts {
                let equal = left.to_lowercase() == right.to_lowercase();
                assert_eq!(equal_in_lower_case(left, right), equal, "{left} {right}");
            }
        }
    }

    #[test]
    fn replace_is_as_in_rust() {
        for (from, to) in [("a", "bb"), ("", "-"), ("aa", ""), ("é", "e")] {
            for input in ["", "banaana", "aaaa", "éé"] {
                assert_eq!(apply("replace", &[from, to], input).unwrap().unwrap(), input.replace(from, to));
            }
        }
    }

    #[test]
    fn what_is_put_into_each_other_has_an_end() {
        let (dashes, text) = ("-".repeat(100_000), "x".repeat(1_000));
        for (name, arguments, input) in [
            ("replace", vec!["-", &text], dashes.clone()),
            ("replace", vec!["", &text], dashes.clone()),
            ("join", vec![text.as_str()], format!("[1{}]", ",1".repeat(100_000))),
        ] {
            assert_eq!(apply(name, &arguments, &input), Err(too_long()));
        }
        assert_eq!(apply("replace", &["-", "xx"], &dashes).unwrap().unwrap().len(), 200_000);
    }

    #[test]
    fn phones() {
        let phone = |arguments: &[&str], input| apply("e164", arguments, input).unwrap();
        assert_eq!(phone(&[], "+14155552671").as_deref(), Some("+14155552671"));
        assert_eq!(phone(&["US"], "(415) 555-2671").as_deref(), Some("+14155552671"));
        assert_eq!(phone(&["gb"], "020 7946 0018").as_deref(), Some("+442079460018"));
        assert_eq!(phone(&[], "+44 20 7946 0018").as_deref(), Some("+442079460018"));
        assert_eq!(phone(&[], "(415) 555-2671"), None);
        assert_eq!(phone(&["US"], "none of it"), None);
        assert_eq!(phone(&["US"], ""), None);
        insta::assert_snapshot!(
            apply("e164", &["UK"], "").unwrap_err(),
            @"unknown region `UK`; write a country of ISO 3166, as in e164('US')"
        );
    }

    #[test]
    fn dates() {
        let date = |arguments: &[&str], input| apply("date", arguments, input);
        assert_eq!(date(&[], "2024-02-29").unwrap().unwrap(), "2024-02-29");
        assert_eq!(date(&[], "2024-02-29T23:30:00-05:00").unwrap().unwrap(), "2024-03-01");
        assert_eq!(date(&["%d/%m/%Y %H:%M"], "2024-02-29 23:30").unwrap().unwrap(), "29/02/2024 23:30");
        assert_eq!(date(&["%s"], "1970-01-01T00:00:01.5Z").unwrap().unwrap(), "1");
        insta::assert_snapshot!(
            date(&[], "31.12.2024").unwrap_err(),
            @"`31.12.2024` is not an ISO date or time; write it as in 2024-12-31"
        );
        assert!(date(&["%!"], "2024-02-29").unwrap_err().starts_with("bad date format `%!`"));
    }

    #[test]
    fn hashes_and_trims() {
        assert_eq!(
            apply("sha256", &[], "abc").unwrap().unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(apply("trim", &[], "\u{a0} a b \n").unwrap().unwrap(), "a b");
        assert_eq!(apply("trim", &["-_"], "-_a-").unwrap().unwrap(), "a");
        assert!(TextFilter::new("lower", &[Const::Null]).is_err());
    }

    #[test]
    fn times_of_columns() {
        let mut out = String::new();
        assert!(print_timestamp(1_700_000_000_123_000, &mut out));
        assert!(!print_timestamp(i64::MAX, &mut out));
        out.push(' ');
        assert!(print_date(-1, &mut out));
        assert!(!print_date(i32::MAX, &mut out));
        assert_eq!(out, "2023-11-14T22:13:20.123Z 1969-12-31");
    }
}
