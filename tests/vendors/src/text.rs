//! Small readings of URL text.

/// Percent-encoded text as it was meant; in forms `+` is a blank. What is no UTF-8 becomes `�`.
pub(crate) fn decoded(text: &str, plus_is_blank: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex =
            |range| std::str::from_utf8(bytes.get(range)?).ok().and_then(|h| u8::from_str_radix(h, 16).ok());
        match bytes[at] {
            b'%' if let Some(byte) = hex(at + 1..at + 3) => {
                out.push(byte);
                at += 3;
                continue;
            }
            b'+' if plus_is_blank => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `a=1&b=2` as pairs, in their order.
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name, true), decoded(value, true))
        })
        .collect()
}

/// Whether a text has the form of an address: one `@`, something on both sides, a dot in the domain, no blanks.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c == ',' || c.is_whitespace());
    plain(local)
        && plain(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

/// Whether a number has the form of E.164: a plus and up to fifteen digits.
pub(crate) fn is_e164(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_text_is_read_back() {
        assert_eq!(decoded("a%7Cb+c%2", false), "a|b+c%2");
        assert_eq!(
            pairs("ids=1%2C2&by=x+y&flag"),
            [
                ("ids".to_owned(), "1,2".to_owned()),
                ("by".to_owned(), "x y".to_owned()),
                ("flag".to_owned(), String::new())
            ]
        );
    }

    #[test]
    fn addresses_and_numbers_have_a_form() {
        assert!(is_address("ada@example.com") && !is_address("ada@") && !is_address("a b@example.com"));
        assert!(is_e164("+15550100123") && !is_e164("0155") && !is_e164("+"));
    }
}
