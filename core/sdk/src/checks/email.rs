//! Addresses.

use email_address::{EmailAddress, Options};

use super::{Fault, Verdict, shown};

/// An address a vendor would take; white space around it is removed (rule `trim`). Anything else is `email.syntax`.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::email(" ada@example.com", &mut out), Verdict::Changed("trim"));
/// assert_eq!(out, "ada@example.com");
/// assert!(matches!(checks::email("n/a", &mut String::new()), Verdict::Bad(fault) if fault.code == "email.syntax"));
/// ```
pub fn email(value: &str, out: &mut String) -> Verdict {
    let trimmed = value.trim();
    if !is_email(trimmed) {
        return Verdict::Bad(Fault::new("email.syntax", format!("{} is not an email address", shown(value))));
    }
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

/// Whether a text is an address with a domain of at least two labels: local part ≤ 64 and all ≤ 254 bytes.
///
/// ```
/// use usher_sdk::checks::is_email;
///
/// assert!(is_email("ada@example.com"));
/// assert!(!is_email("ada@localhost"));
/// ```
pub fn is_email(text: &str) -> bool {
    if text.len() > 254 {
        return false;
    }
    usual(text.as_bytes()).unwrap_or_else(|| parsed(text))
}

/// What the parser says.
fn parsed(text: &str) -> bool {
    let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// Where a byte may stand in an address of the common form.
const LOCAL: u8 = 1;
const DOMAIN: u8 = 2;
const PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        places[byte as usize] = match byte {
            b'.' | b'-' => LOCAL | DOMAIN,
            b'_' | b'+' | b'%' | b'\'' => LOCAL,
            _ if byte.is_ascii_alphanumeric() => LOCAL | DOMAIN,
            _ => 0,
        };
        byte += 1;
    }
    places
};

/// The common form, decided without a parser; `None` when it needs one (quotes, comments, other scripts).
fn usual(text: &[u8]) -> Option<bool> {
    let at = text.iter().position(|byte| *byte == b'@')?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let all = |part: &[u8], place: u8| {
        part.iter().fold(place, |places, byte| places & PLACES[usize::from(*byte)]) == place
    };
    if !all(local, LOCAL) || !all(domain, DOMAIN) {
        return None;
    }
    let dots =
        !local.starts_with(b".") && !local.ends_with(b".") && local.windows(2).all(|pair| pair != b"..");
    Some((1..=64).contains(&local.len()) && dots && are_labels(domain))
}

/// Two labels or more, of letters, digits, and hyphens between them.
fn are_labels(domain: &[u8]) -> bool {
    let (mut from, mut labels) = (0, 0);
    for end in 0..=domain.len() {
        if domain.get(end).is_none_or(|byte| *byte == b'.') {
            let label = &domain[from..end];
            if !(1..=63).contains(&label.len()) || label.starts_with(b"-") || label.ends_with(b"-") {
                return false;
            }
            (from, labels) = (end + 1, labels + 1);
        }
    }
    labels > 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_email, parsed, usual};

    proptest! {
        /// What is decided without the parser is decided as by it.
        #[test]
        fn the_common_form_is_what_the_parser_says(
            text in "[aZ0.\\-_+%' é@\"]{0,4}[a.-]{0,6}@[aZ0.\\-_é@]{0,4}[a.-]{0,8}(a{60,64}\\.b)?",
            long in "a{62,66}@b.c",
        ) {
            for text in [text, long] {
                if let Some(good) = usual(text.as_bytes()) {
                    prop_assert_eq!(good, parsed(&text), "{}", text);
                }
            }
        }
    }

    #[test]
    fn addresses() {
        for good in [
            "a@b.co",
            "ada.lovelace+x@mail.example.co.uk",
            "o'neil@example.com",
            "josé@example.com",
            "x@xn--e1afmkfd.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a.example.com",
            "a@@example.com",
            "a@",
            "@example.com",
            "a x@example.com",
            "a..b@example.com",
            "a@example.com.",
            "a@-example.com",
            "a@example",
            "n/a",
            ".a@b.co",
            "a@b..co",
            "a,b@c.de",
            "a@b.co\n",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
        assert!(!is_email(&format!("{}@example.com", "a".repeat(65))));
    }
}
