//! One row per user: by `external_id` and by every address, case aside.
//!
//! Memory holds a fingerprint of each key with the ordinal of its row (at most 16 bytes a key); what must be known of
//! that row again when its user comes twice (53 bytes: origin, place in the files, a fingerprint of all other cells, one of
//! its address) is on disk. What merged rows add to their survivors is kept in memory until the end.
//!
//! Where the host has seen to it that each address comes once, addresses are not looked up, until a row has several: whether
//! one of them is another row's nobody has seen to. Then those that were written are read back from disk.

use std::collections::BTreeMap;

use usher_sdk::{
    Ahead, Aside, Fate, Fingerprints, Host, KeyedHash, Print, Row, Upcoming,
    abi::{Error, Origin},
    checks::{Fault, shown},
};

use crate::{layout::Layout, options::OnDuplicate, row_size::added_bytes};

/// What is known of a row that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) origin: Origin,
    /// Fingerprint of all cells but addresses and phones.
    rest: u128,
    /// The group of files and the row's number in it.
    pub(crate) file: u32,
    pub(crate) row: u32,
    /// The most bytes that it has.
    pub(crate) bytes: u32,
    /// Its address, if it was not looked up.
    email: Option<Print>,
}

const KNOWN: usize = 53;
/// Rows that are read back at once.
const READ: u64 = 4096;

/// What merged rows add to a survivor.
#[derive(Debug, Default)]
pub(crate) struct Addition {
    pub(crate) emails: String,
    pub(crate) phones: String,
    /// The most bytes that they add to the row.
    pub(crate) bytes: u64,
}

/// Additions by place: group of files, row in it.
pub(crate) type Additions = BTreeMap<(u32, u32), Addition>;

/// What is known of a row's keys.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing.
    Never,
    /// They are those of one earlier row, to which this one may be added.
    Mergeable(u32, Known),
    /// The row cannot be taken.
    Refused(Fate),
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Duplicates {
    mode: OnDuplicate,
    ids: Fingerprints,
    ids_ahead: Ahead,
    emails: Fingerprints,
    /// Each address comes once, so that they are not looked up; so far.
    emails_come_once: bool,
    known: Aside<KNOWN>,
    pub(crate) additions: Additions,
    hash: KeyedHash,
    /// The cells of a row that are hashed; used again and again.
    cells: Vec<u8>,
    /// Columns whose cells must be equal for a merge: the given ones, without addresses and phones.
    rest: Vec<usize>,
    own: Own,
}

/// Of the row last looked at.
#[derive(Debug, Default)]
struct Own {
    id: Option<Print>,
    emails: Vec<Print>,
    rest: u128,
}

impl Duplicates {
    pub(crate) fn new(host: &Host, mode: OnDuplicate, layout: &Layout) -> Self {
        let joined = |column: usize| column == layout.emails || Some(column) == layout.phones;
        Self {
            mode,
            ids: Fingerprints::new(),
            ids_ahead: Ahead::default(),
            emails: Fingerprints::new(),
            emails_come_once: layout.emails_come_once,
            known: Aside::new(host),
            additions: BTreeMap::new(),
            hash: KeyedHash::new(),
            cells: Vec::new(),
            rest: (0..layout.names.len()).filter(|&c| layout.given[c] && !joined(c)).collect(),
            own: Own::default(),
        }
    }

    /// Has what is known of the keys of rows fetched.
    pub(crate) fn look_ahead(&mut self, layout: &Layout, rows: &Upcoming<'_>) {
        if let Some(column) = layout.external_id {
            self.ids_ahead.look(&mut self.ids, rows, column, Fingerprints::folded);
        }
    }

