//! What is known when a run is published: which rows went out, and whether the vendor has them.

use std::{collections::HashSet, fs::File, os::unix::fs::FileExt as _};

use usher_abi::Error;

use super::{
    gone::Gone,
    sorted::Sorted,
    stage::{Outgoing, SyncStage, fault},
};
use crate::services::Noted;

/// Rows that are noted at once.
const AT_ONCE: usize = 10_000;

/// A delivery of one sink, to be noted.
pub(in crate::chain) struct Noting<'a> {
    pub(in crate::chain) chain: &'a str,
    pub(in crate::chain) connector: &'a str,
    pub(in crate::chain) run: &'a str,
    /// Whether the vendor has said that it has all rows.
    pub(in crate::chain) confirmed: bool,
    /// Records that the sink, or the vendor, did not take: input and offset.
    pub(in crate::chain) rejected: &'a HashSet<(u32, u64)>,
    pub(in crate::chain) gone: &'a Gone,
}

impl SyncStage {
    /// Notes what went out. It counts from [`publish`](Self::publish) on. Answers the delivery, and how many rows wait to be
    /// confirmed.
    pub(in crate::chain) fn note(&mut self, noting: &Noting<'_>) -> Result<(i64, u64), Error> {
        let delivery = self.store.begin(noting.chain, noting.connector, noting.run, &self.mapping)?;
        let texts = self.take_texts()?;
        let mut outgoing = std::mem::replace(&mut self.outgoing, Sorted::new()).into_ordered()?;
        let (mut rows, mut noted) = (Vec::with_capacity(AT_ONCE), 0u64);
        while let Some(packed) = outgoing.next()? {
            let row = Outgoing::unpack(&packed);
            if noting.rejected.contains(&(row.input, row.offset)) {
                continue;
            }
            rows.push(Noted { key: row.key, hash: Some(row.hash), who: who(texts.as_ref(), row.text)? });
            noted += 1;
            if rows.len() == AT_ONCE {
                self.store.note(delivery, noting.confirmed, &rows)?;
                rows.clear();
            }
        }
        self.store.note(delivery, noting.confirmed, &rows)?;
        let withdrawn = noting.gone.withdrawn.iter().map(|one| one.key);
        let missing = noting.gone.missing.iter().map(|one| one.key);
        let gone: Vec<Noted> =
            withdrawn.chain(missing).map(|key| Noted { key, hash: None, who: None }).collect();
        for gone in gone.chunks(AT_ONCE) {
            self.store.note(delivery, false, gone)?;
        }
        Ok((delivery, if noting.confirmed { 0 } else { noted }))
    }

    /// Whether rows go to another account than before, of which nothing is known then.
    pub(in crate::chain) fn is_other_account(&self, account: &str) -> bool {
        self.known.as_ref().is_some_and(|known| !known.account.is_empty() && known.account != account)
    }

    /// The run can be seen. `account`: the vendor's, empty if nothing was sent.
    pub(in crate::chain) fn publish(&self, delivery: i64, account: &str) -> Result<(), Error> {
        if self.is_other_account(account) {
            self.store.forget_before(delivery)?;
        }
        self.store.publish(delivery, account)
    }
}

fn who(texts: Option<&File>, (at, length): (u64, u16)) -> Result<Option<Vec<u8>>, Error> {
    let Some(texts) = texts.filter(|_| length > 0) else { return Ok(None) };
    let mut sealed = vec![0; usize::from(length)];
    texts.read_exact_at(&mut sealed, at).map_err(|e| fault(&e))?;
    Ok(Some(sealed))
}
