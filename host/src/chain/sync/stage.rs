//! On the way to a sink: rows that the vendor has as they are do not go out.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, RecordBatch, cast::AsArray};
use usher_abi::{Error, Origin};

use super::{
    super::{
        books::{Books, UNCHANGED},
        shape::Origins,
    },
    held_back::HeldBack,
    roll::{Left, keys_in},
    row_hash::RowHash,
    sorted::{Ordered, Sorted},
};
use crate::{
    manifest::{ChangedOnly, OnMissing},
    services::{Entry, Key, Known, Published, Secret, Synced, disk_error},
};

/// Key, hash, input, offset, and where the sealed text is.
pub(super) const OUTGOING: usize = 16 + 8 + 4 + 8 + 8 + 2;

/// A row that went out.
pub(super) struct Outgoing {
    pub(super) key: Key,
    pub(super) hash: i64,
    pub(super) input: u32,
    pub(super) offset: u64,
    /// Where the sealed text is, and its length; none if 0.
    pub(super) text: (u64, u16),
}

impl Outgoing {
    fn pack(&self) -> [u8; OUTGOING] {
        let mut bytes = [0; OUTGOING];
        bytes[..16].copy_from_slice(&self.key);
        bytes[16..24].copy_from_slice(&self.hash.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.input.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.offset.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.text.0.to_le_bytes());
        bytes[44..].copy_from_slice(&self.text.1.to_le_bytes());
        bytes
    }

    pub(super) fn unpack(bytes: &[u8; OUTGOING]) -> Self {
        let eight = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            eight
        };
        let mut key = [0; 16];
        key.copy_from_slice(&bytes[..16]);
        Self {
            key,
            hash: i64::from_le_bytes(eight(16)),
            input: u32::from_le_bytes([bytes[24], bytes[25], bytes[26], bytes[27]]),
            offset: u64::from_le_bytes(eight(28)),
            text: (u64::from_le_bytes(eight(36)), u16::from_le_bytes([bytes[44], bytes[45]])),
        }
    }
}

/// Somebody who was delivered before and whom a condition leaves out now, in one record at least.
#[derive(Clone, Debug)]
pub(in crate::chain) struct Withdrawn {
    pub(super) key: Key,
    /// The record's.
    pub(in crate::chain) origin: Origin,
    /// The reason in the books.
    pub(in crate::chain) reason: &'static str,
    /// The person's key, as the record has it.
    pub(in crate::chain) who: String,
}

/// What a sink of changed rows knows of them while they pass.
pub(in crate::chain) struct SyncStage {
    /// Which of the roll's keys is a person's.
    pub(super) key: usize,
    pub(in crate::chain) rules: ChangedOnly,
    pub(super) secret: Secret,
    pub(super) store: Synced,
    pub(super) known: Option<Known>,
    /// What is known is of another vendor, whose plugin stood here before.
    pub(super) is_other_vendor: bool,
    /// Deliveries that count.
    published: Published,
    /// The digest of what the sink makes of rows.
    pub(super) mapping: String,
    /// All rows go out.
    full: bool,
    hash: RowHash,
    pub(super) held_back: HeldBack,
    pub(super) outgoing: Sorted<OUTGOING>,
    /// People whose rows are as they were, and of whom it was not kept who they are.
    pub(super) unnamed: Sorted<OUTGOING>,
    /// The delivery that people who may be suspended are noted for.
    pub(super) suspending: Option<i64>,
    /// What was noted before it was sent.
    pub(super) sent: Option<(i64, Ordered<OUTGOING>)>,
    /// Sealed texts, one after the other.
    texts: Option<BufWriter<File>>,
    texts_length: u64,
    sealed: Option<Arc<File>>,
    /// Who has not been left out.
    pub(super) passed: Sorted<16>,
    pub(super) left: Vec<Withdrawn>,
    /// Rows of nobody in particular; they always go out.
    pub(in crate::chain) keyless: u64,
    // Reused from batch to batch.
    hashes: Vec<i64>,
    entries: Vec<Entry>,
}

