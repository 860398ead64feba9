//! What changed between two files of a plugin, and what of it manifests would notice; and what differs between two sinks
//! of any plugins (`sinks.rs`).
//!
//! Compared is what plugins say: preambles and descriptions. A check that became stricter in code, or a value that is
//! written otherwise, shows in neither.

mod component;
mod schema;
mod sinks;

#[cfg(test)]
mod tests;

use serde::Serialize;
pub use sinks::{compare_columns, compare_sinks};
use usher_abi::{Description, Role, preamble::Preamble};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whether a manifest that worked with the old file may not work with the new one, or do something else.
    pub breaking: bool,
    /// One line.
    pub what: String,
}

/// Differences, gathered; each begins with the place.
#[derive(Default)]
struct Changes {
    place: String,
    list: Vec<Change>,
}

impl Changes {
    fn at(place: String) -> Self {
        Self { place, list: Vec::new() }
    }

    fn note(&mut self, breaking: bool, what: impl std::fmt::Display) {
        let what = if self.place.is_empty() { what.to_string() } else { format!("{}: {what}", self.place) };
        self.list.push(Change { breaking, what });
    }

    /// `what` is another one; `breaking` whatever it is now.
    fn differ(&mut self, breaking: bool, what: &str, old: &str, new: &str) {
        if old != new {
            let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { format!("`{text}`") };
            self.note(breaking, format_args!("{what} is {}, was {}", shown(new), shown(old)));
        }
    }

    /// `what` is asked for in one of the two only.
    fn demand(&mut self, what: &str, old: bool, new: bool) {
        if old != new {
            self.note(
                new,
                format_args!("{what} is {}", if new { "now required" } else { "no longer required" }),
            );
        }
    }

    /// The most that `what` may be; nothing is no limit.
    fn at_most(&mut self, what: &str, old: Option<u64>, new: Option<u64>) {
        let said = |limit: Option<u64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
        let tighter = new.is_some_and(|new| old.is_none_or(|old| new < old));
        self.differ(tighter, what, &said(old), &said(new));
    }

    /// Names that are gone break, new ones do not.
    fn names(&mut self, what: &str, old: &[String], new: &[String]) {
        for gone in old.iter().filter(|name| !new.contains(name)) {
            self.note(true, format_args!("{what} `{gone}` removed"));
        }
        for added in new.iter().filter(|name| !old.contains(name)) {
            self.note(false, format_args!("{what} `{added}` added"));
        }
    }
}

/// What the files themselves say, without running them.
pub fn compare_preambles(old: &Preamble, new: &Preamble) -> Vec<Change> {
    let mut changes = Changes::default();
    let abi = |[major, minor]: [u32; 2]| format!("{major}.{minor}");
    changes.differ(true, "name", &old.name, &new.name);
    changes.differ(false, "version", &old.version, &new.version);
    let same_boundary = old.abi[0] == new.abi[0] && (old.abi[0] != 0 || old.abi[1] == new.abi[1]);
    changes.differ(!same_boundary, "ABI", &abi(old.abi), &abi(new.abi));
    changes.differ(false, "SDK", &old.sdk, &new.sdk);
    // What it wants is no manifest's matter; it is whoever trusts the file that must know.
    changes.differ(false, "list of services", &old.wants.join(" "), &new.wants.join(" "));
    changes.differ(false, "list of hosts", &old.hosts.join(" "), &new.hosts.join(" "));
    // A host that does not know one of them refuses the file.
    changes.differ(true, "list of what it needs of a host", &old.needs.join(" "), &new.needs.join(" "));
    changes.list
}

/// What the plugins say when they are asked.
pub fn compare_descriptions(old: &Description, new: &Description) -> Vec<Change> {
    let mut list = Vec::new();
    let mut changes = Changes::default();
    for role in [Role::Source, Role::Transform, Role::Sink] {
        let of = |description: &Description| -> Vec<String> {
            let components = description.components.iter().filter(|component| component.role == role);
            components.map(|component| component.name.clone()).collect()
        };
        let (before, after) = (of(old), of(new));
        changes.names(name(role), &before, &after);
        // A manifest that names no component gets the first of its role.
        if let (Some(old), Some(new)) = (before.first(), after.first()) {
            changes.differ(true, &format!("default {}", name(role)), old, new);
        }
    }
    list.append(&mut changes.list);
    for old in &old.components {
        if let Some(new) = new.components.iter().find(|new| (new.role, &new.name) == (old.role, &old.name)) {
            list.extend(component::compare(old, new));
        }
    }
    list
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Source => "source",
        Role::Transform => "transform",
        Role::Sink => "sink",
    }
}
