//! What is known of the rows that go out: before they are sent, or before the run is published.

use std::{collections::HashSet, fs::File, os::unix::fs::FileExt as _, path::Path};

use usher_abi::Error;

use super::{
    gone::Gone,
    sorted::{Ordered, Sorted},
    stage::{OUTGOING, Outgoing, SyncStage, fault},
};
use crate::{
    manifest::OnMissing,
    services::{Key, Noted},
};

/// Rows that are noted at once.
const AT_ONCE: usize = 10_000;

/// A run of a chain, as it is noted.
#[derive(Clone, Copy)]
pub(in crate::chain) struct RunOf<'a> {
    pub(in crate::chain) chain: &'a str,
    pub(in crate::chain) run: &'a str,
    /// Where it is once it is published.
    pub(in crate::chain) folder: &'a Path,
}

/// What was noted of a sink's rows.
#[derive(Debug, Default)]
pub(in crate::chain) struct Noting {
    pub(in crate::chain) delivery: i64,
    /// Rows that wait to be confirmed.
    pub(in crate::chain) waiting: u64,
    /// Runs that nobody can confirm any more.
    pub(in crate::chain) given_up: Vec<String>,
}

/// Records: input and offset.
type Places = HashSet<(u32, u64)>;

impl SyncStage {
    /// Before rows are sent: they may have arrived from now on, whatever ends the run. Nobody is told that they wait.
    pub(in crate::chain) fn about_to_send(
        &mut self,
        of: RunOf<'_>,
        connector: &str,
        rejected: &Places,
    ) -> Result<(), Error> {
        let noting = self.begin(of, connector)?;
        let outgoing = std::mem::replace(&mut self.outgoing, Sorted::new()).into_ordered()?;
        self.note(noting.delivery, false, outgoing.clone(), rejected)?;
        self.store.publish(noting.delivery, None)?;
        self.sent = Some((noting.delivery, outgoing));
        Ok(())
    }

    /// Before people are suspended: they may be from now on, whatever ends the run, so that whoever comes back goes out.
    pub(in crate::chain) fn about_to_suspend(
        &mut self,
        of: RunOf<'_>,
        connector: &str,
        gone: &Gone,
    ) -> Result<(), Error> {
        let run = format!("{}, people to be suspended", of.run);
        let delivery = self.begin(RunOf { run: &run, ..of }, connector)?.delivery;
        let named = gone.missing.iter().filter(|absent| !absent.who.is_empty());
        self.note_people(delivery, false, named.map(|absent| absent.key).collect())?;
        self.store.publish(delivery, None)?;
        self.suspending = Some(delivery);
        Ok(())
    }

    /// Notes that people are gone, or may be.
    fn note_people(&self, delivery: i64, told: bool, mut people: Vec<Key>) -> Result<(), Error> {
        // In the order of the table.
        people.sort_unstable();
        people.chunks(AT_ONCE).try_for_each(|people| {
            let rows: Vec<Noted> =
                people.iter().map(|key| Noted { key: *key, hash: None, who: None }).collect();
            self.store.note(delivery, told, &rows)
        })
    }

    /// Notes who people are whose rows did not go out, where that was not kept.
    fn name(&mut self, delivery: i64) -> Result<(), Error> {
        let mut unnamed = std::mem::replace(&mut self.unnamed, Sorted::new()).into_ordered()?;
        let texts = self.read_texts()?;
        let mut people = Vec::new();
        loop {
            let next = unnamed.next()?.map(|packed| Outgoing::unpack(&packed));
            if people.len() == AT_ONCE || next.is_none() {
                self.store.name(delivery, &people)?;
                people.clear();
            }
            let Some(row) = next else { return Ok(()) };
            people.extend(who(texts.as_deref(), row.text)?.map(|who| (row.key, who)));
        }
    }

