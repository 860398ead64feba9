//! Names as expressions write them: `user_metadata.plan`, `identities[0].connection`, `row["First Name"]`.

use std::fmt;

/// One step of a [`NamePath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// The key of a map, or the first name itself.
    Key(String),
    /// The place in a list, counted from 0.
    Index(usize),
}

/// A constant path that an expression reads. Never empty: the first segment is a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamePath {
    /// The steps, outermost first. Of `row["First Name"]` only `First Name`.
    pub segments: Vec<Segment>,
    /// It was written `row["…"]`: the first segment is exactly this heading of the source.
    pub quoted: bool,
}

impl fmt::Display for NamePath {
    /// Prints the path as an expression writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            f.write_str("row")?;
        }
        write_segments(f, &self.segments, !self.quoted)
    }
}

/// Prints segments that follow something; `first` says that nothing precedes them.
fn write_segments(f: &mut fmt::Formatter<'_>, segments: &[Segment], first: bool) -> fmt::Result {
    let quoted_root = !first;
    for (position, segment) in segments.iter().enumerate() {
        match segment {
            Segment::Key(key) if position == 0 && !quoted_root => f.write_str(key)?,
            Segment::Key(key) if is_identifier(key) && !(position == 0 && quoted_root) => {
                write!(f, ".{key}")?
            }
            Segment::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
            Segment::Index(index) => write!(f, "[{index}]")?,
        }
    }
    Ok(())
}

fn is_identifier(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_grammar_it_was_read_from() {
        let key = |key: &str| Segment::Key(key.to_owned());
        let path = |segments, quoted| NamePath { segments, quoted }.to_string();
        assert_eq!(path(vec![key("identities"), Segment::Index(0), key("a")], false), "identities[0].a");
        assert_eq!(path(vec![key("First Name")], true), r#"row["First Name"]"#);
        assert_eq!(path(vec![key("email")], true), r#"row["email"]"#);
        assert_eq!(path(vec![key("a"), key("b c")], false), r#"a["b c"]"#);
    }
}
