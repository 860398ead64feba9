//! Tables of the run itself, which people open in a spreadsheet.

use std::{fs::File, path::Path};

use usher_abi::Error;

use crate::{
    runs::guarded,
    services::{Staging, disk_error},
};

/// A CSV file below the run's folder.
pub(super) struct Table {
    writer: csv::Writer<File>,
    name: &'static str,
}

impl Table {
    pub(super) fn create<const N: usize>(
        staging: &Staging,
        name: &'static str,
        header: [&str; N],
    ) -> Result<Self, Error> {
        let mut table = Self { writer: csv::Writer::from_writer(staging.create_file(name)?), name };
        table.write(header)?;
        Ok(table)
    }

    /// Writes a row. Records quote what anybody may have typed, so no cell is a formula for whoever opens the file.
    pub(super) fn write<const N: usize>(&mut self, cells: [&str; N]) -> Result<(), Error> {
        let cells = cells.each_ref().map(|cell| guarded(cell));
        let written = self.writer.write_record(cells.iter().map(|cell| cell.as_bytes()));
        written.map_err(|e| disk_error("output", Path::new(self.name), &e.into()))
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|e| disk_error("output", Path::new(self.name), &e))
    }
}