    /// Looks a row up by its keys.
    pub(crate) fn look(&mut self, layout: &Layout, row: &Row) -> Result<Seen, Error> {
        self.own.emails.clear();
        let id = layout.cell(row, layout.external_id);
        let ahead = layout.external_id.and_then(|column| self.ids_ahead.print(row, column));
        self.own.id = ahead.or_else(|| (!id.is_empty()).then(|| self.ids.folded(id)));
        let mut first: Option<(u32, &str, &str)> = None;
        let mut second = None;
        if let Some(ordinal) = self.own.id.and_then(|print| self.ids.get(print)) {
            first = Some((ordinal, "external_id", id));
        }
        if self.emails_come_once && row.is_filled(layout.emails) && !row.is_as_given(layout.emails) {
            self.look_from_now_on()?;
        }
        for email in row.items(layout.emails) {
            let print = self.emails.folded(email);
            self.own.emails.push(print);
            if self.emails_come_once {
                continue;
            }
            match (self.emails.get(print), first) {
                (Some(ordinal), None) => first = Some((ordinal, "emails", email)),
                (Some(ordinal), Some((other, ..))) if ordinal != other => second = Some((ordinal, email)),
                _ => {}
            }
        }
        if self.mode == OnDuplicate::Merge {
            self.own.rest = self.fingerprint(layout, row);
        }
        let Some((ordinal, column, key)) = first else { return Ok(Seen::Never) };
        let known = self.get(ordinal)?;
        let place = place(known.origin, row.origin());
        let refuse =
            |code, message| Ok(Seen::Refused(Fate::Rejected(column.to_owned(), Fault::new(code, message))));
        if self.mode == OnDuplicate::Reject {
            return refuse("duplicate.key", format!("{} is that of the user at {place} already", shown(key)));
        }
        if let Some((other, email)) = second {
            let other = self::place(self.get(other)?.origin, row.origin());
            let message = format!(
                "{} is that of the user at {place}, but {} that of the user at {other}; a row is one user",
                shown(key),
                shown(email)
            );
            return refuse("duplicate.conflict", message);
        }
        if known.rest != self.own.rest {
            let message = format!(
                "{} is that of the user at {place}, and more than addresses and phones differs; make the rows equal or \
                 keep one of them",
                shown(key)
            );
            return refuse("duplicate.conflict", message);
        }
        Ok(Seen::Mergeable(ordinal, known))
    }

