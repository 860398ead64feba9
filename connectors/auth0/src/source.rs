//! The source `users`.

use usher_sdk::{
    Host, Records, Source,
    abi::{
        Attribute, Catalog, Component, Error, ErrorClass, PlanRequest, Problem, Report, Split, ValueKind,
        nearest,
    },
    describe,
    options::{problem, warning},
    source::{JsonStream, Projection, Rename, Stream, TableColumn, TableStream, Wanted, refuse},
};

use crate::{
    columns::{HEADINGS, STANDARD, TOKENS, refused, standard},
    export::{Exporter, TOKENS_SCOPE, reads_tokens},
    files::{Files, Form},
    limits,
    options::Options,
    order::{NOT_IN_CSV, Order},
    tenant::{ExportFormat, Tenant},
};

/// A user export.
#[derive(Debug)]
pub(crate) struct Users {
    host: Host,
    options: Options,
    /// The files of the option `input`, once looked at.
    files: Option<Files>,
    /// Who asks the tenant, once there was something to ask.
    exporter: Option<Exporter>,
    /// What the tenant exported, kept until the end: a run that plans again reads the same records.
    exports: Vec<(Order, Files)>,
    wanted: Vec<Wanted>,
}

impl Source for Users {
    type Options = Options;
    type Stream = Export;

    fn component() -> Component {
        let attributes = STANDARD.iter().map(|row| attribute(row.path)).collect();
        Component {
            attributes,
            open: true,
            rate_limits: limits::rate_limits(),
            ..describe::source::<Options>("users", "Users of an Auth0 tenant, from an export")
        }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { host, options, files: None, exporter: None, exports: Vec::new(), wanted: Vec::new() })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        let mut problems = self.options.check();
        if problems.iter().all(|problem| problem.warning) {
            problems.extend(self.preflight()?);
        }
        Ok(problems)
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        if let Some(tenant) = &self.options.tenant {
            return Ok(catalog_of_tenant(tenant));
        }
        let named: Vec<String> = self.options.headings.keys().cloned().collect();
        Ok(catalog_of_files(self.files()?, named))
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let columns = &request.columns;
        let never = |path: &String| {
            Some(problem("", "attribute.refused", format!("`{path}` is never read: {}", refused(path)?)))
        };
        let mut problems: Vec<Problem> = columns.iter().filter_map(never).collect();
        let files = match self.options.tenant.clone() {
            None => self.files()?,
            Some(tenant) => {
                let order = Order::new(&tenant, request);
                problems.extend(order.check());
                refuse(&problems)?;
                self.export(order, &tenant)?
            }
        };
        problems.extend(absent(files, columns));
        refuse(&problems)?;
        let splits = files
            .inputs
            .splits(request.max_splits as usize, |f| !matches!(files.form(f.id), Some(Form::Array) | None));
        self.wanted = columns.iter().map(|path| Wanted::new(path, attribute(path).kind)).collect();
        Ok(splits)
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Export, Error> {
        let (host, limit) = (self.host.clone(), self.options.limit());
        let projection = || Projection::new(&self.wanted, &self.renames()).hide("identities", TOKENS);
        let mut files = self.files.iter().chain(self.exports.iter().map(|(_, files)| files)).peekable();
        if files.peek().is_none() {
            return Err(Error::bug("source.order", "`open_split` before `plan`"));
        }
        let form = files
            .find_map(|files| files.form(split.input))
            .ok_or_else(|| Error::bug("source.split", "the split is of another input"))?;
        Ok(match form {
            Form::Lines => {
                Export::Json(Box::new(JsonStream::lines(&host, projection(), split, checkpoint, limit)?))
            }
            Form::Array => {
                Export::Json(Box::new(JsonStream::array(&host, projection(), split, checkpoint, limit)?))
            }
            Form::Table { header, paths, escape } => {
                let cell = |name: &str| paths.iter().position(|path| path == name);
                let columns = self
                    .wanted
                    .iter()
                    .map(|w| TableColumn { cell: cell(&w.name), wanted: w.clone() })
                    .collect();
                let stream = TableStream::open(&host, header, columns, *escape, split, checkpoint, limit)?;
                Export::Table(Box::new(stream))
            }
        })
    }
}

impl Users {
    /// Keys of JSON records that stand for attributes.
    fn renames(&self) -> Vec<Rename> {
        let said = self.options.headings.iter();
        let said = said.map(|(path, key)| Rename { path: path.clone(), key: key.clone(), wins: true });
        let known = HEADINGS.iter();
        let known = known.map(|(key, path, _)| Rename {
            path: (*path).to_owned(),
            key: (*key).to_owned(),
            wins: false,
        });
        said.chain(known).collect()
    }

    fn files(&mut self) -> Result<&Files, Error> {
        if self.files.is_none() {
            let spec = self.options.input.as_deref().unwrap_or_default();
            self.files = Some(Files::open(&self.host, spec, &self.options)?);
        }
        self.files.as_ref().ok_or_else(|| Error::bug("source.files", "the files were not opened"))
    }

