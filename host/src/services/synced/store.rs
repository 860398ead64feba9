//! `synced.db`: of each person that a sink was given, a hash of the row that went out, and whether the vendor has it.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, OptionalExtension, Row};
use usher_abi::Error;

use super::secret::Key;
use crate::services::database::{Database, Layout};

const SYNCED: Layout = Layout {
    file: "synced.db",
    steps: &[TABLES],
    lost: "every row counts as new then, and goes out once more",
};

const TABLES: &str = "
CREATE TABLE sync (
  id        INTEGER PRIMARY KEY,
  chain     TEXT NOT NULL,               -- name of the chain
  connector TEXT NOT NULL,               -- name of the connector that is given only what has changed
  mapping   TEXT NOT NULL,               -- digest of its plugin, options and mapping when it was last given something
  account   TEXT NOT NULL DEFAULT '',    -- the vendor's account, if the connector sends
  UNIQUE (chain, connector)
);
CREATE TABLE delivery (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,  -- later ones are larger
  sync      INTEGER NOT NULL,
  run       TEXT NOT NULL,                -- run id
  published INTEGER NOT NULL DEFAULT 0,   -- whether anybody can have seen its files
  waiting   INTEGER NOT NULL DEFAULT 0,   -- rows of which nobody has said yet that the vendor has them
  gone      INTEGER NOT NULL DEFAULT 0,   -- people that were listed as withdrawn or missing
  at        INTEGER NOT NULL DEFAULT (unixepoch()),  -- seconds, UTC
  UNIQUE (sync, run)
);
CREATE TABLE row (
  sync      INTEGER NOT NULL,
  key       BLOB NOT NULL,      -- keyed hash of the person's key; the secret is in synced.key
  delivery  INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,   -- whether the vendor has it
  hash      INTEGER,            -- of the row as it went out; null: listed as withdrawn or missing
  who       BLOB,               -- the person's key, sealed; only where missing people are to be listed
  PRIMARY KEY (sync, key, delivery)
) WITHOUT ROWID;
";

/// So many deliveries of a connector may wait to be confirmed; older ones are given up, and their rows go out again.
const MOST_WAITING: i64 = 3;

/// The database. One for each thread that uses it: each is a connection of its own.
#[derive(Debug)]
pub struct Synced {
    pub(super) database: Database,
}

/// A connector of a chain that was given something before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Names it in the other calls.
    pub sync: i64,
    /// Digest of its plugin, options and mapping, then.
    pub mapping: String,
    /// The vendor's account; empty if it does not send.
    pub account: String,
}

/// What is known of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The hash of the row that the vendor has.
    pub confirmed: Option<i64>,
    /// Whether a row went out at all.
    pub delivered: bool,
    /// Whether the person was listed as withdrawn or missing, and nobody has confirmed that yet.
    pub listed: bool,
}

/// A row for the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The person's.
    pub key: Key,
    /// Of the row; `None` for somebody who is listed as withdrawn or missing.
    pub hash: Option<i64>,
    /// The person's key, sealed.
    pub who: Option<Vec<u8>>,
}

/// A delivery of which it is not known whether the vendor has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The chain.
    pub chain: String,
    /// The connector.
    pub connector: String,
    /// The run.
    pub run: String,
    /// Rows that went out.
    pub rows: u64,
    /// People listed as withdrawn or missing.
    pub gone: u64,
}

impl Synced {
    /// The file `synced.db` in the state folder; made when the first row is noted.
    pub fn new(state: &Path) -> Self {
        Self { database: Database::of(SYNCED, state) }
    }

    /// A connector of a chain, if it was given something before.
    pub fn known(&self, chain: &str, connector: &str) -> Result<Option<Known>, Error> {
        let known = self.database.read(|connection| {
            connection
                .query_row(
                    "SELECT id, mapping, account FROM sync WHERE chain = ?1 AND connector = ?2",
                    [chain, connector],
                    |row| Ok(Known { sync: row.get(0)?, mapping: row.get(1)?, account: row.get(2)? }),
                )
                .optional()
        })?;
        Ok(known.flatten())
    }

