//! Records of delimited text without quotes: where their cells end, sixteen bytes at a time.

use super::dialect::Dialect;

/// Bytes that are looked at in one step.
const STEP: usize = 16;

/// Finds the cells of the record that `bytes` begin with: where each ends goes into `ends`; answers the length of the
/// record, its line end not counted. `None`: there is a quote in it, which csv-core knows how to read, or it comes too near
/// to the end of the bytes.
#[inline]
pub(crate) fn plain_record(bytes: &[u8], dialect: Dialect, ends: &mut Vec<usize>) -> Option<usize> {
    ends.clear();
    for begin in (0..).step_by(STEP) {
        let mut found = separators(*bytes.get(begin..)?.first_chunk()?, dialect);
        while found != 0 {
            let at = begin + found.trailing_zeros() as usize;
            found &= found - 1;
            ends.push(at);
            match bytes[at] {
                byte if byte == dialect.delimiter => {}
                b'\n' | b'\r' => return Some(at),
                _ => return None,
            }
        }
    }
    None
}

/// A bit for each byte that is a delimiter, a quote or a line end.
#[cfg(target_arch = "x86_64")]
#[inline]
fn separators(bytes: [u8; STEP], dialect: Dialect) -> u32 {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8};
    // SAFETY: these are instructions of SSE2, which every x86-64 has; sixteen bytes are a vector, whatever they are.
    let found = unsafe {
        let bytes = std::mem::transmute::<[u8; STEP], __m128i>(bytes);
        let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
        let ends = _mm_or_si128(is(b'\n'), is(b'\r'));
        _mm_movemask_epi8(_mm_or_si128(ends, _mm_or_si128(is(dialect.delimiter), is(dialect.quote))))
    };
    found as u32
}

/// As above, a byte at a time.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn separators(bytes: [u8; STEP], dialect: Dialect) -> u32 {
    let is = |byte: u8| byte == dialect.delimiter || byte == dialect.quote || matches!(byte, b'\n' | b'\r');
    bytes.iter().rev().fold(0, |found, byte| found << 1 | u32::from(is(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_end_where_they_do(text in "[a,;\"\r\n]{0,3}([a-zé]{0,9}[,;]){0,6}[a-z]{0,20}[\"\r\n]?.{0,40}", semicolon: bool) {
            let delimiter = if semicolon { b';' } else { b',' };
            let dialect = Dialect { delimiter, ..Dialect::default() };
            let bytes = text.as_bytes();
            let mut ends = Vec::new();
            let length = plain_record(bytes, dialect, &mut ends);
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            match end.filter(|end| !bytes[..*end].contains(&b'"')) {
                Some(end) if end / STEP * STEP + STEP <= bytes.len() => {
                    prop_assert_eq!(length, Some(end));
                    let cells: Vec<usize> =
                        (0..=end).filter(|at| *at == end || bytes[*at] == delimiter).collect();
                    prop_assert_eq!(ends, cells);
                }
                _ => prop_assert_eq!(length, None),
            }
        }
    }
}
