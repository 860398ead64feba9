//! Checks of single values. Dates are in `dates.rs`.

use std::fmt::Write as _;

use usher_sdk::checks::{self, Fault, Verdict, shown};

/// An address.
pub(crate) fn email(value: &str, out: &mut String) -> Verdict {
    checks::email(value, out)
}

/// A month, 1 to 12, without zeros in front.
pub(crate) fn month(value: &str, out: &mut String) -> Verdict {
    small_number(value, 12, out)
}

/// A day, 1 to 31, without zeros in front.
pub(crate) fn day(value: &str, out: &mut String) -> Verdict {
    small_number(value, 31, out)
}

fn small_number(value: &str, most: u8, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if trimmed.is_empty() || !trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return Verdict::Bad(Fault::new(
            "value.not-integer",
            format!("{} is not a whole number", shown(value)),
        ));
    }
    match trimmed.parse::<u8>() {
        Ok(number) if (1..=most).contains(&number) => {
            let _ = write!(out, "{number}");
            if out == value { Verdict::Keep } else { Verdict::Changed("integer") }
        }
        _ => Verdict::Bad(Fault::new(
            "value.out-of-range",
            format!("{} is not from 1 to {most}", shown(value)),
        )),
    }
}

/// A number of the USA, as `1231231234` or `123-123-1234`; other writings of one become the first form (rule
/// `us-number`).
pub(crate) fn sms_number(value: &str, out: &mut String) -> Verdict {
    let b = value.as_bytes();
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let plain = b.len() == 10 && digits(b);
    let dashed = b.len() == 12
        && b[3] == b'-'
        && b[7] == b'-'
        && digits(&b[..3])
        && digits(&b[4..7])
        && digits(&b[8..]);
    if plain || dashed {
        return Verdict::Keep;
    }
    out.extend(value.trim().chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{A0}')));
    let number = out
        .strip_prefix("+1")
        .or_else(|| out.strip_prefix('1').filter(|rest| rest.len() == 10))
        .unwrap_or(out);
    if number.len() == 10 && digits(number.as_bytes()) {
        let country = out.len() - 10;
        out.drain(..country);
        return Verdict::Changed("us-number");
    }
    let message = format!("{} is no number of the USA, where alone texts go; write 1231231234", shown(value));
    Verdict::Bad(Fault::new("sms.not-us", message))
}

#[cfg(test)]
mod tests {
    use usher_sdk::checks::Check;

    use super::*;

    fn run(check: Check, value: &str) -> String {
        let mut out = String::new();
        match check(value, &mut out) {
            Verdict::Keep => "keep".to_owned(),
            Verdict::Changed(rule) => format!("{rule}: {out}"),
            Verdict::Bad(fault) => fault.code.to_owned(),
        }
    }

    #[test]
    fn months_and_days() {
        assert_eq!(run(month, "12"), "keep");
        assert_eq!(run(month, " 08"), "integer: 8");
        assert_eq!(run(month, "13"), "value.out-of-range");
        assert_eq!(run(month, "0"), "value.out-of-range");
        assert_eq!(run(month, "999999"), "value.out-of-range");
        assert_eq!(run(day, "31"), "keep");
        assert_eq!(run(day, "-1"), "value.not-integer");
        assert_eq!(run(day, "May"), "value.not-integer");
    }

    #[test]
    fn numbers_of_the_usa() {
        assert_eq!(run(sms_number, "1231231234"), "keep");
        assert_eq!(run(sms_number, "123-123-1234"), "keep");
        assert_eq!(run(sms_number, "+1 (415) 555-0101"), "us-number: 4155550101");
        assert_eq!(run(sms_number, "1-415-555-0101"), "us-number: 4155550101");
        assert_eq!(run(sms_number, "415.555.0101"), "us-number: 4155550101");
        for bad in
            ["+44 20 7946 0000", "555-0101", "123-12-3123", "é31231234", "+1", "22312312345", "+12312312"]
        {
            assert_eq!(run(sms_number, bad), "sms.not-us", "{bad}");
        }
    }
}
