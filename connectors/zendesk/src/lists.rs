//! Lists of one row: an item that stands there twice is dropped.

use std::collections::HashSet;

use usher_sdk::Row;

use crate::layout::Layout;

/// Up to so many items are compared with each other; more are looked up in a set.
const FEW: usize = 16;

/// Drops items that stand twice in a list (rule `duplicate`): addresses whatever their case, others as they stand.
#[derive(Debug)]
pub(crate) struct Lists {
    /// Column, separator, whether case counts.
    columns: Vec<(usize, char, bool)>,
    text: String,
}

impl Lists {
    pub(crate) fn new(layout: &Layout) -> Self {
        let mut columns = vec![(layout.emails, '|', false)];
        columns.extend(layout.phones.map(|c| (c, '|', true)));
        columns.extend(layout.organizations.map(|c| (c, '|', true)));
        columns.extend(layout.tags.map(|c| (c, ',', true)));
        Self { columns, text: String::new() }
    }

    pub(crate) fn tidy(&mut self, row: &mut Row) {
        for &(column, separator, case) in &self.columns {
            // What is not made of items is one.
            if row.is_as_given(column) {
                continue;
            }
            let cell = row.get(column);
            let count = cell.matches(separator).count() + 1;
            if count == 1 {
                continue;
            }
            self.text.clear();
            let fold = |item: &str| if case { item.to_owned() } else { item.to_lowercase() };
            let same = |a: &str, b: &str| if case { a == b } else { same_folded(a, b) };
            let mut seen = HashSet::new();
            let mut kept = 0;
            for (number, item) in cell.split(separator).enumerate() {
                let new = if count > FEW {
                    seen.insert(fold(item))
                } else {
                    !cell.split(separator).take(number).any(|earlier| same(earlier, item))
                };
                if new {
                    if kept > 0 {
                        self.text.push(separator);
                    }
                    self.text.push_str(item);
                    kept += 1;
                }
            }
            if kept < count {
                row.set(column, &self.text);
                (kept..count).for_each(|_| row.count_change(column, "duplicate"));
            }
        }
    }
}

/// Whether two texts differ in case only.
fn same_folded(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() {
        a.eq_ignore_ascii_case(b)
    } else {
        a.to_lowercase() == b.to_lowercase()
    }
}