impl SyncStage {
    /// For a connector of a chain, with what its state folder holds. `full`: all rows go out. `alone`: nobody else runs the
    /// chain.
    pub(super) fn new(
        (key, rules, full, alone): (usize, ChangedOnly, bool, bool),
        secret: Secret,
        mapping: String,
        (state, chain, connector): (&Path, &str, &str),
    ) -> Result<Self, Error> {
        let store = Synced::new(state);
        store.check(&secret)?;
        let found = store.known(chain, connector)?;
        let plugin = |mapping: &str| mapping.split(' ').next().map(str::to_owned);
        // What another vendor has been given, this one has not.
        let is_other_vendor = found.as_ref().is_some_and(|found| plugin(&found.mapping) != plugin(&mapping));
        let known = found.filter(|_| !is_other_vendor);
        let mut published = Published::default();
        if let Some(known) = &known {
            if alone {
                store.mend(known.sync)?;
            }
            published = store.published(known.sync)?;
        }
        let texts = match rules.on_missing {
            OnMissing::Ignore => None,
            OnMissing::Report | OnMissing::Suspend => {
                Some(BufWriter::new(tempfile::tempfile().map_err(|e| fault(&e))?))
            }
        };
        Ok(Self {
            key,
            rules,
            hash: RowHash::new(secret.clone(), mapping.clone()),
            secret,
            store,
            known,
            is_other_vendor,
            published,
            mapping,
            full,
            held_back: HeldBack::new(),
            outgoing: Sorted::new(),
            unnamed: Sorted::new(),
            suspending: None,
            sent: None,
            texts,
            texts_length: 0,
            sealed: None,
            passed: Sorted::new(),
            left: Vec::new(),
            keyless: 0,
            hashes: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// Whether the sink makes something else of rows than it did before.
    pub(super) fn is_mapped_anew(&self) -> bool {
        self.is_other_vendor || self.known.as_ref().is_some_and(|known| known.mapping != self.mapping)
    }

    /// Which of these rows go out. `columns` of `shaped` are the sink's; `called` are the same rows with the keys of their
    /// people.
    pub(in crate::chain) fn keep(
        &mut self,
        shaped: &RecordBatch,
        columns: usize,
        called: &RecordBatch,
        input: u32,
        books: &mut Books,
    ) -> Result<BooleanArray, Error> {
        let (keys, texts) = keys_in(called, self.key)?;
        let origins = Origins::new(shaped, input)?;
        self.hash.rows(shaped, columns, &mut self.hashes);
        self.look(keys)?;
        let mut keep = vec![true; shaped.num_rows()];
        for (row, keep) in keep.iter_mut().enumerate() {
            let Some(key) = key_at(keys, row) else {
                self.keyless += 1;
                continue;
            };
            self.passed.push(key)?;
            let (hash, offset) = (self.hashes[row], origins.offsets[row]);
            let entry = self.entries.get(row).copied().unwrap_or_default();
            // Whoever was listed as gone may have been removed at the vendor, and what went out since may have arrived.
            if !self.full && !entry.listed && !entry.unsure && entry.confirmed == Some(hash) {
                books.filter(UNCHANGED, input, offset);
                *keep = false;
                if !entry.named && self.texts.is_some() {
                    let text = self.seal(&key, texts, row)?;
                    self.unnamed.push(Outgoing { key, hash, input, offset, text }.pack())?;
                }
                continue;
            }
            let text = self.seal(&key, texts, row)?;
            self.outgoing.push(Outgoing { key, hash, input, offset, text }.pack())?;
        }
        self.held_back.note(&keep);
        Ok(BooleanArray::from(keep))
    }

    /// Rows that a condition has left out: of those who were delivered before it is noted.
    pub(in crate::chain) fn leave(&mut self, left: &Left) -> Result<(), Error> {
        let (keys, texts) = keys_in(&left.rows, self.key)?;
        self.look(keys)?;
        let origins = Origins::new(&left.rows, left.input)?;
        let texts = texts.as_string::<i32>();
        for row in 0..keys.len() {
            let entry = self.entries.get(row).copied().unwrap_or_default();
            if let Some(key) = key_at(keys, row).filter(|_| entry.delivered) {
                let who = texts.value(row).trim().to_owned();
                self.left.push(Withdrawn { key, origin: origins.get(row), reason: left.reason, who });
            }
        }
        Ok(())
    }

    /// Makes `entries` what is known of each row's person, or nothing when nobody is known.
    fn look(&mut self, keys: &FixedSizeBinaryArray) -> Result<(), Error> {
        self.entries.clear();
        let Some(known) = &self.known else { return Ok(()) };
        // A row without a key asks for the key of zeroes, which nobody has.
        let of = (known.sync, &self.published);
        self.store.look(of, (0..keys.len()).map(|row| keys.value(row)), &mut self.entries)
    }

    fn seal(&mut self, key: &Key, texts: &ArrayRef, row: usize) -> Result<(u64, u16), Error> {
        let Some(file) = &mut self.texts else { return Ok((0, 0)) };
        let mut folded = String::new();
        usher_keys::fold(texts.as_string::<i32>().value(row), &mut folded);
        let Ok(length) = u16::try_from(folded.len()) else { return Ok((0, 0)) };
        let mut sealed = folded.into_bytes();
        self.secret.seal(key, &mut sealed);
        file.write_all(&sealed).map_err(|e| fault(&e))?;
        let at = self.texts_length;
        self.texts_length += u64::from(length);
        Ok((at, length))
    }

    /// The sealed texts, to be read back; no more can be added then.
    pub(super) fn read_texts(&mut self) -> Result<Option<Arc<File>>, Error> {
        if let Some(texts) = self.texts.take() {
            self.sealed = Some(Arc::new(texts.into_inner().map_err(|error| fault(error.error()))?));
        }
        Ok(self.sealed.clone())
    }
}

fn key_at(keys: &FixedSizeBinaryArray, row: usize) -> Option<Key> {
    if keys.is_null(row) { None } else { keys.value(row).try_into().ok() }
}

pub(super) fn fault(error: &std::io::Error) -> Error {
    disk_error("output", &std::env::temp_dir(), error)
}
