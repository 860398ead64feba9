//! Text, tree and flags of one manifest: where a key stands, and problems that point there.

use super::{
    diagnostic::{Diagnostic, Severity},
    place::{KeyPath, Location, Span},
    tree::{Kind, Node},
};

/// A manifest as it was written, with what the command line put into it.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) text: String,
    pub(super) root: Node,
    /// The keys that `--set` gave a value.
    pub(super) flags: Vec<KeyPath>,
}

impl Source {
    /// Where the value of `path` stands, or else its longest prefix that stands anywhere.
    pub(super) fn locate(&self, path: &KeyPath) -> Location {
        Location::of(&self.text, self.spans(path).0)
    }

    /// Where the key of `path` stands; as [`Self::locate`] where there is no key.
    pub(super) fn locate_key(&self, path: &KeyPath) -> Location {
        let (value, key) = self.spans(path);
        Location::of(&self.text, key.unwrap_or(value))
    }

    /// Where bytes `within` the text of the string at `path` stand; the whole string if escapes make that unclear.
    pub(super) fn locate_within(&self, path: &KeyPath, within: Span) -> Location {
        let whole = self.locate(path);
        let node = path.segments().iter().try_fold(&self.root, |node, segment| node.get(segment));
        let Some(Node { kind: Kind::String(decoded), span: Some(span), .. }) = node else { return whole };
        let Some(raw) = self.text.get(span.start..span.end) else { return whole };
        for quote in ["\"\"\"\n", "'''\n", "\"\"\"", "'''", "\"", "'"] {
            let inner = raw.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote.trim_end()));
            if inner == Some(decoded.as_str()) {
                let base = span.start + quote.len();
                let end = base + decoded.len();
                let (start, stop) = ((base + within.start).min(end), (base + within.end).min(end));
                return Location::of(&self.text, Span { start, end: stop });
            }
        }
        whole
    }

    /// A problem with the value of `path`.
    pub(super) fn at_value(
        &self,
        severity: Severity,
        path: &KeyPath,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.diagnostic(severity, path, self.locate(path), message.into())
    }

    /// A problem with the key of `path`.
    pub(super) fn at_key(
        &self,
        severity: Severity,
        path: &KeyPath,
        message: impl Into<String>,
    ) -> Diagnostic {
        self.diagnostic(severity, path, self.locate_key(path), message.into())
    }

    /// Whether the value of `path` was given with `--set`.
    pub(super) fn is_flag(&self, path: &KeyPath) -> bool {
        self.flags.iter().any(|flag| path.starts_with(flag))
    }

    pub(super) fn diagnostic(
        &self,
        severity: Severity,
        path: &KeyPath,
        location: Location,
        message: String,
    ) -> Diagnostic {
        let from_flag = self.is_flag(path);
        let location = (!from_flag).then_some(location);
        Diagnostic { severity, message, key: path.to_string(), location, help: None, from_flag, code: None }
    }

    /// The span of the value at `path` or of its longest prefix, and the span of the key if `path` itself exists.
    pub(super) fn spans(&self, path: &KeyPath) -> (Span, Option<Span>) {
        let mut node = &self.root;
        let mut value = Span::default();
        let mut key = None;
        for segment in path.segments() {
            let Some(next) = node.get(segment) else { return (value, None) };
            node = next;
            key = node.key_span;
            value = node.span.or(node.key_span).unwrap_or(value);
        }
        (value, key)
    }
}
