//! `usher.ledger/1`: units sent in unfinished runs, in the tables `ledger` and `unfinished` (see `database.rs`).

use std::sync::Arc;

use rusqlite::OptionalExtension;
use usher_abi::{Error, service::LedgerService};

use super::{
    database::Database,
    gate::{Gate, Sending},
};

/// A run, under the id of its first attempt: what a later attempt with the same manifest goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The chain.
    pub chain: String,
    /// The id of the run's first attempt.
    pub run: String,
    /// The manifest's digest.
    pub manifest: String,
}

impl Attempt {
    /// The run of a chain that has noted units and was never finished.
    pub fn unfinished(database: &Database, chain: &str) -> Result<Option<Self>, Error> {
        let found = database.read(|connection| {
            connection
                .query_row("SELECT run, manifest FROM unfinished WHERE chain = ?1", [chain], |row| {
                    Ok(Self { chain: chain.to_owned(), run: row.get(0)?, manifest: row.get(1)? })
                })
                .optional()
        })?;
        Ok(found.flatten())
    }

    /// Whether anybody but `sources` has noted a unit: something of it may have been sent.
    pub fn has_sent(&self, database: &Database, sources: &[&str]) -> Result<bool, Error> {
        let noted = database.read(|connection| {
            let mut rows =
                connection.prepare("SELECT DISTINCT connector FROM ledger WHERE run = ?1 AND chain = ?2")?;
            let names = rows.query_map((&self.run, &self.chain), |row| row.get::<_, String>(0))?;
            names.collect::<Result<Vec<String>, _>>()
        })?;
        Ok(noted.unwrap_or_default().iter().any(|name| !sources.contains(&name.as_str())))
    }

    /// Notes that something is about to be sent of what was read; answers what was read when the run began to send, if
    /// that was another attempt.
    pub fn begin_to_send(&self, database: &Database, inputs: &str) -> Result<Option<String>, Error> {
        let Self { chain, run, manifest } = self;
        let began = database.transact(|connection| {
            let earlier: Option<(String, String)> = connection
                .query_row("SELECT run, inputs FROM unfinished WHERE chain = ?1", [chain], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            if earlier.as_ref().is_some_and(|(of, _)| of != run) {
                return Ok(Err(()));
            }
            connection.execute(
                "INSERT INTO unfinished (chain, run, manifest, inputs) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET inputs = excluded.inputs",
                (chain, run, manifest, inputs),
            )?;
            Ok(Ok(earlier.map(|(_, inputs)| inputs).filter(|inputs| !inputs.is_empty())))
        })?;
        began.map_err(|()| {
            Error::transient("run.sending", "another run of this chain has sent meanwhile; run again")
        })
    }

    /// Forgets the run and its units: nothing of it is to be gone on with.
    pub fn finish(&self, database: &Database) -> Result<(), Error> {
        let known = database.read(|connection| {
            connection.query_row(
                "SELECT EXISTS (SELECT 1 FROM unfinished WHERE run = ?1 AND chain = ?2)",
                (&self.run, &self.chain),
                |row| row.get(0),
            )
        })?;
        if known != Some(true) {
            return Ok(());
        }
        database.transact(|connection| {
            let whose = (&self.run, &self.chain);
            connection.execute("DELETE FROM ledger WHERE run = ?1 AND chain = ?2", whose)?;
            connection.execute("DELETE FROM unfinished WHERE run = ?1 AND chain = ?2", whose)?;
            Ok(())
        })
    }
}

/// The notes of one connector in an attempt at a run. A run that does not go on with another finds nothing.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Arc<Database>,
    attempt: Attempt,
    connector: String,
    gate: Gate,
}

impl Ledger {
    pub(super) fn new(database: Arc<Database>, attempt: &Attempt, connector: &str, gate: Gate) -> Self {
        Self { database, attempt: attempt.clone(), connector: connector.to_owned(), gate }
    }

    /// Without the secret no note can be found: a run that goes on would send everything twice.
    fn noted_without_secret(&self) -> Result<(), Error> {
        let Attempt { chain, run, .. } = &self.attempt;
        let noted = self.database.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM ledger WHERE run = ?1 AND chain = ?2)";
            connection.query_row(sql, (run, chain), |row| row.get(0))
        })?;
        if noted != Some(true) {
            return Ok(());
        }
        let message = format!(
            "run {run} was left unfinished, and `secret.key`, without which its notes cannot be read, is gone from the state \
             folder; restore it from a backup, or send everything again with `usher run --anew`"
        );
        Err(Error::config("state.secret", message))
    }
}

