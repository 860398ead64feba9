//! What becomes of a text.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::options::Action;

/// An action, ready to be applied to texts.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Hash(Box<Hmac<Sha256>>),
    Mask,
    Truncate(usize),
}

impl Change {
    /// `None` for columns that are dropped, and for hashes without a key.
    pub(crate) fn new(action: Action, key: Option<&str>) -> Option<Self> {
        match action {
            Action::Hash => Hmac::new_from_slice(key?.as_bytes()).ok().map(|mac| Self::Hash(Box::new(mac))),
            Action::Mask => Some(Self::Mask),
            Action::Truncate(length) => Some(Self::Truncate(usize::from(length))),
            Action::Drop => None,
        }
    }

    /// Appends what `text` becomes.
    pub(crate) fn append(&self, text: &str, into: &mut String) {
        match self {
            Self::Hash(mac) => {
                let mut mac = mac.clone();
                mac.update(text.as_bytes());
                for byte in mac.finalize().into_bytes() {
                    let _ = write!(into, "{byte:02x}");
                }
            }
            Self::Mask => {
                // What follows the last `@` is a domain only if something stands before it.
                let (local, domain) = match text.rfind('@') {
                    Some(at) if at > 0 => text.split_at(at),
                    _ => (text, ""),
                };
                let mut characters = local.chars();
                into.extend(characters.next());
                characters.for_each(|_| into.push('*'));
                into.push_str(domain);
            }
            Self::Truncate(length) => {
                let end = text.char_indices().nth(*length).map_or(text.len(), |(at, _)| at);
                into.push_str(&text[..end]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(action: Action, text: &str) -> String {
        let mut out = String::new();
        Change::new(action, Some("Jefe")).unwrap().append(text, &mut out);
        out
    }

    /// RFC 4231, test case 2.
    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(
            changed(Action::Hash, "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn masks_keep_the_first_character_and_the_domain() {
        for (text, masked) in [
            ("ada@example.com", "a**@example.com"),
            ("\"a@b\"@example.com", "\"****@example.com"),
            ("@example.com", "@***********"),
            ("+33612345678", "+***********"),
            ("Ève", "È**"),
            ("a", "a"),
            ("", ""),
        ] {
            assert_eq!(changed(Action::Mask, text), masked);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        for (length, cut) in [(0, ""), (1, "È"), (3, "Ève"), (9, "Ève")] {
            assert_eq!(changed(Action::Truncate(length), "Ève"), cut);
        }
    }
}
