//! One row on its way into a file.

use usher_abi::Origin;

use crate::checks::Fault;

/// The cells of a row, in the order of the file. Reused from row to row: nothing is allocated for it.
#[derive(Debug, Default)]
pub struct Row {
    pub(super) origin: Origin,
    pub(super) text: String,
    pub(super) cells: Vec<Cell>,
    pub(super) notes: Vec<Note>,
}

/// What a sink did to a row by itself; booked when the row is taken.
#[derive(Debug)]
pub(super) enum Note {
    LeftOut(usize, String, Fault),
    Changed(usize, &'static str),
}

/// Place of a cell's text in `Row::text`, and what stands between the items if it is a list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) separator: Option<char>,
}

impl Row {
    /// Where the row comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the row has no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// A cell; blank when null, missing or left out.
    #[inline]
    pub fn get(&self, column: usize) -> &str {
        let cell = self.cells[column];
        &self.text[cell.start..cell.end]
    }

    /// Whether a cell holds something.
    pub fn is_filled(&self, column: usize) -> bool {
        let cell = self.cells[column];
        cell.start < cell.end
    }

    /// Puts a text into a cell.
    pub fn set(&mut self, column: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        let cell = &mut self.cells[column];
        (cell.start, cell.end) = (start, self.text.len());
    }

    /// Appends an item to a list cell.
    pub fn push_item(&mut self, column: usize, item: &str) {
        let cell = self.cells[column];
        let mut start = self.text.len();
        if cell.start < cell.end {
            // What stands at the end of the text grows where it is; only items that come in between cost a copy.
            if cell.end == start {
                start = cell.start;
            } else {
                let items = self.text[cell.start..cell.end].to_owned();
                self.text.push_str(&items);
            }
            self.text.push(cell.separator.unwrap_or(','));
        }
        self.text.push_str(item);
        let cell = &mut self.cells[column];
        (cell.start, cell.end) = (start, self.text.len());
    }

    /// Empties a cell.
    pub fn clear(&mut self, column: usize) {
        let cell = &mut self.cells[column];
        cell.end = cell.start;
    }

    /// Empties a cell and lists its value as left out. Whether the column's rule rejects the row instead is for the
    /// sink to ask first: [`Columns::on_invalid`](crate::Columns::on_invalid).
    pub fn leave_out(&mut self, column: usize, fault: Fault) {
        let value = self.get(column).chars().take(200).collect();
        self.notes.push(Note::LeftOut(column, value, fault));
        self.clear(column);
    }

    /// Lists a value (an item of a list, say) that the sink has taken out of a cell, or not put into it, by itself.
    pub fn list_left_out(&mut self, column: usize, value: &str, fault: Fault) {
        self.notes.push(Note::LeftOut(column, value.chars().take(200).collect(), fault));
    }

    /// Counts a change that the sink made to a cell.
    pub fn count_change(&mut self, column: usize, rule: &'static str) {
        self.notes.push(Note::Changed(column, rule));
    }

    /// The items of a list cell (of any other cell: its text); nothing when it is blank.
    pub fn items(&self, column: usize) -> impl Iterator<Item = &str> {
        let text = self.get(column);
        let separator = self.cells[column].separator.unwrap_or('\0');
        text.split(separator).filter(|item| !item.is_empty())
    }

    /// All cells in order.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &str> {
        self.cells.iter().map(|cell| &self.text[cell.start..cell.end])
    }
}
