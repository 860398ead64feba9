//! A column table and limits, turned into checked, split parts: all that most vendors' files need.

use usher_abi::{Error, Part, Report};

use super::{
    columns::{Columns, Fate},
    csv_encoder::CsvDialect,
    csv_file::CsvFile,
    parts::PartLimits,
    row::Row,
};
use crate::{Host, Records};

/// [`Columns`] and a [`CsvFile`] in one.
#[derive(Debug)]
pub struct ImportFile {
    columns: Columns,
    file: CsvFile,
}

impl ImportFile {
    /// Files named by `stem`, with the columns' names as headings.
    pub fn new(host: &Host, stem: &str, columns: Columns, dialect: CsvDialect, limits: PartLimits) -> Self {
        let file = CsvFile::new(host, stem, columns.names(), dialect, limits);
        Self { columns, file }
    }

    /// As [`new`](Self::new), with other headings than the columns' names, one for each column.
    pub fn with_headings(
        host: &Host,
        stem: &str,
        columns: Columns,
        headings: &[String],
        dialect: CsvDialect,
        limits: PartLimits,
    ) -> Self {
        let file = CsvFile::new(host, stem, headings.iter().map(String::as_str), dialect, limits);
        Self { columns, file }
    }

    /// The bound columns.
    pub fn columns(&mut self) -> &mut Columns {
        &mut self.columns
    }

    /// Checks and writes a batch. `each` sees every row whose values have passed, may change it, and says
    /// [`Fate::Written`] for those that shall be written.
    pub fn write(
        &mut self,
        records: &Records,
        report: &mut Report,
        mut each: impl FnMut(&mut Row) -> Result<Fate, Error>,
    ) -> Result<(), Error> {
        let file = &mut self.file;
        self.columns.write(records, report, |row| match each(row)? {
            Fate::Written => Ok(match file.push_known((0..row.len()).map(|column| row.known(column)))? {
                Ok(()) => Fate::Written,
                Err(fault) => Fate::Rejected(String::new(), fault),
            }),
            other => Ok(other),
        })
    }

    /// Ends the work; answers all parts.
    pub fn finish(self) -> Result<Vec<Part>, Error> {
        self.file.finish()
    }
}
