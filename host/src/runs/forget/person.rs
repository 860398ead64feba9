//! Whom it is about.

use std::ops::Range;

use usher_abi::Error;
use usher_keys::fold;

/// What stands in the place of a mention where no record can be removed.
pub(super) const FORGOTTEN: &str = "[forgotten]";

/// A person by one or several keys: addresses, ids.
#[derive(Clone, Debug)]
pub struct Person {
    /// Folded (see [`fold`]).
    keys: Vec<String>,
}

impl Person {
    /// Whoever has one of these keys; white space around them and case do not count.
    pub fn new(keys: &[String]) -> Result<Self, Error> {
        let mut folded = Vec::new();
        for key in keys {
            let mut one = String::new();
            fold(key, &mut one);
            if one.is_empty() {
                return Err(Error::config(
                    "forget.key",
                    "an empty key is nobody's; name an address or an id",
                ));
            }
            folded.push(one);
        }
        Ok(Self { keys: folded })
    }

    /// The keys, folded.
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Whether a value is one of the keys, or a list (`a@x.com|b@y.com`) with one of them.
    pub(super) fn is(&self, value: &str) -> bool {
        let mut folded = String::new();
        fold(value, &mut folded);
        let is_item = |item: &str, key: &str| {
            let item = item.trim().trim_matches(['"', '\'']);
            let address = item.strip_suffix('>').and_then(|item| item.rsplit_once('<'));
            item == key || address.is_some_and(|(_, address)| address.trim() == key)
        };
        self.keys.iter().any(|key| {
            folded == *key
                || (folded.contains(key.as_str())
                    && folded.split(['|', ',', ';', '\n']).any(|item| is_item(item, key)))
        })
    }

    /// The keys that any text may have without meaning the person: short words and numbers. They are looked for as values
    /// only.
    pub(super) fn vague(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter(|key| is_vague(key))
    }

    fn telling(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter(|key| !is_vague(key))
    }

    /// Whether a text names one of the keys: not as a part of a longer one.
    pub fn is_named_in(&self, text: &str) -> bool {
        self.may_be_in(text.as_bytes()) && self.telling().any(|key| mention(text, 0, key).is_some())
    }

    /// The text with something else in the place of the keys; `None` if it names none.
    pub(super) fn redacted(&self, text: &str) -> Option<String> {
        let mut redacted = text.to_owned();
        let mut found = false;
        for key in self.telling() {
            let mut from = 0;
            while let Some(range) = mention(&redacted, from, key) {
                from = range.start + FORGOTTEN.len();
                redacted.replace_range(range, FORGOTTEN);
                found = true;
            }
        }
        found.then_some(redacted)
    }

    /// Whether the bytes of a key stand in `bytes`, as a part of something longer, too; ASCII letters in any case.
    pub(super) fn bytes_are_in(&self, bytes: &[u8]) -> bool {
        self.telling().any(|key| contains(bytes, key.as_bytes()))
    }

    /// False where nothing about the person can be: for a first look, as cheap as can be.
    pub(super) fn may_be_in(&self, bytes: &[u8]) -> bool {
        // What is not plain ASCII has more than one spelling, in CSV or JSON, too.
        let plain =
            |key: &String| key.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\/".contains(&byte));
        !self.keys.iter().all(plain)
            || self.keys.iter().any(|key| contains(bytes, key.as_bytes()))
            || memchr::memmem::find(bytes, b"\\u00").is_some()
    }

    /// The longest key, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.keys.iter().map(String::len).max().unwrap_or(0)
    }
}

/// `2`, `files`: they stand in texts that are about nobody.
fn is_vague(key: &str) -> bool {
    const SHORT: usize = 8;
    let all = |is: fn(&char) -> bool| key.chars().all(|c| is(&c));
    key.chars().count() < SHORT && (all(char::is_ascii_digit) || all(|c| c.is_alphabetic()))
}

fn contains(bytes: &[u8], key: &[u8]) -> bool {
    let Some(first) = key.first() else { return false };
    let same = |at: usize| bytes.get(at..at + key.len()).is_some_and(|found| found.eq_ignore_ascii_case(key));
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), bytes).any(same)
}

