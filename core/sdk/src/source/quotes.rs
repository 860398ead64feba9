//! The cells of a record that stand in quotes: csv-core says nothing of text behind a closing quote, nor where a quote
//! that stays open began.

use memchr::memchr;

use super::dialect::Dialect;

/// A cell that begins with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    /// Its opening quote.
    pub(crate) opened: usize,
    /// The byte after its closing quote; none: the record ends before it is closed.
    pub(crate) closed: Option<usize>,
    /// Where the next cell begins, or the record ends.
    next: usize,
}

impl Quoted {
    /// Whether anything stands between the closing quote and the end of the cell.
    pub(crate) fn has_more(&self, record: &[u8], dialect: Dialect) -> bool {
        self.closed.and_then(|at| record.get(at)).is_some_and(|byte| *byte != dialect.delimiter)
    }
}

/// The cells in quotes of a record, which comes without its line end. A quote within a plain cell is text.
pub(crate) fn quoted(record: &[u8], dialect: Dialect) -> impl Iterator<Item = Quoted> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while record.get(at)? != &dialect.quote {
            at = behind(dialect.delimiter, record, at)?;
        }
        let closed = closing(record, at + 1, dialect.quote);
        let next = closed.and_then(|at| behind(dialect.delimiter, record, at)).unwrap_or(record.len());
        let cell = Quoted { opened: at, closed, next };
        at = cell.next;
        Some(cell)
    })
}

/// The byte after the quote that closes; a doubled one does not.
fn closing(record: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    loop {
        at = behind(quote, record, at)?;
        if record.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

/// The place after the next such byte.
fn behind(byte: u8, record: &[u8], at: usize) -> Option<usize> {
    memchr(byte, record.get(at..)?).map(|found| at + found + 1)
}

#[cfg(test)]
mod tests {
    use super::{super::dialect::Dialect, quoted};

    /// Opening quote, byte after the closing one, and whether more follows, of each cell in quotes.
    fn found(record: &str) -> Vec<(usize, Option<usize>, bool)> {
        let (record, dialect) = (record.as_bytes(), Dialect::default());
        quoted(record, dialect)
            .map(|cell| (cell.opened, cell.closed, cell.has_more(record, dialect)))
            .collect()
    }

    #[test]
    fn cells_in_quotes_open_and_close() {
        assert_eq!(found(r#"a,b"c",,"#), []);
        assert_eq!(found(r#""a",b,"c""#), [(0, Some(3), false), (6, Some(9), false)]);
        assert_eq!(found(r#""a,""b""",c"#), [(0, Some(9), false)]);
        assert_eq!(found("\","), [(0, None, false)]);
        assert_eq!(found("\"\""), [(0, Some(2), false)]);
        assert_eq!(found(r#""B"oops,"x""#), [(0, Some(3), true), (8, Some(11), false)]);
        assert_eq!(found(r#""a" "b","c"#), [(0, Some(3), true), (8, None, false)]);
    }
}
