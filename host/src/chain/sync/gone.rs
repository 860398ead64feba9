//! When all rows have passed: who was delivered before, and is left out now or did not come at all.

use std::collections::HashSet;

use usher_abi::Error;

use super::{
    sorted::{Among, Ordered, Sorted},
    stage::{SyncStage, Withdrawn},
    suspend::Suspended,
};
use crate::{
    manifest::OnMissing,
    services::{Key, Secret},
};

/// So many missing people are listed; more are only counted.
const MOST_LISTED: usize = 1_000_000;

/// Somebody who was delivered before and of whom the source has no record any more.
#[derive(Clone, Debug)]
pub(in crate::chain) struct Absent {
    pub(super) key: Key,
    /// The person's key, if it was kept.
    pub(in crate::chain) who: String,
}

/// Who is gone, for one sink.
#[derive(Default)]
pub(in crate::chain) struct Gone {
    /// By the place of their records.
    pub(in crate::chain) withdrawn: Vec<Withdrawn>,
    pub(in crate::chain) missing: Vec<Absent>,
    /// What became of the missing, if the vendor was to suspend them.
    pub(in crate::chain) suspended: Option<Suspended>,
    /// How many are missing, and of how many who were delivered; none if nobody looked.
    pub(in crate::chain) of: Option<(u64, u64)>,
    /// Missing people of whom nobody kept who they are: nobody asked when they were delivered.
    pub(in crate::chain) nameless: u64,
    /// Why nobody looked for who is missing, if somebody should have.
    pub(in crate::chain) not_looked: Option<String>,
    /// So many of a hundred may be missing.
    most: f64,
}

impl Gone {
    /// Whether more are missing than the manifest allows.
    pub(in crate::chain) fn is_too_many(&self) -> bool {
        self.of.is_some_and(|(missing, delivered)| missing as f64 * 100.0 > self.most * delivered as f64)
    }

    /// The limit.
    pub(in crate::chain) fn most(&self) -> f64 {
        self.most
    }
}

impl SyncStage {
    /// Who is gone, after the last row. `read` are the keys of all records of the source, if all could be read.
    pub(in crate::chain) fn gone(&mut self, read: Option<Ordered<16>>) -> Result<Gone, Error> {
        let mut gone = Gone { most: self.rules.max_missing, ..Gone::default() };
        let passed = std::mem::replace(&mut self.passed, Sorted::new());
        let mut left = std::mem::take(&mut self.left);
        if !left.is_empty() {
            // Whom another record brings is not withdrawn.
            left.sort_by_key(|one| (one.key, one.origin.input, one.origin.offset));
            left.dedup_by_key(|one| one.key);
            let mut passed = Among::new(passed.into_ordered()?)?;
            for one in left {
                if !passed.has(&one.key)? {
                    gone.withdrawn.push(one);
                }
            }
            gone.withdrawn.sort_by_key(|one| (one.origin.input, one.origin.offset));
        }
        if self.rules.on_missing != OnMissing::Ignore
            && let Some(read) = read
        {
            self.missing(&mut Among::new(read)?, &mut gone)?;
        }
        Ok(gone)
    }

    fn missing(&self, read: &mut Among<16>, gone: &mut Gone) -> Result<(), Error> {
        let (mut missing, mut delivered) = (0, 0);
        let withdrawn: HashSet<Key> = gone.withdrawn.iter().map(|one| one.key).collect();
        if let Some(known) = &self.known {
            self.store.everybody(known.sync, |key, who| {
                delivered += 1;
                if !read.has(&key)? && !withdrawn.contains(&key) {
                    missing += 1;
                    gone.nameless += u64::from(who.is_none());
                    if gone.missing.len() < MOST_LISTED {
                        gone.missing.push(Absent { key, who: opened(&self.secret, &key, who) });
                    }
                }
                Ok(())
            })?;
        }
        // As people look for them, and the same in every run.
        gone.missing.sort_unstable_by(|a, b| a.who.cmp(&b.who).then(a.key.cmp(&b.key)));
        gone.of = Some((missing, delivered));
        Ok(())
    }
}

fn opened(secret: &Secret, key: &Key, who: Option<Vec<u8>>) -> String {
    let mut who = who.unwrap_or_default();
    secret.seal(key, &mut who);
    String::from_utf8(who).unwrap_or_default()
}
