//! The source `users`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{
    Host, Records, Source,
    abi::{Attribute, Catalog, Component, Error, PlanRequest, Problem, Report, Split, ValueKind, nearest},
    describe,
    options::problem,
    source::{
        Delimiter, JsonStream, MAX_CHARS, MAX_RECORD_BYTES, Path, Projection, Rename, Stream, TableColumn,
        TableStream, Wanted, clean, pointer, refuse,
    },
};

use crate::{
    columns::{HEADINGS, STANDARD, TOKENS, refused, standard},
    files::{Files, Form},
};

/// Options of `users`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The export: a path, a glob, or `-` for standard input; gzip and zstd are undone
    pub(crate) input: String,
    /// `auto` tells by the first byte: `{` is NDJSON, `[` a JSON array, anything else delimited text
    #[serde(default)]
    pub(crate) format: Format,
    /// Whether texts in a CSV have the leading `'` of Auth0's exporter, which is taken off again; `auto` looks at every
    /// text of the file
    #[serde(default)]
    pub(crate) escape: Escape,
    /// Attribute path to the heading (CSV) or key (`export_as`) that stands for it in the file
    #[serde(default)]
    pub(crate) headings: BTreeMap<String, String>,
    /// Between the cells of a CSV: `auto` tells by the header, `tab`, or one character
    #[serde(default)]
    pub(crate) delimiter: Delimiter,
    /// Longer records are rejected
    #[serde(default = "max_record_bytes")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_record_bytes: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Format {
    #[default]
    Auto,
    Ndjson,
    Csv,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Escape {
    #[default]
    Auto,
    On,
    Off,
}

fn max_record_bytes() -> u32 {
    MAX_RECORD_BYTES as u32
}

/// A user export.
#[derive(Debug)]
pub(crate) struct Users {
    host: Host,
    options: Options,
    files: Option<Files>,
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
            ..describe::source::<Options>("users", "Users of an Auth0 tenant, from an export")
        }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { host, options, files: None, wanted: Vec::new() })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        let headings = &self.options.headings;
        let mut problems = Vec::new();
        for (path, heading) in headings {
            let at = || pointer(&["headings", path]);
            match path.parse::<Path>() {
                Err(error) => problems.push(problem(
                    at(),
                    "attribute.path",
                    format!("`{path}` is no attribute path: {error}"),
                )),
                Ok(parsed) if !parsed.fits() => {
                    let message =
                        format!("`{path}` is longer than the {MAX_CHARS} characters that Auth0 takes");
                    problems.push(problem(at(), "attribute.path", message));
                }
                Ok(_) => {}
            }
            problems.extend(
                refused(path)
                    .map(|why| problem(at(), "attribute.refused", format!("`{path}` is never read: {why}"))),
            );
            let first = headings.iter().find(|(_, h)| clean(h) == clean(heading)).map(|(p, _)| p);
            if let Some(first) = first.filter(|first| *first != path) {
                let message = format!("`{heading}` stands for `{first}` already; a heading is one attribute");
                problems.push(problem(at(), "heading.twice", message));
            }
        }
        Ok(problems)
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        let named: Vec<String> = self.options.headings.keys().cloned().collect();
        let files = self.files()?;
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
        Ok(Catalog { attributes, open, notes: files.notes.clone() })
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let catalog = self.catalog()?;
        let known: Vec<&str> = catalog.attributes.iter().map(|a| a.path.as_str()).collect();
        let mut problems = Vec::new();
        for path in &request.columns {
            if let Some(why) = refused(path) {
                problems.push(problem("", "attribute.refused", format!("`{path}` is never read: {why}")));
            } else if !catalog.open && !known.contains(&path.as_str()) {
                let near = nearest(path, known.iter().copied());
                problems.push(problem(
                    "",
                    "attribute.unknown",
                    format!("the export has no column `{path}`{near}"),
                ));
            }
        }
        refuse(&problems)?;
        self.wanted = request.columns.iter().map(|path| Wanted::new(path, attribute(path).kind)).collect();
        let files = self.files()?;
        Ok(files.inputs.splits(request.max_splits as usize, |f| matches!(files.form(f.id), Ok(Form::Lines))))
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Export, Error> {
        let (host, limit) = (self.host.clone(), self.options.limit());
        let projection = || Projection::new(&self.wanted, &self.renames()).hide("identities", TOKENS);
        let files =
            self.files.as_ref().ok_or_else(|| Error::bug("source.order", "`open_split` before `plan`"))?;
        Ok(match files.form(split.input)? {
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
                let stream = TableStream::open(&host, header, columns, *escape, checkpoint, limit)?;
                Export::Table(Box::new(stream))
            }
        })
    }
}

impl Options {
    pub(crate) fn limit(&self) -> usize {
        self.max_record_bytes as usize
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
            self.files = Some(Files::open(&self.host, &self.options)?);
        }
        self.files.as_ref().ok_or_else(|| Error::bug("source.files", "the files were not opened"))
    }
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
