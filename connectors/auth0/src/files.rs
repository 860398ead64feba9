//! The files of an export, each looked at once.

use std::collections::BTreeMap;

use usher_sdk::{
    Host,
    abi::{Error, service::InputFile},
    source::{Header, Inputs, Shape, absent, clean, pointer, refuse},
};

use crate::{
    columns::{HEADINGS, refused},
    escape::Evidence,
    options::{Escape, Format, Options},
    tenant::ExportFormat,
};

/// The files and what was found in them.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) inputs: Inputs,
    /// One an input.
    pub(crate) forms: Vec<Form>,
    /// Remarks for the run's report.
    pub(crate) notes: Vec<String>,
}

/// How a file is to be read.
#[derive(Debug)]
pub(crate) enum Form {
    Lines,
    Array,
    Table {
        header: Header,
        /// The attribute under each heading.
        paths: Vec<String>,
        /// Whether texts have a `'` to be taken off.
        escape: bool,
    },
}

impl Files {
    /// The files behind the option `input`.
    pub(crate) fn open(host: &Host, spec: &str, options: &Options) -> Result<Self, Error> {
        let files = Self::look_at(Inputs::open(host, spec)?, options.format, options)?;
        files.check_headings(&options.headings)?;
        Ok(files)
    }

    /// The file of an export that was ordered in this format. What is something else (a page of a proxy) is told as a
    /// whole, not record by record.
    pub(crate) fn of_export(
        host: &Host,
        file: InputFile,
        format: ExportFormat,
        options: &Options,
    ) -> Result<Self, Error> {
        let inputs = Inputs::of(host, vec![file])?;
        for file in inputs.files() {
            let right = match (format, inputs.shape(file)?) {
                (_, Shape::Empty) => true,
                (ExportFormat::Json, shape) => shape != Shape::Delimited,
                (ExportFormat::Csv, shape) => shape == Shape::Delimited,
            };
            if !right {
                let message =
                    format!("`{}` is not the {} that was ordered; run again", file.name, format.name());
                return Err(Error::data("export.file", message));
            }
        }
        Self::look_at(inputs, Format::Auto, options)
    }

    fn look_at(inputs: Inputs, format: Format, options: &Options) -> Result<Self, Error> {
        let (mut forms, mut notes) = (Vec::new(), Vec::new());
        for file in inputs.files() {
            let shape = inputs.shape(file)?;
            if shape == Shape::Empty {
                notes.push(format!("`{}` is empty", file.name));
            }
            forms.push(match (format, shape) {
                (Format::Ndjson, _) | (Format::Auto, Shape::Empty | Shape::Lines) => Form::Lines,
                // A broken record, which may be the first of those that a retry reads.
                (Format::Auto, Shape::Delimited) if is_named_json(&file.name) => Form::Lines,
                (Format::Json, _) | (Format::Auto, Shape::Array) => Form::Array,
                (Format::Csv, _) | (Format::Auto, Shape::Delimited) => {
                    table(&inputs, file, options, &mut notes)?
                }
            });
        }
        Ok(Self { inputs, forms, notes })
    }

    /// How an input is to be read, if it is one of these files.
    pub(crate) fn form(&self, input: u32) -> Option<&Form> {
        let index = self.inputs.files().iter().position(|f| f.id == input)?;
        self.forms.get(index)
    }

    /// Whether records may hold attributes that nobody can list beforehand.
    pub(crate) fn open_profile(&self) -> bool {
        self.forms.is_empty() || self.forms.iter().any(|f| !matches!(f, Form::Table { .. }))
    }

    /// Headings that the options name must be there; a JSON record may have any key, so there nobody knows.
    fn check_headings(&self, headings: &BTreeMap<String, String>) -> Result<(), Error> {
        if self.open_profile() {
            return Ok(());
        }
        let tables = self
            .forms
            .iter()
            .filter_map(|f| if let Form::Table { header, .. } = f { Some(header) } else { None });
        let all: Vec<&str> = tables.flat_map(|h| h.headings.iter().map(String::as_str)).collect();
        let problems = headings.iter().filter(|(_, heading)| !all.contains(&clean(heading)));
        let problems: Vec<_> =
            problems.map(|(path, h)| absent(pointer(&["headings", path]), h, &all)).collect();
        refuse(&problems)
    }
}

