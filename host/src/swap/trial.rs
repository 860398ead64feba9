//! One connector of a chain with the data at hand: planned, and nothing sent or published.

use std::sync::Arc;

use serde::Serialize;

use crate::{
    chain::{self, ConnectorOutcome, Engine, Failure, Mode, Progress},
    manifest::Chain,
};

/// What became of the records of a chain, before and after.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// Before.
    pub old: Tried,
    /// After; nothing where the changed manifest is not in order.
    pub new: Option<Tried>,
}

/// What became of them on one side.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// The books.
    Planned {
        /// Records read.
        read: u64,
        /// What the connector did.
        connector: Box<ConnectorOutcome>,
        /// Why a run would be kept back.
        refused: Vec<String>,
    },
    /// Why there are none.
    NotTried(String),
}

impl Tried {
    /// Takes out all that may quote what stands in a record.
    pub fn mask(&mut self) {
        if let Self::Planned { connector, .. } = self {
            connector.mask();
        }
    }
}

/// Plans a chain for one of its connectors alone, as if it had no other.
///
/// # Errors
///
/// A manifest that is not in order, and somebody's wish to stop. Data that is not there is [`Tried::NotTried`].
pub fn tried(
    engine: &mut Engine,
    chain: &str,
    connector: &str,
    progress: &Arc<Progress>,
) -> Result<Tried, Failure> {
    let of = engine.manifest.chain(chain)?.clone();
    if let Some(source) = standard_input(engine, &of) {
        return Ok(Tried::NotTried(format!(
            "`{source}` reads standard input, which can be read only once; give it a file with `--set \
             connectors.{source}.options.input=FILE`"
        )));
    }
    let alone = |engine: &mut Engine, to: Vec<String>| {
        if let Some(chain) = engine.manifest.chains.iter_mut().find(|other| other.name == of.name) {
            chain.to = to;
        }
    };
    alone(engine, vec![connector.to_owned()]);
    let planned = chain::run(engine, chain, Mode::Plan, progress);
    alone(engine, of.to.clone());
    match planned {
        Ok(outcome) => {
            let Some(connector) = outcome.connectors.into_iter().next() else {
                return Ok(Tried::NotTried("no rows were planned for it".to_owned()));
            };
            Ok(Tried::Planned {
                read: outcome.read,
                connector: Box::new(connector),
                refused: outcome.refused,
            })
        }
        Err(Failure::Run(error)) => Ok(Tried::NotTried(engine.manifest.redact(&error.to_string()))),
        Err(failure) => Err(failure),
    }
}

/// The source of a chain that reads standard input.
fn standard_input(engine: &Engine, chain: &Chain) -> Option<String> {
    let sources = [Some(&chain.from), chain.exclude.as_ref().map(|exclude| &exclude.from)];
    let reads = |name: &&String| {
        let options = engine.manifest.connector(name).and_then(|connector| connector.options.as_object());
        options.is_some_and(|options| options.values().any(|value| value == "-"))
    };
    sources.into_iter().flatten().find(reads).cloned()
}
