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
    usual(text.as_bytes()).unwrap_or_else(|| {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(text, options).is_ok()
    })
}

/// The common form, decided without a parser; `None` when it needs one (quotes, comments, other scripts).
fn usual(text: &[u8]) -> Option<bool> {
    let at = memchr::memchr(b'@', text)?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+' | b'%' | b'\'');
    if !local.iter().all(plain)
        || !domain.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    {
        return None;
    }
    let dots = |part: &[u8]| part.split(|b| *b == b'.').all(|label| !label.is_empty());
    let labels =
        |label: &[u8]| label.len() <= 63 && label.first() != Some(&b'-') && label.last() != Some(&b'-');
    Some(
        !local.is_empty()
            && local.len() <= 64
            && dots(local)
            && dots(domain)
            && domain.contains(&b'.')
            && domain.split(|b| *b == b'.').all(labels),
    )
}

#[cfg(test)]
mod tests {
    use super::is_email;

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
