//! How long a row can be once it is written.

use usher_sdk::Row;

/// The most bytes that cells take as a CSV record: every cell in quotes, every quote doubled, line end counted.
pub(crate) fn most_bytes<'a>(cells: impl IntoIterator<Item = &'a str>) -> u64 {
    cells.into_iter().map(|cell| text_bytes(cell) + 3).sum()
}

/// The same of these columns of a row.
pub(crate) fn most_bytes_of(row: &Row, columns: &[usize]) -> u64 {
    let bytes = |column: usize| {
        let cell = row.get(column);
        if row.is_plain(column) { cell.len() as u64 } else { text_bytes(cell) }
    };
    columns.iter().map(|column| bytes(*column) + 3).sum()
}

/// The most bytes that items take which join a list of a record measured by [`most_bytes`].
pub(crate) fn added_bytes(items: &str) -> u64 {
    if items.is_empty() { 0 } else { text_bytes(items) + 1 }
}

fn text_bytes(text: &str) -> u64 {
    (text.len() + text.bytes().filter(|b| *b == b'"').count()) as u64
}
