//! Records of delimited text: where their cells stand, 64 bytes at a time.

use std::ops::Range;

use wide::u8x16;

use super::dialect::Dialect;

/// Bytes that are looked at in one step.
const STEP: usize = 64;

/// Where a cell stands in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its first byte, behind the quote if there is one.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Quotes in it are doubled.
    pub(crate) doubled: bool,
}

/// Finds the cells of the record that `bytes` begin with; answers the length of the record, its line end not counted.
/// `None`: text stands behind a closing quote, or it comes too near to the end of the bytes; csv-core has the last word then.
#[inline]
pub(crate) fn record(bytes: &[u8], dialect: Dialect, places: &mut Vec<Place>) -> Option<usize> {
    places.clear();
    // Of the cell that is being read: its first byte, whether it began with a quote that is still open, its closing quote,
    // whether there are doubled ones.
    let (mut from, mut open, mut closed, mut doubled) = (0, false, None, false);
    // The second of two quotes.
    let mut passed = usize::MAX;
    for begin in (0..).step_by(STEP) {
        let mut found = separators(bytes.get(begin..)?.first_chunk()?, dialect);
        while found != 0 {
            let at = begin + found.trailing_zeros() as usize;
            found &= found - 1;
            let byte = bytes[at];
            if byte == dialect.quote {
                if at == passed {
                    continue;
                }
                if open {
                    match *bytes.get(at + 1)? {
                        next if next == dialect.quote => (doubled, passed) = (true, at + 1),
                        next if next == dialect.delimiter || matches!(next, b'\n' | b'\r') => {
                            (open, closed) = (false, Some(at));
                        }
                        _ => return None,
                    }
                } else if at == from {
                    open = true;
                }
                // Any other quote is text.
            } else if !open {
                places.push(match closed {
                    Some(to) => Place { from: from + 1, to, doubled },
                    None => Place { from, to: at, doubled: false },
                });
                if byte != dialect.delimiter {
                    return Some(at);
                }
                (from, closed, doubled) = (at + 1, None, false);
            }
        }
    }
    None
}

/// The parts of a cell that its text is made of: of two quotes only the first.
pub(crate) fn undoubled(cell: &[u8], quote: u8) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from;
        let quote = memchr::memchr(quote, cell.get(begin..)?);
        let end = quote.map_or(cell.len(), |at| begin + at + 1);
        // Behind the last part begins nothing.
        from = if quote.is_some() { end + 1 } else { cell.len() + 1 };
        Some(begin..end)
    })
}

/// A bit for each byte that is a delimiter, a quote or a line end.
#[inline]
fn separators(bytes: &[u8; STEP], dialect: Dialect) -> u64 {
    let [delimiter, quote] = [dialect.delimiter, dialect.quote].map(u8x16::splat);
    let [lf, cr] = [b'\n', b'\r'].map(u8x16::splat);
    let mut found = 0;
    for at in (0..STEP).step_by(16) {
        let Some(bytes) = bytes[at..].first_chunk() else { break };
        let bytes = u8x16::from(*bytes);
        let is = bytes.cmp_eq(delimiter) | bytes.cmp_eq(quote) | bytes.cmp_eq(lf) | bytes.cmp_eq(cr);
        found |= u64::from(is.move_mask() as u16) << at;
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The cells of the first record as the csv crate reads them.
    fn reference(text: &str, delimiter: u8) -> Vec<String> {
        let mut reader = csv::ReaderBuilder::new();
        let mut reader =
            reader.has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
        let record = reader.records().next().unwrap().unwrap();
        record.iter().map(str::to_owned).collect()
    }

    proptest! {
        #[test]
        fn cells_stand_where_the_csv_crate_reads_them(
            text in "[ab,;\"é\n]([a,;\"é\r\n]{0,3}|[a-z]{0,9}[,;]|[,;]\"([a-z,;é\n]|\"\"){0,9}\"[,;]){0,5}[a,\"]{0,2}[\r\n]", semicolon: bool,
        ) {
            let delimiter = if semicolon { b';' } else { b',' };
            let dialect = Dialect { delimiter, ..Dialect::default() };
            let mut places = Vec::new();
            let padded = format!("{text}{}", "x".repeat(STEP));
            let Some(length) = record(padded.as_bytes(), dialect, &mut places) else {
                // Whatever it is, it has a quote.
                prop_assert!(padded.contains('"'));
                return Ok(());
            };
            prop_assume!(!text.starts_with(['\n', '\r']));
            let cell = |place: &Place| match &padded[place.from..place.to] {
                cell if place.doubled => cell.replace("\"\"", "\""),
                cell => cell.to_owned(),
            };
            prop_assert_eq!(places.iter().map(cell).collect::<Vec<_>>(), reference(&padded, delimiter));
            prop_assert!(padded[length..].starts_with(['\n', '\r']));
        }
    }

    #[test]
    fn what_is_not_plainly_right_is_left_to_others() {
        let mut places = Vec::new();
        for text in ["a,\"b\"c\n", "\"a\n", "a,b", "a,\"b\" \n"] {
            let padded =
                format!("{text}{}", if text.ends_with('\n') { " ".repeat(STEP) } else { String::new() });
            assert_eq!(record(padded.as_bytes(), Dialect::default(), &mut places), None, "{text:?}");
        }
    }
}
