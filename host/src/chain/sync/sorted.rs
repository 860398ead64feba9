//! Records of a fixed length, in order, in bounded memory.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    sync::Arc,
};

use usher_abi::Error;

use crate::services::disk_error;

/// Records that are sorted in memory before they go to disk.
const PIECE: usize = 1 << 19;

/// Records that are read from a piece at once.
const READ: usize = 1 << 12;

/// Collects records of `N` bytes; answers them in order. Memory is one piece while it collects, and a little of each piece
/// while it answers.
#[derive(Debug)]
pub(in crate::chain) struct Sorted<const N: usize> {
    piece: Vec<[u8; N]>,
    file: Option<File>,
    /// Records of each piece on disk.
    pieces: Vec<usize>,
    most: usize,
}

fn fault(error: &io::Error) -> Error {
    disk_error("output", &std::env::temp_dir(), error)
}

impl<const N: usize> Sorted<N> {
    pub(super) fn new() -> Self {
        Self { piece: Vec::new(), file: None, pieces: Vec::new(), most: PIECE }
    }

    pub(super) fn push(&mut self, record: [u8; N]) -> Result<(), Error> {
        self.piece.push(record);
        if self.piece.len() < self.most { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> Result<(), Error> {
        self.piece.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile().map_err(|e| fault(&e))?),
        };
        file.write_all(self.piece.as_flattened()).map_err(|e| fault(&e))?;
        self.pieces.push(self.piece.len());
        self.piece.clear();
        Ok(())
    }

    /// All records, the least first.
    pub(in crate::chain) fn into_ordered(mut self) -> Result<Ordered<N>, Error> {
        let mut heads = Vec::new();
        if let Some(file) = self.file.take() {
            if !self.piece.is_empty() {
                self.file = Some(file);
                self.spill()?;
                return self.into_ordered();
            }
            let mut at = 0;
            for left in std::mem::take(&mut self.pieces) {
                heads.push(Piece { at, left, read: Vec::new(), next: 0 });
                at += (left * N) as u64;
            }
            return Ok(Ordered { file: Some(Arc::new(file)), pieces: heads });
        }
        self.piece.sort_unstable();
        let read = std::mem::take(&mut self.piece);
        Ok(Ordered { file: None, pieces: vec![Piece { at: 0, left: 0, read, next: 0 }] })
    }
}

/// Records in order.
#[derive(Clone, Debug)]
pub(in crate::chain) struct Ordered<const N: usize> {
    file: Option<Arc<File>>,
    pieces: Vec<Piece<N>>,
}

#[derive(Clone, Debug)]
struct Piece<const N: usize> {
    /// Where on disk the next records are, and how many.
    at: u64,
    left: usize,
    read: Vec<[u8; N]>,
    next: usize,
}

impl<const N: usize> Piece<N> {
    fn head(&mut self, file: Option<&File>) -> Result<Option<[u8; N]>, Error> {
        if self.next == self.read.len() && self.left > 0 {
            let count = self.left.min(READ);
            self.read.resize(count, [0; N]);
            if let Some(file) = file {
                file.read_exact_at(self.read.as_flattened_mut(), self.at).map_err(|e| fault(&e))?;
            }
            (self.next, self.left, self.at) = (0, self.left - count, self.at + (count * N) as u64);
        }
        Ok(self.read.get(self.next).copied())
    }
}

impl<const N: usize> Ordered<N> {
    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<[u8; N]>, Error> {
        let mut least: Option<(usize, [u8; N])> = None;
        for (index, piece) in self.pieces.iter_mut().enumerate() {
            if let Some(head) = piece.head(self.file.as_deref())?
                && least.is_none_or(|(_, other)| head < other)
            {
                least = Some((index, head));
            }
        }
        Ok(least.map(|(index, record)| {
            self.pieces[index].next += 1;
            record
        }))
    }
}

/// Answers, for keys that come in order, whether a record begins with each.
#[derive(Debug)]
pub(super) struct Among<const N: usize> {
    ordered: Ordered<N>,
    head: Option<[u8; N]>,
}

impl<const N: usize> Among<N> {
    pub(super) fn new(mut ordered: Ordered<N>) -> Result<Self, Error> {
        Ok(Self { head: ordered.next()?, ordered })
    }

    /// `key` must not be less than the one before.
    pub(super) fn has(&mut self, key: &[u8]) -> Result<bool, Error> {
        while let Some(head) = self.head
            && head[..key.len()] < *key
        {
            self.head = self.ordered.next()?;
        }
        Ok(self.head.is_some_and(|head| head[..key.len()] == *key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(most: usize, numbers: impl Iterator<Item = u32>) -> Ordered<4> {
        let mut sorted = Sorted { most, ..Sorted::new() };
        for number in numbers {
            sorted.push(number.to_be_bytes()).unwrap();
        }
        sorted.into_ordered().unwrap()
    }

    fn all(mut ordered: Ordered<4>) -> Vec<u32> {
        let mut all = Vec::new();
        while let Some(record) = ordered.next().unwrap() {
            all.push(u32::from_be_bytes(record));
        }
        all
    }

    #[test]
    fn records_come_in_order_from_memory_and_from_disk() {
        let numbers = || (0..20_000u32).map(|n| n.wrapping_mul(2_654_435_761) % 15_000);
        let mut expected: Vec<u32> = numbers().collect();
        expected.sort_unstable();
        for most in [7_000, 20_000, 100_000, 5_000] {
            assert_eq!(all(sorted(most, numbers())), expected, "pieces of {most}");
        }
        assert_eq!(all(sorted(10, std::iter::empty())), [0u32; 0]);
    }

    #[test]
    fn whether_a_key_is_among_them() {
        let mut among = Among::new(sorted(2, [5, 1, 3, 3].into_iter())).unwrap();
        let found: Vec<bool> = (0..7u32).map(|n| among.has(&n.to_be_bytes()).unwrap()).collect();
        assert_eq!(found, [false, true, false, true, false, true, false]);
    }
}