    fn exporter(&mut self, tenant: &Tenant) -> Result<&mut Exporter, Error> {
        if self.exporter.is_none() {
            self.exporter = Some(Exporter::new(&self.host, tenant)?);
        }
        self.exporter.as_mut().ok_or_else(|| Error::bug("source.files", "nobody asks the tenant"))
    }

    /// The file of an order; of an earlier one, if that has all that is wanted now.
    fn export(&mut self, order: Order, tenant: &Tenant) -> Result<&Files, Error> {
        let held = self.exports.iter().position(|(held, _)| held.covers(&order));
        let place = match held {
            Some(place) => place,
            None => {
                let file = self.exporter(tenant)?.fetch(&order)?;
                let files = Files::of_export(&self.host, file, tenant.format, &self.options)?;
                self.exports.push((order, files));
                self.exports.len() - 1
            }
        };
        let found = self.exports.get(place).map(|(_, files)| files);
        found.ok_or_else(|| Error::bug("source.files", "the export was not kept"))
    }

    /// Asks the tenant for a token, where the host lets us: credentials that are wrong are found before anything is read.
    fn preflight(&mut self) -> Result<Vec<Problem>, Error> {
        let Some(tenant) = self.options.tenant.clone() else { return Ok(Vec::new()) };
        let scope = match self.exporter(&tenant).and_then(Exporter::scope) {
            Ok(scope) => scope,
            Err(error) if matches!(error.code.as_str(), "service.absent" | "http.dry-run") => None,
            Err(error) => {
                let lasting = [ErrorClass::AUTH, ErrorClass::PERMANENT, ErrorClass::CONFIG, ErrorClass::DATA];
                if !lasting.contains(&error.class) {
                    return Err(error);
                }
                return Ok(vec![problem("/tenant", error.code.to_string(), error.to_string())]);
            }
        };
        let Some(scope) = scope else { return Ok(Vec::new()) };
        let mut problems = Vec::new();
        if !scope.split_whitespace().any(|s| s == "read:users") {
            let message = format!(
                "the application has not the scope `read:users`, without which no export can be ordered, but `{scope}`; \
                 grant it in the Dashboard"
            );
            problems.push(problem("/tenant/client_id", "export.scope", message));
        }
        if reads_tokens(&scope) {
            let message = format!(
                "the application has the scope `{TOKENS_SCOPE}`, which nothing here needs, and with which `identities` as a \
                 whole cannot be ordered; take it away in the Dashboard"
            );
            problems.push(warning("/tenant/client_id", "export.tokens", message));
        }
        Ok(problems)
    }
}

/// What files hold: a header says all there is, a JSON record may have any key.
fn catalog_of_files(files: &Files, named: Vec<String>) -> Catalog {
    let open = files.open_profile();
    let mut paths: Vec<String> = Vec::new();
    for form in &files.forms {
        if let Form::Table { paths: headings, .. } = form {
            paths.extend(headings.iter().filter(|path| refused(path).is_none()).cloned());
        }
    }
    if open {
        paths.extend(STANDARD.iter().map(|row| row.path.to_owned()));
        paths.extend(named);
    }
    let mut attributes: Vec<Attribute> = Vec::with_capacity(paths.len());
    for path in paths {
        if !attributes.iter().any(|a| a.path == path) {
            attributes.push(attribute(&path));
        }
    }
    Catalog { attributes, open, notes: files.notes.clone() }
}

/// What can be ordered: what is documented, and any other path.
fn catalog_of_tenant(tenant: &Tenant) -> Catalog {
    let can_be = |path: &&str| tenant.format == ExportFormat::Json || !NOT_IN_CSV.contains(path);
    let paths = STANDARD.iter().map(|row| row.path).filter(can_be);
    Catalog { attributes: paths.map(attribute).collect(), open: true, notes: Vec::new() }
}

/// The columns that tables do not have.
fn absent(files: &Files, columns: &[String]) -> Vec<Problem> {
    let catalog = catalog_of_files(files, Vec::new());
    let known: Vec<&str> = catalog.attributes.iter().map(|a| a.path.as_str()).collect();
    let unknown = columns
        .iter()
        .filter(|path| !catalog.open && refused(path).is_none() && !known.contains(&path.as_str()));
    let unknown = unknown.map(|path| {
        let near = nearest(path, known.iter().copied());
        problem("", "attribute.unknown", format!("the export has no column `{path}`{near}"))
    });
    unknown.collect()
}

/// What is known of an attribute; of most, nothing.
fn attribute(path: &str) -> Attribute {
    match standard(path) {
        Some(row) => Attribute {
            path: path.to_owned(),
            kind: row.kind,
            claim: row.claim.map(str::to_owned),
            summary: format!("{} [{}]", row.summary, row.source).trim_start().to_owned(),
        },
        None => Attribute { path: path.to_owned(), kind: ValueKind::Any, ..Attribute::default() },
    }
}

/// The rows of a split.
#[derive(Debug)]
pub(crate) enum Export {
    Json(Box<JsonStream>),
    Table(Box<TableStream>),
}

impl Stream for Export {
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error> {
        match self {
            Self::Json(stream) => stream.next(report),
            Self::Table(stream) => stream.next(report),
        }
    }
}
