//! The manifest's own table `rejects`: what runs keep of records that were not taken.

use super::{place::KeyPath, read::Reader};

/// The keys of the table.
pub(super) const KEYS: [&str; 1] = ["record"];

/// What a run's rejects hold of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectRecord {
    /// The record as it was read, and what is wrong with it in words that may quote it.
    #[default]
    Full,
    /// Where the record stands, and what is wrong with it in words that are the same for everybody.
    Masked,
}

impl Reader<'_> {
    /// `[rejects]` with `record = "full"` or `"masked"`.
    pub(super) fn reject_record(&mut self) -> RejectRecord {
        let source = self.source;
        let path = KeyPath::from(["rejects"]);
        let table = source.root.get("rejects").and_then(|node| self.table(node, &path, "[rejects]"));
        self.known_keys(table.unwrap_or_default(), &path, &KEYS, "");
        let path = path.child("record");
        let node = table.and_then(|entries| entries.iter().find(|(key, _)| key == "record"));
        match node.and_then(|(_, node)| self.string(node, &path)).as_deref() {
            None | Some("full") => RejectRecord::Full,
            Some("masked") => RejectRecord::Masked,
            Some(other) => {
                self.error(
                    &path,
                    format!("`{other}` is neither `full` nor `masked`"),
                    Some("write `record = \"masked\"` to keep records and their values out of rejects"),
                );
                RejectRecord::Full
            }
        }
    }
}
