//! Keys looked up before their rows come.

use std::ops::Range;

use arrow_array::Array;
use usher_keys::{Fingerprints, Print};

use super::row::{Given, Row};

/// Rows that are looked at together: so many looks that memory answers them one behind the other, few enough that caches keep
/// what it answered.
pub(super) const GROUP: usize = 128;

/// Rows that come next, as the batch has them: nothing of them was checked.
#[derive(Clone, Debug)]
pub struct Upcoming<'a> {
    pub(super) given: &'a [Given],
    pub(super) rows: Range<usize>,
}

impl<'a> Upcoming<'a> {
    /// The texts of a column, one a row: none of nulls, and of columns that are no text.
    pub fn texts(&self, column: usize) -> impl Iterator<Item = Option<&'a str>> {
        let texts = self.given.get(column).and_then(|given| given.texts.as_ref());
        self.rows
            .clone()
            .map(move |row| texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row)))
    }
}

/// Fingerprints of a column's texts, made when their rows were [`Upcoming`]. Tables of keys are larger than caches: what the
/// looks of many rows need is fetched at once, so that no look waits by itself.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The first row of the group.
    first: usize,
    prints: Vec<Option<Print>>,
}

impl Ahead {
    /// Notes the prints that `print` makes of the rows' texts, and fetches what is known of them. To be called for every group
    /// of every batch: the prints are told apart by the rows' places in their batch.
    pub fn look(
        &mut self,
        keys: &mut Fingerprints,
        rows: &Upcoming<'_>,
        column: usize,
        print: impl Fn(&mut Fingerprints, &str) -> Print,
    ) {
        self.first = rows.rows.start;
        self.prints.clear();
        self.prints.extend(rows.texts(column).map(|text| text.map(|text| print(keys, text))));
        keys.fetch(self.prints.iter().flatten());
    }

    /// The print of a cell, if it was made and the cell is the text that came.
    #[inline]
    pub fn print(&self, row: &Row, column: usize) -> Option<Print> {
        let print = *self.prints.get(row.index.checked_sub(self.first)?)?;
        print.filter(|_| row.is_as_given(column))
    }
}
