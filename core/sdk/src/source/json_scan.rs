//! A fast reader of well-formed JSON text: where values begin and end, sixteen bytes at a time.
//!
//! It knows JSON's grammar and nothing else, and gives up (`None`) on everything that is not plainly right: broken
//! text, escapes in places where they matter, nesting beyond 64. Whoever calls it asks serde_json then, which has the
//! last word and the better messages. What this reader accepts serde_json accepts, too; a property test says so.

use wide::u8x16;

/// What is known of a value from reading it once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// A string that holds an escape.
    pub(crate) escaped: bool,
    /// An array or object with blanks between its tokens.
    pub(crate) spaced: bool,
}

/// Text to be read. `LINES`: a line feed is the end of a record and not a blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a, const LINES: bool>(pub(crate) &'a [u8]);

/// Bytes that are looked at in one step.
const STEP: usize = 16;

/// How many bytes there are before the first one that is `"`, `\` or a control character; [`STEP`]: there is none.
#[inline]
fn plain(bytes: [u8; STEP]) -> usize {
    let bytes = u8x16::from(bytes);
    let is = |byte: u8| bytes.cmp_eq(u8x16::splat(byte));
    let control = bytes.min(u8x16::splat(0x1F)).cmp_eq(bytes);
    let found = is(b'"') | is(b'\\') | control;
    (found.move_mask() | 1 << STEP).trailing_zeros() as usize
}

