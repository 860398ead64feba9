//! Which names of a template are its own (`for`, `set`, `with`) and which belong to the row.

use std::collections::BTreeSet;

/// The template's own names at one point of the text. An `if` opens no scope, as in Jinja, but what only
/// one of its branches sets is neither the template's nor the row's afterwards.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    frames: Vec<BTreeSet<String>>,
    unsure: BTreeSet<String>,
}

/// What a name is at one point of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Row,
    Template,
    /// Set in only one branch of an `if` above.
    Unsure,
}

impl Scope {
    pub(super) fn owner(&self, name: &str) -> Owner {
        if self.frames.iter().any(|frame| frame.contains(name)) {
            Owner::Template
        } else if self.unsure.contains(name) {
            Owner::Unsure
        } else {
            Owner::Row
        }
    }

    /// Names declared from here on are forgotten by `close`.
    pub(super) fn open(&mut self) {
        self.frames.push(BTreeSet::new());
    }

    pub(super) fn close(&mut self) {
        self.frames.pop();
    }

    pub(super) fn declare(&mut self, name: &str) {
        self.unsure.remove(name);
        if self.frames.is_empty() {
            self.open();
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.insert(name.to_owned());
        }
    }

    /// After an `if`: `self` is the end of one branch, `other` of the other.
    pub(super) fn join(&mut self, mut other: Scope) {
        if self.frames.is_empty() {
            self.open();
        }
        if other.frames.is_empty() {
            other.open();
        }
        self.unsure.extend(other.unsure);
        for (ours, theirs) in self.frames.iter_mut().zip(other.frames) {
            self.unsure.extend(ours.symmetric_difference(&theirs).cloned());
            ours.retain(|name| theirs.contains(name));
        }
    }
}
