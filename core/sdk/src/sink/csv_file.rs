//! Records as comma- (or otherwise) separated values.

use usher_abi::{Error, Part, service::PartFormat};

use super::{
    csv_encoder::{CsvDialect, CsvEncoder},
    parts::{Framing, PartLimits, Parts},
    row::Known,
};
use crate::{Host, checks::Fault};

/// Writes rows of cells into parts, each with its header.
#[derive(Debug)]
pub struct CsvFile {
    pub(super) parts: Parts,
    pub(super) encoder: CsvEncoder,
    pub(super) dialect: CsvDialect,
}

impl CsvFile {
    /// Files named by `stem`, with these headings.
    pub fn new<'a>(
        host: &Host,
        stem: &str,
        headings: impl IntoIterator<Item = &'a str>,
        dialect: CsvDialect,
        limits: PartLimits,
    ) -> Self {
        let mut encoder = CsvEncoder::new(dialect);
        let mut prefix = if dialect.bom { b"\xEF\xBB\xBF".to_vec() } else { Vec::new() };
        if dialect.header {
            prefix.extend_from_slice(encoder.encode(headings));
        }
        let framing = Framing {
            extension: "csv".to_owned(),
            format: PartFormat::csv(dialect.delimiter, dialect.header),
            prefix,
            between: Vec::new(),
            suffix: Vec::new(),
        };
        Self { parts: Parts::new(host, stem, framing, limits), encoder, dialect }
    }

    /// Leaves all parts unfinished until the end; needed for [`finish_changed`](Self::finish_changed).
    #[must_use]
    pub fn hold(mut self) -> Self {
        self.parts = self.parts.hold();
        self
    }

    /// The encoder, to write a row cell by cell; [`push_encoded`](Self::push_encoded) takes it.
    pub fn encoder(&mut self) -> &mut CsvEncoder {
        &mut self.encoder
    }

    /// Takes the row that stands in the [`encoder`](Self::encoder), as [`push`](Self::push) does.
    pub fn push_encoded(&mut self) -> Result<Result<(), Fault>, Error> {
        self.parts.push(self.encoder.end())
    }

    /// Takes a row; the answers are those of [`Parts::push`].
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) -> Result<Result<(), Fault>, Error> {
        self.parts.push(self.encoder.encode(cells))
    }

    /// Takes a row of cells of which some are known to be plain; see [`Row::known`](crate::Row::known).
    pub fn push_known<'a>(
        &mut self,
        cells: impl IntoIterator<Item = Known<'a>>,
    ) -> Result<Result<(), Fault>, Error> {
        self.parts.push(self.encoder.encode_known(cells))
    }

    /// The parts, to ask and to close.
    pub fn parts(&mut self) -> &mut Parts {
        &mut self.parts
    }

    /// Ends the work; answers all parts.
    pub fn finish(self) -> Result<Vec<Part>, Error> {
        self.parts.finish()
    }
}
