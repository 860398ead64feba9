//! The sources `users` and `events`.
//!
//! Cohort exports whatever the table of the admin shows, so a header is taken as it comes; which headings there are,
//! how dates are written and which delimiter is used are not documented (README).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Source,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Split, ValueKind},
    describe,
    source::{Declared, Delimiter, MAX_RECORD_BYTES, Profile, TableStream, Tables},
};

use crate::email;

/// Options of both sources.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The export: a path, a glob, or `-` for standard input; gzip and zstd are undone
    input: String,
    /// Between the cells: `auto` tells by the header, `tab`, or one character
    #[serde(default)]
    delimiter: Delimiter,
    /// Claim to the heading that provides it, where the usual headings do not do
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

fn max_record_bytes() -> u32 {
    MAX_RECORD_BYTES as u32
}

fn tables(options: Options, host: Host, usual: fn(&str) -> Option<&'static str>) -> Tables {
    let profile = Profile {
        input: options.input,
        delimiter: options.delimiter,
        quote: b'"',
        declared: Declared { claims: options.claims, kinds: options.kinds },
        usual,
        limit: options.max_record_bytes as usize,
    };
    Tables::new(profile, host)
}

/// The claim that a heading of a user export provides: the names that Cohort's own import box suggests, in any case. The
/// address is told by all headings together (`email.rs`).
fn user_claim(heading: &str) -> Option<&'static str> {
    match heading.to_lowercase().as_str() {
        "first name" => Some("given_name"),
        "last name" => Some("family_name"),
        _ => None,
    }
}

/// Nothing in an event but the address is about a person.
fn no_claim(_: &str) -> Option<&'static str> {
    None
}

/// Users.
#[derive(Debug)]
pub(crate) struct Users(Tables);

/// Events: one row for each thing that happened to a user.
#[derive(Debug)]
pub(crate) struct Events(Tables);

macro_rules! source {
    ($source:ident, $name:literal, $summary:literal, $usual:expr) => {
        impl Source for $source {
            type Options = Options;
            type Stream = TableStream;

            fn component() -> Component {
                Component { open: true, ..describe::source::<Options>($name, $summary) }
            }

            fn open(options: Options, host: Host) -> Result<Self, Error> {
                Ok(Self(tables(options, host, $usual)))
            }

            fn check(&mut self) -> Result<Vec<Problem>, Error> {
                Ok(self.0.check())
            }

            fn catalog(&mut self) -> Result<Catalog, Error> {
                let mut catalog = self.0.catalog()?;
                email::claim(&mut catalog);
                Ok(catalog)
            }

            fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error> {
                self.0.plan(request)
            }

            fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<TableStream, Error> {
                self.0.open_split(split, checkpoint)
            }
        }
    };
}

source!(Users, "users", "Users of a Cohort account, from the admin's CSV export", user_claim);
source!(Events, "events", "User events of a Cohort account, from the admin's CSV export", no_claim);

#[cfg(test)]
mod tests {
    use super::user_claim;

    #[test]
    fn usual_headings_provide_claims() {
        assert_eq!(user_claim("First Name"), Some("given_name"));
        assert_eq!(user_claim("Last name"), Some("family_name"));
        assert_eq!(user_claim("Email"), None);
    }
}
