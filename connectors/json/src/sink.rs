//! The sink `records`.

use arrow_schema::SchemaRef;
use serde_json::json;
use usher_sdk::{
    Cells, Host, Parts, Records, Sink,
    abi::{Component, Consent, Error, OnInvalid, Problem, Receipt, Reject, Report},
    describe, describe_columns, records,
};

use crate::{
    columns::COLUMNS,
    guide::guide,
    layout::Object,
    options::{Format, Nulls, Options},
    values::{Column, Stop, Writer},
};

/// A file of JSON objects.
#[derive(Debug)]
pub(crate) struct RecordsFile {
    options: Options,
    host: Host,
    work: Option<Work>,
}

/// From `begin` to `finish`.
#[derive(Debug)]
struct Work {
    columns: Vec<Column>,
    layout: Object,
    writer: Writer,
    record: Vec<u8>,
    parts: Parts,
}

impl Sink for RecordsFile {
    type Options = Options;

    fn component() -> Component {
        Component {
            open: true,
            columns: describe_columns(COLUMNS),
            custom_claim: Some("{claim}".to_owned()),
            consent: Consent::Optional,
            ..describe::sink::<Options>("records", "JSON objects, in a file of lines or of one array")
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
            })
            .collect();
        let names = columns.iter().map(|column| column.name.as_str());
        let layout = if options.nested { Object::nested(names)? } else { Object::flat(names)? };
        let parts = Parts::new(&self.host, "records", options.framing(), options.limits());
        let writer = Writer::new(options.nulls == Nulls::Write);
        self.work = Some(Work { columns, layout, writer, record: Vec::new(), parts });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let lines = self.options.format == Format::Ndjson;
        let Work { columns, layout, writer, record, parts } = self.work.as_mut().ok_or_else(not_begun)?;
        let origins = records.origins()?;
        let cells = columns
            .iter()
            .map(|c| Cells::new(&c.name, records.batch.column(c.index)))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..records.batch.num_rows() {
            let origin = origins.get(row);
            record.clear();
            writer.left_out.clear();
            let fault = match writer.object(layout, columns, &cells, (row, origin), record) {
                Err(Stop::Error(error)) => return Err(error),
                Err(Stop::Row(place, fault)) => Some((columns[place].name.as_str(), fault)),
                Ok(_) => {
                    if lines {
                        record.push(b'\n');
                    }
                    parts.push(record)?.err().map(|fault| ("", fault))
                }
            };
            if let Some((column, fault)) = fault {
                report.rejects.push(Reject::new(origin, column, fault.code, fault.message));
                continue;
            }
            report.written.add(origin.input, origin.offset);
            report.left_out.extend(writer.left_out.drain(..));
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let mut work = self.work.take().ok_or_else(not_begun)?;
        work.parts.ensure_one()?;
        let parts = work.parts.finish()?;
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
