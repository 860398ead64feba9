//! `usher runs confirm`

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use clap::Args;
use usher_abi::{Error, nearest};

use crate::{
    cli::{
        Global,
        session::{code, print_json},
    },
    manifest::Manifest,
    report::{self, print, tell},
    runs::keys_in_table,
    services::{Key, Secret, Synced},
};

/// What `usher runs confirm` takes.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The run, by its id
    run: String,
    /// The connector; all of the run's when none is named
    connector: Option<String>,
    /// A table (CSV) of the rows that the vendor did not take: they go out again
    #[arg(long, value_name = "FILE", requires = "connector")]
    errors: Option<PathBuf>,
    /// The heading in that table below which people's keys stand (what the manifest's `unique` is for the others)
    #[arg(long, value_name = "HEADING", requires = "errors")]
    key: Option<String>,
}

impl Confirm {
    pub(super) fn execute(self, global: &Global, manifest: &Manifest) -> Result<u8, Error> {
        let store = Synced::new(&manifest.state);
        let waiting = store.waiting()?;
        let of_run = || waiting.iter().filter(|waiting| waiting.run == self.run);
        let connector = self.connector.as_deref();
        let Some(found) = of_run().find(|w| connector.is_none_or(|connector| connector == w.connector))
        else {
            let what = match connector {
                Some(connector) if of_run().next().is_some() => {
                    let near = nearest(connector, of_run().map(|waiting| waiting.connector.as_str()));
                    format!("of run `{}` nothing of `{connector}` waits to be confirmed{near}", self.run)
                }
                _ => {
                    let near = nearest(&self.run, waiting.iter().map(|waiting| waiting.run.as_str()));
                    format!("nothing of a run `{}` waits to be confirmed{near}", self.run)
                }
            };
            return Err(Error::config("run.nothing-waits", what));
        };
        let mut not_taken = HashSet::new();
        let mut listed = 0;
        if let (Some(errors), Some(connector)) = (&self.errors, connector) {
            not_taken = self.not_taken(manifest, &found.chain, connector, errors)?;
            listed = not_taken.len() as u64;
            let known = store.known_of(&found.chain, &self.run, connector, &not_taken)?;
            if listed > 0 && known == 0 {
                let message = format!(
                    "`{}`: none of its {listed} people is among the rows of run {}, so nothing was confirmed: name the heading below \
                     which their keys stand (`--key`)",
                    errors.display(),
                    self.run
                );
                return Err(Error::config("run.table", message));
            }
        }
        let confirmed = store.confirm(&found.chain, &self.run, connector, &not_taken)?;
        let known: u64 = confirmed.iter().map(|confirmed| confirmed.not_taken).sum();
        if known < listed {
            let (path, strangers) = (self.errors.unwrap_or_default(), listed - known);
            tell!(
                warning,
                "{strangers} people of `{}` were not among the rows of run {}",
                path.display(),
                self.run
            );
        }
        if global.json {
            print_json(&confirmed);
        } else {
            confirmed.iter().for_each(|one| print(&report::confirmed(&found.chain, &self.run, one)));
        }
        Ok(code::DONE)
    }

    /// The people whose rows the vendor did not take.
    fn not_taken(
        &self,
        manifest: &Manifest,
        chain: &str,
        connector: &str,
        errors: &Path,
    ) -> Result<HashSet<Key>, Error> {
        let secret = Secret::load(&manifest.state)?.ok_or_else(|| {
            let message =
                format!("there is no secret in `{}`, so nobody can be known", manifest.state.display());
            Error::permanent("state.secret", message)
        })?;
        let of_connector = manifest.connector(connector).and_then(|connector| connector.unique.as_ref());
        let of_chain = || manifest.chain(chain).ok().and_then(|chain| chain.unique.as_ref());
        let key = of_connector.or_else(of_chain).map(|unique| unique.key.as_str());
        let texts = keys_in_table(errors, self.key.as_deref(), key)?;
        Ok(texts.iter().map(|text| secret.key(text)).collect())
    }
}
