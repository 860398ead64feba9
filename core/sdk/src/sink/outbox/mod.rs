//! Rows that are sent to a vendor: held on disk until the whole chain has been checked, then sent unit by unit, each
//! noted in the ledger before and after, so that a run that was ended goes on where it was.

mod answer;
mod cut;
mod deliver;
mod destination;
mod flight;
mod note;
mod outcome;
mod pace;

pub use cut::{Unit, UnitLimits};
pub use deliver::Sent;
pub use destination::{Destination, Doubt, InFlight, Jobs, Progress, Reaction, Step};
pub use outcome::{Fates, RowReject, UnitOutcome};

use usher_abi::{Error, Origin, service::PartFormat};

use super::aside::Aside;
use crate::{Host, PartHandle, checks::Fault};
use cut::{Cut, Cutter};

/// Bytes collected before they are handed to the host.
const CHUNK: usize = 256 * 1024;

/// Encoded records on their way to a vendor. Memory is a buffer, and some fifty bytes for each unit.
///
/// [`push`](Self::push) in `write`, where the row's fate is [`Fate::Held`](crate::Fate::Held);
/// [`deliver`](Self::deliver) in `finish`. The host lets nothing that writes out of a sink before `finish`, and calls it
/// when the rows of all sinks have passed.
#[derive(Debug)]
pub struct Outbox {
    host: Host,
    handle: PartHandle,
    buffer: Vec<u8>,
    /// Bytes of the header, which belongs to no unit.
    header: u64,
    cutter: Cutter,
    origins: Aside<16>,
}

impl Outbox {
    /// An empty one. What it holds is a file of the run named by `stem`: the header (a line of CSV headings, say), then
    /// the records as they come. The first `canary` records are units of their own, sent first: unless the vendor takes
    /// all of them, no other is sent; 0: none.
    pub fn new(
        host: &Host,
        stem: &str,
        extension: &str,
        format: &PartFormat,
        header: &[u8],
        limits: UnitLimits,
        canary: u64,
    ) -> Result<Self, Error> {
        let handle = host.output()?.create(stem, extension, format)?;
        let mut outbox = Self {
            host: host.clone(),
            handle,
            buffer: Vec::with_capacity(CHUNK + CHUNK / 4),
            header: header.len() as u64,
            cutter: Cutter::new(limits, canary),
            origins: Aside::new(host),
        };
        outbox.buffer.extend_from_slice(header);
        Ok(outbox)
    }

    /// Takes a record, its line end counted. `Ok(Err(fault))`: it alone is over the limit of a unit (`row.too-long`).
    pub fn push(&mut self, record: &[u8], origin: Origin) -> Result<Result<(), Fault>, Error> {
        if let Err(fault) = self.cutter.push(record) {
            return Ok(Err(fault));
        }
        let mut note = [0; 16];
        note[..4].copy_from_slice(&origin.input.to_le_bytes());
        note[4..8].copy_from_slice(&origin.length.to_le_bytes());
        note[8..].copy_from_slice(&origin.offset.to_le_bytes());
        self.origins.push(&note)?;
        self.buffer.extend_from_slice(record);
        if self.buffer.len() >= CHUNK {
            self.handle.write(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(Ok(()))
    }

    /// Records so far.
    pub fn rows(&self) -> u64 {
        self.origins.len()
    }

    /// Records of the unit that is open.
    pub fn open_rows(&self) -> u64 {
        self.cutter.open_rows()
    }

    /// Ends the open unit, if it has records: the next record begins another. For limits that rows and bytes cannot say
    /// (lines, of which a record may have several). Must depend on the records alone, so that the same run cuts the same
    /// units.
    pub fn cut(&mut self) {
        self.cutter.end();
    }

    /// Where the records `first..first + rows` came from.
    fn origins(&mut self, first: u64, rows: u64) -> Result<Vec<Origin>, Error> {
        let four = |note: &[u8; 16], at: usize| {
            u32::from_le_bytes([note[at], note[at + 1], note[at + 2], note[at + 3]])
        };
        let notes = self.origins.read(first, rows)?;
        let origin = |note: &[u8; 16]| Origin {
            input: four(note, 0),
            length: four(note, 4),
            offset: u64::from(four(note, 8)) | u64::from(four(note, 12)) << 32,
        };
        Ok(notes.iter().map(origin).collect())
    }

    /// A unit's records, read back.
    fn unit(&mut self, number: usize, cut: &Cut) -> Result<Unit, Error> {
        let lost = || Error::bug("outbox.lost", format!("unit {number}: its records cannot be read back"));
        let mut records = vec![0; usize::try_from(cut.bytes).map_err(|_| lost())?];
        let mut done = 0;
        while done < records.len() {
            match self.handle.read_back(self.header + cut.start + done as u64, &mut records[done..])? {
                0 => return Err(lost()),
                read => done += read,
            }
        }
        Ok(Unit { number: number as u64, rows: cut.rows, records, id: cut.id() })
    }
}
