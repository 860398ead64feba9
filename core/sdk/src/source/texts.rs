//! A column of texts that grows a text at a time.

use arrow_array::StringArray;
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use usher_abi::{Error, text_column};

use super::row::{Cell, other_type};
use crate::pieces::append_part;

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
        Self { bytes: Vec::with_capacity(bytes), ends, nulls: NullBufferBuilder::new(texts) }
    }

    /// Bytes of all texts.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Makes room, once, for so many texts in all like those that are there.
    pub(crate) fn expect(&mut self, texts: usize) {
        let here = self.ends.len() - 1;
        if here > 0 && self.ends.capacity() <= texts {
            // How many are expected moves a little from call to call; nothing is to move for that.
            let room = texts + texts / 8;
            let bytes = (self.bytes.len() / here + 1).saturating_mul(room);
            self.bytes.reserve(bytes.saturating_sub(self.bytes.len()));
            self.ends.reserve(room.saturating_sub(here));
        }
    }

    /// Adds cells that are parts of `text` or of `scratch`, in which parsers have found them, or null.
    ///
    /// That a part is a text of its own is looked at once for all, by [`finish`](Self::finish).
    pub(crate) fn extend<'a>(
        &mut self,
        cells: impl Iterator<Item = &'a Cell>,
        text: &[u8],
        scratch: &str,
    ) -> Result<(), Error> {
        self.ends.reserve(cells.size_hint().0);
        let mut since_null = 0;
        for cell in cells {
            let (text, from, to) = match *cell {
                Cell::Record(from, to) => (text, from, to),
                Cell::Scratch(from, to) => (scratch.as_bytes(), from, to),
                Cell::Null => {
                    self.nulls.append_n_non_nulls(since_null);
                    self.nulls.append_null();
                    since_null = 0;
                    self.ends.push(self.bytes.len() as i32);
                    continue;
                }
                other => return Err(other_type(other)),
            };
            if !append_part(&mut self.bytes, text, from as usize..to as usize) {
                return Err(no_part());
            }
            self.ends.push(self.bytes.len() as i32);
            since_null += 1;
        }
        self.nulls.append_n_non_nulls(since_null);
        i32::try_from(self.bytes.len()).map(|_| ()).map_err(|_| too_large())
    }

    /// The column.
    pub(crate) fn finish(mut self) -> Result<StringArray, Error> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        text_column(ends, Buffer::from_vec(self.bytes), self.nulls.finish())
    }
}

#[cold]
fn no_part() -> Error {
    Error::bug("source.cell", "a cell is no part of the text of its row")
}

#[cold]
fn too_large() -> Error {
    Error::data("batch.too-large", "the texts of one batch are larger than 2 GB; split the records")
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use proptest::prelude::*;

    use super::{Cell, Texts};

    proptest! {
        #[test]
        fn texts_are_what_was_appended(
            text in ".{0,80}",
            parts in prop::collection::vec(prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>())), 0..9),
            cut in any::<prop::sample::Index>(),
        ) {
            let reversed: String = text.chars().rev().collect();
            let mut texts = Texts::with_capacity(0, 0);
            let (mut cells, mut expected) = (Vec::new(), Vec::new());
            for part in parts {
                let Some((a, b, scratch)) = part else {
                    cells.push(Cell::Null);
                    expected.push(None);
                    continue;
                };
                let of = if scratch { &reversed } else { &text };
                let (a, b) = (a.index(of.len() + 1), b.index(of.len() + 1));
                let (from, to) = (a.min(b), a.max(b));
                let cell = if scratch { Cell::Scratch } else { Cell::Record };
                cells.push(cell(from as u32, to as u32));
                expected.push(Some(&of.as_bytes()[from..to]));
            }
            let (first, second) = cells.split_at(cut.index(cells.len() + 1));
            texts.extend(first.iter(), text.as_bytes(), &reversed).unwrap();
            texts.extend(second.iter(), text.as_bytes(), &reversed).unwrap();
            for (from, to) in [(0, text.len() + 1), (text.len() + 1, text.len() + 2), (1, 0)] {
                let beyond = [Cell::Record(from as u32, to as u32)];
                prop_assert!(texts.extend(beyond.iter(), text.as_bytes(), "").is_err());
            }
            let expected: Option<Vec<_>> = expected.into_iter().map(|text| text.map_or(Some(None), |text| std::str::from_utf8(text).ok().map(Some))).collect();
            match (texts.finish(), expected) {
                (Ok(array), Some(expected)) => {
                    array.to_data().validate_full().unwrap();
                    prop_assert_eq!(array.iter().collect::<Vec<_>>(), expected);
                }
                (array, expected) => prop_assert!(array.is_err() && expected.is_none()),
            }
        }
    }
}
