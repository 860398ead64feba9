//! The sink: JSON lines, and what it found of the host's services in its receipt.

use serde_json::{Map, Value, json};
use usher_sdk::{
    Cells, Host, PartHandle, Records, Sink,
    abi::{
        Component, Error, LogLevel, Part, Problem, Receipt, Report,
        service::{ClockTable, PartFormat},
    },
    arrow_schema::SchemaRef,
    describe, records,
};

use crate::options::Writing;

/// A service that no host has yet. Its table is the clock's, since some layout must be agreed on.
const FUTURE: &str = "usher.future/1";

/// The sink `rows`.
#[derive(Debug)]
pub(crate) struct Rows {
    host: Host,
    options: Writing,
    work: Option<Work>,
}

/// From `begin` to `finish`.
#[derive(Debug)]
struct Work {
    columns: Vec<(String, usize)>,
    part: PartHandle,
    rows: u64,
    bytes: u64,
}

impl Sink for Rows {
    type Options = Writing;

    fn component() -> Component {
        Component { open: true, ..describe::sink::<Writing>("rows", "JSON records, one a line") }
    }

    fn open(options: Writing, host: Host) -> Result<Self, Error> {
        host.log(LogLevel::DEBUG, &format!("opened with {options:?}"));
        Ok(Self { host, options, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let empty = columns.iter().filter(|column| column.is_empty());
        Ok(empty
            .map(|_| usher_sdk::options::problem("/fields/", "column.empty", "a column has no name"))
            .collect())
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let columns = records::given(&schema).map(|(index, field)| (field.name().clone(), index)).collect();
        let part = self.host.output()?.create("rows", "ndjson", &PartFormat::ndjson())?;
        self.work = Some(Work { columns, part, rows: 0, bytes: 0 });
        Ok(())
    }

    fn write(&mut self, rows: Records, report: &mut Report) -> Result<(), Error> {
        self.host.stop_if_cancelled()?;
        let work = self.work.as_mut().ok_or_else(not_begun)?;
        let cells = work.columns.iter().map(|(name, at)| Cells::new(name, rows.batch.column(*at)));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let origins = rows.origins()?;
        let (mut lines, mut text) = (Vec::new(), String::new());
        for row in 0..rows.batch.num_rows() {
            let value = |cells: &Cells<'_>, text: &mut String| {
                text.clear();
                if cells.append_text(row, text) { Value::from(text.as_str()) } else { Value::Null }
            };
            let names = work.columns.iter().map(|(name, _)| name.clone());
            let record: Map<String, Value> =
                names.zip(cells.iter().map(|cells| value(cells, &mut text))).collect();
            lines.extend_from_slice(Value::Object(record).to_string().as_bytes());
            lines.push(b'\n');
            let origin = origins.get(row);
            report.written.add(origin.input, origin.offset);
        }
        work.part.write(&lines)?;
        work.rows += rows.batch.num_rows() as u64;
        work.bytes += lines.len() as u64;
        self.host.metric("rows", rows.batch.num_rows() as i64);
        Ok(())
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let Work { mut part, rows, bytes, .. } = self.work.take().ok_or_else(not_begun)?;
        let mut first = [0; 1];
        let read = part.read_back(0, &mut first)?;
        if (read > 0) != (rows > 0) {
            return Err(Error::bug("sample.read-back", format!("{read} bytes of {rows} rows came back")));
        }
        let facts = [
            ("clock", found(self.host.clock().map(|clock| clock.now_ms() > 0))?),
            ("state", found(self.host.state().and_then(|_| self.keep()))?),
            ("ledger", found(self.host.ledger().and_then(|_| self.note()))?),
            ("future", found(self.host.extension::<ClockTable>(FUTURE).map(|_| true))?),
            ("secret", json!(self.options.token.as_ref().map(|token| token.reveal().len()))),
        ];
        let name = part.finish(rows)?;
        let parts = vec![Part { name, rows, bytes, ..Part::default() }];
        let facts = facts.map(|(service, fact)| (service.to_owned(), fact)).into();
        Ok(Receipt { parts, facts, ..Receipt::default() })
    }
}

impl Rows {
    /// Whether a value that was kept comes back, and goes.
    fn keep(&self) -> Result<bool, Error> {
        let state = self.host.state()?;
        state.put("sample", b"kept")?;
        let kept = state.get("sample")?.as_deref() == Some(b"kept");
        state.delete("sample")?;
        Ok(kept && state.get("sample")?.is_none())
    }

    /// Whether a unit that was noted is found.
    fn note(&self) -> Result<bool, Error> {
        let ledger = self.host.ledger()?;
        ledger.note("account", b"unit", b"sent")?;
        Ok(ledger.find("account", b"unit")?.as_deref() == Some(b"sent"))
    }
}

/// What a service is worth to this plugin: it can do without each.
fn found(worked: Result<bool, Error>) -> Result<Value, Error> {
    match worked {
        Ok(worked) => Ok(json!(if worked { "works" } else { "lies" })),
        Err(error) if error.code.as_str() == "service.absent" => Ok(json!("absent")),
        Err(error) => Err(error),
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
