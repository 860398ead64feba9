//! Attribute paths: `segment ("." segment | "[" digits "]")*`.

use std::{fmt, str::FromStr};

/// Longest path that vendors take, in Unicode scalar values (Auth0: `fields[].name`, at most 100).
pub const MAX_CHARS: usize = 100;

/// One step down into a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the value of an object's key.
    Key(Box<str>),
    /// Into an item of an array, counted from 0.
    Index(u32),
}

/// A place in a record: `user_metadata.consent.given`, `identities[0].connection`.
///
/// A segment is any text without `.`, `[` and `]`; the first step is always a key. Printing gives back what was
/// parsed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The steps from the record down; at least one.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The paths of the values around this one, outermost first, itself last.
    pub fn prefixes(&self) -> impl Iterator<Item = Self> + '_ {
        (1..=self.0.len()).map(|n| Self(self.0[..n].to_vec()))
    }

    /// Whether the path is no longer than [`MAX_CHARS`].
    pub fn fits(&self) -> bool {
        self.to_string().chars().count() <= MAX_CHARS
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Why a text is no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// A segment has no character; at this byte.
    Empty(usize),
    /// `[` is not followed by digits and `]`; at this byte.
    Index(usize),
    /// Neither `.` nor `[` after an index; at this byte.
    Joint(usize),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(at) => write!(f, "a name is missing at character {}", at + 1),
            Self::Index(at) => {
                write!(f, "`[` at character {} needs digits and `]`, as in `identities[0]`", at + 1)
            }
            Self::Joint(at) => write!(f, "`.` or `[` is missing at character {}", at + 1),
        }
    }
}

impl std::error::Error for PathError {}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut steps = Vec::new();
        let (mut at, mut want_key) = (0, true);
        while want_key || at < text.len() {
            let rest = &text[at..];
            if want_key {
                let end = rest.find(['.', '[', ']']).unwrap_or(rest.len());
                if end == 0 {
                    return Err(PathError::Empty(chars(text, at)));
                }
                steps.push(Step::Key(rest[..end].into()));
                at += end;
                want_key = false;
            } else if rest.starts_with('.') {
                at += 1;
                want_key = true;
            } else if let Some(inside) = rest.strip_prefix('[') {
                let bad = || PathError::Index(chars(text, at));
                let end = inside.find(']').ok_or_else(bad)?;
                let digits = &inside[..end];
                // Leading zeros would not print back.
                let canonical = digits == "0" || !digits.starts_with('0');
                if digits.is_empty() || !canonical || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(bad());
                }
                steps.push(Step::Index(digits.parse().map_err(|_| bad())?));
                at += end + 2;
            } else {
                return Err(PathError::Joint(chars(text, at)));
            }
        }
        Ok(Self(steps))
    }
}

/// The place of a byte in characters, for messages.
fn chars(text: &str, byte: usize) -> usize {
    text[..byte].chars().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Path, PathError, Step};

    #[test]
    fn the_grammar() {
        let path: Path = "identities[0].profileData.e-mail".parse().unwrap();
        let key = |k: &str| Step::Key(k.into());
        assert_eq!(path.steps(), [key("identities"), Step::Index(0), key("profileData"), key("e-mail")]);
        let prefixes: Vec<String> = path.prefixes().map(|p| p.to_string()).collect();
        assert_eq!(
            prefixes,
            ["identities", "identities[0]", "identities[0].profileData", "identities[0].profileData.e-mail"]
        );
        for (text, error) in [
            ("", PathError::Empty(0)),
            (".a", PathError::Empty(0)),
            ("a.", PathError::Empty(2)),
            ("é..b", PathError::Empty(2)),
            ("[0]", PathError::Empty(0)),
            ("a[x]", PathError::Index(1)),
            ("a[", PathError::Index(1)),
            ("a[]", PathError::Index(1)),
            ("a[01]", PathError::Index(1)),
            ("a[99999999999]", PathError::Index(1)),
            ("a[0]b", PathError::Joint(4)),
            ("a]", PathError::Joint(1)),
        ] {
            assert_eq!(text.parse::<Path>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_prints_back(text in "[a-zé_]{1,4}(\\.[a-z$ ]{1,3}|\\[(0|[1-9][0-9]{0,2})\\]){0,4}") {
            let path: Path = text.parse().unwrap();
            prop_assert_eq!(path.to_string(), text);
        }

        #[test]
        fn nothing_panics(text in "[a.\\[\\]0é]{0,8}") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string(), text);
            }
        }
    }
}
