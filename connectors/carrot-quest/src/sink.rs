//! The sink `users`.

use std::{borrow::Cow, collections::HashMap};

use arrow_schema::{Field, Schema, SchemaRef};
use usher_sdk::{
    Ahead, Columns, Fate, Fingerprints, Host, Order, Records, Row, Sink, Upcoming,
    abi::{Component, Consent, Error, OnInvalid, Problem, Receipt, Report},
    checks::{Fault, shown},
    describe,
    words::counted,
};

use crate::{
    client::Client,
    columns::{COLUMNS, table},
    delivery::Delivery,
    headings::{self, heading},
    limits,
    options::{Deliver, MergeField, Options, PropertyType},
    preflight,
    types::{self, Types},
    values::may_lose_zeros,
};

/// Users for Carrot quest.
pub(crate) struct Users {
    options: Options,
    host: Host,
    /// What Carrot quest answered before; asked once.
    asked: Option<Vec<Problem>>,
    work: Option<Work>,
}

/// What lives from `begin` to `finish`. Column 0 is the key.
struct Work {
    columns: Columns,
    types: Types,
    delivery: Delivery,
    keys: Fingerprints,
    ahead: Ahead,
    rows: u32,
    json: Vec<u8>,
    /// Values by column whose zeros in front may be lost.
    zeros: Vec<u64>,
}

impl Sink for Users {
    type Options = Options;

    fn component() -> Component {
        let mut component =
            describe::sink::<Options>("users", "users as CSV files for Carrot quest's import, or by its API");
        component.columns = usher_sdk::describe_columns(COLUMNS);
        component.open = true;
        component.limits = limits::describe();
        component.rate_limits = limits::rate_limits();
        component.custom_claim = Some("{claim}".to_owned());
        component.consent = Consent::Optional;
        component
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, asked: None, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let mut problems = self.options.problems();
        problems.extend(headings::check(columns, &self.options));
        problems.extend(types::check(columns, &self.options));
        problems.extend(usher_sdk::check_on_invalid(COLUMNS, columns, &self.options.on_invalid));
        if problems.iter().all(|problem| problem.warning) {
            problems.extend(self.preflight()?);
        }
        Ok(problems)
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let (key, options) = (self.options.merge_field.column(), &self.options);
        let schema = with_headings(&schema);
        let mut on_invalid: std::collections::BTreeMap<String, OnInvalid> =
            options.on_invalid.iter().map(|(name, choice)| (heading(name).into_owned(), *choice)).collect();
        on_invalid.insert(key.to_owned(), OnInvalid::RejectRow);
        // The key is bound even if nobody gives it, so that column 0 is always the key.
        let mut columns = Columns::bind(&table(key), &schema, &[key], Order::Table, &on_invalid)?;
        let said: HashMap<&str, PropertyType> =
            schema.fields().iter().map(|f| (f.name().as_str(), types::of_field(f))).collect();
        let types =
            types::apply(&mut columns, options, |name| said.get(name).copied().unwrap_or(PropertyType::Text));
        let headings = columns.names().map(str::to_owned).collect();
        let delivery = Delivery::new(&self.host, options, headings, &types.kinds)?;
        let zeros = vec![0; columns.names().len()];
        let (keys, ahead) = (Fingerprints::new(), Ahead::default());
        self.work = Some(Work { columns, types, delivery, keys, ahead, rows: 0, json: Vec::new(), zeros });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let merge_field = self.options.merge_field;
        let key = merge_field.column();
        let Work { columns, types, delivery, keys, ahead, rows, json, zeros } =
            self.work.as_mut().ok_or_else(not_begun)?;
        let print = |keys: &mut Fingerprints, text: &str| match merge_field {
            MergeField::UserId => keys.print(text),
            MergeField::Email => keys.folded(text),
        };
        let look = |(keys, ahead): &mut (&mut Fingerprints, &mut Ahead), rows: &Upcoming<'_>| {
            ahead.look(keys, rows, 0, print);
        };
        columns.write_ahead(&records, report, &mut (keys, ahead), look, |(keys, ahead), row| {
            if !row.is_filled(0) {
                let message = format!("`{key}` is blank; without it nobody is found again");
                return Ok(Fate::Rejected(key.to_owned(), Fault::new("key.missing", message)));
            }
            let print = ahead.print(row, 0).unwrap_or_else(|| print(keys, row.get(0)));
            if let Some(first) = keys.get(print) {
                let first = u64::from(first) + 1;
                let message =
                    format!("{} is the `{key}` of row {first} of those written, too", shown(row.get(0)));
                return Ok(Fate::Rejected(key.to_owned(), Fault::new("duplicate.key", message)));
            }
            write_lists(row, &types.json, json)?;
            let fate = match delivery.push(row)? {
                Ok(fate) => fate,
                Err(fault) => return Ok(Fate::Rejected(String::new(), fault)),
            };
            keys.insert(print, *rows);
            *rows = rows.saturating_add(1);
            for &column in types.guessed.iter().filter(|&&column| may_lose_zeros(row.get(column))) {
                zeros[column] += 1;
            }
            Ok(fate)
        })
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let work = self.work.take().ok_or_else(not_begun)?;
        let mut receipt = work.delivery.finish(&self.options, report)?;
        for (name, count) in work.columns.names().zip(&work.zeros).filter(|(_, count)| **count > 0) {
            let values = counted(*count, "value is", "values are");
            let warning = format!(
                "`{name}`: {values} digits with 0 in front; the import guesses types, so the zeros may be lost"
            );
            receipt.guide.expect.push(format!("{warning}."));
            receipt.warnings.push(warning);
        }
        let fact = |text: &str| serde_json::Value::from(text);
        receipt.facts.insert("merge_field".to_owned(), fact(self.options.merge_field.column()));
        if self.options.deliver != Deliver::UiFile && !self.options.tags.is_empty() {
            receipt.facts.insert("tags".to_owned(), self.options.tags.iter().map(String::as_str).collect());
        }
        if let Ok(Some(consent)) = usher_sdk::options::consent(&self.options.consent) {
            receipt.facts.insert("consent".to_owned(), fact(&consent));
        }
        Ok(receipt)
    }
}

impl Users {
    /// What Carrot quest itself says against the options, if users are going to be sent.
    fn preflight(&mut self) -> Result<Vec<Problem>, Error> {
        let Some(live) = self.options.live() else { return Ok(Vec::new()) };
        if self.asked.is_none() {
            let client = Client::new(&self.options, live);
            self.asked = preflight::ask(&self.host, &client, &self.options)?;
        }
        Ok(self.asked.clone().unwrap_or_default())
    }
}

/// The lists of a row, as JSON.
fn write_lists(row: &mut Row, columns: &[usize], json: &mut Vec<u8>) -> Result<(), Error> {
    for &column in columns {
        if row.is_filled(column) {
            types::write_json(row.items(column), json).map_err(|e| Error::bug("list.json", e.to_string()))?;
            row.set(column, &String::from_utf8_lossy(json));
        }
    }
    Ok(())
}

/// The schema with the columns named as the file will name them.
fn with_headings(schema: &Schema) -> Schema {
    let rename = |field: &Field| match heading(field.name()) {
        Cow::Borrowed(_) => field.clone(),
        Cow::Owned(name) => field.clone().with_name(name),
    };
    Schema::new(schema.fields().iter().map(|field| rename(field)).collect::<Vec<_>>())
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
