//! Keys seen before, at 24 bytes a key or less.

use std::hash::{BuildHasher, RandomState};

/// Keys, each with a number, kept as fingerprints of 96 bits.
///
/// Two keys are taken for one with a chance of about 2⁻⁹⁶ a pair; the hashes are keyed anew in every process, so
/// nobody can choose such a pair. A key costs 16 bytes in a table that is never filled less than two thirds, and
/// tables grow one at a time (there are 256), so growing never needs much more memory than the keys have.
///
/// ```
/// let mut seen = usher_sdk::Fingerprints::new();
/// let print = seen.folded("Ada@Example.com");
/// assert_eq!(seen.get(print), None);
/// seen.insert(print, 0);
/// let again = seen.folded("ada@example.COM");
/// assert_eq!(seen.get(again), Some(0));
/// ```
pub struct Fingerprints {
    hashers: [RandomState; 2],
    segments: Vec<Segment>,
    folded: String,
}

/// A key's fingerprint; means something only to the [`Fingerprints`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Place of the key: the upper 8 bits choose the segment, the rest the slot.
    place: u32,
    rest: [u32; 2],
}

const SEGMENTS: usize = 256;
const FIRST_SLOTS: usize = 16;

impl Default for Fingerprints {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprints").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Fingerprints {
    /// No keys.
    pub fn new() -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { hashers, segments: (0..SEGMENTS).map(|_| Segment::default()).collect(), folded: String::new() }
    }

    /// The fingerprint of a key as it stands.
    pub fn print(&self, key: &str) -> Print {
        let [a, b] = [self.hashers[0].hash_one(key), self.hashers[1].hash_one(key)];
        Print { place: (a >> 32) as u32, rest: [a as u32, b as u32] }
    }

    /// The fingerprint of a key whose white space around it and whose case do not count.
    pub fn folded(&mut self, key: &str) -> Print {
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        let key = key.trim();
        if key.is_ascii() {
            folded.push_str(key);
            folded.make_ascii_lowercase();
        } else {
            folded.extend(key.chars().flat_map(char::to_lowercase));
        }
        let print = self.print(&folded);
        self.folded = folded;
        print
    }

    /// The number noted for a key.
    pub fn get(&self, print: Print) -> Option<u32> {
        self.segments[print.segment()].get(print)
    }

    /// Notes a number (at most `u32::MAX - 1`) for a key, in place of one noted before; answers that one.
    pub fn insert(&mut self, print: Print, number: u32) -> Option<u32> {
        self.segments[print.segment()].insert(print, number)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.segments.iter().map(|s| s.used).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the tables take.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(|s| s.slots.len() * size_of::<Slot>()).sum()
    }
}

impl Print {
    fn segment(self) -> usize {
        (self.place >> 24) as usize
    }
}

/// A table with open addressing.
#[derive(Default)]
struct Segment {
    slots: Box<[Slot]>,
    used: usize,
}

/// A fingerprint and its number plus one; 0: free. All zero when new, so that fresh tables cost no writing.
#[derive(Clone, Copy)]
struct Slot {
    print: [u32; 3],
    number: u32,
}

impl Segment {
    /// The slot that holds the key, or the free one where it belongs. The table must not be empty or full.
    fn find(&self, print: Print) -> usize {
        let key = [print.place, print.rest[0], print.rest[1]];
        let spread = u64::from(print.place << 8 | print.rest[0] >> 24);
        let mut at = ((spread * self.slots.len() as u64) >> 32) as usize;
        while self.slots[at].number != 0 && self.slots[at].print != key {
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        at
    }

    fn get(&self, print: Print) -> Option<u32> {
        if self.used == 0 {
            return None;
        }
        self.slots[self.find(print)].number.checked_sub(1)
    }

    fn insert(&mut self, print: Print, number: u32) -> Option<u32> {
        // At most 85 % full, at least 68 % after growing by a quarter.
        if (self.used + 1) * 20 > self.slots.len() * 17 {
            self.grow();
        }
        let at = self.find(print);
        let slot = &mut self.slots[at];
        let before = slot.number.checked_sub(1);
        *slot = Slot { print: [print.place, print.rest[0], print.rest[1]], number: number.saturating_add(1) };
        self.used += usize::from(before.is_none());
        before
    }

    fn grow(&mut self) {
        let slots = FIRST_SLOTS.max(self.slots.len() + self.slots.len() / 4);
        let free = Slot { print: [0; 3], number: 0 };
        let old = std::mem::replace(&mut self.slots, vec![free; slots].into_boxed_slice());
        for slot in old.iter().filter(|s| s.number != 0) {
            let at = self.find(Print { place: slot.print[0], rest: [slot.print[1], slot.print[2]] });
            self.slots[at] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn keys_are_found_again_and_strangers_are_not() {
        let mut seen = Fingerprints::new();
        let mut model = HashMap::new();
        let mut state = 1u64;
        for number in 0..50_000u32 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let key = format!("user{}@example.com", (state >> 33) % 30_000);
            let print = seen.print(&key);
            assert_eq!(seen.get(print), model.get(&key).copied());
            assert_eq!(seen.insert(print, number), model.insert(key, number));
        }
        assert_eq!(seen.len(), model.len());
        for (key, number) in &model {
            assert_eq!(seen.get(seen.print(key)), Some(*number));
        }
        assert_eq!(seen.get(seen.print("stranger")), None);
    }

    #[test]
    fn case_and_white_space_fold() {
        let mut seen = Fingerprints::new();
        let ada = seen.folded("Ada@Example.com");
        seen.insert(ada, 7);
        assert_eq!(seen.folded(" ada@EXAMPLE.com"), ada);
        assert_eq!(seen.folded("JOSÉ@example.com"), seen.folded("josé@example.com"));
        assert_ne!(seen.folded("jose@example.com"), seen.folded("josé@example.com"));
    }

    #[test]
    fn a_key_costs_at_most_24_bytes() {
        let mut seen = Fingerprints::new();
        for number in 0..200_000u32 {
            let print = seen.print(&number.to_string());
            seen.insert(print, number);
            if number > 100_000 && number % 1000 == 0 {
                assert!(seen.bytes() <= 24 * seen.len(), "{} bytes for {} keys", seen.bytes(), seen.len());
            }
        }
    }
}
