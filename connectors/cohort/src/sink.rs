//! The sink `users`.

use arrow_schema::SchemaRef;
use serde_json::json;
use usher_sdk::{
    Columns, CsvDialect, CsvFile, Fate, Fingerprints, Host, Order, Records, Sink,
    abi::{Component, Consent, Error, Problem, Receipt, Report},
    checks::{Fault, shown},
    describe, describe_columns,
    words::counted,
};

use crate::{
    columns::{COLUMNS, EMAIL},
    guide::guide,
    limits,
    options::{Options, core},
};

/// Users as CSV files for Cohort's import.
#[derive(Debug)]
pub(crate) struct UsersFile {
    options: Options,
    host: Host,
    work: Option<Work>,
}

/// From `begin` to `finish`.
#[derive(Debug)]
struct Work {
    columns: Columns,
    email: usize,
    file: CsvFile,
    /// Addresses that were written, unless the host has seen to it that each comes once.
    seen: Option<Fingerprints>,
    written: u32,
    /// Blank cells, the address aside.
    blanks: u64,
}

impl Sink for UsersFile {
    type Options = Options;

    fn component() -> Component {
        Component {
            columns: describe_columns(COLUMNS),
            open: true,
            limits: limits::describe(),
            custom_claim: Some("{claim}".to_owned()),
            consent: Consent::Optional,
            ..describe::sink::<Options>(
                "users",
                "Users as CSV files for the import of Cohort's admin interface",
            )
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
        // The address is bound even if nobody gives it, so that its rows are rejected and not lost.
        let mut columns = Columns::bind(COLUMNS, &schema, &[EMAIL], Order::Table, &options.on_invalid)?;
        let email = columns.index(EMAIL).ok_or_else(|| Error::bug("column.key", "the key is not bound"))?;
        // A blank key has a code of its own, given below.
        columns.rule_mut(email).required = false;
        let places: Vec<_> = columns
            .names()
            .map(|name| options.properties.get(name).filter(|_| core(name).is_none()))
            .collect();
        for (place, property) in places.into_iter().enumerate() {
            if let Some(property) = property {
                columns.override_check_at(place, property.check());
            }
        }
        let seen = (!columns.comes_once(email)).then(Fingerprints::new);
        let dialect = CsvDialect::default();
        let file = CsvFile::new(&self.host, "users", columns.names(), dialect, limits::of_parts(options));
        self.work = Some(Work { columns, email, file, seen, written: 0, blanks: 0 });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let Work { columns, email, file, seen, written, blanks } =
            self.work.as_mut().ok_or_else(not_begun)?;
        let email = *email;
        columns.write(&records, report, |row| {
            if !row.is_filled(email) {
                let message = format!("`{EMAIL}` is blank; Cohort finds users by their address");
                return Ok(Fate::Rejected(EMAIL.to_owned(), Fault::new("key.missing", message)));
            }
            let print = seen.as_mut().map(|seen| seen.folded(row.get(email)));
            if let Some(first) = print.zip(seen.as_ref()).and_then(|(print, seen)| seen.get(print)) {
                let first = u64::from(first) + 1;
                let message =
                    format!("{} is the address of row {first} of those written, too", shown(row.get(email)));
                return Ok(Fate::Rejected(EMAIL.to_owned(), Fault::new("duplicate.key", message)));
            }
            if let Err(fault) = file.push_known((0..row.len()).map(|column| row.known(column)))? {
                return Ok(Fate::Rejected(String::new(), fault));
            }
            if let Some((print, seen)) = print.zip(seen.as_mut()) {
                seen.insert(print, *written);
            }
            *written = written.saturating_add(1);
            *blanks += (0..row.len()).filter(|column| !row.is_filled(*column)).count() as u64;
            Ok(Fate::Written)
        })
    }

    fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
        let work = self.work.take().ok_or_else(not_begun)?;
        let headings: Vec<String> = work.columns.names().map(str::to_owned).collect();
        let parts = work.file.finish()?;
        let mut receipt =
            Receipt { guide: guide(&self.options, &headings, &parts), parts, ..Receipt::default() };
        if work.blanks > 0 {
            receipt.warnings.push(format!(
                "{} blank: Cohort skips them, so values that are stored already stay",
                counted(work.blanks, "cell is", "cells are")
            ));
        }
        let undeclared: Vec<&String> =
            headings.iter().filter(|heading| self.options.is_undeclared(heading)).collect();
        if !undeclared.is_empty() {
            let names: Vec<String> = undeclared.iter().map(|name| format!("`{name}`")).collect();
            let names = names.join(", ");
            receipt.warnings.push(format!("not in `properties`, so their types are not checked: {names}"));
        }
        if let Ok(Some(consent)) = usher_sdk::options::consent(&self.options.consent) {
            receipt.facts.insert("consent".to_owned(), json!(consent));
        }
        Ok(receipt)
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