    /// When all is done: rows in files wait to be confirmed, as soon as the run is published; rows that were sent are
    /// confirmed, or wait if the vendor has only queued some of them (`queued`). `rejected` are the records that nobody took.
    /// Of a run that is not `finished` rows may have arrived, and wait for nobody.
    pub(in crate::chain) fn note_what_went_out(
        &mut self,
        of: RunOf<'_>,
        connector: &str,
        finished: bool,
        (rejected, queued): (&Places, bool),
        gone: &Gone,
    ) -> Result<Option<Noting>, Error> {
        let mut noting = match self.sent.take() {
            Some(_) if !finished => return Ok(None),
            Some((delivery, outgoing)) => {
                let refused = keys_of(outgoing, rejected)?;
                let mut noting = Noting { delivery, ..Noting::default() };
                if queued {
                    self.store.take_back(delivery, &refused)?;
                    noting.waiting = self.store.tell(delivery)?;
                } else {
                    self.store.settle(delivery, &refused)?;
                }
                noting
            }
            None => {
                let mut noting = self.begin(of, connector)?;
                let outgoing = std::mem::replace(&mut self.outgoing, Sorted::new()).into_ordered()?;
                let noted = self.note(noting.delivery, finished, outgoing, rejected)?;
                noting.waiting = if finished { noted } else { 0 };
                noting
            }
        };
        let withdrawn = gone.withdrawn.iter().map(|one| one.key);
        // Nobody has to confirm what the vendor says itself; whom it did not suspend the next run finds missing again.
        let listed = gone.missing.iter().filter(|_| self.rules.on_missing != OnMissing::Suspend);
        self.note_people(noting.delivery, true, withdrawn.chain(listed.map(|one| one.key)).collect())?;
        self.name(noting.delivery)?;
        noting.given_up.sort();
        Ok(Some(noting))
    }

    fn begin(&self, of: RunOf<'_>, connector: &str) -> Result<Noting, Error> {
        let (chain, run) = ((of.chain, connector), (of.run, of.folder));
        let (delivery, given_up) = self.store.begin(chain, run, &self.mapping, &self.secret)?;
        if self.is_other_vendor {
            self.store.forget_before(delivery)?;
        }
        Ok(Noting { delivery, waiting: 0, given_up })
    }

    /// Notes rows but for those that were rejected; answers how many.
    fn note(
        &mut self,
        delivery: i64,
        told: bool,
        mut outgoing: Ordered<OUTGOING>,
        rejected: &Places,
    ) -> Result<u64, Error> {
        let texts = self.read_texts()?;
        let (mut rows, mut noted) = (Vec::with_capacity(AT_ONCE), 0);
        while let Some(packed) = outgoing.next()? {
            let row = Outgoing::unpack(&packed);
            if rejected.contains(&(row.input, row.offset)) {
                continue;
            }
            rows.push(Noted { key: row.key, hash: Some(row.hash), who: who(texts.as_deref(), row.text)? });
            noted += 1;
            if rows.len() == AT_ONCE {
                self.store.note(delivery, told, &rows)?;
                rows.clear();
            }
        }
        self.store.note(delivery, told, &rows)?;
        Ok(noted)
    }

    /// Whether rows go to another account than before, of which nothing is known then.
    pub(in crate::chain) fn is_other_account(&self, account: &str) -> bool {
        self.known.as_ref().is_some_and(|known| !known.account.is_empty() && known.account != account)
    }

    /// The run can be seen. `account`: the vendor's, empty if nothing was sent. Of those who were suspended there is nothing
    /// left to be known.
    pub(in crate::chain) fn publish(&self, delivery: i64, account: &str, gone: &Gone) -> Result<(), Error> {
        if let (Some(noted), Some(suspended)) = (self.suspending, &gone.suspended) {
            let (settled, refused) = suspended.sorted_out(&gone.missing);
            settled.chunks(AT_ONCE).try_for_each(|people| self.store.forget_people(delivery, people))?;
            refused.chunks(AT_ONCE).try_for_each(|people| self.store.unlist(noted, people))?;
        }
        if self.is_other_account(account) {
            self.store.forget_before(delivery)?;
        }
        self.store.publish(delivery, Some(account))
    }
}

/// The people whose records these are.
fn keys_of(mut outgoing: Ordered<OUTGOING>, records: &Places) -> Result<HashSet<Key>, Error> {
    let mut keys = HashSet::new();
    while let Some(packed) = outgoing.next()?.filter(|_| !records.is_empty()) {
        let row = Outgoing::unpack(&packed);
        if records.contains(&(row.input, row.offset)) {
            keys.insert(row.key);
        }
    }
    Ok(keys)
}

fn who(texts: Option<&File>, (at, length): (u64, u16)) -> Result<Option<Vec<u8>>, Error> {
    let Some(texts) = texts.filter(|_| length > 0) else { return Ok(None) };
    let mut sealed = vec![0; usize::from(length)];
    texts.read_exact_at(&mut sealed, at).map_err(|e| fault(&e))?;
    Ok(Some(sealed))
}
