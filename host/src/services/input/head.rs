//! The first look at an input: what it is packed with, and whether it is text that can be read at all.

use std::io::Read;

use usher_abi::Error;

use super::{
    decode::{Decoder, Packing, foreign},
    stored::{Stored, unreadable},
};

/// Decompressed bytes looked at.
const HEAD: usize = 64 * 1024;
/// The UTF-8 byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// How it is stored.
    pub(super) packing: Packing,
    /// Offset of the first byte that belongs to a record: 3 after a byte order mark, else 0.
    pub(super) first: u64,
}

/// Looks at the first 64 KiB. Invalid text further on is the source's business.
pub(super) fn inspect(name: &str, stored: &Stored, limit: u64) -> Result<Head, Error> {
    let mut start = Vec::new();
    stored.open(name, 0)?.take(16).read_to_end(&mut start).map_err(|e| unreadable(name, &e))?;
    if let Some(what) = foreign(&start) {
        return Err(Error::data("input.foreign", format!("`{name}` is {what}")));
    }
    let packing = Packing::of(&start);
    let mut head = vec![0; HEAD];
    let read = Decoder::new(name, stored, packing, 0, limit)?.fill(&mut head)?;
    head.truncate(read);
    check_text(name, &head, read < HEAD)?;
    let first = if head.starts_with(BOM) { BOM.len() } else { 0 };
    if read == first {
        return Err(Error::data(
            "input.empty",
            format!("`{name}` is empty; check the export that wrote it, or leave it out"),
        ));
    }
    Ok(Head { packing, first: first as u64 })
}

/// Refuses what is not UTF-8; `whole` says that nothing follows `head`.
fn check_text(name: &str, head: &[u8], whole: bool) -> Result<(), Error> {
    if let Some(encoding) = utf16(head) {
        return Err(Error::data(
            "input.utf16",
            format!(
                "`{name}` is {encoding}, only UTF-8 is read; convert it, for example with \
                 `iconv -f {encoding} -t UTF-8`"
            ),
        ));
    }
    let Err(error) = simdutf8::compat::from_utf8(head) else { return Ok(()) };
    // A sequence that the 64 KiB edge cuts may well go on; one that the end of the file cuts does not.
    if error.error_len().is_none() && !whole {
        return Ok(());
    }
    let offset = error.valid_up_to();
    let line = memchr::memchr_iter(b'\n', &head[..offset]).count() + 1;
    Err(Error::data(
        "input.not-utf8",
        format!(
            "`{name}` is not UTF-8: byte 0x{:02X} at offset {offset} (line {line}); convert it, for example with \
             `iconv -f WINDOWS-1252 -t UTF-8`",
            head[offset]
        ),
    ))
}

/// The name of the encoding if `head` is UTF-16: by its byte order mark, or by a NUL in every other of its first
/// 64 bytes.
fn utf16(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let start = &head[..head.len().min(64)];
    let nuls = |from: usize| start.len() >= 4 && start.iter().skip(from).step_by(2).all(|byte| *byte == 0);
    match (nuls(0), nuls(1)) {
        (true, false) => Some("UTF-16BE"),
        (false, true) => Some("UTF-16LE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{
        super::{decode::tests::gzip, stored::spool},
        *,
    };
    use crate::services::clock::Cancel;

    fn look(bytes: &[u8]) -> Result<Head, Error> {
        let folder = tempfile::tempdir().unwrap();
        let stored =
            spool("users.csv", Cursor::new(bytes.to_vec()), folder.path(), u64::MAX, &Cancel::new()).unwrap();
        inspect("users.csv", &stored, u64::MAX)
    }

    fn code(bytes: &[u8]) -> String {
        let plain = look(bytes).unwrap_err();
        assert_eq!(plain.code, look(&gzip(bytes)).unwrap_err().code, "packed or not, it is the same");
        plain.code.into()
    }

    #[test]
    fn a_byte_order_mark_is_no_record() {
        assert_eq!(look(b"a\n").unwrap(), Head { packing: Packing::Plain, first: 0 });
        assert_eq!(look(b"\xef\xbb\xbfa\n").unwrap(), Head { packing: Packing::Plain, first: 3 });
        assert_eq!(look(&gzip(b"\xef\xbb\xbfa\n")).unwrap(), Head { packing: Packing::Gzip, first: 3 });
    }

    #[test]
    fn nothing_is_empty() {
        assert_eq!(code(b""), "input.empty");
        assert_eq!(code(b"\xef\xbb\xbf"), "input.empty");
    }

    #[test]
    fn utf16_is_refused_with_or_without_its_mark() {
        let le: Vec<u8> = "name,email\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = "name,email\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [&le, &be, &[b"\xff\xfe", &le[..]].concat(), &[b"\xfe\xff", &be[..]].concat()] {
            assert_eq!(code(bytes), "input.utf16");
        }
        assert!(look(&le).unwrap_err().message.contains("`iconv -f UTF-16LE -t UTF-8`"));
        assert!(look(b"a\0b").is_ok(), "a NUL alone is not UTF-16");
    }

    #[test]
    fn other_encodings_are_refused_with_their_place() {
        let error = look(b"name\nJos\xe9,x\n").unwrap_err();
        assert_eq!(error.code, "input.not-utf8");
        assert_eq!(
            error.message,
            "`users.csv` is not UTF-8: byte 0xE9 at offset 8 (line 2); convert it, for example with \
             `iconv -f WINDOWS-1252 -t UTF-8`"
        );
        assert_eq!(code(b"a\xc3"), "input.not-utf8", "cut by the end of the file");
    }

    #[test]
    fn the_edge_of_the_look() {
        let mut bytes = vec![b'a'; HEAD];
        bytes[HEAD - 1] = 0xff;
        assert_eq!(code(&bytes), "input.not-utf8");
        assert!(look(&bytes).unwrap_err().message.contains("offset 65535"));
        bytes[HEAD - 1] = 0xc3;
        bytes.push(0xa9);
        assert!(look(&bytes).is_ok(), "a sequence that goes on past the edge");
        let mut late = vec![b'a'; HEAD];
        late.push(0xff);
        assert!(look(&late).is_ok(), "what lies behind the edge is the source's business");
    }

    #[test]
    fn archives_are_refused() {
        let error = look(b"PK\x03\x04\x14\0\0\0").unwrap_err();
        assert_eq!(error.code, "input.foreign");
        assert!(error.message.starts_with("`users.csv` is a zip archive"), "{error}");
    }
}
