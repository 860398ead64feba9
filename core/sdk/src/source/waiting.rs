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
}

impl Waiting {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds a row of nulls.
    #[inline]
    pub(crate) fn begin(&mut self) -> &mut [Cell] {
        let from = self.cells.len();
        self.cells.resize(from + self.width, Cell::Null);
        &mut self.cells[from..]
    }

    /// The row that was added last, and what its cells may put their texts into.
    #[inline]
    pub(crate) fn last(&mut self) -> (&mut [Cell], &mut RowScratch) {
        let from = self.cells.len().saturating_sub(self.width);
        (&mut self.cells[from..], &mut self.scratch)
    }

    /// Takes back the row that was added last.
    pub(crate) fn forget(&mut self) {
        self.cells.truncate(self.cells.len().saturating_sub(self.width));
    }

    /// The cells of a column.
    #[inline]
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.cells.get(column..).unwrap_or_default().iter().step_by(self.width)
    }

    /// Whether there is no row, or rows have no cells.
    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
        self.scratch.clear();
    }
}
