//! Files within a vendor's limits: records go in, parts come out.

use usher_abi::{Error, Part, service::PartFormat};

use crate::{Host, PartHandle, checks::Fault};

/// Bytes collected before they are handed to the host.
const CHUNK: usize = 256 * 1024;

/// The largest a part may be. Values are kept to: a file may have exactly so many rows or bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartLimits {
    /// Records, the header not counted.
    pub rows: Option<u64>,
    /// Bytes of the whole file, header and quoting counted.
    pub bytes: Option<u64>,
    /// Bytes of one record, its line end counted.
    pub row_bytes: Option<u64>,
}

/// How the records of a part are framed.
#[derive(Clone, Debug)]
pub struct Framing {
    /// File name extension, without the dot.
    pub extension: String,
    /// What the host is told of the content.
    pub format: PartFormat,
    /// Before the first record (a header, `[`).
    pub prefix: Vec<u8>,
    /// Between records.
    pub between: Vec<u8>,
    /// After the last record.
    pub suffix: Vec<u8>,
}

/// Writes encoded records into parts, beginning a new one where a limit would be passed.
#[derive(Debug)]
pub struct Parts {
    host: Host,
    stem: String,
    framing: Framing,
    limits: PartLimits,
    open: Option<Open>,
    /// `Some` in the mode of [`hold`](Parts::hold): full parts wait here.
    held: Option<Vec<Open>>,
    done: Vec<Part>,
}

/// A part that is not finished.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) handle: PartHandle,
    buffer: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) rows: u64,
}

impl Parts {
    /// Parts named by `stem` (`users`).
    pub fn new(host: &Host, stem: &str, framing: Framing, limits: PartLimits) -> Self {
        Self {
            host: host.clone(),
            stem: stem.to_owned(),
            framing,
            limits,
            open: None,
            held: None,
            done: Vec::new(),
        }
    }

    /// Leaves all parts unfinished until [`finish`](Self::finish), so that they can be read again and replaced (see
    /// [`CsvFile::finish_changed`](crate::CsvFile::finish_changed)).
    #[must_use]
    pub fn hold(mut self) -> Self {
        self.held = Some(Vec::new());
        self
    }

    /// Takes one encoded record. `Ok(Err(fault))`: the record alone is over a limit (`row.too-long`); nothing was
    /// written.
    pub fn push(&mut self, record: &[u8]) -> Result<Result<(), Fault>, Error> {
        let size = record.len() as u64;
        let frame = (self.framing.prefix.len() + self.framing.suffix.len()) as u64;
        let most =
            self.limits.bytes.map(|b| b.saturating_sub(frame)).into_iter().chain(self.limits.row_bytes).min();
        if let Some(most) = most.filter(|most| size > *most) {
            return Ok(Err(Fault::new(
                "row.too-long",
                format!("the row has {size} bytes, {most} are allowed"),
            )));
        }
        let suffix = self.framing.suffix.len() as u64;
        let between = self.framing.between.len() as u64;
        let full = self.open.as_ref().is_some_and(|open| {
            self.limits.rows.is_some_and(|rows| open.rows >= rows)
                || self.limits.bytes.is_some_and(|bytes| open.bytes + between + size + suffix > bytes)
        });
        if full {
            self.close()?;
        }
        let open = match &mut self.open {
            Some(open) => {
                open.put(&self.framing.between)?;
                open
            }
            None => self.open.insert(Open::new(&self.host, &self.stem, &self.framing)?),
        };
        open.rows += 1;
        open.put(record)?;
        Ok(Ok(()))
    }

    /// Records in the part that is open.
    pub fn open_rows(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.rows)
    }

    /// Begins a part even if no record comes, so that the file exists with its frame.
    pub fn ensure_one(&mut self) -> Result<(), Error> {
        if self.open.is_none() && self.done.is_empty() && self.held.as_ref().is_none_or(Vec::is_empty) {
            self.open = Some(Open::new(&self.host, &self.stem, &self.framing)?);
        }
        Ok(())
    }

    /// Ends the part that is open, if one is.
    pub fn close(&mut self) -> Result<(), Error> {
        if let Some(mut open) = self.open.take() {
            open.put(&self.framing.suffix)?;
            open.flush()?;
            match &mut self.held {
                Some(held) => {
                    open.buffer = Vec::new();
                    held.push(open);
                }
                None => self.end(open)?,
            }
        }
        Ok(())
    }

    /// Finishes a part that was held.
    pub(super) fn end(&mut self, open: Open) -> Result<(), Error> {
        let name = open.handle.finish(open.rows)?;
        self.done.push(Part { name, rows: open.rows, bytes: open.bytes, ..Part::default() });
        Ok(())
    }

    /// Ends the mode of [`hold`](Self::hold): the parts that were held, the open one among them.
    pub(super) fn release(&mut self) -> Result<Vec<Open>, Error> {
        self.close()?;
        Ok(self.held.take().unwrap_or_default())
    }

    /// Ends the work; answers all parts.
    pub fn finish(mut self) -> Result<Vec<Part>, Error> {
        for held in self.release()? {
            self.end(held)?;
        }
        Ok(self.done)
    }
}

impl Open {
    fn new(host: &Host, stem: &str, framing: &Framing) -> Result<Self, Error> {
        let handle = host.output()?.create(stem, &framing.extension, &framing.format)?;
        let mut open = Self { handle, buffer: Vec::with_capacity(CHUNK + CHUNK / 4), bytes: 0, rows: 0 };
        open.put(&framing.prefix)?;
        Ok(open)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() {
            self.handle.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }
}
