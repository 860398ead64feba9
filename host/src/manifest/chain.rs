//! `[chains.<name>]`.

use super::{
    model::{Chain, Claim, Exclude},
    place::KeyPath,
    read::Reader,
    tree::Node,
};

pub(super) const KEYS: [&str; 10] = [
    "from",
    "through",
    "claims",
    "where",
    "unique",
    "exclude",
    "to",
    "max_rejects",
    "max_change",
    "allow_empty",
];

impl<'a> Reader<'a> {
    /// The chain; `None` if `from` or `to` cannot be read.
    pub(super) fn chain(&mut self, name: &str, node: &'a Node) -> Option<Chain> {
        let path = KeyPath::from(["chains", name]);
        self.name(name, &path);
        let entries = self.table(node, &path, &format!("[chains.{name}]"))?;
        self.known_keys(entries, &path, &KEYS, "");
        let from = match node.get("from") {
            Some(from) => self.string(from, &path.child("from")),
            None => {
                self.missing(&path, "from", "from = \"users\"");
                None
            }
        };
        let at = |key: &str| (node.get(key), path.child(key));
        let (through, through_at) = at("through");
        let (claims, claims_at) = at("claims");
        let (condition, where_at) = at("where");
        let (unique, unique_at) = at("unique");
        let (exclude, exclude_at) = at("exclude");
        let (rejects, rejects_at) = at("max_rejects");
        let (change, change_at) = at("max_change");
        let (empty, empty_at) = at("allow_empty");
        let through = through.and_then(|node| self.strings(node, &through_at)).unwrap_or_default();
        let claims = claims.and_then(|node| self.claims(node, &claims_at)).unwrap_or_default();
        let where_ = condition.and_then(|node| self.text(node, &where_at));
        let unique = unique.and_then(|node| self.unique(node, &unique_at));
        let exclude = exclude.and_then(|node| self.exclude(node, &exclude_at));
        let to = self.to(node.get("to"), &path);
        let max_rejects = rejects.and_then(|node| self.max_rejects(node, &rejects_at));
        let max_change = change.and_then(|node| self.max_change(node, &change_at));
        let allow_empty = empty.and_then(|node| self.boolean(node, &empty_at));
        let span = self.source.locate_key(&path).span;
        let name = name.to_owned();
        let (from, to) = (from?, to?);
        Some(Chain {
            name,
            from,
            through,
            claims,
            where_,
            unique,
            exclude,
            to,
            max_rejects,
            max_change,
            allow_empty,
            span,
        })
    }

    fn to(&mut self, node: Option<&'a Node>, path: &KeyPath) -> Option<Vec<String>> {
        let Some(node) = node else {
            self.missing(path, "to", "to = [\"support\"]");
            return None;
        };
        let path = path.child("to");
        let to = self.strings(node, &path)?;
        if to.is_empty() && matches!(&node.kind, super::tree::Kind::List(items) if items.is_empty()) {
            self.error(&path, "empty", Some("name at least one connector that takes the records"));
        }
        Some(to)
    }

    fn claims(&mut self, node: &'a Node, path: &KeyPath) -> Option<Vec<Claim>> {
        let entries = self.table(node, path, "claims = { plan = \"user_metadata.plan\" }")?;
        let mut claims = Vec::with_capacity(entries.len());
        for (name, node) in entries {
            let path = path.child(name);
            if let Some(text) = self.text(node, &path) {
                claims.push(Claim { name: name.clone(), path: text.text, span: text.span });
            }
        }
        Some(claims)
    }

    fn exclude(&mut self, node: &'a Node, path: &KeyPath) -> Option<Exclude> {
        let entries = self.table(node, path, "exclude = { from = \"unsubscribed\", key = \"email\" }")?;
        self.known_keys(entries, path, &["from", "key"], "");
        let mut required = |key: &str, example: &str| match node.get(key) {
            Some(node) => self.string(node, &path.child(key)),
            None => {
                self.missing(path, key, example);
                None
            }
        };
        let from = required("from", "from = \"unsubscribed\"");
        let key = required("key", "key = \"email\"");
        let span = self.span(path);
        Some(Exclude { from: from?, key: key?, span })
    }
}
