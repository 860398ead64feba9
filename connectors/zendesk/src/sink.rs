//! The sink `users`.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arrow_schema::{DataType, Field, SchemaRef};
use serde_json::{Value, json};
use usher_sdk::{
    Columns, Fate, Host, Order, Records, Row, Sink, Upcoming,
    abi::{Component, Consent, Error, Problem, Receipt, Report, Suspend, ValueKind},
    checks::{self, Fault, Verdict},
    describe, describe_columns, find_rule,
    options::invalid,
    records,
};

use crate::{
    access::Api,
    account::{self, Account},
    client::Client,
    columns::{CHECKBOX, COLUMNS, CUSTOM},
    defaults::Defaults,
    delivery::UNKNOWN,
    duplicates::{Duplicates, Seen},
    files::FileDelivery,
    layout::Layout,
    limits,
    lists::Lists,
    options::{Deliver, FieldType, ImportType, OnDuplicate, Options, Plan, RoleSpelling},
    organizations::Organizations,
    outgoing::Outgoing,
    patterns::Files,
    phones::Phones,
    preflight,
    roles::Roles,
    target::Target,
    values,
};

/// Writes or sends users, and with them the organizations they name.
#[derive(Debug)]
pub(crate) struct Users {
    options: Options,
    host: Host,
    /// What the account has, once it was asked.
    account: Option<Account>,
    work: Option<Work>,
}

/// From `begin` to `finish`.
#[derive(Debug)]
struct Work {
    columns: Columns,
    rows: Rows,
    warnings: Vec<String>,
    /// Custom fields without a type, and how many of their values look like times.
    times: Vec<(String, Arc<AtomicU64>)>,
}

/// Everything that a row passes once its values are good.
#[derive(Debug)]
struct Rows {
    layout: Layout,
    import_type: ImportType,
    skip_verify_email: bool,
    lists: Lists,
    roles: Roles,
    duplicates: Duplicates,
    phones: Phones,
    target: Target,
    merged: u64,
    brought: String,
    defaults: Defaults,
}

impl Sink for Users {
    type Options = Options;

