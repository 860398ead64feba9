//! Phone numbers.

use std::fmt::Write as _;

use super::{Fault, Verdict, shown};

/// A region whose national numbers are understood (`FR`).
pub type Region = phonenumber::country::Id;

/// The region of a two-letter code.
///
/// ```
/// use usher_sdk::checks::parse_region;
///
/// assert!(parse_region("gb").is_some());
/// assert!(parse_region("xx").is_none());
/// ```
pub fn parse_region(code: &str) -> Option<Region> {
    code.to_ascii_uppercase().parse().ok()
}

/// E.164 (`+33199001234`); other writings are converted (rule `e164`), numbers without a country code by `region`.
/// Anything else is `phone.not-e164`. A number that is E.164 by its form is taken without looking it up.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// let verdict = checks::e164("020 7183 8750", checks::parse_region("GB"), &mut out);
/// assert_eq!(verdict, Verdict::Changed("e164"));
/// assert_eq!(out, "+442071838750");
///
/// // In a column table, which takes functions of two arguments:
/// let phone: checks::Check = |value, out| checks::e164(value, None, out);
/// assert_eq!(phone("+442071838750", &mut String::new()), Verdict::Keep);
/// ```
pub fn e164(value: &str, region: Option<Region>, out: &mut String) -> Verdict {
    if is_e164(value) {
        return Verdict::Keep;
    }
    // Without a region, a number that names no country is none, for which the metadata (some 60 ms) need not be read.
    // A parameter may name one, too (`tel:…;phone-context=1`).
    let country = region.is_some() || value.contains(['+', '\u{FF0B}', ';']);
    let number = country
        .then(|| phonenumber::parse(region, value.trim()).ok())
        .flatten()
        .filter(phonenumber::is_valid);
    match number {
        Some(number) => {
            let _ = write!(out, "{}", number.format().mode(phonenumber::Mode::E164));
            Verdict::Changed("e164")
        }
        None => {
            let hint = if region.is_none() && !value.trim_start().starts_with('+') {
                "; it has no country code"
            } else {
                ""
            };
            let message =
                format!("{} is not a phone number in E.164 form (+33199001234){hint}", shown(value));
            Verdict::Bad(Fault::new("phone.not-e164", message))
        }
    }
}

/// `+`, a digit from 1 to 9, and 7 to 15 digits in all.
fn is_e164(value: &str) -> bool {
    let Some(digits) = value.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let run = |value: &str, region: &str| {
            let mut out = String::new();
            let verdict = e164(value, parse_region(region), &mut out);
            match verdict {
                Verdict::Keep => value.to_owned(),
                Verdict::Changed(_) => out,
                Verdict::Bad(fault) => fault.code.to_owned(),
            }
        };
        assert_eq!(run("+15550100123", ""), "+15550100123");
        assert_eq!(run("+44 20 7183 8750", ""), "+442071838750");
        assert_eq!(run("020 7183 8750", "GB"), "+442071838750");
        assert_eq!(run("020 7183 8750", ""), "phone.not-e164");
        assert_eq!(run("n/a", "GB"), "phone.not-e164");
        assert_eq!(run("+0123456789", ""), "phone.not-e164");
    }

    proptest::proptest! {
        #[test]
        fn without_plus_and_region_there_is_no_number(
            value in "(tel:)?(1|44|0)?[0-9 ().xA-C-]{0,16}( ?ext\\. ?[0-9]{1,4})?",
        ) {
            let number = phonenumber::parse(None, value.trim()).ok().filter(phonenumber::is_valid);
            proptest::prop_assert!(number.is_none());
        }
    }
}
