//! The sink `contacts`.

use serde_json::json;
use usher_sdk::{
    Columns, Fate, Host, Order, Records, Sink,
    abi::{Component, Error, Problem, Receipt, Report, service::PartFormat},
    arrow_schema::SchemaRef,
    check_names, describe, describe_columns, field_pointer,
    options::problem,
    outbox::{Outbox, Sent},
};

use crate::{
    api::{self, Client, Contact},
    columns::{COLUMNS, EMAIL},
    import::Import,
    limits,
    options::Options,
    preflight,
};

/// Contacts for the API.
pub(crate) struct Contacts {
    options: Options,
    host: Host,
    /// What Brevo said before; asked once.
    asked: Option<Vec<Problem>>,
    work: Option<Work>,
}

/// What lives from `begin` to `finish`.
struct Work {
    columns: Columns,
    names: Vec<String>,
    outbox: Outbox,
}

impl Sink for Contacts {
    type Options = Options;

    fn component() -> Component {
        Component {
            columns: describe_columns(COLUMNS),
            limits: limits::describe(),
            rate_limits: limits::rates(),
            open: true,
            ..describe::sink::<Options>("contacts", "Contacts, sent to Brevo in imports")
        }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, asked: None, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let mut problems = check_names(COLUMNS, columns);
        if !columns.iter().any(|column| column == EMAIL) {
            let message = "`EMAIL` is not delivered, and nobody is found again without it";
            problems.push(problem(field_pointer(EMAIL), "column.missing", message));
        }
        if problems.is_empty() && self.asked.is_none() {
            self.asked = preflight::ask(&self.host, &Client::new(&self.options), &self.options, columns)?;
        }
        problems.extend(self.asked.clone().unwrap_or_default());
        Ok(problems)
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &Default::default())?;
        let names = columns.names().map(str::to_owned).collect();
        let (before, behind) = api::frame(&self.options);
        let limits = limits::of_units(self.options.rows, before.len() + behind.len());
        let (format, canary) = (PartFormat::ndjson(), self.options.canary);
        let outbox = Outbox::new(&self.host, "contacts", "ndjson", &format, b"", limits, canary)?;
        self.work = Some(Work { columns, names, outbox });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let Work { columns, names, outbox } = self.work.as_mut().ok_or_else(not_begun)?;
        columns.write(&records, report, |row| {
            // The table's first column is the address. Blank cells are left out, so they erase nothing.
            let cells = names.iter().map(String::as_str).zip(row.cells()).skip(1);
            let attributes = cells.filter(|(_, value)| !value.is_empty()).collect();
            let line = Contact { email: row.get(0), attributes }.line()?;
            Ok(match outbox.push(line.as_bytes(), row.origin())? {
                Ok(()) => Fate::Held,
                Err(fault) => Fate::Rejected(String::new(), fault),
            })
        })
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let Work { outbox, .. } = self.work.take().ok_or_else(not_begun)?;
        let (options, client) = (&self.options, Client::new(&self.options));
        let mut import = Import { options, client, clock: self.host.clock()?, warnings: Vec::new() };
        let Sent { parts, delivery, mut warnings } = outbox.deliver(&mut import, report)?;
        warnings.append(&mut import.warnings);
        let facts = [("lists".to_owned(), json!(self.options.lists))].into();
        Ok(Receipt { parts, delivery: Some(delivery), warnings, facts, ..Receipt::default() })
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