fn table(
    inputs: &Inputs,
    file: &InputFile,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Form, Error> {
    let limit = options.limit();
    let Some(header) = Header::read(inputs.service(), file, options.delimiter, b'"', limit)? else {
        return Ok(Form::Lines);
    };
    let paths = paths(&header.headings, &options.headings)
        .map_err(|what| Error::config("heading.taken", format!("`{}`: {what}", file.name)))?;
    let never = paths.iter().filter_map(|path| Some((path, refused(path)?)));
    notes.extend(never.map(|(path, why)| format!("`{path}` of {} is left out: {why}", file.name)));
    let escape = match options.escape {
        Escape::On => true,
        Escape::Off => false,
        Escape::Auto => {
            let (escape, note) = Evidence::read(inputs, file, &header, &paths, limit)?.decide(&file.name)?;
            notes.push(note);
            escape
        }
    };
    Ok(Form::Table { header, paths, escape })
}

/// The attribute under each heading: the one that the options say; else the one that Auth0's tools mean by it, unless
/// another column is that attribute; else the heading itself.
fn paths(headings: &[String], said: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let by_option =
        |heading: &str| said.iter().find(|(_, h)| clean(h) == heading).map(|(path, _)| path.as_str());
    let mut taken: Vec<&str> = headings.iter().filter_map(|h| by_option(h)).collect();
    let plain: Vec<&str> = headings.iter().filter(|h| by_option(h).is_none()).map(String::as_str).collect();
    if let Some(twice) = plain.iter().find(|h| taken.contains(h)) {
        return Err(format!(
            "the option `headings` reads `{twice}` from another column, but there is a heading `{twice}` too; name an \
             attribute for it, as in headings = {{ old_{twice} = \"{twice}\" }}"
        ));
    }
    taken.extend(&plain);
    let mut paths = Vec::with_capacity(headings.len());
    for heading in headings {
        let known = HEADINGS.iter().find(|(h, ..)| h == heading).map(|(_, path, _)| *path);
        paths.push(match (by_option(heading), known.filter(|path| !taken.contains(path))) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => {
                taken.push(path);
                path.to_owned()
            }
            (None, None) => heading.clone(),
        });
    }
    Ok(paths)
}

/// Whether a file says of itself that it is JSON.
fn is_named_json(name: &str) -> bool {
    let name = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name);
    [".json", ".jsonl", ".ndjson"].iter().any(|extension| name.ends_with(extension))
}

#[cfg(test)]
mod tests {
    use super::paths;

    fn resolve(headings: &[&str], said: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let headings: Vec<String> = headings.iter().map(|h| (*h).to_owned()).collect();
        paths(&headings, &said.iter().map(|(p, h)| ((*p).to_owned(), (*h).to_owned())).collect())
    }

    #[test]
    fn options_win_then_plain_paths_then_known_headings() {
        let got = resolve(&["Id", "Adresse courriel", "Email", "provider"], &[("email", "Adresse courriel")]);
        assert_eq!(got.unwrap(), ["user_id", "email", "Email", "provider"]);
        assert_eq!(
            resolve(&["email", "Email", "Email Address"], &[]).unwrap(),
            ["email", "Email", "Email Address"]
        );
        assert_eq!(resolve(&["Email", "Email Address"], &[]).unwrap(), ["email", "Email Address"]);
        assert!(resolve(&["email", "Mail"], &[("email", "Mail")]).unwrap_err().contains("old_email"));
        let swapped = resolve(&["email", "Mail"], &[("email", "Mail"), ("old_email", "email")]);
        assert_eq!(swapped.unwrap(), ["old_email", "email"]);
    }
}