    fn component() -> Component {
        let mut component =
            describe::sink::<Options>("users", "users of Zendesk Support, as files or over the API");
        component.columns = describe_columns(COLUMNS);
        component.limits = limits::limits();
        component.rate_limits = limits::rate_limits();
        component.custom_claim = Some(format!("{CUSTOM}{{claim}}"));
        component.consent = Consent::Optional;
        component.suspend = Some(suspension());
        component
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host, account: None, work: None })
    }

    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let mut problems = preflight::check(&self.options, &self.host, columns)?;
        // Nobody is asked about wrong options.
        if problems.iter().all(|problem| problem.warning) {
            if let Some(api) = self.options.account().cloned() {
                problems.extend(self.ask(&api, columns)?);
            }
        }
        Ok(problems)
    }

    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
        let options = &self.options;
        let given = |name: &str| {
            schema.fields().iter().any(|f| find_rule(COLUMNS, f.name()).is_some_and(|rule| rule.name == name))
        };
        let extra = preflight::extra(options, given);
        let mut columns = Columns::bind(COLUMNS, &schema, &extra, Order::Table, &options.on_invalid)?;
        let api = options.account().cloned();
        if api.is_none() && columns.names().len() > limits::COLUMNS {
            return Err(invalid(
                "/fields",
                format!("the data importer takes {} columns; drop some", limits::COLUMNS),
            ));
        }
        if let Some(api) = api.as_ref().filter(|_| self.account.is_none()) {
            let names: Vec<String> = columns.names().map(str::to_owned).collect();
            let problems = self.ask(api, &names)?;
            if let Some(problem) = problems.iter().find(|problem| !problem.warning) {
                return Err(invalid(&problem.pointer, problem.message.clone()));
            }
        }
        let options = &self.options;
        self.adapt(&mut columns)?;
        let (mut warnings, mut times) = (Vec::new(), Vec::new());
        for field in schema.fields().iter().filter(|field| field.name().starts_with(CUSTOM)) {
            self.custom_field(&mut columns, field, &mut warnings, &mut times);
        }
        let layout = Layout::new(&columns);
        let target = match &api {
            None => {
                let limits = limits::of_a_file(options);
                let hold = options.on_duplicate == OnDuplicate::Merge;
                let listed = options.organizations_file && layout.organizations.is_some();
                Target::Files(Box::new(FileDelivery {
                    files: Files::new(&self.host, &layout, limits, hold, options.groups()),
                    organizations: listed.then(|| Organizations::new(&self.host, limits)),
                }))
            }
            Some(api) => {
                let client = Client::new(&self.host, api, options.plan)?;
                let unknown = Account::default();
                let account = self.account.as_ref().unwrap_or(&unknown);
                Target::Api(Box::new(Outgoing::new(&self.host, client, options, account, &columns)))
            }
        };
        let rows = Rows {
            import_type: options.import_type,
            skip_verify_email: options.skip_verify_email,
            lists: Lists::new(&layout),
            roles: Roles::new(options),
            duplicates: Duplicates::new(&self.host, options.on_duplicate, &layout),
            phones: Phones::new(options.shared_phones),
            target,
            merged: 0,
            brought: String::new(),
            defaults: Defaults::default(),
            layout,
        };
        self.work = Some(Work { columns, rows, warnings, times });
        Ok(())
    }

    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
        self.host.stop_if_cancelled()?;
        let work = self.work.as_mut().ok_or_else(not_begun)?;
        let rows = &mut work.rows;
        work.columns.write_ahead(
            &records,
            report,
            rows,
            |rows, upcoming| rows.look_ahead(upcoming),
            |rows, row| rows.take(row),
        )
    }

    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error> {
        let Work { rows, mut warnings, times, .. } = self.work.take().ok_or_else(not_begun)?;
        let options = &self.options;
        let users = rows.duplicates.users();
        let additions = rows.duplicates.finish()?;
        let mut receipt = match rows.target {
            Target::Files(files) => {
                files.finish(options, &rows.layout, additions, rows.merged, rows.defaults.users)?
            }
            Target::Api(outgoing) => outgoing.finish(&additions, report)?,
        };
        warnings.append(&mut receipt.warnings);
        for (name, seen) in times {
            let seen = seen.load(Ordering::Relaxed);
            if seen > 0 {
                let key = name.strip_prefix(CUSTOM).unwrap_or(&name);
                warnings.push(format!(
                    "{seen} values of `{name}` look like times; if it is a date field, say `custom_field_types = {{ {key} \
                     = \"date\" }}`"
                ));
            }
        }
        let remark = rows.defaults.remark(options.account().is_some());
        warnings.extend(remark.iter().map(|(says, _)| says.clone()));
        receipt.warnings = warnings;
        let mut fact = |name: &str, value: Value| receipt.facts.insert(name.to_owned(), value);
        fact("deliver", json!(options.deliver.name()));
        fact("import_type", json!(options.import_type.name()));
        fact("users", json!(users));
        fact("merged", json!(rows.merged));
        if let Some((_, remark)) = remark {
            fact("default_organization", remark);
        }
        if let Some(plan) = options.plan {
            fact("plan", json!(plan.name()));
        }
        if let Ok(Some(consent)) = usher_sdk::options::consent(&options.consent) {
            fact("consent", json!(consent));
        }
        Ok(receipt)
    }
}

impl Users {
    /// Asks the account, and remembers what it has; answers what is wrong.
    fn ask(&mut self, api: &Api, columns: &[String]) -> Result<Vec<Problem>, Error> {
        let client = match Client::new(&self.host, api, self.options.plan) {
            Err(error) if error.code == "service.absent" => return Ok(Vec::new()),
            client => client?,
        };
        let found = account::ask(&client, &self.options, columns)?;
        Ok(found.map_or_else(Vec::new, |found| {
            self.account = Some(found.account);
            found.problems
        }))
    }

