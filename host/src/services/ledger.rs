//! `usher.ledger/1`: units sent in unfinished runs, in the table `ledger` (see `database.rs`).

use std::sync::Arc;

use rusqlite::OptionalExtension;
use usher_abi::{Error, service::LedgerService};

use super::database::Database;

/// The notes of one connector in one chain of one run. A run that is not a resumed one has a new id and so finds
/// nothing.
#[derive(Clone, Debug)]
pub struct Ledger {
    database: Arc<Database>,
    run: String,
    chain: String,
    connector: String,
}

/// A run that has sent units and was never finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// Its id.
    pub run: String,
    /// The chain.
    pub chain: String,
    /// Units noted.
    pub units: u64,
    /// When the first of them was noted: seconds since the Unix epoch.
    pub since: u64,
}

impl Ledger {
    pub(super) fn new(database: Arc<Database>, run: &str, chain: &str, connector: &str) -> Self {
        Self { database, run: run.to_owned(), chain: chain.to_owned(), connector: connector.to_owned() }
    }

    /// Forgets the units of a run: it is finished, nothing of it is to be resumed.
    pub fn finish_run(database: &Database, run: &str) -> Result<(), Error> {
        database.read(|connection| connection.execute("DELETE FROM ledger WHERE run = ?1", [run]))?;
        Ok(())
    }

    /// The runs that could be resumed, oldest first.
    pub fn unfinished(database: &Database) -> Result<Vec<UnfinishedRun>, Error> {
        let runs = database.read(|connection| {
            connection
                .prepare(
                    "SELECT run, chain, count(*), min(noted_at) FROM ledger \
                     GROUP BY run, chain ORDER BY min(noted_at), run, chain",
                )?
                .query_map([], |row| {
                    let (units, since): (i64, i64) = (row.get(2)?, row.get(3)?);
                    let (units, since) = (units.unsigned_abs(), since.unsigned_abs());
                    Ok(UnfinishedRun { run: row.get(0)?, chain: row.get(1)?, units, since })
                })?
                .collect()
        })?;
        Ok(runs.unwrap_or_default())
    }
}

impl LedgerService for Ledger {
    fn find(&self, account: &str, unit: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let outcome = self.database.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT outcome FROM ledger \
                     WHERE run = ?1 AND chain = ?2 AND connector = ?3 AND account = ?4 AND unit = ?5",
                )?
                .query_row((&self.run, &self.chain, &self.connector, account, unit), |row| row.get(0))
                .optional()
        })?;
        Ok(outcome.flatten())
    }

    fn note(&self, account: &str, unit: &[u8], outcome: &[u8]) -> Result<(), Error> {
        self.database.write(|connection| {
            connection
                .prepare_cached(
                    "INSERT INTO ledger (run, chain, connector, account, unit, outcome) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET outcome = excluded.outcome",
                )?
                .execute((&self.run, &self.chain, &self.connector, account, unit, outcome))?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_the_same_run_only() {
        let folder = tempfile::tempdir().unwrap();
        Database::new(folder.path()).ledger("r1", "onboard", "cohort").note("acme", b"u1", b"job 7").unwrap();

        let database = Database::new(folder.path());
        let find = |run, chain, connector, account| {
            database.ledger(run, chain, connector).find(account, b"u1").unwrap()
        };
        assert_eq!(find("r1", "onboard", "cohort", "acme").as_deref(), Some(&b"job 7"[..]));
        assert_eq!(find("r2", "onboard", "cohort", "acme"), None);
        assert_eq!(find("r1", "other", "cohort", "acme"), None);
        assert_eq!(find("r1", "onboard", "zendesk", "acme"), None);
        assert_eq!(find("r1", "onboard", "cohort", "other"), None);
        assert_eq!(database.ledger("r1", "onboard", "cohort").find("acme", b"u2").unwrap(), None);
    }

    #[test]
    fn a_later_note_replaces_the_earlier() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Database::new(folder.path()).ledger("r1", "c", "s");
        ledger.note("a", b"u", b"sent").unwrap();
        ledger.note("a", b"u", b"done").unwrap();
        assert_eq!(ledger.find("a", b"u").unwrap().as_deref(), Some(&b"done"[..]));
    }

    #[test]
    fn a_finished_run_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        assert_eq!(Ledger::unfinished(&database).unwrap(), []);
        for (run, unit) in [("r1", b"a"), ("r1", b"b"), ("r2", b"a")] {
            database.ledger(run, "c", "s").note("x", unit, b"").unwrap();
        }
        let listed = |database: &Database| -> Vec<_> {
            Ledger::unfinished(database).unwrap().into_iter().map(|r| (r.run, r.units)).collect()
        };
        assert_eq!(listed(&database), [("r1".to_owned(), 2), ("r2".to_owned(), 1)]);
        Ledger::finish_run(&database, "r1").unwrap();
        assert_eq!(listed(&database), [("r2".to_owned(), 1)]);
        assert_eq!(database.ledger("r1", "c", "s").find("x", b"a").unwrap(), None);
    }
}