impl LedgerService for Ledger {
    fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(secret) = self.database.known_secret()? else {
            return self.noted_without_secret().map(|()| None);
        };
        let unit = secret.unit(unit);
        let Attempt { chain, run, .. } = &self.attempt;
        let outcome = self.database.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT outcome FROM ledger \
                     WHERE run = ?1 AND chain = ?2 AND connector = ?3 AND account = ?4 AND unit = ?5",
                )?
                .query_row((run, chain, &self.connector, account, unit), |row| row.get(0))
                .optional()
        })?;
        Ok(outcome.flatten())
    }

    fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error> {
        // Nothing goes out, so there is nothing to note.
        if self.gate.get() != Sending::All {
            return Ok(());
        }
        let unit = self.database.secret()?.unit(unit);
        let Attempt { chain, run, manifest } = &self.attempt;
        self.database.transact(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO unfinished (chain, run, manifest) VALUES (?1, ?2, ?3) \
                     ON CONFLICT DO UPDATE SET run = excluded.run, manifest = excluded.manifest",
                )?
                .execute((chain, run, manifest))?;
            connection
                .prepare_cached(
                    "INSERT INTO ledger (run, chain, connector, account, unit, outcome) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
                )?
                .execute((run, chain, &self.connector, account, unit, outcome))?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(chain: &str, run: &str) -> Attempt {
        Attempt { chain: chain.to_owned(), run: run.to_owned(), manifest: "m".to_owned() }
    }

    fn ledger(database: &Arc<Database>, chain: &str, run: &str, connector: &str) -> Ledger {
        database.ledger(&attempt(chain, run), connector, Gate::new(Sending::All))
    }

    #[test]
    fn units_are_found_by_the_same_run_only() {
        let folder = tempfile::tempdir().unwrap();
        let first = Database::new(folder.path());
        ledger(&first, "onboard", "r1", "cohort").note("acme", b"u1", b"job 7").unwrap();

        let database = Database::new(folder.path());
        let find = |run, chain, connector, account| {
            ledger(&database, chain, run, connector).find(account, b"u1").unwrap()
        };
        assert_eq!(find("r1", "onboard", "cohort", "acme").as_deref(), Some(&b"job 7"[..]));
        assert_eq!(find("r2", "onboard", "cohort", "acme"), None);
        assert_eq!(find("r1", "other", "cohort", "acme"), None);
        assert_eq!(find("r1", "onboard", "zendesk", "acme"), None);
        assert_eq!(find("r1", "onboard", "cohort", "other"), None);
        assert_eq!(ledger(&database, "onboard", "r1", "cohort").find("acme", b"u2").unwrap(), None);
    }

    #[test]
    fn a_later_note_replaces_the_earlier() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger(&Database::new(folder.path()), "c", "r1", "s");
        ledger.note("a", b"u", b"sent").unwrap();
        ledger.note("a", b"u", b"done").unwrap();
        assert_eq!(ledger.find("a", b"u").unwrap().as_deref(), Some(&b"done"[..]));
    }

    #[test]
    fn what_was_sent_cannot_be_known_from_the_file_nor_found_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let unit = b"0123456789abcdef";
        ledger(&Database::new(folder.path()), "c", "r1", "s").note("a", unit, b"done").unwrap();
        let bytes = std::fs::read(folder.path().join("usher.db")).unwrap();
        assert_eq!(memchr::memmem::find(&bytes, unit), None);
        std::fs::remove_file(folder.path().join("secret.key")).unwrap();
        let database = Database::new(folder.path());
        let find = |run| ledger(&database, "c", run, "s").find("a", unit);
        assert_eq!(find("r1").unwrap_err().code, "state.secret");
        assert_eq!(find("r2").unwrap(), None);
    }

    #[test]
    fn nothing_is_noted_where_nothing_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let (database, gate) = (Database::new(&folder.path().join("state")), Gate::new(Sending::Held));
        let ledger = database.ledger(&attempt("c", "r"), "s", gate.clone());
        ledger.note("a", b"u", b"sent").unwrap();
        assert!(!folder.path().join("state").exists());
        gate.set(Sending::All);
        ledger.note("a", b"u", b"sent").unwrap();
        assert!(ledger.find("a", b"u").unwrap().is_some());
    }

    #[test]
    fn what_was_read_is_compared_by_the_next_attempt() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        let run = attempt("c", "r1");
        ledger(&database, "c", "r1", "users").note("tenant", b"export", b"job").unwrap();
        assert!(!run.has_sent(&database, &["users"]).unwrap());
        assert_eq!(run.begin_to_send(&database, "one").unwrap(), None);
        ledger(&database, "c", "r1", "crm").note("x", b"a", b"").unwrap();
        assert!(run.has_sent(&database, &["users"]).unwrap());
        assert_eq!(run.begin_to_send(&database, "two").unwrap().as_deref(), Some("one"));
        assert_eq!(Attempt::unfinished(&database, "c").unwrap(), Some(run));
    }

    #[test]
    fn a_finished_run_is_forgotten_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        assert_eq!(Attempt::unfinished(&database, "c").unwrap(), None);
        ledger(&database, "c", "r1", "s").note("x", b"a", b"").unwrap();
        ledger(&database, "d", "r1", "s").note("x", b"a", b"").unwrap();
        assert_eq!(Attempt::unfinished(&database, "c").unwrap(), Some(attempt("c", "r1")));
        attempt("c", "r2").finish(&database).unwrap();
        assert!(ledger(&database, "c", "r1", "s").find("x", b"a").unwrap().is_some());
        attempt("c", "r1").finish(&database).unwrap();
        assert_eq!(Attempt::unfinished(&database, "c").unwrap(), None);
        assert_eq!(ledger(&database, "c", "r1", "s").find("x", b"a").unwrap(), None);
        assert_eq!(Attempt::unfinished(&database, "d").unwrap(), Some(attempt("d", "r1")));
    }
}
