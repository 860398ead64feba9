//! A source of delimited files, all but its options.

use usher_abi::{Catalog, Error, PlanRequest, Problem, Split, nearest};

use super::{
    builders::Wanted,
    declared::{Declared, refuse},
    header::{Delimiter, Header},
    inputs::Inputs,
    table::TableStream,
    table_rows::TableColumn,
};
use crate::{Host, options::problem};

/// What tells one such source from another.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The path, glob or `-`.
    pub input: String,
    /// Between cells.
    pub delimiter: Delimiter,
    /// Around cells.
    pub quote: u8,
    /// Claims and kinds that the options declare.
    pub declared: Declared,
    /// The claim that a heading provides by itself.
    pub usual: fn(&str) -> Option<&'static str>,
    /// Longest record in bytes.
    pub limit: usize,
}

/// Delimited files under one set of headings: those of all files, in the order in which they are met. A column that a
/// file does not have is null in its rows.
#[derive(Debug)]
pub struct Tables {
    host: Host,
    profile: Profile,
    files: Option<Files>,
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
struct Files {
    inputs: Inputs,
    headers: Vec<Header>,
    headings: Vec<String>,
    notes: Vec<String>,
}

impl Tables {
    /// Does no work yet.
    pub fn new(profile: Profile, host: Host) -> Self {
        Self { host, profile, files: None, wanted: Vec::new() }
    }

    /// What is wrong with the declarations.
    pub fn check(&self) -> Vec<Problem> {
        self.profile.declared.check()
    }

    /// The headings, with claims and kinds.
    pub fn catalog(&mut self) -> Result<Catalog, Error> {
        let files = self.files()?;
        let (headings, notes) = (files.headings.clone(), files.notes.clone());
        let names: Vec<&str> = headings.iter().map(String::as_str).collect();
        refuse(&self.profile.declared.absent(&names))?;
        let attributes = self.profile.declared.attributes(names, self.profile.usual);
        Ok(Catalog { attributes, open: false, notes })
    }

    /// Splits of the files.
    pub fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        let projection = &request.columns;
        let headings = &self.files()?.headings;
        let unknown = projection.iter().filter(|name| !headings.contains(name)).map(|name| {
            let near = nearest(name, headings.iter().map(String::as_str));
            problem("", "attribute.unknown", format!("the input has no column `{name}`{near}"))
        });
        refuse(&unknown.collect::<Vec<_>>())?;
        let declared = &self.profile.declared;
        self.wanted = projection.iter().map(|name| Wanted::new(name, declared.kind(name))).collect();
        Ok(self.files()?.inputs.splits(request.max_splits as usize, |_| true))
    }

    /// The rows of a split.
    pub fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<TableStream, Error> {
        let (host, limit, wanted) = (self.host.clone(), self.profile.limit, self.wanted.clone());
        let files = self.files()?;
        let file = files.inputs.file(split)?.id;
        let index = files.inputs.files().iter().position(|f| f.id == file).unwrap_or_default();
        let header = &files.headers[index];
        let columns =
            wanted.into_iter().map(|wanted| TableColumn { cell: header.find(&wanted.name), wanted });
        TableStream::open(&host, header, columns.collect(), false, split, checkpoint, limit)
    }

    /// The files, found and looked at once.
    fn files(&mut self) -> Result<&Files, Error> {
        if self.files.is_none() {
            self.files = Some(Files::open(&self.host, &self.profile)?);
        }
        self.files.as_ref().ok_or_else(|| Error::bug("source.files", "the files were not opened"))
    }
}

impl Files {
    fn open(host: &Host, profile: &Profile) -> Result<Self, Error> {
        let inputs = Inputs::open(host, &profile.input)?;
        let (mut headers, mut headings, mut notes) = (Vec::new(), Vec::<String>::new(), Vec::new());
        for file in inputs.files() {
            inputs.shape(file)?;
            let header =
                Header::read(inputs.service(), file, profile.delimiter, profile.quote, profile.limit)?;
            let header = header.unwrap_or_else(|| {
                notes.push(format!("`{}` is empty", file.name));
                Header::none(file)
            });
            for heading in &header.headings {
                if !headings.contains(heading) {
                    headings.push(heading.clone());
                }
            }
            headers.push(header);
        }
        Ok(Self { inputs, headers, headings, notes })
    }
}
