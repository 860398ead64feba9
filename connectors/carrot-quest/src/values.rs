//! Checks of single values.

use usher_sdk::checks::{self, Fault, Verdict, shown};

use crate::limits;

/// An address, freed of invisible characters: it may be the key.
pub(crate) fn email(value: &str, out: &mut String) -> Verdict {
    let verdict = checks::clean_key(value, out);
    let cleaned = if verdict == Verdict::Keep { value } else { out.as_str() };
    if cleaned.is_empty() || checks::is_email(cleaned) {
        return verdict;
    }
    Verdict::Bad(Fault::new("email.syntax", format!("{} is not an email address", shown(value))))
}

/// A whole number that Carrot quest can hold.
pub(crate) fn integer(value: &str, out: &mut String) -> Verdict {
    let verdict = checks::integer(value, out);
    let text = match verdict {
        Verdict::Bad(_) => return verdict,
        Verdict::Changed(_) => out.as_str(),
        Verdict::Keep => value,
    };
    if text.parse::<i64>().is_ok_and(|n| (-limits::INTEGER..=limits::INTEGER).contains(&n)) {
        return verdict;
    }
    let message = format!("{} is not between -2^53 and 2^53; deliver it as text", shown(value));
    Verdict::Bad(Fault::new("value.out-of-range", message))
}

/// A phone number's digits (rule `digits`).
pub(crate) fn digits(value: &str, out: &mut String) -> Verdict {
    if value.bytes().all(|b| b.is_ascii_digit()) {
        return Verdict::Keep;
    }
    out.extend(value.chars().filter(char::is_ascii_digit));
    if out.is_empty() || value.chars().any(char::is_alphabetic) {
        return Verdict::Bad(Fault::new(
            "phone.no-digits",
            format!("{} is no phone number in digits", shown(value)),
        ));
    }
    Verdict::Changed("digits")
}

/// A list in a run that does not say how lists are written. An empty one is blank.
pub(crate) fn no_list(value: &str, _: &mut String) -> Verdict {
    if value == "[]" {
        return Verdict::Changed("empty-list");
    }
    let message = format!(
        "{} is a list, and how the import reads lists is not documented; set `lists` to `json` or `comma`, or shape it \
         with `join` in `fields`",
        shown(value)
    );
    Verdict::Bad(Fault::new("list.unverified", message))
}

/// Digits with a zero in front: an import that guesses types would make another number of them.
pub(crate) fn may_lose_zeros(value: &str) -> bool {
    value.len() > 1 && value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit())
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
    fn addresses_are_cleaned_before_they_are_judged() {
        assert_eq!(run(email, "ada@example.com"), "keep");
        assert_eq!(run(email, "\u{FEFF}ada@exam\u{200D}ple.com "), "invisible: ada@example.com");
        assert_eq!(run(email, "n/a"), "email.syntax");
        assert_eq!(run(email, "\u{200B}"), "invisible: ");
    }

    #[test]
    fn integers_fit_into_a_double() {
        assert_eq!(run(integer, "9007199254740992"), "keep");
        assert_eq!(run(integer, " -9007199254740992"), "trim: -9007199254740992");
        assert_eq!(run(integer, "9007199254740993"), "value.out-of-range");
        assert_eq!(run(integer, "1.5"), "value.not-integer");
    }

    #[test]
    fn phones_in_digits() {
        assert_eq!(run(digits, "79120000000"), "keep");
        assert_eq!(run(digits, "+7 (912) 000-00-00"), "digits: 79120000000");
        assert_eq!(run(digits, "ask Ada"), "phone.no-digits");
        assert_eq!(run(digits, "12 ext 5"), "phone.no-digits");
    }

    #[test]
    fn zeros_in_front() {
        assert!(may_lose_zeros("00123") && may_lose_zeros("01"));
        assert!(!may_lose_zeros("0") && !may_lose_zeros("10") && !may_lose_zeros("0a"));
    }
}
