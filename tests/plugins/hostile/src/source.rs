//! The source `rows`: it has none, and attacks instead.

use schemars::JsonSchema;
use serde::Deserialize;
use usher_sdk::{
    Host, Records, Source, Stream,
    abi::{Catalog, Component, Error, PlanRequest, Problem, Report, Split},
    describe,
};

use crate::{attack::attack, constructor::OUTCOME};

/// Options of the source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// What it does when it is asked for rows
    attack: String,
    /// What nobody but it should see
    #[serde(default)]
    #[schemars(extend("writeOnly" = true))]
    token: String,
}

/// An attack.
#[derive(Debug)]
pub(crate) struct Rows(Options);

impl Source for Rows {
    type Options = Options;
    type Stream = Attack;

    fn component() -> Component {
        Component { open: true, ..describe::source::<Options>("rows", "No rows at all") }
    }

    fn open(options: Options, _: Host) -> Result<Self, Error> {
        Ok(Self(options))
    }

    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    fn catalog(&mut self) -> Result<Catalog, Error> {
        Ok(Catalog { open: true, ..Catalog::default() })
    }

    fn plan(&mut self, _: &PlanRequest) -> Result<Vec<Split>, Error> {
        Ok(vec![Split::default()])
    }

    fn open_split(&mut self, _: &Split, _: &[u8]) -> Result<Attack, Error> {
        Ok(Attack(self.0.attack.clone(), self.0.token.clone()))
    }
}

/// What would read rows.
#[derive(Debug)]
pub(crate) struct Attack(String, String);

impl Stream for Attack {
    fn next(&mut self, _: &mut Report) -> Result<Option<Records>, Error> {
        let outcome = match (self.0.as_str(), OUTCOME.get()) {
            ("constructor", Some(outcome)) => outcome.clone(),
            ("constructor", None) => "nothing was attacked".to_owned(),
            ("tell", _) => format!("the token is {}", self.1),
            (name, _) => attack(name),
        };
        Err(Error::data("hostile.outcome", outcome))
    }
}