    /// Notes the row last looked at, which stands in a file now; answers its ordinal.
    pub(crate) fn written(&mut self, origin: Origin, file: u32, row: u32, bytes: u64) -> Result<u32, Error> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let email = self.own.emails.first().copied().filter(|_| self.emails_come_once);
        let known = Known { origin, rest: self.own.rest, file, row, bytes, email };
        let ordinal = u32::try_from(self.known.push(&known.to_bytes())?).ok().filter(|o| *o < u32::MAX - 1);
        let ordinal = ordinal.ok_or_else(|| {
            Error::data("rows.too-many", "a run takes at most 4,294,967,293 users; split the input")
        })?;
        if self.emails_come_once {
            self.own.emails.clear();
        }
        self.keep(ordinal);
        Ok(ordinal)
    }

    /// Notes the addresses of all rows so far, which were not looked up.
    #[cold]
    fn look_from_now_on(&mut self) -> Result<(), Error> {
        self.emails_come_once = false;
        let rows = self.known.len();
        for first in (0..rows).step_by(READ as usize) {
            for (ordinal, known) in (first..).zip(self.known.read(first, READ.min(rows - first))?) {
                if let (Some(email), Ok(ordinal)) = (Known::from_bytes(&known).email, u32::try_from(ordinal))
                {
                    self.emails.insert(email, ordinal);
                }
            }
        }
        Ok(())
    }

    /// Adds the addresses of the row last looked at, and `phones`, to its survivor; nothing when the survivor would
    /// become longer than `most` bytes.
    pub(crate) fn merge(
        &mut self,
        layout: &Layout,
        row: &Row,
        survivor: u32,
        known: Known,
        phones: &str,
        most: u64,
    ) -> Result<(), Fate> {
        let mut emails = String::new();
        for email in row.items(layout.emails) {
            let print = self.emails.folded(email);
            if self.emails.get(print).is_none() {
                append(&mut emails, email);
            }
        }
        if !emails.is_empty() || !phones.is_empty() {
            let before = self.additions.get(&(known.file, known.row)).map_or(0, |addition| addition.bytes);
            let added = before + added_bytes(&emails) + added_bytes(phones);
            let bytes = u64::from(known.bytes) + added;
            if bytes > most {
                let place = place(known.origin, row.origin());
                let message = format!(
                    "merged into the user at {place}, the row would have up to {bytes} bytes, {most} are allowed"
                );
                return Err(Fate::rejected("row.too-long", message));
            }
            let addition = self.additions.entry((known.file, known.row)).or_default();
            append(&mut addition.emails, &emails);
            append(&mut addition.phones, phones);
            addition.bytes = added;
        }
        self.keep(survivor);
        Ok(())
    }

    /// Ends the work: the additions, by place.
    pub(crate) fn finish(self) -> Result<Additions, Error> {
        self.known.discard()?;
        Ok(self.additions)
    }

    /// How many users there are.
    pub(crate) fn users(&self) -> u64 {
        self.known.len()
    }

    fn keep(&mut self, ordinal: u32) {
        if let Some(print) = self.own.id {
            self.ids.insert(print, ordinal);
        }
        for print in self.own.emails.drain(..) {
            self.emails.insert(print, ordinal);
        }
    }

    fn get(&mut self, ordinal: u32) -> Result<Known, Error> {
        Ok(Known::from_bytes(&self.known.get(u64::from(ordinal))?))
    }

    fn fingerprint(&mut self, layout: &Layout, row: &Row) -> u128 {
        self.cells.clear();
        for &column in &self.rest {
            let (cell, start) = (row.get(column), self.cells.len());
            if Some(column) == layout.external_id && !cell.is_ascii() {
                self.cells.extend_from_slice(cell.to_lowercase().as_bytes());
            } else {
                self.cells.extend_from_slice(cell.as_bytes());
            }
            if Some(column) == layout.external_id {
                // Zendesk's search for it ignores case (DEV-USR).
                self.cells[start..].make_ascii_lowercase();
            }
            self.cells.extend_from_slice(&cell.len().to_le_bytes());
        }
        self.hash.hash(&self.cells)
    }
}

impl Known {
    fn to_bytes(self) -> [u8; KNOWN] {
        let mut bytes = [0; KNOWN];
        bytes[0..4].copy_from_slice(&self.origin.input.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.origin.length.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.origin.offset.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.rest.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.file.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.row.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[44..].copy_from_slice(&self.email.map_or([0; 9], Print::to_bytes));
        bytes
    }

    fn from_bytes(bytes: &[u8; KNOWN]) -> Self {
        let four = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        let eight = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
        Self {
            origin: Origin { input: four(0), length: four(4), offset: eight(8) },
            rest: u128::from_le_bytes(std::array::from_fn(|i| bytes[16 + i])),
            file: four(32),
            row: four(36),
            bytes: four(40),
            email: Print::from_bytes(std::array::from_fn(|i| bytes[44 + i])),
        }
    }
}

/// Where another row is, for people.
fn place(other: Origin, of: Origin) -> String {
    if other.input == of.input {
        format!("byte {} of the same input", other.offset)
    } else {
        format!("byte {} of input {}", other.offset, other.input)
    }
}

/// Appends items to a list with `|` between them.
pub(crate) fn append(list: &mut String, items: &str) {
    if !items.is_empty() {
        list.push_str(if list.is_empty() { "" } else { "|" });
        list.push_str(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_survives_the_disk() {
        let origin = Origin { input: 1, length: 2, offset: u64::MAX - 3 };
        for email in [None, Some(Fingerprints::<u32>::new().print("ada@example.com"))] {
            let known = Known { origin, rest: u128::MAX - 4, file: 6, row: u32::MAX, bytes: 8, email };
            assert_eq!(Known::from_bytes(&known.to_bytes()), known);
        }
    }
}
