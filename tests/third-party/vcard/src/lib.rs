//! Contacts as vCard 4.0 files (RFC 6350), written against `usher-sdk` alone.

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    ColumnRule, Columns, Fate, Framing, Host, Order, PartLimits, Parts, Records, Sink,
    abi::{Component, Error, Problem, Receipt, Report, service::PartFormat},
    arrow_schema::SchemaRef,
    check_names, checks, describe, describe_columns,
};

/// A property is a column; `FN` is the one that every card needs.
#[rustfmt::skip]
const COLUMNS: &[ColumnRule] = &[
    ColumnRule { name: "FN", default: Some("name"), required: true, source: "RFC 6350 6.2.1", ..ColumnRule::TEXT },
    ColumnRule { name: "EMAIL", default: Some("email"), check: checks::email, source: "RFC 6350 6.4.2", ..ColumnRule::TEXT },
    ColumnRule { name: "TEL", default: Some("phone_number"), source: "RFC 6350 6.4.1", ..ColumnRule::TEXT },
];

/// Options of `contacts`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// Most cards of a file; more go into further files
    max_cards: Option<u64>,
}

struct Contacts {
    options: Options,
    host: Host,
    work: Option<(Columns, Parts)>,
}

impl Sink for Contacts {
    type Options = Options;

    fn component() -> Component {
        let columns = describe_columns(COLUMNS);
        Component { columns, ..describe::sink::<Options>("contacts", "A vCard a person") }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        Ok(check_names(COLUMNS, columns))
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &Default::default())?;
        let format = PartFormat::bytes();
        let (prefix, between, suffix) = Default::default();
        let framing = Framing { extension: "vcf".to_owned(), format, prefix, between, suffix };
        let limits = PartLimits { rows: self.options.max_cards, ..PartLimits::default() };
        self.work = Some((columns, Parts::new(&self.host, "contacts", framing, limits)));
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let Some((columns, parts)) = &mut self.work else { return Ok(()) };
        let names: Vec<String> = columns.names().map(str::to_owned).collect();
        columns.write(&records, report, |row| {
            let mut card = "BEGIN:VCARD\r\nVERSION:4.0\r\n".to_owned();
            for (name, value) in names.iter().zip(row.cells()).filter(|(_, value)| !value.is_empty()) {
                card += &format!("{name}:{}\r\n", escaped(value));
            }
            card += "END:VCARD\r\n";
            Ok(parts
                .push(card.as_bytes())?
                .map_or_else(|fault| Fate::Rejected(String::new(), fault), |()| Fate::Written))
        })
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let parts = self.work.take().map(|(_, parts)| parts.finish()).transpose()?.unwrap_or_default();
        Ok(Receipt { parts, ..Receipt::default() })
    }
}

/// RFC 6350 3.4: a backslash before what would end a value or a list.
fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;");
    value.replace("\r\n", "\\n").replace(['\r', '\n'], "\\n")
}

usher_sdk::export! {
    name = "vcard",
    summary = "Contacts as vCard files",
    sinks = { "contacts" => Contacts },
}
