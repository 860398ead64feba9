//! The two ways out: files, or the API.

use usher_sdk::{
    CsvDialect, CsvFile, Fate, Host, Row,
    abi::{Error, Receipt, Report},
    checks::Fault,
};

use crate::{
    guide, limits,
    options::{Options, PropertyType},
    sending::Sending,
};

/// Where rows go that have passed.
#[derive(Debug)]
pub(crate) enum Delivery {
    Files(Box<CsvFile>),
    Api(Box<Sending>),
}

impl Delivery {
    /// As the options say; `headings` and `kinds` are of all columns, the key first.
    pub(crate) fn new(
        host: &Host,
        options: &Options,
        headings: Vec<String>,
        kinds: &[PropertyType],
    ) -> Result<Self, Error> {
        let dialect = CsvDialect { delimiter: options.delimiter.byte(), ..CsvDialect::default() };
        if options.live().is_some() {
            return Ok(Self::Api(Box::new(Sending::new(host, options, headings, kinds, dialect)?)));
        }
        let names = headings.iter().map(String::as_str);
        let file = CsvFile::new(host, "users", names, dialect, limits::of_parts(options));
        Ok(Self::Files(Box::new(file)))
    }

    /// Takes a row, and says what becomes of it; or why it cannot be taken.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Fate, Fault>, Error> {
        Ok(match self {
            Self::Files(file) => {
                file.push_known((0..row.len()).map(|column| row.known(column)))?.map(|()| Fate::Written)
            }
            Self::Api(sending) => sending.push(row)?.map(|()| Fate::Held),
        })
    }

    /// Ends the files, or sends everything.
    pub(crate) fn finish(self, options: &Options, report: &mut Report) -> Result<Receipt, Error> {
        match self {
            Self::Files(file) => {
                let parts = file.finish()?;
                Ok(Receipt { guide: guide::guide(options, &parts), parts, ..Receipt::default() })
            }
            Self::Api(sending) => {
                let (sent, warnings) = sending.finish(options, report)?;
                Ok(Receipt {
                    guide: guide::guide(options, &sent.parts),
                    parts: sent.parts,
                    warnings: sent.warnings.into_iter().chain(warnings).collect(),
                    delivery: Some(sent.delivery),
                    ..Receipt::default()
                })
            }
        }
    }
}
