//! The sink `users`: a file with a number a row, and a request that says how many there were.

use usher_sdk::{
    Host, PartHandle, Records, Sink,
    abi::{Component, Error, Part, Problem, Receipt, Report, service::PartFormat},
    arrow_schema::SchemaRef,
    describe,
};

use crate::{Options, limited};

#[derive(Debug)]
pub(crate) struct Users {
    options: Options,
    host: Host,
    part: Option<PartHandle>,
    rows: u64,
    bytes: u64,
}

impl Sink for Users {
    type Options = Options;

    fn component() -> Component {
        limited(Component { open: true, ..describe::sink::<Options>("users", "How many users there were") })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, part: None, rows: 0, bytes: 0 })
    }

    fn check(&mut self, _: &[String]) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    fn begin(&mut self, _: SchemaRef) -> Result<(), Error> {
        self.part = Some(self.host.output()?.create("users", "ndjson", &PartFormat::ndjson())?);
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let part =
            self.part.as_mut().ok_or_else(|| Error::bug("sink.order", "`begin` has not been called"))?;
        let origins = records.origins()?;
        for row in 0..records.batch.num_rows() {
            self.rows += 1;
            let line = format!("{}\n", self.rows);
            part.write(line.as_bytes())?;
            self.bytes += line.len() as u64;
            report.written.add(origins.get(row).input, origins.get(row).offset);
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let part = self.part.take().ok_or_else(|| Error::bug("sink.order", "`begin` has not been called"))?;
        let (rows, bytes) = (self.rows, self.bytes);
        let request = self.host.http()?.post(&self.options.url).bearer(&self.options.token).limit("api");
        match request.json(&serde_json::json!({ "rows": rows })).send() {
            Ok(reply) => drop(reply.error_for_status()?),
            Err(error) if error.code == "http.dry-run" => {}
            Err(error) => return Err(error),
        }
        let part = Part { name: part.finish(rows)?, rows, bytes, ..Part::default() };
        Ok(Receipt { parts: vec![part], ..Receipt::default() })
    }
}
