//! What connectors and chains say of each other: names that exist, one role per connector, nothing that would be
//! passed over in silence.

use std::collections::BTreeMap;

use usher_abi::{Role, nearest};

use super::{
    load::KEYS,
    place::KeyPath,
    read::Reader,
    tree::{Kind, Node},
};
use crate::report::list;

impl Reader<'_> {
    /// Checks all references. Works on the tree, so that one bad connector does not make its chains look bad too.
    pub(super) fn references(&mut self) {
        let root = &self.source.root;
        let mut roles: BTreeMap<String, (Role, KeyPath)> = BTreeMap::new();
        for (name, chain) in root.get("chains").map_or(&[][..], Node::entries) {
            let path = KeyPath::from(["chains", name.as_str()]);
            for (role, path, connector) in uses(chain, &path) {
                if self.exists(&connector, &path) {
                    self.one_role(&mut roles, role, path, connector);
                }
            }
            self.named_twice(chain, &path);
        }
        for (name, (role, _)) in roles.iter().filter(|(_, (role, _))| *role != Role::Sink) {
            for key in ["fields", "where", "unique", "sync", "on_missing", "max_missing"] {
                let path = KeyPath::from(["connectors", name.as_str(), key]);
                if root.get("connectors").and_then(|c| c.get(name)).and_then(|c| c.get(key)).is_some() {
                    let help = match key {
                        "where" | "unique" => {
                            "write it in the chain, or in the connector that takes the records"
                        }
                        _ => "write it in the connector that takes the records",
                    };
                    self.error_at_key(
                        &path,
                        format!("`{name}` is a {}, which has no `{key}`", word(*role)),
                        Some(help),
                    );
                }
            }
        }
    }

    fn exists(&mut self, name: &str, path: &KeyPath) -> bool {
        let root = &self.source.root;
        let connectors = root.get("connectors").map_or(&[][..], Node::entries);
        // A section whose own name is misspelt is reported once, not once more for everything in it.
        let misspelt = || {
            root.entries().iter().any(|(key, node)| !KEYS.contains(&key.as_str()) && node.get(name).is_some())
        };
        if connectors.iter().any(|(key, _)| key == name) || misspelt() {
            return true;
        }
        let near = nearest(name, connectors.iter().map(|(key, _)| key.as_str()));
        let plugin =
            |node: &Node| matches!(&node.get("plugin").map(|p| &p.kind), Some(Kind::String(p)) if p == name);
        let of_plugin: Vec<&str> =
            connectors.iter().filter(|(_, node)| plugin(node)).map(|(key, _)| key.as_str()).collect();
        let help = if !of_plugin.is_empty() {
            Some(format!("`{name}` is a plugin; the connector with it is {}", list(of_plugin)))
        } else if root.get("chains").is_some_and(|chains| chains.get(name).is_some()) {
            Some(format!("`{name}` is a chain; a chain reads from and delivers to connectors"))
        } else if near.name().is_some() {
            None
        } else if connectors.is_empty() {
            Some(format!("write `[connectors.{name}]` with `plugin = \"…\"`"))
        } else {
            Some(format!("connectors here: {}", list(connectors.iter().map(|(key, _)| key))))
        };
        self.error(path, format!("unknown connector `{name}`{near}"), help.as_deref());
        false
    }

    fn one_role(
        &mut self,
        roles: &mut BTreeMap<String, (Role, KeyPath)>,
        role: Role,
        path: KeyPath,
        name: String,
    ) {
        match roles.get(&name) {
            Some((first, at)) if *first != role => {
                let message =
                    format!("`{name}` is the {} in `{at}` and cannot be a {} too", word(*first), word(role));
                self.error(&path, message, Some("write a second connector with the same plugin"));
            }
            Some(_) => {}
            None => {
                roles.insert(name, (role, path));
            }
        }
    }

    fn named_twice(&mut self, chain: &Node, path: &KeyPath) {
        let path = path.child("to");
        let names = strings(chain.get("to"));
        for (i, (at, name)) in names.iter().enumerate() {
            if names[..i].iter().any(|(_, earlier)| earlier == name) {
                let message = format!("`{name}` is named twice");
                self.error(
                    &path.child(at),
                    message,
                    Some("every record would be delivered twice: take one out"),
                );
            }
        }
    }
}

/// Every connector that a chain names, with its role and place.
fn uses(chain: &Node, path: &KeyPath) -> Vec<(Role, KeyPath, String)> {
    let mut uses = Vec::new();
    let mut source = |node: Option<&Node>, path: KeyPath| {
        if let Some(name) = node.and_then(string) {
            uses.push((Role::Source, path, name));
        }
    };
    source(chain.get("from"), path.child("from"));
    source(chain.get("exclude").and_then(|e| e.get("from")), path.child("exclude").child("from"));
    for (key, role) in [("through", Role::Transform), ("to", Role::Sink)] {
        let path = path.child(key);
        uses.extend(strings(chain.get(key)).into_iter().map(|(at, name)| (role, path.child(at), name)));
    }
    uses
}

fn string(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::String(text) if !text.trim().is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn strings(node: Option<&Node>) -> Vec<(usize, String)> {
    match node.map(|node| &node.kind) {
        Some(Kind::List(items)) => {
            items.iter().enumerate().filter_map(|(at, item)| Some((at, string(item)?))).collect()
        }
        _ => Vec::new(),
    }
}

/// A role, as messages call it.
pub(super) fn word(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Transform => "transform",
        Role::Sink => "sink",
    }
}
