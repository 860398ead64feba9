//! `sync`, `on_missing` and `max_missing` of a connector.

use super::{
    model::{ChangedOnly, OnMissing},
    place::KeyPath,
    read::Reader,
    tree::Node,
};

/// So many of a hundred people are seldom gone from a source at once.
const MAX_MISSING: f64 = 0.5;

impl<'a> Reader<'a> {
    /// What the table of a connector says of changed-only syncs; `None` where all rows go out.
    pub(super) fn changed_only(&mut self, table: &'a Node, path: &KeyPath) -> Option<ChangedOnly> {
        let mut choice = |key: &str, known: &[&'static str]| {
            table.get(key).and_then(|node| self.one_of(node, &path.child(key), known))
        };
        let sync = choice("sync", &["all", "changed"]);
        let on_missing = match choice("on_missing", &["ignore", "report", "suspend"]) {
            Some("report") => OnMissing::Report,
            Some("suspend") => OnMissing::Suspend,
            _ => OnMissing::Ignore,
        };
        let help = "write a share of the people delivered (`\"0.5%\"`)";
        let missing = table.get("max_missing");
        let max_missing = missing.and_then(|node| self.share(node, &path.child("max_missing"), help));
        if sync == Some("changed") {
            return Some(ChangedOnly { on_missing, max_missing: max_missing.unwrap_or(MAX_MISSING) });
        }
        if sync.is_none() && table.get("sync").is_some() {
            // What it was meant to say is not known.
            return None;
        }
        for key in ["on_missing", "max_missing"].into_iter().filter(|key| table.get(key).is_some()) {
            let message =
                format!("`{key}` is about people delivered before, of which nothing is known without `sync`");
            self.error_at_key(
                &path.child(key),
                message,
                Some("write `sync = \"changed\"` beside it, or take it out"),
            );
        }
        None
    }
}
