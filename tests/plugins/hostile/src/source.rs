//! The source `rows`: it has none, and attacks instead.

use std::{thread, time::Duration};

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
pub(crate) struct Rows {
    options: Options,
    host: Host,
}

impl Source for Rows {
    type Options = Options;
    type Stream = Attack;

    fn component() -> Component {
        Component { open: true, ..describe::source::<Options>("rows", "No rows at all") }
    }

    fn open(options: Options, host: Host) -> Result<Self, Error> {
        Ok(Self { options, host })
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
        let Options { attack, token } = &self.options;
        Ok(Attack { name: attack.clone(), token: token.clone(), host: self.host.clone() })
    }
}

/// What would read rows.
#[derive(Debug)]
pub(crate) struct Attack {
    name: String,
    token: String,
    host: Host,
}

impl Stream for Attack {
    fn next(&mut self, _: &mut Report) -> Result<Option<Records>, Error> {
        let outcome = match (self.name.as_str(), OUTCOME.get()) {
            ("constructor", Some(outcome)) => outcome.clone(),
            ("constructor", None) => "nothing was attacked".to_owned(),
            ("tell", _) => format!("the token is {}", self.token),
            ("sleep", _) => {
                let clock = self.host.clock()?;
                thread::spawn(move || clock.sleep_ms(24 * 3_600_000));
                thread::sleep(Duration::from_millis(200));
                "a thread of its own sleeps".to_owned()
            }
            (name, _) => attack(name),
        };
        Err(Error::data("hostile.outcome", outcome))
    }
}
