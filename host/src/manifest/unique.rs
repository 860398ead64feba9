//! What connectors and chains have in common: `unique`, `max_rejects`, `max_change`, names.

use usher_abi::nearest;

use super::{
    model::{Keep, MaxRejects, Unique, percent},
    place::KeyPath,
    read::Reader,
    tree::{Kind, Node},
};

/// The longest name of a connector or chain: names become parts of file names.
const MAX_NAME: usize = 64;

impl<'a> Reader<'a> {
    /// Reports a name that is not `[a-z0-9_-]+`.
    pub(super) fn name(&mut self, name: &str, path: &KeyPath) {
        let good = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if name.is_empty() || !name.chars().all(good) {
            let better: String =
                name.to_lowercase().chars().map(|c| if good(c) { c } else { '-' }).take(MAX_NAME).collect();
            let better = better.trim_matches('-');
            let message = "a name is made of a-z, 0-9, `_` and `-`";
            let help = format!("write `{}`", if better.is_empty() { "main" } else { better });
            self.error_at_key(path, message, Some(&help));
        } else if name.len() > MAX_NAME {
            let message = format!("a name has at most {MAX_NAME} characters, this one has {}", name.len());
            self.error_at_key(path, message, Some("it becomes part of file names: shorten it"));
        }
    }

    /// `unique = "email"` or `{ key, keep }`.
    pub(super) fn unique(&mut self, node: &'a Node, path: &KeyPath) -> Option<Unique> {
        let span = self.span(path);
        match &node.kind {
            Kind::String(_) => self.string(node, path).map(|key| Unique { key, keep: Keep::First, span }),
            Kind::Table(entries) => {
                self.known_keys(entries, path, &["key", "keep"], "");
                let key = match node.get("key") {
                    Some(key) => self.string(key, &path.child("key")),
                    None => {
                        self.missing(path, "key", "key = \"email\"");
                        None
                    }
                };
                let keep = match node.get("keep") {
                    Some(keep) => self.keep(keep, &path.child("keep")),
                    None => Some(Keep::First),
                };
                Some(Unique { key: key?, keep: keep?, span })
            }
            _ => {
                let help = "write `unique = \"email\"` or `unique = { key = \"email\", keep = \"last\" }`";
                self.wrong_type(path, node, "a string or a table", Some(help));
                None
            }
        }
    }

    fn keep(&mut self, node: &'a Node, path: &KeyPath) -> Option<Keep> {
        const FORMS: &str = "`\"first\"`, `\"last\"` or `{ max = \"last_login\" }`";
        match &node.kind {
            Kind::String(text) => match text.as_str() {
                "first" => Some(Keep::First),
                "last" => Some(Keep::Last),
                other => {
                    let near = nearest(other, ["first", "last"]);
                    self.error(
                        path,
                        format!("unknown value `{other}`{near}"),
                        Some(&format!("write {FORMS}")),
                    );
                    None
                }
            },
            Kind::Table(entries) => {
                self.known_keys(entries, path, &["max"], "");
                match node.get("max") {
                    Some(max) => self.string(max, &path.child("max")).map(Keep::Max),
                    None => {
                        self.missing(path, "max", "keep = { max = \"last_login\" }");
                        None
                    }
                }
            }
            _ => {
                self.wrong_type(path, node, "a string or a table", Some(&format!("write {FORMS}")));
                None
            }
        }
    }

    /// `max_rejects = 100` or `"5%"`.
    pub(super) fn max_rejects(&mut self, node: &Node, path: &KeyPath) -> Option<MaxRejects> {
        const HELP: &str = "write rows (`100`) or a share from 0 to 100 (`\"5%\"`)";
        match &node.kind {
            Kind::Integer(rows) => {
                let count = u64::try_from(*rows).ok().map(MaxRejects::Count);
                if count.is_none() {
                    self.error(path, format!("`{rows}` is less than 0"), Some(HELP));
                }
                count
            }
            Kind::String(text) => {
                let percent = MaxRejects::parse_percent(text);
                if percent.is_none() {
                    self.error(path, format!("`{text}` is no share"), Some(HELP));
                }
                percent
            }
            _ => {
                self.wrong_type(path, node, "an integer or a string", Some(HELP));
                None
            }
        }
    }

    /// `max_change = "20%"`.
    pub(super) fn max_change(&mut self, node: &'a Node, path: &KeyPath) -> Option<f64> {
        self.share(node, path, "write a share of the last run's rows (`\"20%\"`)")
    }

    /// So many of a hundred: `"20%"`.
    pub(super) fn share(&mut self, node: &'a Node, path: &KeyPath, help: &str) -> Option<f64> {
        self.parsed(node, path, ("share", help), percent)
    }
}
