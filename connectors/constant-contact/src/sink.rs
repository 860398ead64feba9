//! The sink `contacts`.

use arrow_schema::SchemaRef;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;
use usher_sdk::{
    Columns, Fate, Fingerprints, Host, Order, Records, Sink,
    abi::{Component, Consent, Error, Problem, Receipt, Report},
    checks::{Fault, shown},
    describe,
};

use crate::{
    columns::COLUMNS,
    contact::Rules,
    dates, guide, headings,
    layout::Layout,
    limits,
    notes::Notes,
    options::{Deliver, Options, RoleAddresses},
    out::Out,
    remote::Remote,
    roles,
};

/// Contacts for Constant Contact.
pub(crate) struct Contacts {
    options: Options,
    host: Host,
    /// The account, for a delivery over the API.
    remote: Option<Remote>,
    work: Option<Work>,
}

/// What lives from `begin` to `finish`.
struct Work {
    columns: Columns,
    rules: Rules,
    layout: Layout,
    out: Out,
    keys: Keys,
    notes: Notes,
    by_hand: Vec<String>,
}

/// The contacts written so far.
struct Keys {
    seen: Fingerprints,
    /// The host has seen to it that each address comes once; only numbers are looked up.
    addresses_come_once: bool,
    rows: u32,
    digits: String,
}

impl Sink for Contacts {
    type Options = Options;

    fn component() -> Component {
        let mut component = describe::sink::<Options>(
            "contacts",
            "contacts for Constant Contact: CSV files for its import, or its API",
        );
        component.columns = usher_sdk::describe_columns(COLUMNS);
        component.limits = limits::describe();
        component.rate_limits = limits::rate_limits();
        component.custom_claim = Some("cf:{claim}".to_owned());
        component.consent = Consent::Required;
        component
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, remote: None, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let mut problems = self.options.problems();
        problems.extend(headings::check(columns, &self.options));
        problems.extend(usher_sdk::check_on_invalid(COLUMNS, columns, &self.options.on_invalid));
        // Options that are wrong by themselves are not worth a request.
        if self.options.deliver == Deliver::Api && problems.iter().all(|problem| problem.warning) {
            problems.extend(self.remote().check(columns)?);
        }
        Ok(problems)
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let (options, deliver) = (&self.options, self.options.deliver);
        let mut columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &options.on_invalid)?;
        let names: Vec<String> = columns.names().map(str::to_owned).collect();
        if deliver.is_api() {
            columns.override_check("birthday", dates::birthday_api);
            for (column, name) in names.iter().enumerate() {
                let rule = columns.rule_mut(column);
                rule.max_chars = limits::api_chars(name).or(rule.max_chars);
            }
            let signs_up =
                deliver == Deliver::Api && options.api.as_ref().is_some_and(|access| access.explicit_consent);
            if let Some(email) = names.iter().position(|name| name == "email").filter(|_| signs_up) {
                columns.rule_mut(email).max_chars = Some(limits::SIGN_UP_EMAIL);
            }
        }
        let today = today(&self.host)?;
        columns.override_check("anniversary", move |value, out| dates::anniversary(value, today, out));
        let lists = schema.fields().iter().filter(|field| headings::is_list(field));
        let lists = lists.map(|field| format!("`{}`", field.name())).collect();
        let addresses_come_once = columns.index("email").is_some_and(|email| columns.comes_once(email));
        let layout = Layout::new(&columns, deliver);
        let out = Out::new(&self.host, &layout, options)?;
        self.work = Some(Work {
            rules: Rules::new(&columns, options),
            notes: Notes::new(&columns, deliver, lists),
            by_hand: headings::by_hand(names.iter().map(String::as_str))
                .into_iter()
                .map(str::to_owned)
                .collect(),
            columns,
            layout,
            out,
            keys: Keys { seen: Fingerprints::new(), addresses_come_once, rows: 0, digits: String::new() },
        });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        let role_addresses = self.options.role_addresses;
        let Work { columns, rules, layout, out, keys, notes, .. } =
            self.work.as_mut().ok_or_else(not_begun)?;
        columns.write(&records, report, |row| {
            if let Err((column, fault)) = rules.judge(row) {
                return Ok(Fate::Rejected(column, fault));
            }
            let (email, number) = (rules.email(row), rules.sms_number(row));
            let refused = (role_addresses == RoleAddresses::Reject).then(|| roles::kind(email)).flatten();
            if let Some(kind) = refused {
                let message = format!(
                    "{} is a role or group address ({kind}), which is never written to",
                    shown(email)
                );
                return Ok(Fate::Rejected("email".to_owned(), Fault::new("email.role-address", message)));
            }
            let (column, key, print) = if email.is_empty() {
                ("sms_number", number, Some(keys.of_number(number)))
            } else {
                ("email", email, (!keys.addresses_come_once).then(|| keys.seen.folded(email)))
            };
            if let Some(first) = print.and_then(|print| keys.seen.get(print)) {
                let first = u64::from(first) + 1;
                let message =
                    format!("{} is the `{column}` of row {first} of those written, too", shown(key));
                return Ok(Fate::Rejected(column.to_owned(), Fault::new("duplicate.key", message)));
            }
            let fate = match out.push(layout, row)? {
                Ok(fate) => fate,
                Err(fault) => return Ok(Fate::Rejected(String::new(), fault)),
            };
            if let Some(print) = print {
                keys.seen.insert(print, keys.rows);
            }
            keys.rows = keys.rows.saturating_add(1);
            notes.take(email, row);
            Ok(fate)
        })
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let work = self.work.take().ok_or_else(not_begun)?;
        let mut receipt = match work.out {
            Out::File(file) => {
                let parts = file.finish()?;
                let guide = guide::guide(&self.options, &parts, &work.by_hand);
                Receipt { parts, guide, ..Receipt::default() }
            }
            Out::Api(out) => {
                let columns: Vec<String> = work.columns.names().map(str::to_owned).collect();
                self.remote().deliver(*out, &columns, report)?
            }
        };
        receipt.warnings.splice(..0, work.notes.warnings());
        if let Ok(Some(consent)) = usher_sdk::options::consent(&self.options.consent) {
            receipt.facts.insert("consent".to_owned(), consent.into());
        }
        let roles = work.notes.roles();
        if !roles.is_empty() {
            let counts =
                roles.iter().map(|(kind, count)| ((*kind).to_owned(), Value::from(*count))).collect();
            receipt.facts.insert("role_addresses".to_owned(), Value::Object(counts));
        }
        Ok(receipt)
    }
}

impl Contacts {
    fn remote(&mut self) -> &mut Remote {
        self.remote.get_or_insert_with(|| Remote::new(&self.host, &self.options))
    }
}

impl Keys {
    /// Numbers are alike however they are grouped.
    fn of_number(&mut self, number: &str) -> usher_sdk::Print {
        self.digits.clear();
        self.digits.extend(number.chars().filter(char::is_ascii_digit));
        self.seen.print(&self.digits)
    }
}

fn today(host: &Host) -> Result<Date, Error> {
    let now = i64::try_from(host.clock()?.now_ms()).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(now).map_err(|e| Error::bug("clock.range", e.to_string()))?;
    Ok(time.to_zoned(TimeZone::UTC).date())
}

fn not_begun() -> Error {
    Error::bug("sink.order", "`begin` has not been called")
}
