//! Rows that wait to be appended to the columns: many at once, a column at a time, is much cheaper than each by itself.

use super::row::{Cell, RowScratch};

/// Rows of cells, all of which stand in one text.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Cells of a row.
    width: usize,
    /// Row after row.
    cells: Vec<Cell>,
    /// What the cells need besides the text.
    pub(crate) scratch: RowScratch,
    /// Texts and items in it before the row that was added last.
    mark: (usize, usize),
}

/// So many cells may wait: records that are much shorter than their rows would make them many.
const CELLS: usize = 64 * 1024;

impl Waiting {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds a row of nulls.
    #[inline]
    pub(crate) fn begin(&mut self) -> &mut [Cell] {
        let from = self.cells.len();
        self.mark = (self.scratch.text.len(), self.scratch.items.len());
        self.cells.resize(from + self.width, Cell::Null);
        &mut self.cells[from..]
    }

    /// The row that was added last, and what its cells may put their texts into.
    #[inline]
    pub(crate) fn last(&mut self) -> (&mut [Cell], &mut RowScratch) {
        let from = self.cells.len().saturating_sub(self.width);
        (&mut self.cells[from..], &mut self.scratch)
    }

    /// Takes back the row that was added last, with what it has put aside.
    pub(crate) fn forget(&mut self) {
        self.cells.truncate(self.cells.len().saturating_sub(self.width));
        self.scratch.text.truncate(self.mark.0);
        self.scratch.items.truncate(self.mark.1);
    }

    /// The text that the row stands in that was added last begins so many bytes further on.
    pub(crate) fn shift(&mut self, bytes: u32) {
        for cell in self.last().0 {
            if let Cell::Record(from, to) = cell {
                *cell = Cell::Record(*from + bytes, *to + bytes);
            }
        }
    }

    /// Whether there are so many cells that the rows should be settled before more are added.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.cells.len() >= CELLS
    }

    /// The cells of a column.
    #[inline]
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.cells.get(column..).unwrap_or_default().iter().step_by(self.width)
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.scratch.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Waiting};

    #[test]
    fn a_row_that_is_taken_back_leaves_nothing_behind() {
        let mut rows = Waiting::new(2);
        for (row, good) in [true, false, false, true].into_iter().enumerate() {
            rows.begin()[0] = Cell::Record(row as u32, 9);
            rows.scratch.text.push_str("abc");
            rows.scratch.items.push(0..3);
            if !good {
                rows.forget();
            }
        }
        assert_eq!(rows.column(0).copied().collect::<Vec<_>>(), [Cell::Record(0, 9), Cell::Record(3, 9)]);
        assert_eq!((rows.scratch.text.as_str(), rows.scratch.items.len()), ("abcabc", 2));
        rows.shift(10);
        assert_eq!(rows.column(0).copied().collect::<Vec<_>>(), [Cell::Record(0, 9), Cell::Record(13, 19)]);
        rows.clear();
        assert!(rows.column(1).next().is_none() && rows.scratch.text.is_empty());
    }
}
