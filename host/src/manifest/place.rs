//! Where something stands: byte spans, lines and columns, dotted keys.

use std::fmt;

use serde::Serialize;

/// A range of bytes in the manifest's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A place in the manifest, as people and editors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// The line, from 1.
    pub line: usize,
    /// The column in Unicode scalar values, from 1.
    pub column: usize,
    /// The bytes.
    pub span: Span,
}

impl Location {
    /// Where `span` starts in `text`. A span beyond the text or inside a character is moved back to the nearest
    /// character that exists.
    pub fn of(text: &str, span: Span) -> Self {
        let start = text.floor_char_boundary(span.start);
        let end = text.floor_char_boundary(span.end).max(start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: Span { start, end },
        }
    }
}

/// The way to a value: `connectors`, `support`, `options`, `plan`. Items of lists are named by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The path of these segments; none is the manifest as a whole.
    pub fn new(segments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// The segments.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// This path and one segment more.
    #[must_use]
    pub fn child(&self, segment: impl ToString) -> Self {
        let mut path = self.clone();
        path.0.push(segment.to_string());
        path
    }

    /// This path and the segments of a JSON pointer (`/headings/email`).
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Self {
        let mut path = self.clone();
        path.0.extend(pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")));
        path
    }

    /// Whether `other` is this path or an ancestor of it.
    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for KeyPath {
    fn from(segments: [S; N]) -> Self {
        Self::new(segments)
    }
}

impl fmt::Display for KeyPath {
    /// Dotted, as TOML and `--set` write it: `connectors.newsletter.fields."First Name"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            if !segment.is_empty() && segment.chars().all(bare) {
                f.write_str(segment)?;
            } else {
                write!(f, "\"{}\"", segment.replace('\\', "\\\\").replace('"', "\\\""))?;
            }
        }
        Ok(())
    }
}
