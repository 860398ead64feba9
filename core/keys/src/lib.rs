//! Keys seen before, each with a small note: what uniqueness needs, on either side of the boundary.

use std::hash::{BuildHasher, RandomState};

/// Keys as fingerprints of 96 bits, each with a note of type `V`.
///
/// Two keys are taken for one with a chance of about 2⁻⁹⁶ a pair; the hashes are keyed anew in every process, so
/// nobody can choose such a pair. A key costs `12 + size_of::<V>()` bytes in tables that are filled between 84 and
/// 95 percent, and the tables grow one at a time (there are 256), so growing never doubles the memory.
///
/// ```
/// let mut seen = usher_keys::Fingerprints::new();
/// let print = seen.folded(" Ada@Example.com");
/// assert_eq!(seen.get(print), None);
/// seen.insert(print, 7u32);
/// let again = seen.folded("ada@example.COM");
/// assert_eq!(seen.get(again), Some(7));
/// ```
pub struct Fingerprints<V = u32> {
    hashers: [RandomState; 2],
    segments: Vec<Segment<V>>,
    folded: String,
}

/// Makes `folded` the key without the white space around it and in lower case: what two keys that are one have in common.
pub fn fold(key: &str, folded: &mut String) {
    folded.clear();
    let key = key.trim();
    if key.is_ascii() {
        folded.push_str(key);
        folded.make_ascii_lowercase();
    } else {
        folded.extend(key.chars().flat_map(char::to_lowercase));
    }
}

/// A key's fingerprint; means something only to the [`Fingerprints`] that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print([u32; 3]);

const SEGMENTS: usize = 256;
const FIRST_SLOTS: usize = 16;

impl<V: Copy + Default> Default for Fingerprints<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V: Copy + Default> std::fmt::Debug for Fingerprints<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fingerprints").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<V: Copy + Default> Fingerprints<V> {
    /// No keys.
    pub fn new() -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        Self { hashers, segments: (0..SEGMENTS).map(|_| Segment::default()).collect(), folded: String::new() }
    }

    /// The fingerprint of a key as it stands.
    pub fn print(&self, key: &str) -> Print {
        let [a, b] = [self.hashers[0].hash_one(key), self.hashers[1].hash_one(key)];
        // All zero marks a free slot.
        Print([(a >> 32) as u32, a as u32, (b as u32).max(1)])
    }

    /// The fingerprint of a key of which neither the white space around it nor its case counts.
    pub fn folded(&mut self, key: &str) -> Print {
        let mut folded = std::mem::take(&mut self.folded);
        fold(key, &mut folded);
        let print = self.print(&folded);
        self.folded = folded;
        print
    }

    /// The note of a key.
    pub fn get(&self, print: Print) -> Option<V> {
        self.segments[print.segment()].get(print)
    }

    /// Notes something for a key, in place of what was noted before; answers that.
    pub fn insert(&mut self, print: Print, note: V) -> Option<V> {
        self.segments[print.segment()].insert(print, note)
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
        self.segments.iter().map(|s| s.slots.len() * size_of::<Slot<V>>()).sum()
    }
}

impl Print {
    fn segment(self) -> usize {
        (self.0[0] >> 24) as usize
    }

    /// Where to begin in a table of `slots`.
    fn slot(self, slots: usize) -> usize {
        let place = u64::from(self.0[0] << 8);
        ((place * slots as u64) >> 32) as usize
    }
}

/// A table with open addressing.
struct Segment<V> {
    slots: Box<[Slot<V>]>,
    used: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot<V> {
    print: [u32; 3],
    note: V,
}

impl<V> Default for Segment<V> {
    fn default() -> Self {
        Self { slots: Box::default(), used: 0 }
    }
}

impl<V: Copy + Default> Segment<V> {
    /// The slot that has the key, or the free one where it would go.
    fn find(&self, print: Print) -> (usize, bool) {
        let mut at = print.slot(self.slots.len());
        loop {
            let slot = self.slots[at].print;
            if slot == print.0 || slot == [0; 3] {
                return (at, slot == print.0);
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn get(&self, print: Print) -> Option<V> {
        if self.slots.is_empty() {
            return None;
        }
        let (at, found) = self.find(print);
        found.then(|| self.slots[at].note)
    }

    fn insert(&mut self, print: Print, note: V) -> Option<V> {
        if (self.used + 1) * 20 > self.slots.len() * 19 {
            self.grow();
        }
        let (at, found) = self.find(print);
        let before = found.then(|| self.slots[at].note);
        self.slots[at] = Slot { print: print.0, note };
        self.used += usize::from(!found);
        before
    }

    /// By an eighth, so that a table is always filled to more than 84 %.
    fn grow(&mut self) {
        let slots = (self.slots.len() * 9 / 8).max(FIRST_SLOTS);
        let slots = slots.max(self.slots.len() + 1);
        let old = std::mem::replace(&mut self.slots, vec![Slot::default(); slots].into_boxed_slice());
        for slot in old.iter().filter(|slot| slot.print != [0; 3]) {
            let (at, _) = self.find(Print(slot.print));
            self.slots[at] = *slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprints;

    #[test]
    fn every_key_is_found_again_with_its_note() {
        let mut seen = Fingerprints::new();
        for i in 0..200_000u32 {
            let print = seen.print(&i.to_string());
            assert_eq!(seen.insert(print, i), None);
        }
        assert_eq!(seen.len(), 200_000);
        for i in 0..200_000u32 {
            let print = seen.print(&i.to_string());
            assert_eq!(seen.get(print), Some(i));
        }
        let print = seen.print("7");
        assert_eq!(seen.insert(print, 9), Some(7));
        let print = seen.print("none");
        assert_eq!(seen.get(print), None);
    }

    #[test]
    fn a_key_costs_at_most_24_bytes_with_a_place_noted() {
        let mut seen = Fingerprints::<[u32; 2]>::new();
        for i in 0..300_000u32 {
            let print = seen.print(&i.to_string());
            seen.insert(print, [i, 0]);
            let keys = seen.len();
            assert!(keys < 50_000 || seen.bytes() <= 24 * keys, "{} bytes for {keys} keys", seen.bytes());
        }
    }

    #[test]
    fn case_and_white_space_do_not_count_when_folded() {
        let mut seen = Fingerprints::<u32>::new();
        assert_eq!(seen.folded(" JOSÉ@x.y "), seen.folded("josé@x.y"));
        assert_ne!(seen.folded("a"), seen.folded("b"));
    }
}