    /// Puts what the options say in place of the table's rules.
    fn adapt(&self, columns: &mut Columns) -> Result<(), Error> {
        let options = &self.options;
        if let Some(name) = columns.index("name") {
            columns.rule_mut(name).required = options.import_type.creates();
        }
        if let Some(organizations) =
            columns.index("organizations").filter(|_| options.plan == Some(Plan::Team))
        {
            columns.rule_mut(organizations).max_items = Some(limits::ORGANIZATIONS_TEAM);
        }
        let region = match &options.default_region {
            Some(code) => Some(checks::parse_region(code).ok_or_else(|| {
                invalid("/default_region", format!("`{code}` is not a region; write two letters, such as FR"))
            })?),
            None => None,
        };
        for column in ["phones", "shared_phone"] {
            columns.override_check(column, move |value, out| checks::e164(value, region, out));
        }
        // The API knows lower case only (OAS).
        let spelling = options.account().map_or(options.role_spelling, |_| RoleSpelling::Lower);
        let by_api = options.account().is_some();
        columns.override_check("role", move |value, out| values::role(spelling, by_api, value, out));
        if let Some(account) = self.account.clone() {
            let other = account.clone();
            columns.override_check("custom_role", move |value, out| account.custom_role(value, out));
            columns.override_check("locale", move |value, out| other.locale(value, out));
        }
        Ok(())
    }

    /// Gives a custom field the check of its type: the option's, or else that of values that are dates by themselves.
    fn custom_field(
        &self,
        columns: &mut Columns,
        field: &Field,
        warnings: &mut Vec<String>,
        times: &mut Vec<(String, Arc<AtomicU64>)>,
    ) {
        let name = field.name();
        let kind = records::kind(field);
        let key = name.strip_prefix(CUSTOM).unwrap_or(name);
        if let Some(account) = self.account.as_ref().filter(|account| account.knows(key)) {
            let kind = account.kind(&self.options, key);
            columns.override_check(name, move |value, out| kind.check(value, out));
            return;
        }
        if kind == Some(ValueKind::List) || matches!(field.data_type(), DataType::List(_)) {
            warnings.push(format!(
                "`{name}` holds lists, which are written as JSON: no form for several values is documented; make one \
                 text of them with `join` in `fields`"
            ));
        }
        let is_date = matches!(kind, Some(ValueKind::Date | ValueKind::Timestamp))
            || matches!(field.data_type(), DataType::Date32 | DataType::Timestamp(..));
        match self.options.custom_field_types.get(key) {
            Some(FieldType::Date) => columns.override_check(name, checks::iso_date),
            Some(FieldType::Checkbox) => columns.override_check(name, CHECKBOX),
            Some(FieldType::Number) => columns.override_check(name, checks::number),
            Some(FieldType::Dropdown | FieldType::Lookup) => columns.override_check(name, checks::clean_text),
            Some(FieldType::Text | FieldType::Regexp) => {}
            None if is_date => columns.override_check(name, checks::iso_date),
            None => {
                let seen = Arc::new(AtomicU64::new(0));
                times.push((name.clone(), seen.clone()));
                columns.override_check(name, move |value, _| {
                    if looks_like_time(value) {
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                    Verdict::Keep
                });
            }
        }
    }
}

impl Rows {
    /// Has what is known of the keys of rows fetched.
    fn look_ahead(&mut self, rows: &Upcoming<'_>) {
        self.duplicates.look_ahead(&self.layout, rows);
        self.phones.look_ahead(&self.layout, rows);
    }

