//! Where a byte stands, for people.

use std::fmt;

use memchr::{memchr_iter, memrchr};
use usher_abi::Error;

use super::slabs::Slabs;
use crate::words::thousands;

/// Line and column of a byte, both from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl Place {
    /// The place behind these bytes.
    pub(crate) fn behind(bytes: &[u8]) -> Self {
        let mut place = Self { line: 1, column: 1 };
        place.pass(bytes);
        place
    }

    /// The place of a byte of an input, which is read from its beginning: for errors only.
    pub(crate) fn find(slabs: &mut impl Slabs, offset: u64) -> Result<Self, Error> {
        let mut place = Self { line: 1, column: 1 };
        while let Some(slab) = slabs.next_slab()?.filter(|slab| slab.offset < offset) {
            let bytes = slab.bytes();
            let before = usize::try_from(offset - slab.offset).unwrap_or(usize::MAX).min(bytes.len());
            place.pass(&bytes[..before]);
        }
        Ok(place)
    }

    fn pass(&mut self, bytes: &[u8]) {
        let characters =
            |bytes: &[u8]| bytes.iter().filter(|byte| !(0x80..0xC0).contains(*byte)).count() as u64;
        match memrchr(b'\n', bytes) {
            Some(last) => {
                self.line += memchr_iter(b'\n', bytes).count() as u64;
                self.column = 1 + characters(&bytes[last + 1..]);
            }
            None => self.column += characters(bytes),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", thousands(self.line), thousands(self.column))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::slabs::tests::Cut, Place};

    #[test]
    fn columns_are_characters_wherever_slabs_end() {
        let text = "aé\nüb,c\n\nd";
        for (before, line, column) in
            [("", 1, 1), ("aé", 1, 3), ("aé\n", 2, 1), ("aé\nüb,", 2, 4), (text, 4, 2)]
        {
            let expected = Place { line, column };
            assert_eq!(Place::behind(before.as_bytes()), expected);
            for slab in 1..12 {
                let found = Place::find(&mut Cut::new(text, 0, slab), before.len() as u64);
                assert_eq!(found, Ok(expected), "{before:?} in slabs of {slab}");
            }
        }
    }
}
