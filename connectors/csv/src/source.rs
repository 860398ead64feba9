//! The source `rows`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Source,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Split, ValueKind},
    describe,
    options::problem,
    source::{Declared, Delimiter, MAX_RECORD_BYTES, Profile, STANDARD_CLAIMS, TableStream, Tables},
};

/// Options of `rows`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The file: a path, a glob, or `-` for standard input; gzip and zstd are undone
    input: String,
    /// Between the cells: `auto` tells by the header, `tab`, or one character
    #[serde(default)]
    delimiter: Delimiter,
    /// Around cells that hold a delimiter, a line end or a quote
    #[serde(default = "quote")]
    #[schemars(length(min = 1, max = 1))]
    quote: String,
    /// Claim to the heading that provides it; headings that are a claim's name provide it by themselves
    #[serde(default)]
    claims: BTreeMap<String, String>,
    /// Heading to the kind of its cells, where they are not just any text
    #[serde(default)]
    kinds: BTreeMap<String, ValueKind>,
    /// Longer records are rejected
    #[serde(default = "max_record_bytes")]
    #[schemars(range(min = 1, max = 1_000_000_000))]
    max_record_bytes: u32,
}

fn quote() -> String {
    "\"".to_owned()
}

fn max_record_bytes() -> u32 {
    MAX_RECORD_BYTES as u32
}

/// A delimited file.
#[derive(Debug)]
pub(crate) struct Rows {
    quote: String,
    tables: Tables,
}

impl Source for Rows {
    type Options = Options;
    type Stream = TableStream;

    fn component() -> Component {
        Component {
            open: true,
            ..describe::source::<Options>("rows", "Rows of any delimited file, under its own headings")
        }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        let profile = Profile {
            input: options.input,
            delimiter: options.delimiter,
            quote: options.quote.bytes().next().unwrap_or(b'"'),
            declared: Declared { claims: options.claims, kinds: options.kinds },
            usual: |heading| STANDARD_CLAIMS.iter().copied().find(|claim| *claim == heading),
            limit: options.max_record_bytes as usize,
        };
        Ok(Self { quote: options.quote, tables: Tables::new(profile, host) })
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        let mut problems = self.tables.check();
        if self.quote.len() != 1 || self.quote.contains(['\r', '\n', ',']) {
            let message = format!("the quote `{}` is not one ASCII character", self.quote.escape_debug());
            problems.push(problem("/quote", "option.invalid", message));
        }
        Ok(problems)
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        self.tables.catalog()
    }

    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
        self.tables.plan(request)
    }

    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<TableStream, Error> {
        self.tables.open_split(split, checkpoint)
    }
}
