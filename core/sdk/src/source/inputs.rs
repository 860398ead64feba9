//! The files behind a source's `input` option.

use usher_abi::{Error, Split, service::InputFile};

use super::slabs::BOM;
use crate::{Host, Input};

/// Splits are no smaller than this; opening one costs more than a small one saves.
const LEAST_SPLIT: u64 = 1_000_000;
/// Splits begin at multiples of so many bytes, so that no block that the host hashes is read by two.
const ALIGNED: u64 = 256 * 1024;

/// What a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing but blanks.
    Empty,
    /// Begins with `{`.
    Lines,
    /// Begins with `[`.
    Array,
    /// Anything else.
    Delimited,
}

/// The files, in reading order.
#[derive(Debug)]
pub struct Inputs {
    input: Input,
    files: Vec<InputFile>,
}

impl Inputs {
    /// Finds the files behind a path, a glob or `-`.
    pub fn open(host: &Host, spec: &str) -> Result<Self, Error> {
        let input = host.input()?;
        let files = input.open(spec)?;
        Ok(Self { input, files })
    }

    /// Inputs that are there already: replies that were [kept](crate::Reply::keep).
    pub fn of(host: &Host, files: Vec<InputFile>) -> Result<Self, Error> {
        Ok(Self { input: host.input()?, files })
    }

    /// The service that reads them.
    pub fn service(&self) -> &Input {
        &self.input
    }

    /// The files.
    pub fn files(&self) -> &[InputFile] {
        &self.files
    }

    /// The file of a split.
    pub fn file(&self, split: &Split) -> Result<&InputFile, Error> {
        let found = self.files.iter().find(|f| f.id == split.input);
        found.ok_or_else(|| {
            Error::bug("source.split", "the split names an input that this source did not open")
        })
    }

    /// Looks at the beginning of a file. UTF-16 is an error here, where it can be said in plain words.
    pub fn shape(&self, file: &InputFile) -> Result<Shape, Error> {
        let mut reader = self.input.read(file.id, 0, u64::MAX)?;
        let mut head: Vec<u8> = Vec::new();
        while let Some(slab) = reader.next_slab()? {
            head.extend_from_slice(slab.bytes());
            if head.len() < 4 {
                continue;
            }
            if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
                let message = format!("`{}` is UTF-16; save it as UTF-8", file.name);
                return Err(Error::data("encoding.utf16", message));
            }
            if let Some(shape) = first(&head) {
                return Ok(shape);
            }
            // Only blanks so far; the mark at the beginning is not needed any more.
            head = b"    ".to_vec();
        }
        Ok(first(&head).unwrap_or(Shape::Empty))
    }

    /// Splits of all files, in order: of those that can be read from anywhere, and that `parts` allows, about
    /// `max_splits` of about the same size; of the others, one each.
    pub fn splits(&self, max_splits: usize, parts: impl Fn(&InputFile) -> bool) -> Vec<Split> {
        let size = |f: &InputFile| f.size.into_option().filter(|_| f.splittable && parts(f));
        let total: u64 = self.files.iter().filter_map(size).sum();
        let step = total.div_ceil(max_splits.max(1) as u64).max(LEAST_SPLIT);
        let mut splits = Vec::new();
        for file in &self.files {
            let bytes = size(file).unwrap_or_default();
            let piece = (bytes / (bytes / step).max(1)).next_multiple_of(ALIGNED);
            let pieces = bytes.div_ceil(piece.max(1)).max(1);
            for i in 0..pieces {
                let end = if i + 1 == pieces { u64::MAX } else { (i + 1) * piece };
                splits.push(Split { input: file.id, start: i * piece, end, ..Split::default() });
            }
        }
        splits
    }
}

/// The shape that the first byte after mark and blanks tells.
fn first(head: &[u8]) -> Option<Shape> {
    let text = head.strip_prefix(BOM).unwrap_or(head);
    text.iter().find(|b| !b.is_ascii_whitespace()).map(|b| match b {
        b'{' => Shape::Lines,
        b'[' => Shape::Array,
        _ => Shape::Delimited,
    })
}
