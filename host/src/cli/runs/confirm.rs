//! `usher runs confirm`

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;
use usher_abi::{Error, nearest};
use usher_keys::fold;

use crate::{
    cli::{
        Global,
        session::{code, print_json},
    },
    manifest::Manifest,
    report::{self, list, print, tell},
    runs::{self, keys_in_table},
    services::{Key, Secret, Synced, Waiting},
};

/// What `usher runs confirm` takes.
#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The run, by its id
    run: String,
    /// The connector; all of the run's when none is named
    connector: Option<String>,
    /// A table (CSV) of the rows that the vendor did not take: they go out again. Of a run with several connectors the
    /// connector must be named, too
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// The heading in that table below which people's keys stand (what the manifest's `unique` is for the others)
    #[arg(long, value_name = "HEADING", requires = "errors")]
    key: Option<String>,
}

impl Confirm {
    pub(super) fn execute(
        self,
        global: &Global,
        manifest: &Manifest,
        out: Option<PathBuf>,
    ) -> Result<u8, Error> {
        let store = Synced::new(&manifest.state);
        let waiting = store.waiting()?;
        let those = self.those(&waiting)?;
        let out = out.unwrap_or_else(|| manifest.out.clone());
        let mut told = Vec::new();
        for one in those {
            let mut not_taken = match &self.errors {
                Some(errors) => self.listed(manifest, &store, one, errors)?,
                None => HashSet::new(),
            };
            not_taken.extend(self.imported(manifest, &out, one)?);
            let confirmed = store.confirm(&one.chain, &self.run, Some(&one.connector), &not_taken)?;
            told.extend(confirmed.into_iter().map(|confirmed| (one, confirmed)));
        }
        if global.json {
            print_json(&told.iter().map(|(_, confirmed)| confirmed).collect::<Vec<_>>());
        } else {
            told.iter().for_each(|(of, one)| print(&report::confirmed(&of.chain, &self.run, one)));
        }
        Ok(code::DONE)
    }

    /// What is to be confirmed.
    fn those<'w>(&self, waiting: &'w [Waiting]) -> Result<Vec<&'w Waiting>, Error> {
        let of_run: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.run == self.run).collect();
        let connector = self.connector.as_deref();
        let wanted = |one: &&&Waiting| connector.is_none_or(|connector| connector == one.connector);
        let those: Vec<&Waiting> = of_run.iter().filter(wanted).copied().collect();
        let names = || of_run.iter().map(|waiting| waiting.connector.as_str());
        let what = match (connector, those.len()) {
            (_, 1) => return Ok(those),
            (_, 2..) if self.errors.is_none() => return Ok(those),
            (_, 2..) => {
                let (run, names) = (&self.run, list(names()));
                format!("of run `{run}` rows of {names} wait: name the connector whose list this is")
            }
            (Some(connector), 0) if !of_run.is_empty() => {
                let near = nearest(connector, names());
                format!("of run `{}` nothing of `{connector}` waits to be confirmed{near}", self.run)
            }
            (_, 0) => {
                let near = nearest(&self.run, waiting.iter().map(|waiting| waiting.run.as_str()));
                format!("nothing of a run `{}` waits to be confirmed{near}", self.run)
            }
        };
        Err(Error::config("run.nothing-waits", what))
    }

    /// The people whose rows the vendor did not take, by a table.
    fn listed(
        &self,
        manifest: &Manifest,
        store: &Synced,
        of: &Waiting,
        errors: &Path,
    ) -> Result<HashSet<Key>, Error> {
        let of_connector = manifest.connector(&of.connector).and_then(|connector| connector.unique.as_ref());
        let of_chain = || manifest.chain(&of.chain).ok().and_then(|chain| chain.unique.as_ref());
        let key = of_connector.or_else(of_chain).map(|unique| unique.key.as_str());
        let (texts, secret) = (keys_in_table(errors, self.key.as_deref(), key)?, secret_of(manifest)?);
        let people: HashSet<Key> = texts.iter().map(|text| secret.key(text)).collect();
        let listed = people.len() as u64;
        let known = store.known_of(&of.chain, &self.run, &of.connector, &people)?;
        if listed > 0 && known == 0 {
            let message = format!(
                "`{}`: none of its {listed} people is among the rows of run {}, so nothing was confirmed: name the heading below \
                 which their keys stand (`--key`)",
                errors.display(),
                self.run
            );
            return Err(Error::config("run.table", message));
        }
        if known < listed {
            let (path, strangers) = (errors.display(), listed - known);
            tell!(warning, "{strangers} people of `{path}` were not among the rows of run {}", self.run);
        }
        Ok(people)
    }

    /// The people whose rows the vendor did not take, by reports that were imported.
    fn imported(&self, manifest: &Manifest, out: &Path, of: &Waiting) -> Result<HashSet<Key>, Error> {
        let mut people = HashSet::new();
        let Ok(run) = runs::find(out, &self.run) else { return Ok(people) };
        let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
            Error::permanent("reported.unreadable", format!("`{}` cannot be read ({error})", path.display()))
        };
        let mut folded = String::new();
        for path in run.imported().map_err(|error| unreadable(&run.imported_folder(), &error))? {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            for line in text.lines() {
                let reject: Value = serde_json::from_str(line).map_err(|error| unreadable(&path, &error))?;
                if reject["connector"] != of.connector.as_str() {
                    continue;
                }
                match reject["key"].as_str() {
                    Some(key) => {
                        fold(key, &mut folded);
                        people.insert(secret_of(manifest)?.key(&folded));
                    }
                    None if self.errors.is_some() => {}
                    None => {
                        let message = format!(
                            "`{}` says what the vendor did not take, and not whose rows these are, which \
                             `record = \"masked\"` leaves out: name them with `--errors FILE`",
                            path.display()
                        );
                        return Err(Error::config("reported.masked", message));
                    }
                }
            }
        }
        Ok(people)
    }
}

fn secret_of(manifest: &Manifest) -> Result<Secret, Error> {
    Secret::load(&manifest.state)?.ok_or_else(|| {
        let message = format!("there is no secret in `{}`, so nobody can be known", manifest.state.display());
        Error::permanent("state.secret", message)
    })
}
