//! Which rows went out to a sink that gets only what has changed, and which were held back: a bit a row, in their order. Kept
//! in the run's folder, so that its work can be done again (`usher runs locate`); the state has moved on by then.

use std::{fs, io::Write as _, path::Path};

use arrow_array::BooleanArray;
use arrow_buffer::BooleanBufferBuilder;
use usher_abi::Error;

use crate::services::{Staging, disk_error};

/// The bits of one sink.
#[derive(Debug)]
pub(in crate::chain) struct HeldBack(BooleanBufferBuilder);

impl HeldBack {
    pub(super) fn new() -> Self {
        Self(BooleanBufferBuilder::new(0))
    }

    /// Notes rows: whether each goes out.
    pub(super) fn note(&mut self, out: &[bool]) {
        self.0.append_slice(out);
    }

    /// The file of a sink, in the folder of a run.
    pub(in crate::chain) fn file(connector: &str) -> String {
        format!("held-back/{connector}.bits")
    }

    /// Writes the number of rows (eight bytes, the least first) and their bits.
    pub(super) fn write(&self, staging: &Staging, connector: &str) -> Result<(), Error> {
        let name = Self::file(connector);
        let mut file = staging.create_file(&name)?;
        let rows = (self.0.len() as u64).to_le_bytes();
        let written = file.write_all(&rows).and_then(|()| file.write_all(self.0.as_slice()));
        written.map_err(|e| disk_error("output", Path::new(&name), &e))
    }
}

/// The bits of a sink in an earlier run, to be gone by.
#[derive(Debug)]
pub(in crate::chain) struct WentOut {
    bits: Vec<u8>,
    rows: u64,
    next: u64,
}

impl WentOut {
    /// As `run` has noted them.
    pub(in crate::chain) fn read(run: &Path, connector: &str) -> Result<Self, Error> {
        let path = run.join(HeldBack::file(connector));
        let lost = |why: &dyn std::fmt::Display| {
            let message = format!(
                "`{connector}` got only what had changed, and which rows were held back cannot be read in `{}` ({why}): look for \
                 the row's key in the inputs; what the vendor did not take, `usher runs confirm --errors` takes, too",
                path.display()
            );
            Error::config("locate.changed-only", message)
        };
        let bytes = fs::read(&path).map_err(|error| lost(&error))?;
        let (rows, bits) = bytes.split_first_chunk().ok_or_else(|| lost(&"it is cut"))?;
        let rows = u64::from_le_bytes(*rows);
        if bits.len() as u64 != rows.div_ceil(8) {
            return Err(lost(&"it is cut"));
        }
        Ok(Self { bits: bits.to_vec(), rows, next: 0 })
    }

    /// Of the next so many rows, which went out; `None` if the run had no so many.
    pub(in crate::chain) fn next(&mut self, rows: usize) -> Option<BooleanArray> {
        let (from, to) = (self.next, self.next + rows as u64);
        self.next = to;
        let bit = |row: u64| self.bits[(row / 8) as usize] & (1 << (row % 8)) != 0;
        (to <= self.rows).then(|| (from..to).map(|row| Some(bit(row))).collect())
    }
}
