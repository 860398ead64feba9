//! Where the bytes of a source come from, slab by slab.

use usher_abi::{Error, service::Slab};

use crate::Reader;

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
