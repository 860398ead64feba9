//! Copying parts of texts.

use std::ops::Range;

/// Parts are copied in pieces of so many bytes if they are not longer: a copy of a fixed size is some instructions and no call.
const PIECE: usize = 48;

/// The piece that begins with a part of a text, and the part's length; `None` where the part is longer or ends near the text's
/// end, or is none.
#[inline]
fn piece<'a>(text: &'a [u8], part: &Range<usize>) -> Option<(&'a [u8; PIECE], usize)> {
    let length = part.end.checked_sub(part.start)?;
    let piece = text.get(part.start..).and_then(<[u8]>::first_chunk::<PIECE>)?;
    (length <= PIECE).then_some((piece, length))
}

/// Appends a part of a text; answers false where it is none. What stands behind it makes the copy of a short one cheap.
#[inline]
pub(crate) fn append_part(to: &mut Vec<u8>, text: &[u8], part: Range<usize>) -> bool {
    match piece(text, &part) {
        Some((piece, length)) => {
            let end = to.len() + length;
            to.extend_from_slice(piece);
            to.truncate(end);
            true
        }
        None => text.get(part).is_some_and(|part| append_all(to, part)),
    }
}

/// Copies a short part of a text to the beginning of `room`, and its length; `None` where it is not so simple. What stands
/// behind the part is copied, too.
#[inline]
pub(crate) fn copy_part(room: &mut [u8], text: &[u8], part: &Range<usize>) -> Option<usize> {
    let (piece, length) = piece(text, part)?;
    room.first_chunk_mut::<PIECE>()?.copy_from_slice(piece);
    Some(length)
}

#[inline(never)]
fn append_all(to: &mut Vec<u8>, text: &[u8]) -> bool {
    to.extend_from_slice(text);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::append_part;

    proptest! {
        #[test]
        fn a_part_is_appended_and_nothing_else(text in prop::collection::vec(any::<u8>(), 0..80), from in 0usize..90, to in 0usize..90) {
            let mut bytes = b"x".to_vec();
            let appended = append_part(&mut bytes, &text, from..to);
            match text.get(from..to) {
                Some(part) => prop_assert!(appended && bytes == [b"x", part].concat()),
                None => prop_assert!(!appended && bytes == b"x"),
            }
        }
    }
}
