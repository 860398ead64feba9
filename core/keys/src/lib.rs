//! Keys seen before, each with a small note: what uniqueness needs, on either side of the boundary.

mod segment;

use std::hash::{BuildHasher, Hasher, RandomState};

use segment::Segment;
use siphasher::sip128::SipHasher13;

/// Keys as fingerprints of 71 bits, each with a note of type `V`.
///
/// Two keys are taken for one with a chance of less than 2⁻⁷¹ a pair, which is one of 47 million for any pair among ten
/// million keys; the hash is keyed anew in every process, so nobody can choose such a pair. A key costs
/// `9 + size_of::<V>()` bytes in tables that are filled between 81 and 95 percent, and the tables grow one at a time (there
/// are 256), so growing never doubles the memory.
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
    hasher: KeyedHash,
    segments: Vec<Segment<V>>,
    folded: String,
}

/// A hash of 128 bits with a key that nobody knows, so that nobody can choose two texts of one hash. It means something in
/// this process only.
#[derive(Clone, Copy, Debug)]
pub struct KeyedHash(SipHasher13);

impl KeyedHash {
    /// With a new key.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        // The standard library's own source of keys.
        let [a, b] = [(); 2].map(|()| RandomState::new().build_hasher().finish());
        Self(SipHasher13::new_with_keys(a, b))
    }

    /// The hash of these bytes.
    pub fn hash(&self, bytes: &[u8]) -> u128 {
        self.0.hash(bytes).as_u128()
    }
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
pub struct Print {
    words: [u32; 2],
    /// Further bits, never 0.
    tag: u8,
}

const SEGMENTS: usize = 256;

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
        Self {
            hasher: KeyedHash::new(),
            segments: (0..SEGMENTS).map(|_| Segment::default()).collect(),
            folded: String::new(),
        }
    }

    /// The fingerprint of a key as it stands.
    pub fn print(&self, key: &str) -> Print {
        let hash = self.hasher.hash(key.as_bytes());
        Print { words: [(hash >> 96) as u32, (hash >> 64) as u32], tag: (hash as u8).max(1) }
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

    /// The note of a key; of a key that has none, `note` from now on, and `None`.
    pub fn get_or_insert(&mut self, print: Print, note: V) -> Option<V> {
        self.segments[print.segment()].get_or_insert(print, note)
    }

    /// Reads what looks at these keys read, and leaves it at that. Tables are larger than caches, so a look waits for memory;
    /// those that are done one right behind the other wait together.
    pub fn fetch<'a>(&self, prints: impl IntoIterator<Item = &'a Print>) {
        for print in prints {
            self.segments[print.segment()].fetch(*print);
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.segments.iter().map(Segment::used).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the tables take.
    pub fn bytes(&self) -> usize {
        self.segments.iter().map(Segment::bytes).sum()
    }
}

impl Print {
    /// As bytes, to be kept aside.
    pub fn to_bytes(self) -> [u8; 9] {
        let [a, b] = self.words.map(u32::to_le_bytes);
        [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], self.tag]
    }

    /// The fingerprint of these bytes; none of nine zeros, which are no fingerprint's.
    pub fn from_bytes(bytes: [u8; 9]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, tag] = bytes;
        let words = [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])];
        (tag != 0).then_some(Self { words, tag })
    }

    fn segment(self) -> usize {
        (self.words[0] >> 24) as usize
    }

    /// Where to begin in a table of so many buckets.
    fn bucket(self, buckets: usize) -> usize {
        let place = u64::from(self.words[0] << 8);
        ((place * buckets as u64) >> 32) as usize
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
    fn what_was_noted_first_stays_with_get_or_insert() {
        let mut seen = Fingerprints::new();
        for round in 0..2u32 {
            for i in 0..20_000u32 {
                let print = seen.print(&i.to_string());
                seen.fetch([&print]);
                assert_eq!(seen.get_or_insert(print, i + round), (round > 0).then_some(i));
            }
        }
        assert_eq!(seen.len(), 20_000);
    }

    #[test]
    fn a_key_costs_at_most_21_bytes_with_a_place_noted() {
        let mut seen = Fingerprints::<[u32; 2]>::new();
        for i in 0..300_000u32 {
            let print = seen.print(&i.to_string());
            seen.insert(print, [i, 0]);
            let keys = seen.len();
            assert!(keys < 50_000 || seen.bytes() <= 21 * keys, "{} bytes for {keys} keys", seen.bytes());
        }
    }

    #[test]
    fn case_and_white_space_do_not_count_when_folded() {
        let mut seen = Fingerprints::<u32>::new();
        assert_eq!(seen.folded(" JOSÉ@x.y "), seen.folded("josé@x.y"));
        assert_ne!(seen.folded("a"), seen.folded("b"));
    }
}
