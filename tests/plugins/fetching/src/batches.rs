//! The sink `batches`: addresses, so many in a request, as a vendor's bulk API takes them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use usher_sdk::{
    ColumnRule, Columns, Fate, Host, Http, Order, Records, Reply, Secret, Sink,
    abi::{Component, Error, Problem, Receipt, Report, service::PartFormat},
    arrow_schema::SchemaRef,
    checks, describe, describe_columns,
    outbox::{Destination, Fates, Outbox, Reaction, RowReject, Sent, Step, Unit, UnitLimits, UnitOutcome},
};

use crate::limited;

const COLUMNS: &[ColumnRule] = &[ColumnRule {
    name: "email",
    default: Some("email"),
    required: true,
    check: checks::email,
    summary: "the address",
    source: "made up",
    ..ColumnRule::TEXT
}];

/// Options of the sink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Where to send
    url: String,
    /// What opens the door there
    token: Secret,
    /// Addresses in a request
    rows: u64,
    /// Addresses that go first
    #[serde(default)]
    canary: u64,
}

#[derive(Debug)]
pub(crate) struct Batches {
    options: Options,
    host: Host,
    work: Option<(Columns, Outbox)>,
}

impl Sink for Batches {
    type Options = Options;

    fn component() -> Component {
        let component = describe::sink::<Options>("batches", "Addresses, many in a request");
        limited(Component { columns: describe_columns(COLUMNS), ..component })
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, work: None })
    }

    fn check(&mut self, _: &[String]) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &Default::default())?;
        let limits = UnitLimits { rows: self.options.rows, bytes: 1_000_000 };
        let format = PartFormat::ndjson();
        let outbox = Outbox::new(&self.host, "rows", "ndjson", &format, b"", limits, self.options.canary)?;
        self.work = Some((columns, outbox));
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let (columns, outbox) = self.work.as_mut().ok_or_else(not_begun)?;
        columns.write(&records, report, |row| {
            let line = format!("{}\n", json!(row.get(0)));
            Ok(match outbox.push(line.as_bytes(), row.origin())? {
                Ok(()) => Fate::Held,
                Err(fault) => Fate::Rejected(String::new(), fault),
            })
        })
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let (_, outbox) = self.work.take().ok_or_else(not_begun)?;
        let Sent { parts, delivery, warnings } = outbox.deliver(&mut Vendor(&self.options), report)?;
        Ok(Receipt { parts, delivery: Some(delivery), warnings, ..Receipt::default() })
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}

/// A vendor that answers with the addresses that it does not take.
struct Vendor<'a>(&'a Options);

impl Destination for Vendor<'_> {
    fn account(&self) -> String {
        self.0.url.clone()
    }

    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error> {
        let lines = String::from_utf8_lossy(&unit.records).trim_end().replace('\n', ",");
        let body = format!("{{\"emails\":[{lines}]}}");
        Ok(http.post(&self.0.url).bearer(&self.0.token).idempotent().body("application/json", body).into())
    }

    fn sent(&mut self, _: &Unit, reply: Reply) -> Result<Reaction, Error> {
        let answer: Value = reply.error_for_status()?.json(1 << 20)?;
        let Some(refused) = answer["refused"].as_array() else {
            return Ok(Reaction::NotUnderstood(answer.to_string()));
        };
        let reject = |row: &Value| RowReject {
            row: row.as_u64().unwrap_or(u64::MAX),
            column: "email".to_owned(),
            code: "vendor.refused".to_owned(),
            message: "the vendor does not take this address".to_owned(),
            details: answer.clone(),
            ..RowReject::default()
        };
        let rejects = refused.iter().map(reject).collect();
        Ok(Reaction::Done(UnitOutcome {
            rejects,
            ..UnitOutcome::all(Fates::Confirmed, json!({ "status": 200 }))
        }))
    }
}
