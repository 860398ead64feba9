//! Keys looked up some rows ahead.

use arrow_array::Array;
use usher_keys::{Fingerprints, Print};

use super::row::{Given, Row};

/// So many rows ahead: long enough for memory to answer, short enough for caches to keep it.
pub(super) const AHEAD: usize = 8;

/// A row that is going to come, as the batch has it: nothing of it was checked.
#[derive(Clone, Copy, Debug)]
pub struct Upcoming<'a> {
    pub(super) given: &'a [Given],
    pub(super) index: usize,
}

impl<'a> Upcoming<'a> {
    /// The text of a column; none of nulls, and of columns that are no text.
    #[inline]
    pub fn text(&self, column: usize) -> Option<&'a str> {
        let texts = self.given.get(column)?.texts.as_ref()?;
        texts.is_valid(self.index).then(|| texts.value(self.index))
    }
}

/// Fingerprints of a column's texts, made when their rows were [`Upcoming`]. Tables of keys are larger than caches: what a look
/// at them needs is fetched ahead, so that the look itself does not wait.
#[derive(Debug)]
pub struct Ahead {
    /// By the row's number modulo their count: its number, and the print of its text.
    prints: [(usize, Option<Print>); 2 * AHEAD],
}

impl Default for Ahead {
    fn default() -> Self {
        Self { prints: [(usize::MAX, None); 2 * AHEAD] }
    }
}

impl Ahead {
    /// Notes the print that `print` makes of a row's text, and fetches what is known of it.
    #[inline]
    pub fn look(
        &mut self,
        keys: &mut Fingerprints,
        row: &Upcoming<'_>,
        column: usize,
        print: impl FnOnce(&mut Fingerprints, &str) -> Print,
    ) {
        let print = row.text(column).map(|text| print(keys, text));
        print.iter().for_each(|print| keys.fetch(*print));
        self.prints[row.index % (2 * AHEAD)] = (row.index, print);
    }

    /// The print of a cell, if it was made and the cell is the text that came.
    #[inline]
    pub fn print(&self, row: &Row, column: usize) -> Option<Print> {
        let (index, print) = self.prints[row.index % (2 * AHEAD)];
        print.filter(|_| index == row.index && row.is_as_given(column))
    }
}
