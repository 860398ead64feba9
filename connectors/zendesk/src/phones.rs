//! A phone number on several users: the first keeps it.

use usher_sdk::{Ahead, Fingerprints, Print, Row, Upcoming, checks::Fault};

use crate::{duplicates::append, layout::Layout, options::SharedPhones};

/// Whose number is whose, by the ordinals of the rows.
#[derive(Debug)]
pub(crate) struct Phones {
    shared: SharedPhones,
    owners: Fingerprints,
    ahead: Ahead,
    /// The row's own numbers, noted for it by [`keep`](Self::keep).
    own: Vec<Print>,
    text: String,
}

impl Phones {
    pub(crate) fn new(shared: SharedPhones) -> Self {
        Self {
            shared,
            owners: Fingerprints::new(),
            ahead: Ahead::default(),
            own: Vec::new(),
            text: String::new(),
        }
    }

    /// Has what is known of the numbers of rows fetched.
    pub(crate) fn look_ahead(&mut self, layout: &Layout, rows: &Upcoming<'_>) {
        if let Some(column) = layout.phones {
            self.ahead.look(&mut self.owners, rows, column, |owners, number| owners.print(number));
        }
    }

    /// Takes numbers of earlier users out of a row that is a user of its own: the first moves to `shared_phone` where
    /// the option says so and that cell is blank, others are left out (`phone.shared`).
    pub(crate) fn share(&mut self, layout: &Layout, row: &mut Row) {
        self.own.clear();
        let Some(column) = layout.phones.filter(|column| row.is_filled(*column)) else { return };
        let mut foreign = false;
        for number in row.items(column) {
            let print = self.ahead.print(row, column).unwrap_or_else(|| self.owners.print(number));
            foreign |= self.owners.get(print).is_some();
            self.own.push(print);
        }
        if !foreign {
            return;
        }
        self.text.clear();
        self.text.push_str(row.get(column));
        self.own.clear();
        let mut kept = String::new();
        for number in self.text.split('|') {
            let print = self.owners.print(number);
            if self.owners.get(print).is_none() {
                self.own.push(print);
                append(&mut kept, number);
                continue;
            }
            match layout.shared_phone.filter(|c| self.shared == SharedPhones::Column && !row.is_filled(*c)) {
                Some(shared) => {
                    row.set(shared, number);
                    row.count_change(column, "shared-phone");
                }
                None => row.list_left_out(column, number, shared_fault(number)),
            }
        }
        row.set(column, &kept);
    }

    /// Leaves a shared number out of a row that has one of its own (`phone.shared`).
    pub(crate) fn keep_to_one(&self, layout: &Layout, row: &mut Row) {
        let filled = |column: &usize| row.is_filled(*column);
        if let (Some(_), Some(shared)) = (layout.phones.filter(filled), layout.shared_phone.filter(filled)) {
            let message = "the API has one `phone`, which is shared or not, and `phones` fills it";
            row.leave_out(shared, Fault::new("phone.shared", message));
        }
    }

    /// Numbers that a merged row brings to its survivor, appended to `into` with `|` between them; those of other users
    /// are left out.
    pub(crate) fn bring(&mut self, layout: &Layout, row: &mut Row, survivor: u32, into: &mut String) {
        self.own.clear();
        let Some(column) = layout.phones.filter(|column| row.is_filled(*column)) else { return };
        self.text.clear();
        self.text.push_str(row.get(column));
        for number in self.text.split('|') {
            let print = self.owners.print(number);
            match self.owners.get(print) {
                None => {
                    self.own.push(print);
                    append(into, number);
                }
                Some(owner) if owner == survivor => {}
                Some(_) => row.list_left_out(column, number, shared_fault(number)),
            }
        }
    }

    /// Notes the numbers of the row last asked about for the user with this ordinal.
    pub(crate) fn keep(&mut self, ordinal: u32) {
        for print in self.own.drain(..) {
            self.owners.insert(print, ordinal);
        }
    }
}

fn shared_fault(number: &str) -> Fault {
    Fault::new("phone.shared", format!("an earlier user has the number `{number}` already"))
}
