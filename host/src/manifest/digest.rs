//! A number that changes when what a chain does changes.

use super::{
    manifest::Manifest,
    model::Chain,
    tree::{Kind, Node},
};

/// Keys that say when to stop and what to keep, and nothing of what is sent.
const ASIDE: [&str; 6] = ["max_rejects", "max_change", "allow_empty", "store", "on_missing", "max_missing"];

impl Manifest {
    /// Changes when the chain or one of its connectors does: not with comments, the order of keys, limits of rejects or
    /// the values of secrets. 32 hexadecimal digits.
    pub fn digest(&self, chain: &Chain) -> String {
        let mut text = String::new();
        let own = self.source.root.get("chains").and_then(|chains| chains.get(&chain.name));
        let connectors = self.source.root.get("connectors");
        let excluded = chain.exclude.iter().map(|exclude| &exclude.from);
        let names = [&chain.from].into_iter().chain(&chain.through).chain(excluded).chain(&chain.to);
        let named = names.filter_map(|name| connectors?.get(name));
        for node in own.into_iter().chain(named) {
            for (key, value) in
                sorted(node.entries()).into_iter().filter(|(key, _)| !ASIDE.contains(&key.as_str()))
            {
                spell(key, &mut text);
                write(value, &mut text);
            }
            text.push(';');
        }
        format!("{:032x}", fnv(text.as_bytes()))
    }

    /// Changes when a connector's plugin, options or mapping do: what it makes of a row. 32 hexadecimal digits.
    pub fn mapping_digest(&self, connector: &str) -> String {
        let mut text = String::new();
        let table = self.source.root.get("connectors").and_then(|connectors| connectors.get(connector));
        for key in ["plugin", "component", "options", "fields"] {
            spell(key, &mut text);
            if let Some(value) = table.and_then(|table| table.get(key)) {
                write(value, &mut text);
            }
        }
        format!("{:032x}", fnv(text.as_bytes()))
    }
}

fn write(node: &Node, text: &mut String) {
    match &node.kind {
        Kind::String(value) => spell(value, text),
        Kind::Integer(value) => text.push_str(&value.to_string()),
        Kind::Float(value) => text.push_str(&format!("{value:?}")),
        Kind::Boolean(value) => text.push_str(&value.to_string()),
        Kind::Date(value) => text.push_str(value),
        Kind::List(items) => {
            text.push('[');
            for item in items {
                write(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Kind::Table(entries) => {
            text.push('{');
            for (key, value) in sorted(entries) {
                spell(key, text);
                write(value, text);
                text.push(',');
            }
            text.push('}');
        }
    }
}

/// In quotes, so that no text looks like another value.
fn spell(value: &str, text: &mut String) {
    text.push_str(&format!("{value:?}="));
}

fn sorted(entries: &[(String, Node)]) -> Vec<&(String, Node)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    sorted
}

/// FNV-1a, 128 bits. It answers "is this what that run did?"; it is no protection against somebody who wants two manifests
/// to look alike.
fn fnv(bytes: &[u8]) -> u128 {
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    let start: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    bytes.iter().fold(start, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
