//! Where the bytes of a source come from, slab by slab.

use usher_abi::{Error, service::Slab};

use crate::{Input, Reader};

/// Gives consecutive slabs; [`Reader`] in a connector, anything in a test.
pub trait Slabs: Send + 'static {
    /// The next bytes, never empty; `None` at the end.
    fn next_slab(&mut self) -> Result<Option<Slab>, Error>;

    /// The same input from its first byte, wherever these slabs began.
    fn again(&self) -> Result<Self, Error>
    where
        Self: Sized;
}

impl Slabs for Reader {
    fn next_slab(&mut self) -> Result<Option<Slab>, Error> {
        Reader::next_slab(self)
    }

    fn again(&self) -> Result<Self, Error> {
        Reader::again(self)
    }
}

/// Bytes behind the end of a split that are asked for at first: the rest of a line of the usual length.
const TAIL: u64 = 16 * 1024;

/// The slabs of a split, and those behind its end, which its last line may reach into. These are read only when they are
/// asked for: a reader reads ahead, and of everything behind the end nearly nothing is needed.
#[derive(Debug)]
pub struct SplitReader {
    input: Input,
    file: u32,
    reader: Reader,
    /// Where the reader ends.
    end: u64,
    /// The first byte that did not come yet.
    next: u64,
    /// Bytes that the next reader is for.
    more: u64,
}

impl SplitReader {
    /// Reads on from `start` as long as it is asked, and ahead up to `end`.
    pub fn open(input: &Input, file: u32, start: u64, end: u64) -> Result<Self, Error> {
        let end = end.max(start);
        let reader = input.read(file, start, end)?;
        Ok(Self { input: input.clone(), file, reader, end, next: start, more: TAIL })
    }
}

impl Slabs for SplitReader {
    fn next_slab(&mut self) -> Result<Option<Slab>, Error> {
        loop {
            if let Some(slab) = self.reader.next_slab()? {
                self.next = slab.offset + slab.len as u64;
                return Ok(Some(slab));
            }
            // The input's own end comes first.
            if self.next < self.end {
                return Ok(None);
            }
            let start = self.end;
            self.end = start.saturating_add(self.more);
            self.more = self.more.saturating_mul(8);
            self.reader = self.input.read(self.file, start, self.end)?;
        }
    }

    fn again(&self) -> Result<Self, Error> {
        Self::open(&self.input, self.file, 0, u64::MAX)
    }
}

/// The byte order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::{Error, Slab, Slabs};

    /// A text cut into slabs of one size.
    pub(crate) struct Cut {
        text: Vec<u8>,
        at: usize,
        size: usize,
    }

    impl Cut {
        pub(crate) fn new(text: impl Into<Vec<u8>>, start: u64, size: usize) -> Self {
            Self { text: text.into(), at: start as usize, size }
        }
    }

    impl Slabs for Cut {
        fn next_slab(&mut self) -> Result<Option<Slab>, Error> {
            let bytes = &self.text[self.at.min(self.text.len())..];
            let bytes = &bytes[..bytes.len().min(self.size)];
            if bytes.is_empty() {
                return Ok(None);
            }
            let slab = Slab::new(Arc::new(bytes.to_vec()), self.at as u64);
            self.at += bytes.len();
            Ok(Some(slab))
        }

        fn again(&self) -> Result<Self, Error> {
            Ok(Self::new(self.text.clone(), 0, self.size))
        }
    }
}
