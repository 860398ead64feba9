//! Stored bytes to plain bytes: gzip and zstd, told by content, bounded.

use std::{
    fmt,
    io::{self, BufReader, ErrorKind, Read},
};

use flate2::bufread::MultiGzDecoder;
use usher_abi::Error;

use super::stored::{At, Stored, changed, unreadable};

/// Compressed bytes read at once.
const CHUNK: usize = 256 * 1024;
/// From so many decompressed bytes on, [`RATIO`] is enforced.
const FREE: u64 = 64 << 20;
/// More decompressed than compressed bytes by this factor are no user records.
const RATIO: u64 = 1_000;

/// How an input is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// gzip, one or several members.
    Gzip,
    /// Zstandard, one or several frames.
    Zstd,
}

impl Packing {
    /// Told by the first bytes; the name of a file does not matter.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// A kind of file that must be unpacked or exported first, told by its first bytes.
pub(super) fn foreign(start: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a zip archive or a spreadsheet; unpack it, or save it as CSV"),
        (b"\xfd7zXZ\0", "packed with xz; unpack it first"),
        (b"BZh", "packed with bzip2; unpack it first"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old spreadsheet; save it as CSV"),
        (b"PAR1", "a Parquet file; convert it to CSV or NDJSON"),
    ];
    // `BZh` could begin a text; what follows it in a packed file could not.
    let packed = |magic: &[u8]| magic != b"BZh" || start.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59");
    KINDS.iter().find(|(magic, _)| start.starts_with(magic) && packed(magic)).map(|(_, what)| *what)
}

/// Reads the plain bytes of an input from some place to its end.
pub(super) struct Decoder {
    name: String,
    inner: Inner,
    produced: u64,
    expected: u64,
    limit: u64,
}

enum Inner {
    Plain(At),
    Gzip(Box<MultiGzDecoder<BufReader<At>>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, BufReader<At>>>),
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Decoder {
    /// Begins at `start` (0 unless `packing` is plain). `name` is for messages; more than `limit` bytes out of a
    /// compressed input are an error.
    pub(super) fn new(
        name: &str,
        stored: &Stored,
        packing: Packing,
        start: u64,
        limit: u64,
    ) -> Result<Self, Error> {
        let at = stored.open(name, start)?;
        let inner = match packing {
            Packing::Plain => Inner::Plain(at),
            Packing::Gzip => Inner::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(CHUNK, at)))),
            Packing::Zstd => Inner::Zstd(Box::new(
                zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(CHUNK, at))
                    .map_err(|e| unreadable(name, &e))?,
            )),
        };
        Ok(Self { name: name.to_owned(), inner, produced: 0, expected: stored.len(), limit })
    }

    /// Fills `into`; fewer bytes come at the end only.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        let mut filled = 0;
        while filled < into.len() {
            let rest = &mut into[filled..];
            let read = match &mut self.inner {
                Inner::Plain(at) => at.read(rest),
                Inner::Gzip(decoder) => decoder.read(rest),
                Inner::Zstd(decoder) => decoder.read(rest),
            };
            match read {
                Ok(0) => {
                    if self.place() < self.expected {
                        return Err(self.ended_early());
                    }
                    break;
                }
                Ok(read) => {
                    filled += read;
                    self.produced += read as u64;
                    self.guard()?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Ok(filled)
    }

    /// Stored bytes used up so far.
    pub(super) fn place(&self) -> u64 {
        let place = |reader: &BufReader<At>| reader.get_ref().position() - reader.buffer().len() as u64;
        match &self.inner {
            Inner::Plain(at) => at.position(),
            Inner::Gzip(decoder) => place(decoder.get_ref()),
            Inner::Zstd(decoder) => place(decoder.get_ref()),
        }
    }

    fn guard(&self) -> Result<(), Error> {
        if matches!(self.inner, Inner::Plain(_)) {
            return Ok(());
        }
        let (name, produced, place) = (&self.name, self.produced, self.place().max(1));
        if produced > self.limit {
            return Err(Error::data(
                "input.bomb",
                format!("`{name}` unpacks to more than {} bytes; split it, or raise the limit", self.limit),
            ));
        }
        if produced > FREE && produced / RATIO > place {
            return Err(Error::data(
                "input.bomb",
                format!(
                    "`{name}` unpacks to more than {RATIO} times its size, as no user records do; check where it \
                     comes from, and unpack it yourself if it is right"
                ),
            ));
        }
        Ok(())
    }

    /// The end came before the stored bytes were used up.
    fn ended_early(&self) -> Error {
        let (name, place) = (&self.name, self.place());
        match self.inner {
            Inner::Plain(_) => changed(name),
            Inner::Gzip(_) => corrupt("gzip", name, place, "bytes after the end"),
            Inner::Zstd(_) => corrupt("zstd", name, place, "bytes after the end"),
        }
    }

    fn explain(&self, error: &io::Error) -> Error {
        let (name, place) = (&self.name, self.place());
        let kind = match self.inner {
            Inner::Plain(_) => return unreadable(name, error),
            // The disk's own errors have a number, a decoder's do not.
            _ if error.raw_os_error().is_some() => return unreadable(name, error),
            Inner::Gzip(_) => "gzip",
            Inner::Zstd(_) => "zstd",
        };
        if error.kind() == ErrorKind::UnexpectedEof {
            return Error::data(
                format!("input.cut-{kind}"),
                format!(
                    "`{name}` is cut off: its {kind} data stops at byte {place} of the file without an end; copy \
                     or export it again"
                ),
            );
        }
        corrupt(kind, name, place, &error.to_string())
    }
}

fn corrupt(kind: &str, name: &str, place: u64, detail: &str) -> Error {
    Error::data(
        format!("input.corrupt-{kind}"),
        format!(
            "`{name}` is damaged: {kind} data near byte {place} of the file ({detail}); copy or export it again"
        ),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use super::*;
    use crate::services::{clock::Cancel, input::stored::spool};

    pub(in super::super) fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    pub(in super::super) fn zstd(text: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decode_to(stored: Vec<u8>, limit: u64) -> Result<Vec<u8>, Error> {
        let packing = Packing::of(&stored);
        let folder = tempfile::tempdir().unwrap();
        let stored = spool("f", io::Cursor::new(stored), folder.path(), u64::MAX, &Cancel::new()).unwrap();
        let mut decoder = Decoder::new("f", &stored, packing, 0, limit)?;
        let (mut all, mut chunk) = (Vec::new(), vec![0; 100_000]);
        loop {
            let read = decoder.fill(&mut chunk)?;
            all.extend_from_slice(&chunk[..read]);
            if read < chunk.len() {
                assert_eq!(decoder.place(), stored.len());
                return Ok(all);
            }
        }
    }

    fn decode(stored: Vec<u8>) -> Result<Vec<u8>, Error> {
        decode_to(stored, u64::MAX)
    }

    fn noise(len: usize) -> Vec<u8> {
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn all_members_and_frames_are_read() {
        let text = noise(700_000);
        let (a, b) = text.split_at(300_001);
        assert_eq!(decode([gzip(a), gzip(b""), gzip(b)].concat()).unwrap(), text);
        assert_eq!(decode([zstd(a), zstd(b""), zstd(b)].concat()).unwrap(), text);
        let skippable = b"\x53\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
        assert_eq!(decode([skippable, zstd(b)].concat()).unwrap(), b);
        assert_eq!(decode(text.clone()).unwrap(), text);
    }

    #[test]
    fn a_cut_is_an_error_wherever_it_is() {
        for (pack, code) in [(gzip as fn(&[u8]) -> _, "input.cut-gzip"), (zstd, "input.cut-zstd")] {
            let whole = [pack(&noise(5_000)), pack(&noise(5_000))].concat();
            let member = whole.len() / 2;
            for cut in [5, 12, 400, member - 1, member + 1, member + 9, whole.len() - 1] {
                let error = decode(whole[..cut].to_vec()).unwrap_err();
                assert_eq!(error.code, code, "cut at {cut}: {error}");
                assert!(error.message.contains(&format!("stops at byte {cut} of")), "{error}");
            }
        }
    }

    #[test]
    fn damage_is_an_error() {
        for (pack, code) in [(gzip as fn(&[u8]) -> _, "input.corrupt-gzip"), (zstd, "input.corrupt-zstd")] {
            let whole: Vec<u8> = pack(b"name,email\nada,ada@example.com\n");
            let mut broken = whole.clone();
            let middle = broken.len() / 2;
            broken[middle] ^= 0xff;
            broken[middle + 1] ^= 0xff;
            let error = decode(broken).unwrap_err();
            assert!(error.code == code, "{error:?}");
            let error = decode([whole, b"rubbish after the end".to_vec()].concat()).unwrap_err();
            assert_eq!(error.code, code, "{error}");
        }
    }

    #[test]
    fn unpacking_is_bounded() {
        let text = vec![b'x'; 100_000];
        assert_eq!(decode_to(gzip(&text), 100_000).unwrap().len(), 100_000);
        assert_eq!(decode_to(gzip(&text), 99_999).unwrap_err().code, "input.bomb");
        let bomb = zstd(&vec![b'x'; 80 << 20]);
        assert_eq!(decode(bomb).unwrap_err().code, "input.bomb");
        let small = zstd(&vec![b'x'; 60 << 20]);
        assert_eq!(decode(small).unwrap().len(), 60 << 20);
    }

    #[test]
    fn files_to_unpack_first_are_known() {
        assert!(foreign(b"PK\x03\x04....").unwrap().contains("zip"));
        assert!(foreign(b"BZh91AY&SY...").unwrap().contains("bzip2"));
        assert_eq!(foreign(b"BZhang,Li,x@example.com"), None);
        assert_eq!(foreign(b"name,email"), None);
    }
}
