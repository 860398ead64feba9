//! The sink `rows`.

use arrow_schema::SchemaRef;
use serde_json::json;
use usher_sdk::{
    Cells, CsvFile, Host, Records, Sink,
    abi::{Changed, Component, Consent, Error, OnInvalid, Problem, Receipt, Reject, Report, ValueKind},
    describe, describe_columns, records,
};

use crate::{
    cells::{Column, Writer},
    columns::COLUMNS,
    guide::guide,
    options::Options,
};

/// A delimited file.
#[derive(Debug)]
pub(crate) struct RowsFile {
    options: Options,
    host: Host,
    work: Option<Work>,
}

/// From `begin` to `finish`.
#[derive(Debug)]
struct Work {
    columns: Vec<Column>,
    writer: Writer,
    file: CsvFile,
}

impl Sink for RowsFile {
    type Options = Options;

    fn component() -> Component {
        Component {
            open: true,
            columns: describe_columns(COLUMNS),
            custom_claim: Some("{claim}".to_owned()),
            consent: Consent::Optional,
            ..describe::sink::<Options>("rows", "Rows of a delimited file, in the order of `fields`")
        }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        Ok(self.options.problems(columns))
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let options = &self.options;
        let columns: Vec<Column> = records::given(&schema)
            .map(|(index, field)| Column {
                name: field.name().clone(),
                index,
                kind: records::kind(field).unwrap_or_default(),
                on_invalid: options.on_invalid.get(field.name()).copied().unwrap_or(OnInvalid::LeaveOut),
                guarded: 0,
            })
            .collect();
        let headings = columns.iter().map(|column| options.heading(&column.name));
        let file = CsvFile::new(&self.host, "rows", headings, options.dialect(), options.limits());
        let writer = Writer::new(options.list_separator.clone(), options.formula_guard);
        self.work = Some(Work { columns, writer, file });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let Work { columns, writer, file } = self.work.as_mut().ok_or_else(not_begun)?;
        let origins = records.origins()?;
        let cells = columns
            .iter()
            .map(|column| {
                let cells = Cells::new(&column.name, records.batch.column(column.index))?;
                let is_list = column.kind == ValueKind::List;
                let bytes = cells.bytes().filter(|_| !is_list);
                let plain = bytes.is_some_and(|bytes| file.encoder().is_plain(bytes));
                let texts = cells.texts().filter(|_| plain);
                Ok((cells, texts))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        for row in 0..records.batch.num_rows() {
            let origin = origins.get(row);
            let fault = match writer.row(columns, &cells, row, origin, file.encoder()) {
                Err((place, fault)) => Some((columns[place].name.as_str(), fault)),
                Ok(()) => file.push_encoded()?.err().map(|fault| ("", fault)),
            };
            if let Some((column, fault)) = fault {
                report.rejects.push(Reject::new(origin, column, fault.code, fault.message));
                continue;
            }
            report.written.add(origin.input, origin.offset);
            report.left_out.extend(writer.left_out.drain(..));
            for place in writer.guarded.drain(..) {
                columns[place].guarded += 1;
            }
        }
        for column in columns.iter_mut().filter(|column| column.guarded > 0) {
            let count = std::mem::take(&mut column.guarded);
            let (column, rule) = (column.name.as_str().into(), "formula-guard".into());
            report.changed.push(Changed { column, rule, count });
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let mut work = self.work.take().ok_or_else(not_begun)?;
        work.file.parts().ensure_one()?;
        let parts = work.file.finish()?;
        let mut receipt = Receipt { guide: guide(&self.options, &parts), parts, ..Receipt::default() };
        if let Ok(Some(consent)) = usher_sdk::options::consent(&self.options.consent) {
            receipt.facts.insert("consent".to_owned(), json!(consent));
        }
        Ok(receipt)
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
