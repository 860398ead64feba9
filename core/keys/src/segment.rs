//! A table with open addressing in buckets of sixteen. Of each slot a tag of one byte stands apart, so that a look at sixteen
//! bytes nearly always says whether a key is in a bucket, and the tables can be full without long searches.

use wide::u8x16;

use super::Print;

const SLOTS: usize = 16;
/// What marks a free slot; no key has it.
const FREE: u8 = 0;

/// See the module's head.
pub(super) struct Segment<V> {
    tags: Vec<[u8; SLOTS]>,
    /// By bucket and slot.
    slots: Vec<[Slot<V>; SLOTS]>,
    used: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot<V> {
    words: [u32; 2],
    note: V,
}

/// A slot: bucket, and place in it.
type Place = (usize, usize);

impl<V> Default for Segment<V> {
    fn default() -> Self {
        Self { tags: Vec::new(), slots: Vec::new(), used: 0 }
    }
}

impl<V: Copy + Default> Segment<V> {
    /// By which part of itself a table grows.
    const GROWTH: usize = 6;

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn bytes(&self) -> usize {
        self.tags.len() * (size_of::<[u8; SLOTS]>() + size_of::<[Slot<V>; SLOTS]>())
    }

    pub(super) fn get(&self, print: Print) -> Option<V> {
        if self.used == 0 {
            return None;
        }
        let ((bucket, slot), found) = self.find(print);
        found.then(|| self.slots[bucket][slot].note)
    }

    pub(super) fn insert(&mut self, print: Print, note: V) -> Option<V> {
        self.make_room();
        let (place, found) = self.find(print);
        let before = found.then(|| self.slots[place.0][place.1].note);
        self.put(place, print.tag, Slot { words: print.words, note });
        self.used += usize::from(!found);
        before
    }

    pub(super) fn get_or_insert(&mut self, print: Print, note: V) -> Option<V> {
        self.make_room();
        let (place, found) = self.find(print);
        if found {
            return Some(self.slots[place.0][place.1].note);
        }
        self.put(place, print.tag, Slot { words: print.words, note });
        self.used += 1;
        None
    }

    pub(super) fn fetch(&self, print: Print) {
        if self.used > 0 {
            let ((bucket, slot), _) = self.find(print);
            std::hint::black_box(self.slots[bucket][slot].words[0]);
        }
    }

    /// Makes sure that one more key goes in, and that a slot is free then.
    fn make_room(&mut self) {
        if (self.used + 1) * 20 > self.tags.len() * SLOTS * 19 {
            self.grow();
        }
    }

    /// The slot that has the key, or the free one where it would go. There is always a free one.
    fn find(&self, print: Print) -> (Place, bool) {
        let mut bucket = print.bucket(self.tags.len());
        loop {
            let tags = &self.tags[bucket];
            let mut same = matches(tags, print.tag);
            while same != 0 {
                let slot = first(same);
                if self.slots[bucket][slot].words == print.words {
                    return ((bucket, slot), true);
                }
                same &= same - 1;
            }
            let free = matches(tags, FREE);
            if free != 0 {
                return ((bucket, first(free)), false);
            }
            bucket += 1;
            if bucket == self.tags.len() {
                bucket = 0;
            }
        }
    }

    fn put(&mut self, (bucket, slot): Place, tag: u8, key: Slot<V>) {
        self.tags[bucket][slot] = tag;
        self.slots[bucket][slot] = key;
    }

    /// Keys stay nearly in their order, so both tables are passed from one end to the other. Each key is moved as often as its
    /// table grows, so a move is to be cheap: buckets are filled from their first slot on, and nothing is ever taken out.
    fn grow(&mut self) {
        let buckets = self.tags.len() + (self.tags.len() / Self::GROWTH).max(1);
        let tags = std::mem::replace(&mut self.tags, vec![[FREE; SLOTS]; buckets]);
        let slots = std::mem::replace(&mut self.slots, vec![[Slot::default(); SLOTS]; buckets]);
        let mut filled = vec![0_u8; buckets];
        for (tags, slots) in tags.iter().zip(&slots) {
            let free = matches(tags, FREE);
            let used = if free == 0 { SLOTS } else { first(free) };
            for (tag, key) in tags.iter().zip(slots).take(used) {
                let mut bucket = Print { words: key.words, tag: *tag }.bucket(buckets);
                while usize::from(filled[bucket]) == SLOTS {
                    bucket = if bucket + 1 == buckets { 0 } else { bucket + 1 };
                }
                self.put((bucket, usize::from(filled[bucket])), *tag, *key);
                filled[bucket] += 1;
            }
        }
    }
}

/// The slots that have a tag, a bit for each.
#[inline]
fn matches(tags: &[u8; SLOTS], tag: u8) -> u32 {
    u8x16::from(*tags).cmp_eq(u8x16::splat(tag)).move_mask() as u32
}

/// The first slot of several.
#[inline]
fn first(slots: u32) -> usize {
    slots.trailing_zeros() as usize
}
