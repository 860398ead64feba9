//! The host's memory that a worker reads: pieces are lent, and come back when the worker says that nobody reads them any more.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    os::fd::OwnedFd,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    memory::{DOWN, Shared},
    protocol::Piece,
};
use crate::services::private::lock;

/// The first page: whether the run was cancelled.
const FIRST: u64 = 4096;

/// Pieces are multiples of this.
const GRAIN: u64 = 4096;

/// What one worker can be lent.
#[derive(Debug)]
pub(super) struct Lender {
    memory: Shared,
    ranges: Mutex<Ranges>,
}

#[derive(Debug)]
struct Ranges {
    /// Free ranges: place and length. None touches another.
    free: BTreeMap<u64, u64>,
    lent: HashMap<u64, u64>,
    used: u64,
}

impl Lender {
    /// The memory, and the descriptor for the worker.
    pub(super) fn new() -> io::Result<(Self, OwnedFd)> {
        let (memory, file) = Shared::lent(DOWN)?;
        let free = BTreeMap::from([(FIRST, DOWN as u64 - FIRST)]);
        let ranges = Mutex::new(Ranges { free, lent: HashMap::new(), used: 0 });
        Ok((Self { memory, ranges }, file))
    }

    /// Lends room for `len` bytes, which `fill` writes by place within it; none when that much is not free.
    pub(super) fn lend(&self, len: u64, fill: impl FnOnce(&mut dyn FnMut(u64, &[u8]))) -> Option<Piece> {
        let (place, copy) = {
            let mut ranges = lock(&self.ranges);
            let place = ranges.take(len)?;
            // Plugins may hold what they were lent as long as they like, on their own account.
            (place, ranges.used > DOWN as u64 / 2)
        };
        fill(&mut |at, bytes| {
            if at.checked_add(bytes.len() as u64).is_some_and(|end| end <= len) {
                // SAFETY: the host mapped it for writing, and nobody else has this range.
                unsafe { self.memory.write((place + at) as usize, bytes) };
            }
        });
        // From here on the worker may give it back; before, nobody else can have it.
        lock(&self.ranges).lent.insert(place, ranged(len)?);
        Some(Piece { place, len, copy })
    }

    /// Pieces come back. Places that were never lent are passed over: what a worker says of its own memory harms nobody else.
    pub(super) fn take_back(&self, places: &[u64]) {
        if places.is_empty() {
            return;
        }
        let mut ranges = lock(&self.ranges);
        places.iter().for_each(|place| ranges.give(*place));
    }

    /// Tells the worker that the run was cancelled.
    pub(super) fn say_cancelled(&self) {
        if let Some(word) = cancelled(&self.memory) {
            word.store(1, Ordering::Release);
        }
    }
}

/// The word that says whether the run was cancelled.
pub(super) fn cancelled(memory: &Shared) -> Option<&AtomicU32> {
    // SAFETY: the first page is for this word alone, which both sides use as an atomic; it is aligned as pages are.
    memory.at(0, 4).map(|first| unsafe { AtomicU32::from_ptr(first.cast()) })
}

/// How much of the memory a piece takes.
fn ranged(len: u64) -> Option<u64> {
    len.max(1).checked_next_multiple_of(GRAIN)
}

impl Ranges {
    /// Takes the first range that is large enough: what was used lately is still in the caches, and the rest stays untouched.
    fn take(&mut self, len: u64) -> Option<u64> {
        let len = ranged(len)?;
        let (place, size) =
            self.free.iter().map(|(place, size)| (*place, *size)).find(|(_, size)| *size >= len)?;
        self.free.remove(&place);
        if size > len {
            self.free.insert(place + len, size - len);
        }
        self.used += len;
        Some(place)
    }

    fn give(&mut self, mut place: u64) {
        let Some(mut len) = self.lent.remove(&place) else { return };
        self.used -= len;
        if let Some(behind) = self.free.remove(&(place + len)) {
            len += behind;
        }
        if let Some((&before, &size)) = self.free.range(..place).next_back()
            && before + size == place
        {
            self.free.remove(&before);
            (place, len) = (before, size + len);
        }
        self.free.insert(place, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_lent_again() {
        let (lender, file) = Lender::new().unwrap();
        let worker = Shared::map(&file, DOWN, super::super::memory::Access::Read).unwrap();
        let lend = |text: &[u8]| lender.lend(text.len() as u64, |put| put(0, text)).unwrap();
        let (first, second, third) = (lend(b"one"), lend(&[7; 5000]), lend(b"three"));
        let mut copy = [0; 5];
        worker.copy(third.place as usize, &mut copy).unwrap();
        assert_eq!(&copy, b"three");
        lender.take_back(&[second.place, 12345, second.place]);
        assert_eq!(lend(&[8; 8192]).place, second.place);
        lender.take_back(&[first.place, second.place, third.place]);
        let ranges = lock(&lender.ranges);
        assert_eq!((ranges.used, ranges.free.len(), ranges.free[&FIRST]), (0, 1, DOWN as u64 - FIRST));
    }

    #[test]
    fn it_ends_and_says_when_it_is_short() {
        let (lender, _file) = Lender::new().unwrap();
        assert!(lender.lend(DOWN as u64, |_| ()).is_none());
        assert!(lender.lend(u64::MAX, |_| ()).is_none());
        let half = lender.lend(DOWN as u64 / 2 + 1, |_| ()).unwrap();
        assert!(half.copy, "more than half of it is lent");
        lender.take_back(&[half.place]);
        assert!(!lender.lend(1, |_| ()).unwrap().copy);
    }

    #[test]
    fn a_cancelled_run_is_seen() {
        let (lender, file) = Lender::new().unwrap();
        let worker = Shared::map(&file, DOWN, super::super::memory::Access::Read).unwrap();
        assert_eq!(cancelled(&worker).unwrap().load(Ordering::Acquire), 0);
        lender.say_cancelled();
        assert_eq!(cancelled(&worker).unwrap().load(Ordering::Acquire), 1);
    }
}
