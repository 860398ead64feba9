//! Reading typed values from the tree, collecting all that is wrong on the way.

use usher_abi::nearest;

use super::{
    diagnostic::{Diagnostic, Severity},
    model::Text,
    place::{KeyPath, Span},
    source::Source,
    tree::{Kind, Node},
};
use crate::report::list;

/// A table's entries.
pub(super) type Entries<'n> = &'n [(String, Node)];

/// The manifest's tree and the problems found so far.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// Where the value of `path` stands.
    pub(super) fn span(&self, path: &KeyPath) -> Span {
        self.source.spans(path).0
    }

    /// An error at the value of `path`.
    pub(super) fn error(&mut self, path: &KeyPath, message: impl Into<String>, help: Option<&str>) {
        let mut problem = self.source.at_value(Severity::Error, path, message);
        problem.help = help.map(str::to_owned);
        self.problems.push(problem);
    }

    /// An error at the key of `path`.
    pub(super) fn error_at_key(&mut self, path: &KeyPath, message: impl Into<String>, help: Option<&str>) {
        let mut problem = self.source.at_key(Severity::Error, path, message);
        problem.help = help.map(str::to_owned);
        self.problems.push(problem);
    }

    /// "expected …, found …" at `path`.
    pub(super) fn wrong_type(&mut self, path: &KeyPath, node: &Node, expected: &str, help: Option<&str>) {
        self.error(path, format!("expected {expected}, found {}", node.what()), help);
    }

    /// A key that must be there is not. Says nothing when a misspelt one is: that is reported already.
    pub(super) fn missing(&mut self, path: &KeyPath, key: &str, example: &str) {
        let here = path.segments().iter().try_fold(&self.source.root, |node, segment| node.get(segment));
        // Only a key that is not known by itself (`keep` is near `key`, too) has been reported with its right spelling.
        let reported = |given: &str| self.problems.iter().any(|p| p.key == path.child(given).to_string());
        let misspelt =
            |(given, _): &(String, Node)| nearest(given, [key]).name().is_some() && reported(given);
        if !here.is_some_and(|node| node.entries().iter().any(misspelt)) {
            self.error(&path.child(key), "missing", Some(&format!("write `{example}`")));
        }
    }

    /// The entries of a table.
    pub(super) fn table(&mut self, node: &'a Node, path: &KeyPath, example: &str) -> Option<Entries<'a>> {
        if let Kind::Table(entries) = &node.kind {
            return Some(entries);
        }
        self.wrong_type(path, node, "a table", Some(&format!("write `{example}`")));
        None
    }

    /// Reports every key that is not known.
    pub(super) fn known_keys(&mut self, entries: Entries<'_>, path: &KeyPath, known: &[&str], more: &str) {
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            let near = nearest(key, known.iter().copied());
            let help = near.name().is_none().then(|| format!("known here: {}{more}", list(known)));
            self.error_at_key(&path.child(key), format!("unknown key{near}"), help.as_deref());
        }
    }

    /// A text that is not empty.
    pub(super) fn string(&mut self, node: &Node, path: &KeyPath) -> Option<String> {
        match &node.kind {
            Kind::String(text) if text.trim().is_empty() => {
                self.error(path, "empty", Some("give it a value, or take the key out"));
                None
            }
            Kind::String(text) => Some(text.clone()),
            _ => {
                self.wrong_type(path, node, "a string", self.quoted(node, path).as_deref());
                None
            }
        }
    }

    /// A string of a form that `help` says.
    fn string_of(&mut self, node: &Node, path: &KeyPath, help: &str) -> Option<String> {
        if matches!(node.kind, Kind::String(_)) {
            return self.string(node, path);
        }
        self.wrong_type(path, node, "a string", Some(help));
        None
    }

    /// What is parsed of such a string; where nothing is, it is no `what`.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Node,
        path: &KeyPath,
        (what, help): (&str, &str),
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.string_of(node, path, help)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.error(path, format!("`{text}` is no {what}"), Some(help));
        }
        parsed
    }

    /// A string of a few that there are.
    pub(super) fn one_of(
        &mut self,
        node: &Node,
        path: &KeyPath,
        known: &[&'static str],
    ) -> Option<&'static str> {
        let forms: Vec<String> = known.iter().map(|one| format!("`\"{one}\"`")).collect();
        let help = format!("write {}", forms.join(" or "));
        let text = self.string_of(node, path, &help)?;
        let found = known.iter().copied().find(|one| *one == text);
        if found.is_none() {
            let near = nearest(&text, known.iter().copied());
            self.error(path, format!("unknown value `{text}`{near}"), Some(&help));
        }
        found
    }

    /// [`Self::string`] with its place.
    pub(super) fn text(&mut self, node: &Node, path: &KeyPath) -> Option<Text> {
        let span = self.span(path);
        self.string(node, path).map(|text| Text { text, span })
    }

    /// True or false.
    pub(super) fn boolean(&mut self, node: &Node, path: &KeyPath) -> Option<bool> {
        if let Kind::Boolean(value) = node.kind {
            return Some(value);
        }
        self.wrong_type(path, node, "true or false", Some("write it without quotes"));
        None
    }

    /// A list of texts that are not empty.
    pub(super) fn strings(&mut self, node: &Node, path: &KeyPath) -> Option<Vec<String>> {
        match &node.kind {
            Kind::List(items) => {
                let read = items.iter().enumerate().filter_map(|(i, item)| self.string(item, &path.child(i)));
                Some(read.collect())
            }
            kind => {
                let help = match (kind, path.segments().last()) {
                    (Kind::String(text), Some(key)) => Some(format!("write `{key} = [\"{text}\"]`")),
                    _ => None,
                };
                self.wrong_type(path, node, "a list of strings", help.as_deref());
                None
            }
        }
    }

    /// How a number, a date or a boolean is written as a string.
    fn quoted(&self, node: &Node, path: &KeyPath) -> Option<String> {
        let text = match &node.kind {
            Kind::Integer(value) => value.to_string(),
            Kind::Float(value) => format!("{value:?}"),
            Kind::Boolean(value) => value.to_string(),
            Kind::Date(value) => value.clone(),
            _ => return None,
        };
        let key = path.segments().last()?;
        Some(if self.source.is_flag(path) {
            format!("write `--set '{path}=\"{text}\"'`")
        } else if key.parse::<usize>().is_ok() {
            format!("write `\"{text}\"`")
        } else {
            format!("write `{key} = \"{text}\"`")
        })
    }
}
