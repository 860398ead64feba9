//! What identifies an input: the hash of its bytes as stored, put together from blocks that are hashed as they are read.

use std::{
    io::{ErrorKind, Read},
    ops::Range,
    sync::Mutex,
};

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use usher_abi::Error;

use super::{
    registry::InputRegistry,
    stored::{Stored, changed, unreadable},
};
use crate::services::private::lock;

/// Bytes of a block: a power of two of BLAKE3's chunks of 1,024, so that each block is a subtree of the hash.
pub(super) const BLOCK: usize = 256 * 1024;

/// Hash and size of an input's bytes as stored (compressed, if it is).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// BLAKE3, 64 hexadecimal digits.
    pub blake3: String,
    /// Bytes.
    pub bytes: u64,
}

/// The hashes of an input's blocks, as far as they were read. Reading twice what is large costs more than hashing it.
#[derive(Debug)]
pub(super) struct Blocks {
    len: u64,
    known: Mutex<Vec<Option<ChainingValue>>>,
}

impl Blocks {
    /// None known, of an input of `len` bytes.
    pub(super) fn new(len: u64) -> Self {
        let blocks = usize::try_from(len.div_ceil(BLOCK as u64)).unwrap_or(0);
        Self { len, known: Mutex::new(vec![None; blocks]) }
    }

    /// Notes all whole blocks in `bytes`, which stand at `position`.
    pub(super) fn note(&self, position: u64, bytes: &[u8]) {
        let first = position.div_ceil(BLOCK as u64);
        let mut rest = usize::try_from(first * BLOCK as u64 - position).ok().and_then(|at| bytes.get(at..));
        for block in first.. {
            let (Some(bytes), Some(size)) = (rest, self.size(block)) else { return };
            let Some((bytes, behind)) = bytes.split_at_checked(size) else { return };
            // The only block is not a subtree but the root, which is hashed in another way.
            let wanted = || lock(&self.known).get(block as usize).is_some_and(Option::is_none);
            if self.len > BLOCK as u64 && wanted() {
                let mut hasher = blake3::Hasher::new();
                let value = hasher.set_input_offset(block * BLOCK as u64).update(bytes).finalize_non_root();
                lock(&self.known)[block as usize] = Some(value);
            }
            rest = Some(behind);
        }
    }

    /// Bytes of a block; none behind the last.
    fn size(&self, block: u64) -> Option<usize> {
        let left = self.len.checked_sub(block.checked_mul(BLOCK as u64)?).filter(|left| *left > 0)?;
        Some(usize::try_from(left).unwrap_or(BLOCK).min(BLOCK))
    }

    /// The first block that is not known, from `from` on.
    fn missing(&self, from: usize) -> Option<usize> {
        let known = lock(&self.known);
        let found = known.iter().skip(from).position(Option::is_none)?;
        Some(from + found)
    }

    /// The hash of all blocks, which are two at least.
    fn root(&self) -> Option<blake3::Hash> {
        let known = lock(&self.known);
        let middle = left(known.len());
        let (left, right) = (subtree(&known, 0..middle)?, subtree(&known, middle..known.len())?);
        Some(merge_subtrees_root(&left, &right, Mode::Hash))
    }
}

/// Of so many blocks, those in the left half of the tree: the largest power of two that leaves some for the right one.
fn left(blocks: usize) -> usize {
    blocks.next_power_of_two() / 2
}

fn subtree(known: &[Option<ChainingValue>], range: Range<usize>) -> Option<ChainingValue> {
    if range.len() <= 1 {
        return known.get(range.start).copied().flatten();
    }
    let middle = range.start + left(range.len());
    let (left, right) = (subtree(known, range.start..middle)?, subtree(known, middle..range.end)?);
    Some(merge_subtrees_non_root(&left, &right, Mode::Hash))
}

impl InputRegistry {
    /// The digest of an input. What was not read yet, or not in one piece, is read for it.
    pub fn digest(&self, input: u32) -> Result<Digest, Error> {
        let entry = self.entry(input)?;
        let (name, stored) = (self.name(input), &entry.stored);
        let bytes = stored.len();
        let mut chunk = self.pool.take();
        let chunk = &mut chunk.bytes()[..BLOCK];
        let hash = if bytes <= BLOCK as u64 {
            blake3::hash(read_block(stored, &name, 0, chunk)?)
        } else {
            let mut from = 0;
            while let Some(block) = stored.blocks.missing(from) {
                self.cancel.check()?;
                let position = block as u64 * BLOCK as u64;
                stored.blocks.note(position, read_block(stored, &name, position, chunk)?);
                from = block + 1;
            }
            stored.blocks.root().ok_or_else(|| Error::bug("input.digest", "a block is not hashed"))?
        };
        Ok(Digest { blake3: hash.to_hex().to_string(), bytes })
    }

    /// The digests of all inputs, by id.
    pub fn digests(&self) -> Result<Vec<Digest>, Error> {
        self.inputs().iter().map(|input| self.digest(input.id)).collect()
    }

    /// An error if an input is not what it was when it was opened: rows and digest would be of different ones.
    pub fn unchanged(&self, input: u32) -> Result<(), Error> {
        self.entry(input)?.stored.open(&self.name(input), 0).map(drop)
    }
}

/// The block at `position`, whole.
fn read_block<'a>(stored: &Stored, name: &str, position: u64, into: &'a mut [u8]) -> Result<&'a [u8], Error> {
    let size = stored.blocks.size(position / BLOCK as u64).unwrap_or(0);
    let bytes = &mut into[..size];
    stored.open(name, position)?.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => changed(name),
        _ => unreadable(name, &error),
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn blocks_in_any_order_are_the_hash_of_the_whole(
            len in prop_oneof![(BLOCK + 1)..(9 * BLOCK), (2usize..9).prop_map(|n| n * BLOCK)],
            order in prop::collection::vec((any::<prop::sample::Index>(), 1..4 * BLOCK), 0..6),
        ) {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 31 + i / 997) as u8).collect();
            let blocks = Blocks::new(len as u64);
            for (at, size) in order {
                let at = at.index(len);
                blocks.note(at as u64, &bytes[at..(at + size).min(len)]);
            }
            let mut from = 0;
            while let Some(block) = blocks.missing(from) {
                prop_assert!(blocks.root().is_none());
                let at = block * BLOCK;
                blocks.note(at as u64, &bytes[at..(at + BLOCK).min(len)]);
                from = block + 1;
            }
            prop_assert_eq!(blocks.root(), Some(blake3::hash(&bytes)));
        }
    }
}