    /// Takes a row whose values are good.
    fn take(&mut self, row: &mut Row) -> Result<Fate, Error> {
        if let Err(fate) = self.judge(row) {
            return Ok(fate);
        }
        match self.duplicates.look(&self.layout, row)? {
            Seen::Refused(fate) => return Ok(fate),
            Seen::Mergeable(survivor, known) => {
                self.brought.clear();
                self.phones.bring(&self.layout, row, survivor, &mut self.brought);
                let most = self.target.most_bytes(known.file);
                if let Err(fate) =
                    self.duplicates.merge(&self.layout, row, survivor, known, &self.brought, most)
                {
                    return Ok(fate);
                }
                self.phones.keep(survivor);
                self.merged += 1;
                return Ok(Fate::Merged(known.origin));
            }
            Seen::Never => {}
        }
        self.phones.share(&self.layout, row);
        if !self.target.has_shared_phone_beside() {
            self.phones.keep_to_one(&self.layout, row);
        }
        let placed = match self.target.push(row)? {
            Ok(placed) => placed,
            Err(fault) => return Ok(Fate::Rejected(String::new(), fault)),
        };
        let ordinal = self.duplicates.written(row.origin(), placed.group, placed.row, placed.bytes)?;
        self.phones.keep(ordinal);
        if let Some(column) = self.layout.organizations {
            for name in row.items(column) {
                self.target.organization(name)?;
            }
            self.defaults.look(row, column);
        }
        Ok(self.target.fate())
    }

    /// Rules of one row that look at several cells; fills what the options say.
    fn judge(&mut self, row: &mut Row) -> Result<(), Fate> {
        let layout = &self.layout;
        self.lists.tidy(row);
        if layout.cell(row, layout.external_id).is_empty() {
            if self.import_type == ImportType::Update {
                let message = "imports that only update need an `external_id`";
                return Err(Fate::Rejected("external_id".to_owned(), Fault::new("key.missing", message)));
            }
            if !row.is_filled(layout.emails) {
                let message = "the row has neither an address nor an `external_id`";
                return Err(Fate::Rejected("emails".to_owned(), Fault::new("key.missing", message)));
            }
        }
        let external_id = layout.cell(row, layout.external_id);
        if self.import_type == ImportType::Update && self.target.looks_up() && external_id.contains(',') {
            let message = "the API is asked for users by a list with commas between, so that one with a comma in its \
                           `external_id` cannot be found";
            return Err(Fate::Rejected("external_id".to_owned(), Fault::new("key.comma", message)));
        }
        self.roles.apply(layout, row)?;
        if let Some(column) = layout.organizations {
            if let Some(fault) = self.target.organizations_fault(row, column) {
                layout.bad(row, column, fault)?;
            }
        }
        if let Some(column) =
            layout.skip_verify_email.filter(|column| self.skip_verify_email && !row.is_filled(*column))
        {
            row.set(column, "true");
            if layout.given[column] {
                row.count_change(column, "default");
            }
        }
        Ok(())
    }
}

/// How people are suspended: by an update that names users by their external ids, whatever their case (sheet, 4.2), and
/// says `suspended` (OAS, `UserCreateInput`). An update makes no users; whoever is not there is a reject.
fn suspension() -> Suspend {
    Suspend {
        key: "external_id".to_owned(),
        columns: [("suspended".to_owned(), "true".to_owned())].into(),
        keep: ["deliver", "api", "plan"].map(str::to_owned).to_vec(),
        options: [
            ("import_type".to_owned(), json!(ImportType::Update)),
            ("skip_verify_email".to_owned(), json!(false)),
        ]
        .into(),
        deliver: Deliver::Api.name().to_owned(),
        absent: UNKNOWN.to_owned(),
    }
}

fn not_begun() -> Error {
    Error::bug("sink.order", "rows came before `begin`")
}

/// `2024-03-31T…`: a date with a time behind it.
fn looks_like_time(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() > 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b' ')
        && bytes[..4].iter().all(u8::is_ascii_digit)
}
