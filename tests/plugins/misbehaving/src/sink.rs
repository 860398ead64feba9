//! The sink `rows`: a file with a number a row.

use arrow_schema::SchemaRef;
use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, PartHandle, Records, Sink,
    abi::{Component, Error, Part, Problem, Receipt, Report, service::PartFormat},
    describe,
};

use crate::{fault::Fault, stranger::stranger, words::spoilt};

/// Options of the sink.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// What goes wrong
    fault: Fault,
}

/// A file.
#[derive(Debug)]
pub(crate) struct RowsFile {
    fault: Fault,
    host: Host,
    part: Option<PartHandle>,
    left: Option<PartHandle>,
    rows: u64,
    bytes: u64,
}

impl Sink for RowsFile {
    type Options = Options;

    fn component() -> Component {
        spoilt(Component { open: true, ..describe::sink::<Options>("rows", "A file with a number a row") })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        options.fault.open();
        Ok(Self { fault: options.fault, host, part: None, left: None, rows: 0, bytes: 0 })
    }

    fn check(&mut self, _: &[String]) -> Result<Vec<Problem>, Error> {
        self.fault.panic_if(Fault::PanicInCheck);
        Ok(Vec::new())
    }

    fn begin(&mut self, _: SchemaRef) -> Result<(), Error> {
        self.fault.panic_if(Fault::PanicInBegin);
        let output = self.host.output()?;
        self.part = Some(output.create("rows", "ndjson", &PartFormat::ndjson())?);
        if self.fault == Fault::Unfinished {
            self.left = Some(output.create("left", "ndjson", &PartFormat::ndjson())?);
        }
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        self.fault.panic_if(Fault::PanicInWrite);
        self.fault.work(self.rows)?;
        let part =
            self.part.as_mut().ok_or_else(|| Error::bug("sink.order", "`begin` has not been called"))?;
        let origins = records.origins()?;
        for row in 0..records.batch.num_rows() {
            let origin = origins.get(row);
            match (self.fault, row) {
                (Fault::RejectStrangers, 0) => {
                    report.rejects.push(stranger());
                    continue;
                }
                (Fault::Swallow, 0) => continue,
                (Fault::Boast, 0) => {}
                _ => {
                    let line = format!("{}\n", self.rows);
                    part.write(line.as_bytes())?;
                    self.rows += 1;
                    self.bytes += line.len() as u64;
                }
            }
            report.written.add(origin.input, origin.offset);
        }
        Ok(())
    }

    fn flush(&mut self, _: &mut Report) -> Result<(), Error> {
        self.fault.panic_if(Fault::PanicInFlush);
        Ok(())
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        self.fault.panic_if(Fault::PanicInFinish);
        let part = self.part.take().ok_or_else(|| Error::bug("sink.order", "`begin` has not been called"))?;
        let rows = self.rows + u64::from(self.fault == Fault::Miscount);
        let name = part.finish(rows)?;
        Ok(Receipt {
            parts: vec![Part { name, rows, bytes: self.bytes, ..Part::default() }],
            ..Receipt::default()
        })
    }
}

impl Drop for RowsFile {
    fn drop(&mut self) {
        self.fault.panic_if(Fault::PanicInClose);
    }
}
