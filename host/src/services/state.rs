//! `usher.state/1`: the durable values of one connector, in the table `state` (see `database.rs`).

use std::sync::Arc;

use rusqlite::OptionalExtension;
use usher_abi::{Error, service::StateService};

use super::database::Database;

/// The values of one connector; others cannot see them.
#[derive(Clone, Debug)]
pub struct State {
    database: Arc<Database>,
    connector: String,
}

impl State {
    pub(super) fn new(database: Arc<Database>, connector: &str) -> Self {
        Self { database, connector: connector.to_owned() }
    }
}

impl StateService for State {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let value = self.database.read(|connection| {
            connection
                .prepare_cached("SELECT value FROM state WHERE connector = ?1 AND key = ?2")?
                .query_row([&self.connector, key], |row| row.get(0))
                .optional()
        })?;
        Ok(value.flatten())
    }

    fn put(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.database.write(|connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO state (connector, key, value) VALUES (?1, ?2, ?3)")?
                .execute((&self.connector, key, value))?;
            Ok(())
        })
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        // Through `read`: deleting from a file that does not exist must not create it.
        self.database.read(|connection| {
            connection
                .prepare_cached("DELETE FROM state WHERE connector = ?1 AND key = ?2")?
                .execute([&self.connector, key])?;
            Ok(())
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outlive_the_process_and_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        {
            let database = Database::new(folder.path());
            let (a, b) = (database.state("a"), database.state("b"));
            a.put("token", b"old").unwrap();
            a.put("token", b"new").unwrap();
            a.put("gone", b"x").unwrap();
            a.delete("gone").unwrap();
            a.delete("never there").unwrap();
            b.put("token", &[0, 255]).unwrap();
            b.put("empty", b"").unwrap();
        }
        let database = Database::new(folder.path());
        assert_eq!(database.state("a").get("token").unwrap().as_deref(), Some(&b"new"[..]));
        assert_eq!(database.state("a").get("gone").unwrap(), None);
        assert_eq!(database.state("b").get("token").unwrap().as_deref(), Some(&[0, 255][..]));
        assert_eq!(database.state("b").get("empty").unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(database.state("c").get("token").unwrap(), None);
    }

    #[test]
    fn a_value_is_on_disk_when_put_returns() {
        // Another connection sees it while the first is still open, and so would a process after a crash.
        let folder = tempfile::tempdir().unwrap();
        let first = Database::new(folder.path()).state("a");
        first.put("k", b"v").unwrap();
        assert_eq!(Database::new(folder.path()).state("a").get("k").unwrap().as_deref(), Some(&b"v"[..]));
        let copy = tempfile::tempdir().unwrap();
        for name in ["usher.db", "usher.db-wal"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        assert_eq!(Database::new(copy.path()).state("a").get("k").unwrap().as_deref(), Some(&b"v"[..]));
    }
}
