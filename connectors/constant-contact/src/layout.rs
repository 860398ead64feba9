//! What stands where in the file: the columns that come, but for the birthday, which the upload page wants in one column
//! and the API in two.

use usher_sdk::{Columns, Known, Row};

use crate::{dates, headings::heading, options::Deliver};

/// Where a cell of the file comes from.
#[derive(Clone, Copy, Debug)]
enum From {
    Column(usize),
    /// The month of a birthday `MM-DD`.
    Month(usize),
    /// The day of a birthday `MM-DD`.
    Day(usize),
    /// Month and day in columns of their own, joined.
    Joined(usize, usize),
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Layout {
    cells: Vec<From>,
    headings: Vec<String>,
    joined: String,
}

impl Layout {
    pub(crate) fn new(columns: &Columns, deliver: Deliver) -> Self {
        let mut layout = Self { cells: Vec::new(), headings: Vec::new(), joined: String::new() };
        let day = columns.index("birthday_day");
        for (index, name) in columns.names().enumerate() {
            match (deliver, name, day) {
                (Deliver::ApiFile | Deliver::Api, "birthday", _) => {
                    layout.add(From::Month(index), "birthday_month");
                    layout.add(From::Day(index), "birthday_day");
                }
                (Deliver::UiFile, "birthday_month", Some(day)) => {
                    layout.add(From::Joined(index, day), heading("birthday", deliver));
                }
                (Deliver::UiFile, "birthday_day", _) => {}
                _ => layout.add(From::Column(index), heading(name, deliver)),
            }
        }
        layout
    }

    fn add(&mut self, from: From, heading: &str) {
        self.cells.push(from);
        self.headings.push(heading.to_owned());
    }

    /// The header.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        self.headings.iter().map(String::as_str)
    }

    /// The cells of a row, with what is known of them.
    pub(crate) fn cells<'a>(&'a mut self, row: &'a Row) -> impl Iterator<Item = Known<'a>> + Clone {
        self.joined.clear();
        let number = |column: usize| row.get(column).parse::<i8>().unwrap_or_default();
        for cell in &self.cells {
            match *cell {
                From::Joined(month, day) if row.is_filled(month) => {
                    dates::day_and_month(number(day), number(month), &mut self.joined);
                }
                _ => {}
            }
        }
        let joined = self.joined.as_str();
        self.cells.iter().map(move |cell| match *cell {
            From::Column(index) => row.known(index),
            From::Month(index) => Known::nothing_of(part(row, index, 0)),
            From::Day(index) => Known::nothing_of(part(row, index, 1)),
            From::Joined(..) => Known::nothing_of(joined),
        })
    }
}
/// A number of a birthday `MM-DD`, without its zero.
fn part(row: &Row, column: usize, number: usize) -> &str {
    row.get(column).split('-').nth(number).unwrap_or_default().trim_start_matches('0')
}
