//! A column of texts that grows a text at a time.

use arrow_array::StringArray;
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use usher_abi::Error;

/// Texts are copied in pieces of so many bytes if they are not longer: a copy of a fixed size is two instructions.
const PIECE: usize = 32;

/// A column of texts: all of them one after the other, and where each ends.
#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// 0, then where each text ends; a null where the one before does.
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Texts {
    /// An empty column, with room.
    pub(crate) fn with_capacity(texts: usize, bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(texts + 1);
        ends.push(0);
        Self { bytes: Vec::with_capacity(bytes + PIECE), ends, nulls: NullBufferBuilder::new(texts) }
    }

    /// Bytes of all texts.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Adds `text[from..to]`, which must be a part of the text: a parser over the same text has found it.
    #[inline]
    pub(crate) fn append(&mut self, text: &str, from: u32, to: u32) -> Result<(), Error> {
        let (from, to) = (from as usize, to as usize);
        let part = text.get(from..to).ok_or_else(|| no_part(from, to))?;
        let end = self.bytes.len() + part.len();
        let counted = i32::try_from(end).map_err(|_| too_large())?;
        // What is copied behind the part is cut off again.
        match text.as_bytes().get(from..).and_then(<[u8]>::first_chunk::<PIECE>) {
            Some(piece) if part.len() <= PIECE => {
                self.bytes.extend_from_slice(piece);
                self.bytes.truncate(end);
            }
            _ => self.bytes.extend_from_slice(part.as_bytes()),
        }
        self.nulls.append_non_null();
        self.ends.push(counted);
        Ok(())
    }

    /// Adds a null.
    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.nulls.append_null();
        self.ends.push(self.ends.last().copied().unwrap_or(0));
    }

    /// The column.
    pub(crate) fn finish(mut self) -> Result<StringArray, Error> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::try_new(ends, Buffer::from_vec(self.bytes), self.nulls.finish())
            .map_err(|e| Error::bug("source.batch", format!("the texts are no column: {e}")))
    }
}

#[cold]
fn no_part(from: usize, to: usize) -> Error {
    Error::bug("source.cell", format!("bytes {from} to {to} are no part of the record"))
}

#[cold]
fn too_large() -> Error {
    Error::data("batch.too-large", "the texts of one batch are larger than 2 GB; split the records")
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use proptest::prelude::*;

    use super::Texts;

    proptest! {
        #[test]
        fn texts_are_what_was_appended(
            text in ".{0,80}",
            parts in prop::collection::vec(prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())), 0..9),
        ) {
            let mut texts = Texts::with_capacity(0, 0);
            let mut expected = Vec::new();
            for part in parts {
                let Some((a, b)) = part else {
                    texts.append_null();
                    expected.push(None);
                    continue;
                };
                let (a, b) = (a.index(text.len() + 1), b.index(text.len() + 1));
                let (from, to) = (a.min(b), a.max(b));
                let appended = texts.append(&text, from as u32, to as u32);
                prop_assert_eq!(appended.is_ok(), text.get(from..to).is_some());
                expected.extend(text.get(from..to).map(Some));
            }
            let array = texts.finish().unwrap();
            array.to_data().validate_full().unwrap();
            prop_assert_eq!(array.iter().collect::<Vec<_>>(), expected);
        }
    }
}
