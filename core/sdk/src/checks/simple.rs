//! Checks of plain types.

use super::{Fault, Verdict, shown};

/// Anything goes.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// assert_eq!(checks::any(" as it comes ", &mut String::new()), Verdict::Keep);
/// ```
pub fn any(_: &str, _: &mut String) -> Verdict {
    Verdict::Keep
}

/// Anything goes, once white space around it is gone (rule `trim`).
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::trimmed(" Ada ", &mut out), Verdict::Changed("trim"));
/// assert_eq!(out, "Ada");
/// ```
pub fn trimmed(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

/// `true` or `false`; other capitals are lowered (rule `boolean`), anything else is `value.not-boolean`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::boolean("TRUE", &mut out), Verdict::Changed("boolean"));
/// assert_eq!(out, "true");
/// assert!(matches!(checks::boolean("yes", &mut String::new()), Verdict::Bad(fault) if fault.code == "value.not-boolean"));
/// ```
pub fn boolean(value: &str, out: &mut String) -> Verdict {
    match value {
        "true" | "false" => Verdict::Keep,
        _ if value.trim().eq_ignore_ascii_case("true") => {
            out.push_str("true");
            Verdict::Changed("boolean")
        }
        _ if value.trim().eq_ignore_ascii_case("false") => {
            out.push_str("false");
            Verdict::Changed("boolean")
        }
        _ => Verdict::Bad(Fault::new(
            "value.not-boolean",
            format!("{} is neither true nor false", shown(value)),
        )),
    }
}

/// A whole number of at most 64 bits; anything else is `value.not-integer`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// assert_eq!(checks::integer("-12", &mut String::new()), Verdict::Keep);
/// assert!(matches!(checks::integer("1.5", &mut String::new()), Verdict::Bad(fault) if fault.code == "value.not-integer"));
/// ```
pub fn integer(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if trimmed.parse::<i64>().is_err() || trimmed.starts_with('+') {
        return Verdict::Bad(Fault::new(
            "value.not-integer",
            format!("{} is not a whole number", shown(value)),
        ));
    }
    trimmed_to(value, trimmed, out)
}

/// A finite number with `.` as the decimal sign; anything else is `value.not-number`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// assert_eq!(checks::number("1.5", &mut String::new()), Verdict::Keep);
/// assert!(matches!(checks::number("1,5", &mut String::new()), Verdict::Bad(fault) if fault.code == "value.not-number"));
/// ```
pub fn number(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    let plain = trimmed.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !plain || !trimmed.parse::<f64>().is_ok_and(f64::is_finite) {
        return Verdict::Bad(Fault::new("value.not-number", format!("{} is not a number", shown(value))));
    }
    trimmed_to(value, trimmed, out)
}

fn trimmed_to(value: &str, trimmed: &str, out: &mut String) -> Verdict {
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(check: crate::checks::Check, value: &str) -> String {
        let mut out = String::new();
        match check(value, &mut out) {
            Verdict::Keep => format!("keep {value}"),
            Verdict::Changed(rule) => format!("{rule} -> {out}"),
            Verdict::Bad(fault) => format!("{}: {}", fault.code, fault.message),
        }
    }

    #[test]
    fn plain_types() {
        assert_eq!(run(boolean, "true"), "keep true");
        assert_eq!(run(boolean, " True"), "boolean -> true");
        assert_eq!(run(boolean, "yes"), "value.not-boolean: `yes` is neither true nor false");
        assert_eq!(run(integer, " 12 "), "trim -> 12");
        assert_eq!(run(integer, "12.5"), "value.not-integer: `12.5` is not a whole number");
        assert_eq!(run(number, "-1.5e3"), "keep -1.5e3");
        assert_eq!(run(number, "inf"), "value.not-number: `inf` is not a number");
        assert_eq!(run(trimmed, "a"), "keep a");
    }
}
