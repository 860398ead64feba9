//! The options of the source `users`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{
    abi::Problem,
    options::problem,
    source::{Delimiter, MAX_CHARS, MAX_RECORD_BYTES, Path, clean, pointer},
};

use crate::{columns::refused, tenant::Tenant};

/// Options of `users`: either `input` or `tenant`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The export: a path, a glob, or `-` for standard input; gzip and zstd are undone
    #[serde(default)]
    pub(crate) input: Option<String>,
    /// Instead of `input`: the tenant whose users are exported when the chain runs
    #[serde(default)]
    pub(crate) tenant: Option<Tenant>,
    /// `auto` tells by the first byte: `{` is NDJSON, `[` a JSON array, anything else delimited text, unless the file is named as JSON
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

impl Options {
    pub(crate) fn limit(&self) -> usize {
        self.max_record_bytes as usize
    }

    /// What is wrong with them, by what can be told without asking anybody.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = self.check_headings();
        match (&self.input, &self.tenant) {
            (Some(_), None) => {}
            (None, None) => {
                let message = "say where the users come from: `input` (files) or `tenant` (an export that Usher orders)";
                problems.push(problem("/input", "option.missing", message));
            }
            (Some(_), Some(_)) => {
                let message = "`input` says where the users come from already; keep one of the two";
                problems.push(problem("/tenant", "option.invalid", message));
            }
            (None, Some(tenant)) => {
                problems.extend(tenant.check());
                if self.format != Format::Auto {
                    let message = "it is about files; what a tenant exports says `format` within `tenant`";
                    problems.push(problem("/format", "option.invalid", message));
                }
                if !self.headings.is_empty() {
                    let message =
                        "they are about files; an export that Usher orders has the attributes' own names";
                    problems.push(problem("/headings", "option.invalid", message));
                }
            }
        }
        problems
    }

    fn check_headings(&self) -> Vec<Problem> {
        let headings = &self.headings;
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
        problems
    }
}