impl<const LINES: bool> Scan<'_, LINES> {
    /// The byte at a place; 0, which no JSON token begins with, after the end.
    #[inline]
    pub(crate) fn byte(self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// The first place that is no blank.
    #[inline]
    pub(crate) fn blank(self, mut at: usize) -> usize {
        loop {
            match self.byte(at) {
                b' ' | b'\t' | b'\r' => at += 1,
                b'\n' if !LINES => at += 1,
                _ => return at,
            }
        }
    }

    /// The place after `token`, when it stands here.
    #[inline]
    fn token(self, at: usize, token: &[u8]) -> Option<usize> {
        (self.0.get(at..at + token.len())? == token).then_some(at + token.len())
    }

    /// The place of the quote that ends the string whose inside begins here, and whether there are escapes before.
    #[inline]
    pub(crate) fn string(self, mut at: usize) -> Option<(usize, bool)> {
        let mut escaped = false;
        loop {
            let found = match self.0.get(at..).and_then(|rest| rest.first_chunk()) {
                Some(step) => {
                    let plain = plain(*step);
                    at += plain;
                    if plain == STEP {
                        continue;
                    }
                    at
                }
                None => at + self.0.get(at..)?.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1F))?,
            };
            match self.byte(found) {
                b'"' => return Some((found, escaped)),
                b'\\' => at = self.escape(found + 1)?,
                _ => return None,
            }
            escaped = true;
        }
    }

    /// The place after an escape, whose backslash stands before.
    #[cold]
    fn escape(self, at: usize) -> Option<usize> {
        match self.byte(at) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
            b'u' => self.0.get(at + 1..at + 5)?.iter().all(u8::is_ascii_hexdigit).then_some(at + 5),
            _ => None,
        }
    }

    /// The place after a number.
    #[inline]
    fn number(self, mut at: usize) -> Option<usize> {
        let digits = |mut at: usize| -> Option<usize> {
            let from = at;
            while self.byte(at).is_ascii_digit() {
                at += 1;
            }
            (at > from).then_some(at)
        };
        if self.byte(at) == b'-' {
            at += 1;
        }
        at = if self.byte(at) == b'0' { at + 1 } else { digits(at)? };
        if self.byte(at) == b'.' {
            at = digits(at + 1)?;
        }
        if matches!(self.byte(at), b'e' | b'E') {
            at = digits(at + 1 + usize::from(matches!(self.byte(at + 1), b'+' | b'-')))?;
        }
        Some(at)
    }

    /// The place after the value that begins here.
    #[inline]
    pub(crate) fn value(self, at: usize) -> Option<(usize, Seen)> {
        match self.byte(at) {
            b'"' => self.string(at + 1).map(|(end, escaped)| (end + 1, Seen { escaped, spaced: false })),
            b'{' | b'[' => self.container(at),
            _ => self.scalar(at).map(|end| (end, Seen::default())),
        }
    }

    /// The place after a number or a name.
    #[inline]
    fn scalar(self, at: usize) -> Option<usize> {
        match self.byte(at) {
            b't' => self.token(at, b"true"),
            b'f' => self.token(at, b"false"),
            b'n' => self.token(at, b"null"),
            b'-' | b'0'..=b'9' => self.number(at),
            _ => None,
        }
    }

    /// The place after an array or object. Which of the two each level is stands in the bits of a word.
    fn container(self, mut at: usize) -> Option<(usize, Seen)> {
        let (mut objects, mut depth, mut spaced) = (0u64, 0u32, false);
        let blank = |at: usize, spaced: &mut bool| {
            let next = self.blank(at);
            *spaced |= next != at;
            next
        };
        loop {
            // A value begins here.
            let open = self.byte(at);
            let mut empty = false;
            match open {
                b'{' | b'[' => {
                    if depth == u64::BITS {
                        return None;
                    }
                    objects = objects << 1 | u64::from(open == b'{');
                    depth += 1;
                    at = blank(at + 1, &mut spaced);
                    // Both closing brackets stand two after the opening one in ASCII.
                    empty = self.byte(at) == open + 2;
                }
                b'"' => at = self.string(at + 1)?.0 + 1,
                _ => at = self.scalar(at)?,
            }
            if !matches!(open, b'{' | b'[') || empty {
                // Close what ends here, up to the comma before the next value.
                loop {
                    at = blank(at, &mut spaced);
                    let close = if objects & 1 == 1 { b'}' } else { b']' };
                    match self.byte(at) {
                        b if b == close => {
                            at += 1;
                            objects >>= 1;
                            depth -= 1;
                            if depth == 0 {
                                return Some((at, Seen { escaped: false, spaced }));
                            }
                        }
                        b',' => {
                            at = blank(at + 1, &mut spaced);
                            break;
                        }
                        _ => return None,
                    }
                }
            }
            if objects & 1 == 1 {
                if self.byte(at) != b'"' {
                    return None;
                }
                at = blank(self.string(at + 1)?.0 + 1, &mut spaced);
                if self.byte(at) != b':' {
                    return None;
                }
                at = blank(at + 1, &mut spaced);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::{Scan, Seen, plain};

    /// Whether the text is one value.
    fn accepts(text: &str) -> bool {
        let scan = Scan::<false>(text.as_bytes());
        scan.value(scan.blank(0)).is_some_and(|(end, _)| scan.blank(end) == text.len())
    }

    #[test]
    fn the_grammar() {
        for text in [
            "{}",
            "[]",
            " [ ] ",
            "[[],{}]",
            r#"{"a":{"b":[1,2,{"c":null}]},"d":"\u00e9\\\""}"#,
            "0",
            "-0.5e+10",
            "1E2",
            "true",
            "\"\"",
            "[1 , 2]",
            "{\"a\" : 1}",
            "\"0123456789abcdef\"",
        ] {
            assert!(accepts(text), "{text}");
            assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "{",
            "}",
            "[1,]",
            "[,1]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{a:1}"#,
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "tru",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"a\nb\"",
            "[1 2]",
            "[}",
            "{]",
            r#"{"a":1]"#,
            "[1}",
            "nul",
            "+1",
            "\"\u{1}\"",
        ] {
            assert!(!accepts(text), "{text}");
            assert!(serde_json::from_str::<IgnoredAny>(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        assert!(!accepts(&deep), "left to serde_json");
    }

    #[test]
    fn what_is_seen() {
        let seen = |text: &str| {
            Scan::<true>(text.as_bytes()).value(0).map(|(end, seen)| (end, seen.escaped, seen.spaced))
        };
        assert_eq!(seen(r#""a\n" "#), Some((5, true, false)));
        assert_eq!(seen(r#"["a b"]"#), Some((7, false, false)));
        assert_eq!(seen("[1, 2]"), Some((6, false, true)));
        assert_eq!(seen("[1,\n2]"), None, "a line ends");
        assert_eq!(Seen::default(), Seen { escaped: false, spaced: false });
    }

    proptest! {
        #[test]
        fn plain_bytes_are_counted(bytes in any::<[u8; 16]>()) {
            for bytes in [bytes, bytes.map(|b| if b & 15 == 0 { b / 8 } else { b | 0x20 })] {
                let exact = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1F)).unwrap_or(16);
                prop_assert_eq!(plain(bytes), exact);
            }
        }

        #[test]
        fn it_agrees_with_serde_json(text in "[\\[\\]{}:,\"\\\\ 0-9eE+.untrlfas-]{0,24}") {
            let good = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            prop_assert_eq!(accepts(&text), good, "{}", text);
        }

        #[test]
        fn it_agrees_about_text_with_one_byte_changed(
            key in any::<String>(), value in any::<f64>(), at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(),
        ) {
            let value = serde_json::json!({ "a": [key, value, {}], "b": { "c": [true, null, "x y z 0123456789"] } });
            let mut text = value.to_string().into_bytes();
            let bytes = b"\"\\{}[],:0 9-.eEtx\n\t\x01\x80";
            let place = at.index(text.len());
            text[place] = bytes[byte.index(bytes.len())];
            if let Ok(text) = String::from_utf8(text) {
                prop_assert_eq!(accepts(&text), serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{}", text);
            }
        }
    }
}