    /// Makes `entries` what is known of each of `keys`.
    pub fn look<'k>(
        &self,
        sync: i64,
        keys: impl Iterator<Item = &'k [u8]>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Error> {
        entries.clear();
        let found = self.database.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT confirmed, hash FROM row JOIN delivery ON delivery.id = row.delivery \
                 WHERE row.sync = ?1 AND key = ?2 AND (confirmed OR published)",
            )?;
            for key in keys {
                let mut entry = Entry::default();
                let mut rows = statement.query((sync, key))?;
                while let Some(row) = rows.next()? {
                    match (row.get(0)?, row.get::<_, Option<i64>>(1)?) {
                        (_, None) => entry.listed = true,
                        (true, hash) => (entry.confirmed, entry.delivered) = (hash, true),
                        (false, Some(_)) => entry.delivered = true,
                    }
                }
                entries.push(entry);
            }
            Ok(())
        })?;
        // Without a file nobody is known.
        if found.is_none() {
            entries.clear();
        }
        Ok(())
    }

    /// Calls `each` for everybody who was delivered and not listed as gone since, by key, with the sealed text.
    pub fn everybody(
        &self,
        sync: i64,
        mut each: impl FnMut(Key, Option<Vec<u8>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut failed = Ok(());
        self.database.read(|connection| {
            // By the primary key, so that nothing is sorted or collected.
            let mut statement = connection.prepare(
                "SELECT key, max(who), min(hash IS NOT NULL) FROM row JOIN delivery ON delivery.id = row.delivery \
                 WHERE row.sync = ?1 AND (confirmed OR published) GROUP BY key ORDER BY key",
            )?;
            let mut rows = statement.query([sync])?;
            while let Some(row) = rows.next()? {
                if row.get(2)? {
                    failed = each(row.get(0)?, row.get(1)?);
                }
                if failed.is_err() {
                    break;
                }
            }
            Ok(())
        })?;
        failed
    }

    /// Begins to note what a run gives to a connector; answers the delivery's number. What runs that were never
    /// published have left is forgotten.
    pub fn begin(&self, chain: &str, connector: &str, run: &str, mapping: &str) -> Result<i64, Error> {
        let (sync, dead, delivery) = self.database.transact(|connection| {
            connection.execute(
                "INSERT INTO sync (chain, connector, mapping) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET mapping = excluded.mapping",
                (chain, connector, mapping),
            )?;
            let sync: i64 = connection.query_row(
                "SELECT id FROM sync WHERE chain = ?1 AND connector = ?2",
                [chain, connector],
                |row| row.get(0),
            )?;
            let mut given_up = connection.prepare(
                "SELECT id FROM delivery WHERE sync = ?1 AND (NOT published OR id IN \
                 (SELECT id FROM delivery WHERE sync = ?1 AND waiting + gone > 0 ORDER BY id DESC LIMIT -1 OFFSET ?2))",
            )?;
            let dead: Vec<i64> =
                given_up.query_map((sync, MOST_WAITING - 1), |row| row.get(0))?.collect::<Result<_, _>>()?;
            connection.execute("INSERT INTO delivery (sync, run) VALUES (?1, ?2)", (sync, run))?;
            Ok((sync, dead, connection.last_insert_rowid()))
        })?;
        for dead in dead {
            self.give_up(sync, dead)?;
        }
        Ok(delivery)
    }

    /// Notes rows of a delivery: `confirmed` ones take the place of all older ones of the same people.
    pub fn note(&self, delivery: i64, confirmed: bool, rows: &[Noted]) -> Result<(), Error> {
        self.database.transact(|connection| {
            let sync: i64 = connection.query_row("SELECT sync FROM delivery WHERE id = ?1", [delivery], |row| row.get(0))?;
            let mut insert = connection.prepare_cached(
                "INSERT OR REPLACE INTO row (sync, key, delivery, confirmed, hash, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            let mut older =
                connection.prepare_cached("DELETE FROM row WHERE sync = ?1 AND key = ?2 AND delivery < ?3")?;
            let (mut waiting, mut gone) = (0i64, 0i64);
            for Noted { key, hash, who } in rows {
                insert.execute((sync, key, delivery, confirmed, hash, who))?;
                match (confirmed, hash) {
                    (true, _) => drop(older.execute((sync, key, delivery))?),
                    (false, Some(_)) => waiting += 1,
                    (false, None) => gone += 1,
                }
            }
            let counts = (waiting, gone, delivery);
            connection.execute("UPDATE delivery SET waiting = waiting + ?1, gone = gone + ?2 WHERE id = ?3", counts)?;
            Ok(())
        })
    }

    /// The run of a delivery can be seen.
    pub fn publish(&self, delivery: i64, account: &str) -> Result<(), Error> {
        self.database.transact(|connection| {
            connection.execute("UPDATE delivery SET published = 1 WHERE id = ?1", [delivery])?;
            connection.execute(
                "UPDATE sync SET account = ?1 WHERE id = (SELECT sync FROM delivery WHERE id = ?2)",
                (account, delivery),
            )?;
            Ok(())
        })
    }

    /// Forgets what was confirmed before a delivery: it went to another account.
    pub fn forget_before(&self, delivery: i64) -> Result<(), Error> {
        self.database.transact(|connection| {
            let whose = "sync = (SELECT sync FROM delivery WHERE id = ?1)";
            connection.execute(&format!("DELETE FROM row WHERE {whose} AND delivery < ?1"), [delivery])?;
            connection.execute(&format!("DELETE FROM delivery WHERE {whose} AND id < ?1"), [delivery])?;
            Ok(())
        })
    }

    /// All that waits, the oldest first.
    pub fn waiting(&self) -> Result<Vec<Waiting>, Error> {
        let of = |row: &Row<'_>| {
            Ok(Waiting {
                chain: row.get(0)?,
                connector: row.get(1)?,
                run: row.get(2)?,
                rows: row.get::<_, i64>(3)? as u64,
                gone: row.get::<_, i64>(4)? as u64,
            })
        };
        let waiting = self.database.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT chain, connector, run, waiting, gone FROM delivery JOIN sync ON sync.id = delivery.sync \
                 WHERE published AND waiting + gone > 0 ORDER BY delivery.id",
            )?;
            statement.query_map([], of)?.collect()
        })?;
        Ok(waiting.unwrap_or_default())
    }

    /// A delivery of which nobody will say any more what became of it.
    fn give_up(&self, sync: i64, delivery: i64) -> Result<(), Error> {
        self.by_ranges(|connection, from, to| {
            let sql = "DELETE FROM row WHERE sync = ?1 AND delivery = ?2 AND NOT confirmed AND key >= ?3 AND key < ?4";
            connection.prepare_cached(sql)?.execute((sync, delivery, from, to))?;
            Ok(())
        })?;
        self.database.write(|connection| {
            // One that has confirmed rows is still what they belong to.
            connection.execute("UPDATE delivery SET waiting = 0, gone = 0 WHERE id = ?1", [delivery])
        })?;
        Ok(())
    }

    /// Changes the rows of a large table piece by piece, so that no transaction is as large as the table.
    pub(super) fn by_ranges(
        &self,
        mut change: impl FnMut(&Connection, &[u8], &[u8]) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        for first in 0..=u8::MAX {
            let end = first.checked_add(1).map_or(vec![0xFF; 17], |next| vec![next]);
            self.database.transact(|connection| change(connection, &[first], &end))?;
        }
        Ok(())
    }

    /// Deliveries of a run, by connector: their syncs and numbers.
    pub(super) fn deliveries(&self, chain: &str, run: &str) -> Result<BTreeMap<String, (i64, i64)>, Error> {
        let found = self.database.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT connector, sync.id, delivery.id FROM delivery JOIN sync ON sync.id = delivery.sync \
                 WHERE chain = ?1 AND run = ?2 AND published",
            )?;
            let rows =
                statement.query_map([chain, run], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
            rows.collect()
        })?;
        Ok(found.unwrap_or_default())
    }
}
