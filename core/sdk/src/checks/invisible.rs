//! Characters that nobody sees, and that make two equal names or keys differ.

use super::Verdict;

/// Free text: white space, byte order marks and zero-width spaces around it are removed, byte order marks inside it, too
/// (rule `trim`, or `invisible` where more than white space went). Joiners and direction marks stay, since words of
/// many languages and many emoji are made with them.
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::clean_text("\u{FEFF}Ada ", &mut out), Verdict::Changed("invisible"));
/// assert_eq!(out, "Ada");
/// ```
pub fn clean_text(value: &str, out: &mut String) -> Verdict {
    // Nearly all values begin and end with something to be seen, and hold no mark, whose first byte is this.
    let seen = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = value.as_bytes();
    if seen(bytes.first()) && seen(bytes.last()) && bytes.iter().all(|byte| *byte != 0xEF) {
        return Verdict::Keep;
    }
    let outside = |c: char| c.is_whitespace() || matches!(c, '\u{FEFF}' | '\u{200B}' | '\u{2060}');
    let trimmed = value.trim_matches(outside);
    if trimmed.contains('\u{FEFF}') {
        out.extend(trimmed.chars().filter(|c| *c != '\u{FEFF}'));
        return Verdict::Changed("invisible");
    }
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed(if value.trim().len() == trimmed.len() { "trim" } else { "invisible" })
}

/// A key or the name of a column: white space around it and all invisible characters are removed (rule `trim`, or
/// `invisible` where more than white space went).
///
/// ```
/// use usher_sdk::checks::{self, Verdict};
///
/// let mut out = String::new();
/// assert_eq!(checks::clean_key("auth0|1\u{200B}", &mut out), Verdict::Changed("invisible"));
/// assert_eq!(out, "auth0|1");
/// ```
pub fn clean_key(value: &str, out: &mut String) -> Verdict {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Verdict::Keep;
    }
    let trimmed = value.trim();
    if trimmed.chars().any(is_invisible) {
        out.extend(trimmed.chars().filter(|c| !is_invisible(*c)));
        let (start, end) = (out.len() - out.trim_start().len(), out.trim_end().len());
        out.truncate(end);
        out.drain(..start.min(end));
        return Verdict::Changed("invisible");
    }
    if trimmed.len() == value.len() {
        return Verdict::Keep;
    }
    out.push_str(trimmed);
    Verdict::Changed("trim")
}

/// Whether a character leaves no mark, or looks like a blank without being U+0020: control and format characters,
/// no-break and other spaces, joiners, variation selectors, fillers, tags.
///
/// ```
/// use usher_sdk::checks::is_invisible;
///
/// assert!(is_invisible('\u{200B}'));
/// assert!(!is_invisible(' '));
/// ```
pub fn is_invisible(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Check;

    fn run(check: Check, value: &str) -> (String, &'static str) {
        let mut out = String::new();
        match check(value, &mut out) {
            Verdict::Keep => (value.to_owned(), "keep"),
            Verdict::Changed(rule) => (out, rule),
            Verdict::Bad(fault) => (fault.message, fault.code),
        }
    }

    #[test]
    fn texts_keep_what_belongs_to_words() {
        assert_eq!(run(clean_text, "Anna"), ("Anna".into(), "keep"));
        assert_eq!(run(clean_text, " Anna\u{A0}\t"), ("Anna".into(), "trim"));
        assert_eq!(run(clean_text, "\u{FEFF}Anna"), ("Anna".into(), "invisible"));
        assert_eq!(run(clean_text, "An\u{FEFF}na"), ("Anna".into(), "invisible"));
        assert_eq!(run(clean_text, "Anna\u{200B} "), ("Anna".into(), "invisible"));
        for whole in ["می\u{200C}خواهم", "👩\u{200D}🚒", "❤\u{FE0F}", "a\u{A0}b", "a\nb"] {
            assert_eq!(run(clean_text, whole), (whole.into(), "keep"));
        }
        assert_eq!(run(clean_text, " \u{FEFF} "), (String::new(), "invisible"));
    }

    #[test]
    fn keys_keep_only_what_is_seen() {
        assert_eq!(run(clean_key, "auth0|1"), ("auth0|1".into(), "keep"));
        assert_eq!(run(clean_key, "a b"), ("a b".into(), "keep"));
        assert_eq!(run(clean_key, " a\r\n"), ("a".into(), "trim"));
        assert_eq!(run(clean_key, "a\u{200D}\u{A0}b\tc"), ("abc".into(), "invisible"));
        assert_eq!(run(clean_key, "\u{FEFF} $email \u{200B}"), ("$email".into(), "invisible"));
        assert_eq!(run(clean_key, "\u{200B}"), (String::new(), "invisible"));
    }
}
