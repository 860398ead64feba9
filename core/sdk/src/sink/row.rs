//! One row on its way into a file.

use arrow_array::StringArray;
use usher_abi::Origin;

use crate::checks::Fault;

/// The cells of a row, in the order of the file. Reused from row to row: nothing is allocated for it, and values that are
/// good as they stand are not copied.
#[derive(Debug, Default)]
pub struct Row {
    pub(super) origin: Origin,
    /// Its number in the batch.
    pub(super) index: usize,
    /// The batch's texts, by column of the file.
    pub(super) given: Vec<Given>,
    /// What does not stand in the batch.
    pub(super) text: String,
    pub(super) cells: Vec<Cell>,
    pub(super) notes: Vec<Note>,
}

/// A column of the file, as the batch has it.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// None for columns of other types, and those that the sink fills by itself.
    pub(super) texts: Option<StringArray>,
    /// Whether none of its texts holds a byte that may need quotes; see [`Row::is_plain`].
    pub(super) plain: bool,
    /// What stands between the items of a list.
    pub(super) separator: Option<char>,
    /// Whether the separator stands in none of its texts.
    pub(super) without_separator: bool,
}

/// What a sink did to a row by itself; booked when the row is taken.
#[derive(Debug)]
pub(super) enum Note {
    LeftOut(usize, String, Fault),
    Changed(usize, &'static str),
}

/// Where a cell's text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    /// As the batch has it.
    Given,
    /// From and to in `Row::text`.
    Own(usize, usize),
}

/// A cell without text.
pub(super) const BLANK: Cell = Cell::Own(0, 0);

/// A cell, and where it stands if it is known to be plain; see [`Row::is_plain`].
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub(super) text: &'a str,
    /// The texts of its column, and its first byte in them.
    pub(super) place: Option<(&'a [u8], usize)>,
}

impl<'a> Known<'a> {
    /// A cell of which nothing is known.
    pub fn nothing_of(text: &'a str) -> Self {
        Self { text, place: None }
    }

    /// The cell.
    pub fn text(&self) -> &'a str {
        self.text
    }
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
        match self.cells[column] {
            Cell::Own(start, end) => &self.text[start..end],
            Cell::Given => self.given[column].texts.as_ref().map_or("", |texts| texts.value(self.index)),
        }
    }

    /// Whether a cell holds something.
    #[inline]
    pub fn is_filled(&self, column: usize) -> bool {
        match self.cells[column] {
            Cell::Own(start, end) => start < end,
            // Blanks are not left in the batch.
            Cell::Given => true,
        }
    }

    /// Whether a cell's text is the one that came: no check has changed it, and it was not made of the items of a list.
    #[inline]
    pub fn is_as_given(&self, column: usize) -> bool {
        matches!(self.cells[column], Cell::Given)
    }

    /// Whether it is known of a cell that it holds no quote, line end, tab, `,`, `;` or `|`: nothing for which a file in
    /// any dialect would put it into quotes. Known of values as they came, not of those that were changed.
    #[inline]
    pub fn is_plain(&self, column: usize) -> bool {
        matches!(self.cells[column], Cell::Given) && self.given[column].plain
    }

    /// A cell with what is known of it: what [`CsvFile::push_known`](crate::CsvFile::push_known) takes.
    #[inline]
    pub fn known(&self, column: usize) -> Known<'_> {
        let given = &self.given[column];
        let texts = given.texts.as_ref().filter(|_| given.plain && self.is_as_given(column));
        let place = texts.map(|texts| (texts.value_data(), texts.value_offsets()[self.index] as usize));
        Known { text: self.get(column), place }
    }

    /// Puts a text into a cell.
    pub fn set(&mut self, column: usize, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.cells[column] = Cell::Own(start, self.text.len());
    }

    /// Appends an item to a list cell.
    pub fn push_item(&mut self, column: usize, item: &str) {
        let mut start = self.text.len();
        if self.is_filled(column) {
            match (self.cells[column], &self.given[column].texts) {
                // What stands at the end of the text grows where it is; only items that come in between cost a copy.
                (Cell::Own(begin, end), _) if end == start => start = begin,
                (Cell::Own(begin, end), _) => {
                    let items = self.text[begin..end].to_owned();
                    self.text.push_str(&items);
                }
                (Cell::Given, texts) => {
                    self.text.push_str(texts.as_ref().map_or("", |texts| texts.value(self.index)));
                }
            }
            self.text.push(self.given[column].separator.unwrap_or(','));
        }
        self.text.push_str(item);
        self.cells[column] = Cell::Own(start, self.text.len());
    }

    /// Empties a cell.
    pub fn clear(&mut self, column: usize) {
        self.cells[column] = BLANK;
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
        let given = &self.given[column];
        let single = given.without_separator && self.is_as_given(column);
        let separator = given.separator.filter(|_| !single);
        let mut rest = Some(self.get(column));
        let next = move || {
            let text = rest?;
            let split = separator.and_then(|separator| text.split_once(separator));
            rest = split.map(|(_, behind)| behind);
            Some(split.map_or(text, |(item, _)| item))
        };
        std::iter::from_fn(next).filter(|item| !item.is_empty())
    }

    /// All cells in order.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.cells.len()).map(|column| self.get(column))
    }
}