/// Where a text names a key, from some place on.
fn mention(text: &str, from: usize, key: &str) -> Option<Range<usize>> {
    let mut places = text[from..].char_indices().map(|(at, _)| from + at);
    places.find_map(|at| {
        let end = at + begins_with(&text[at..], key)?;
        (!goes_on_before(&text[..at]) && !goes_on_after(&text[end..])).then_some(at..end)
    })
}

/// How many bytes of a text are a key, which is folded already.
fn begins_with(text: &str, key: &str) -> Option<usize> {
    let mut left = key.chars();
    for (at, c) in text.char_indices() {
        if c.to_lowercase().any(|lower| left.next() != Some(lower)) {
            return None;
        }
        if left.as_str().is_empty() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// Whether an address or id that is found does not begin there: `aa@x.com` is not `a@x.com`.
fn goes_on_before(before: &str) -> bool {
    let mut before = before.chars().rev();
    match before.next() {
        Some('\'') => before.next().is_some_and(char::is_alphanumeric),
        // The `n` of an escaped line break is no letter.
        Some('n' | 'r' | 't') => before.next() != Some('\\'),
        Some(c) => c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-'),
        None => false,
    }
}

/// Whether it does not end there: `a@x.com.au` is not `a@x.com`, but the end of a sentence is one.
fn goes_on_after(after: &str) -> bool {
    let mut after = after.chars();
    match after.next() {
        Some('.' | '-' | '+') => after.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric() || matches!(c, '_' | '@'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(keys: &[&str]) -> Person {
        Person::new(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn values_are_compared_whole_or_as_items_of_a_list() {
        let ada = person(&[" A@x.com", "auth0|7"]);
        for value in
            ["a@x.com", " A@X.COM ", "b@y.com|a@x.com", "b@y.com, A@x.com", "Ada <a@x.com>", "auth0|7"]
        {
            assert!(ada.is(value), "{value}");
        }
        for value in
            ["aa@x.com", "a@x.com.au", "a@x.comb", "b@y.com|aa@x.com", "ask a@x.com", "auth0|77", "7", ""]
        {
            assert!(!ada.is(value), "{value}");
        }
    }

    #[test]
    fn a_text_names_a_key_and_no_longer_one() {
        let ada = person(&["a@x.com"]);
        for text in [
            "a@x.com",
            "not `A@x.com`.",
            "who is a@x.com?",
            "'a@x.com'",
            "{\"email\":\"a@x.com\"}",
            "x\\na@x.com",
            "a@x.com.",
        ] {
            assert!(ada.is_named_in(text), "{text}");
        }
        for text in ["aa@x.com", "x.a@x.com", "x+a@x.com", "o'a@x.com", "a@x.com.au", "a@x.com-x", "a@x.como"]
        {
            assert!(!ada.is_named_in(text), "{text}");
            assert!(ada.bytes_are_in(text.as_bytes()), "{text}");
        }
        assert_eq!(ada.redacted("a@x.com, aa@x.com, A@X.com").unwrap(), "[forgotten], aa@x.com, [forgotten]");
        assert_eq!(ada.redacted("aa@x.com"), None);
        let umlaut = person(&["ÄDA@x.com"]);
        assert!(umlaut.is("äda@X.com") && umlaut.is_named_in("see ädA@x.com"));
    }

    #[test]
    fn words_and_short_numbers_are_keys_as_values_only() {
        for key in ["2", "files", "Ада"] {
            let person = person(&[key]);
            assert!(
                person.is(key) && person.may_be_in(key.as_bytes()) && person.vague().count() == 1,
                "{key}"
            );
            assert!(!person.is_named_in(&format!("2. Upload the files {key}")), "{key}");
            assert!(!person.bytes_are_in(key.as_bytes()) && person.redacted(key).is_none(), "{key}");
        }
        for key in ["a@b", "u7", "12345678", "auth0|7"] {
            assert_eq!(person(&[key]).vague().count(), 0, "{key}");
        }
    }

    #[test]
    fn nobody_has_an_empty_key() {
        assert_eq!(Person::new(&[" ".to_owned()]).unwrap_err().code, "forget.key");
    }
}
