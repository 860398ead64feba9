//! People in state and ledger: connectors put by what they like, so that any of it may name somebody.

use std::collections::BTreeMap;

use rusqlite::Connection;
use usher_abi::Error;

use super::database::Database;

/// Rows of a connector that name a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Notes of what an unfinished run has sent; else values that the connector has put by.
    pub noted: bool,
    /// The connector.
    pub connector: String,
    /// How many.
    pub rows: u64,
}

/// By table, what can be told of a row: its connector, its primary key as texts and blobs, what may name somebody.
const STATE: &str = "SELECT connector, key, value FROM state";
const LEDGER: &str = "SELECT connector, account, outcome, run, chain, unit FROM ledger";

impl Database {
    /// Removes every row that names a person, or only tells of them (`dry`). The file is written anew then, without any
    /// page that was free: what was deleted long ago is gone from it, too.
    pub fn forget(&self, names: impl Fn(&str) -> bool, dry: bool) -> Result<Vec<Held>, Error> {
        let named = |bytes: &[u8]| names(&String::from_utf8_lossy(bytes));
        let mut held: BTreeMap<(bool, String), u64> = BTreeMap::new();
        let found = self.read(|connection| {
            let (state, ledger) = (in_state(connection, named)?, in_ledger(connection, named)?);
            for (connector, _) in &state {
                *held.entry((false, connector.clone())).or_default() += 1;
            }
            for note in &ledger {
                *held.entry((true, note.0.clone())).or_default() += 1;
            }
            Ok((state, ledger))
        })?;
        let Some((state, ledger)) = found else { return Ok(Vec::new()) };
        if !dry {
            self.transact(|connection| {
                let mut delete = connection.prepare("DELETE FROM state WHERE connector = ?1 AND key = ?2")?;
                state.iter().try_for_each(|row| delete.execute((&row.0, &row.1)).map(drop))?;
                let mut delete = connection.prepare(
                    "DELETE FROM ledger WHERE connector = ?1 AND account = ?2 AND run = ?3 AND chain = ?4 AND unit = ?5",
                )?;
                ledger.iter().try_for_each(|(connector, account, run, chain, unit)| {
                    delete.execute((connector, account, run, chain, unit)).map(drop)
                })
            })?;
            self.scrub()?;
        }
        let told = held.into_iter().map(|((noted, connector), rows)| Held { noted, connector, rows });
        Ok(told.collect())
    }

    /// Writes the file anew, with nothing in it but its rows, and empties the log beside it.
    pub(super) fn scrub(&self) -> Result<(), Error> {
        let busy = self.write(|connection| {
            connection.execute_batch("VACUUM")?;
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        })?;
        match busy {
            0 => Ok(()),
            _ => Err(Error::transient(
                "state.busy",
                "another process reads the state, so that old pages of it cannot be overwritten; say it again when that has \
                 ended",
            )),
        }
    }
}

fn in_state(
    connection: &Connection,
    named: impl Fn(&[u8]) -> bool,
) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare(STATE)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (connector, key, value): (String, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if named(key.as_bytes()) || named(&value) {
            found.push((connector, key));
        }
    }
    Ok(found)
}

/// Connector, account, run, chain and unit.
type Note = (String, String, String, String, Vec<u8>);

fn in_ledger(connection: &Connection, named: impl Fn(&[u8]) -> bool) -> rusqlite::Result<Vec<Note>> {
    let mut statement = connection.prepare(LEDGER)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (connector, account, outcome): (String, String, Vec<u8>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if named(account.as_bytes()) || named(&outcome) {
            found.push((connector, account, row.get(3)?, row.get(4)?, row.get(5)?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use usher_abi::service::{LedgerService as _, StateService as _};

    use super::*;
    use crate::services::{Attempt, Gate, Sending};

    #[test]
    fn rows_that_name_somebody_go_and_no_byte_of_them_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        let state = database.state("crm");
        state.put("who", b"{\"last\":\"Ada@x.com\"}").unwrap();
        state.put("ada@x.com", b"7").unwrap();
        state.put("token", b"t").unwrap();
        // Deleted before anybody wanted it forgotten: its page is free, and still says it.
        state.put("old", "ada@x.com ".repeat(2000).as_bytes()).unwrap();
        state.delete("old").unwrap();
        let attempt = Attempt { chain: "c".into(), run: "r".into(), manifest: "m".into() };
        let ledger = database.ledger(&attempt, "crm", Gate::new(Sending::All));
        ledger.note("a", b"1", b"no such address: ada@x.com").unwrap();
        ledger.note("a", b"2", b"no such address: eve@x.com").unwrap();

        let names = |text: &str| text.to_lowercase().contains("ada@x.com");
        let told = [(false, 2), (true, 1)].map(|(noted, rows)| Held { noted, connector: "crm".into(), rows });
        assert_eq!(database.forget(names, true).unwrap(), told);
        assert_eq!(database.forget(names, false).unwrap(), told);
        assert_eq!(database.forget(names, false).unwrap(), []);
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap().to_ascii_lowercase();
            assert_eq!(memchr::memmem::find(&bytes, b"ada@"), None);
        }
        assert_eq!(state.get("token").unwrap().as_deref(), Some(&b"t"[..]));
        assert!(ledger.find("a", b"1").unwrap().is_none() && ledger.find("a", b"2").unwrap().is_some());
        assert!(Database::new(&folder.path().join("none")).forget(names, false).unwrap().is_empty());
    }
}
