//! The sink `contacts`.

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Columns, CsvDialect, Fate, Host, ImportFile, Order, PartLimits, Records, Sink,
    abi::{Component, Error, Guide, Limit, Problem, Receipt, Report},
    arrow_schema::SchemaRef,
    check_names, describe, describe_columns,
};

use crate::columns::{COLUMNS, KEYS};

/// Bytes of a file. The API takes 10 MB and recommends "around 8 MB" (API), the import page takes 250 MB (FILE).
const BYTES: u64 = 8_000_000;

/// There is nothing to choose.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {}

pub(crate) struct Contacts(Host, Option<ImportFile>);

impl Sink for Contacts {
    type Options = Options;

    fn component() -> Component {
        let source = "API".to_owned();
        Component {
            columns: describe_columns(COLUMNS),
            limits: vec![Limit { of: "bytes".to_owned(), max: BYTES, source, deliver: String::new() }],
            custom_claim: Some("{claim}".to_owned()),
            open: true,
            ..describe::sink::<Options>("contacts", "Contacts as CSV files, for the import page or the API")
        }
    }

    fn open(_: Options, host: Host) -> Result<Self, Error> {
        Ok(Self(host, None))
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        Ok(check_names(COLUMNS, columns))
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &Default::default())?;
        let dialect = CsvDialect { delimiter: b';', ..CsvDialect::default() };
        let limits = PartLimits { bytes: Some(BYTES), ..PartLimits::default() };
        self.1 = Some(ImportFile::new(&self.0, "contacts", columns, dialect, limits));
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let Some(file) = &mut self.1 else { return Ok(()) };
        let keys: Vec<usize> = KEYS.iter().filter_map(|key| file.columns().index(key)).collect();
        file.write(&records, report, |row| match keys.iter().any(|key| row.is_filled(*key)) {
            true => Ok(Fate::Written),
            false => Ok(Fate::rejected("key.missing", format!("one of {} must be filled", KEYS.join(", ")))),
        })
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let parts = self.1.take().map(ImportFile::finish).transpose()?.unwrap_or_default();
        let before = vec!["Every attribute exists in the account: the import ignores others.".to_owned()];
        let guide = Guide { title: "Brevo: import of contacts".to_owned(), before, ..Guide::default() };
        Ok(Receipt { guide, parts, ..Receipt::default() })
    }
}
