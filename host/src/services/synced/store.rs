//! `synced.db`: of each person that a sink was given, a hash of the row that went out, and whether the vendor has it.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension, Row};
use usher_abi::Error;

use crate::services::{
    database::{Database, Layout},
    secret::{Key, Secret},
};

const SYNCED: Layout = Layout {
    file: "synced.db",
    steps: &[TABLES],
    lost: "every row counts as new then, and goes out once more",
};

const TABLES: &str = "
CREATE TABLE secret (
  mark      BLOB NOT NULL                -- made with the secret: with another one nothing here means anything
);
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
  folder    TEXT NOT NULL,                -- where the run is, once it is published
  published INTEGER NOT NULL DEFAULT 0,   -- whether anybody can have seen its files
  waiting   INTEGER NOT NULL DEFAULT 0,   -- rows of which nobody has said yet that the vendor has them
  gone      INTEGER NOT NULL DEFAULT 0,   -- people that were listed as withdrawn or missing
  at        INTEGER NOT NULL DEFAULT (unixepoch()),  -- seconds, UTC
  UNIQUE (sync, run)
);
CREATE TABLE row (
  sync      INTEGER NOT NULL,
  key       BLOB NOT NULL,      -- keyed hash of the person's key; the secret is in secret.key
  delivery  INTEGER NOT NULL,
  confirmed INTEGER NOT NULL,   -- whether the vendor has it
  hash      INTEGER,            -- of the row as it went out; null: listed as withdrawn or missing
  who       BLOB,               -- the person's key, sealed; only where missing people are to be listed
  PRIMARY KEY (sync, key, delivery)
) WITHOUT ROWID;
";

/// What the mark is made of.
const MARK: &str = "usher synced";

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

/// Deliveries that have, or may have, left this machine, of one connector of a chain.
pub type Published = HashSet<i64>;

/// What is known of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The hash of the row that the vendor has.
    pub confirmed: Option<i64>,
    /// Whether another row than that may have arrived since.
    pub unsure: bool,
    /// Whether a row went out at all.
    pub delivered: bool,
    /// Whether the person was listed as withdrawn or missing, and nobody has confirmed that yet; or may be suspended.
    pub listed: bool,
    /// Whether it was kept who the person is.
    pub named: bool,
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

    /// An error if what is kept was made with another secret, so that nobody in it can be known.
    pub fn check(&self, secret: &Secret) -> Result<(), Error> {
        let mark = self.database.read(|connection| {
            connection.query_row("SELECT mark FROM secret", [], |row| row.get::<_, Key>(0)).optional()
        })?;
        if mark.flatten().is_none_or(|mark| mark == secret.key(MARK)) {
            return Ok(());
        }
        let message = "`synced.db` was written with another secret than the one in `secret.key` beside it: restore that from a \
                       backup, or remove `synced.db`, and every row counts as new and goes out once more";
        Err(Error::permanent("state.secret", message))
    }

    /// Which deliveries count. Those of runs that ended between their publication and the note of it do, from now on; of
    /// those that were never published nothing is left. Only for whoever keeps others from running the chain.
    pub fn mend(&self, sync: i64) -> Result<(), Error> {
        let open = self.database.read(|connection| {
            let mut statement =
                connection.prepare("SELECT id, folder FROM delivery WHERE sync = ?1 AND NOT published")?;
            let rows = statement.query_map([sync], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            rows.collect::<Result<Vec<(i64, String)>, _>>()
        })?;
        for (delivery, folder) in open.unwrap_or_default() {
            if !folder.is_empty() && Path::new(&folder).is_dir() {
                self.publish(delivery, None)?;
            } else {
                self.remove(sync, delivery)?;
            }
        }
        Ok(())
    }

    /// Which deliveries count.
    pub fn published(&self, sync: i64) -> Result<Published, Error> {
        let found = self.database.read(|connection| {
            let mut statement =
                connection.prepare("SELECT id FROM delivery WHERE sync = ?1 AND published")?;
            statement.query_map([sync], |row| row.get(0))?.collect()
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Makes `entries` what is known of each of `keys`.
    pub fn look<'k>(
        &self,
        (sync, published): (i64, &Published),
        keys: impl Iterator<Item = &'k [u8]>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Error> {
        entries.clear();
        let found = self.database.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT confirmed, hash, delivery, who IS NOT NULL FROM row WHERE sync = ?1 AND key = ?2",
            )?;
            for key in keys {
                let mut entry = Entry::default();
                // The least and the greatest hash of those that may have arrived: all of them, if there are several.
                let mut others: Option<(i64, i64)> = None;
                let mut rows = statement.query((sync, key))?;
                while let Some(row) = rows.next()? {
                    match (row.get(0)?, row.get::<_, Option<i64>>(1)?) {
                        (true, hash) => {
                            (entry.confirmed, entry.delivered, entry.named) = (hash, true, row.get(3)?)
                        }
                        (false, _) if !published.contains(&row.get(2)?) => {}
                        (false, None) => entry.listed = true,
                        (false, Some(hash)) => {
                            let (least, greatest) = others.unwrap_or((hash, hash));
                            others = Some((least.min(hash), greatest.max(hash)));
                            entry.delivered = true;
                        }
                    }
                }
                let same = |(least, greatest)| entry.confirmed == Some(least) && least == greatest;
                entry.unsure = others.is_some_and(|others| !same(others));
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

    /// Calls `each` for everybody who was delivered, by key, with the sealed text.
    pub fn everybody(
        &self,
        sync: i64,
        mut each: impl FnMut(Key, Option<Vec<u8>>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut failed = Ok(());
        self.database.read(|connection| {
            // By the primary key, so that nothing is sorted or collected.
            let mut statement = connection.prepare(
                "SELECT key, max(who), max(hash IS NOT NULL) FROM row JOIN delivery ON delivery.id = row.delivery \
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

    /// Begins to note what a run gives to a connector, in `folder` when it is published. Answers the delivery's number, and
    /// the runs that nobody has confirmed for so long that nobody can any more.
    pub fn begin(
        &self,
        (chain, connector): (&str, &str),
        (run, folder): (&str, &Path),
        mapping: &str,
        secret: &Secret,
    ) -> Result<(i64, Vec<String>), Error> {
        let (sync, old, delivery) = self.database.transact(|connection| {
            let marked = "INSERT INTO secret (mark) SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM secret)";
            connection.execute(marked, [secret.key(MARK)])?;
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
            let mut old = connection.prepare(
                "SELECT id, run FROM delivery WHERE sync = ?1 AND waiting + gone > 0 ORDER BY id DESC LIMIT -1 OFFSET ?2",
            )?;
            let old = old.query_map((sync, MOST_WAITING - 1), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let old: Vec<(i64, String)> = old.collect::<Result<_, _>>()?;
            let folder = folder.to_string_lossy();
            connection.execute(
                "INSERT INTO delivery (sync, run, folder) VALUES (?1, ?2, ?3)",
                (sync, run, folder),
            )?;
            Ok((sync, old, connection.last_insert_rowid()))
        })?;
        for (old, _) in &old {
            self.give_up(sync, *old)?;
        }
        Ok((delivery, old.into_iter().map(|(_, run)| run).collect()))
    }

    /// Notes rows of a delivery, which wait to be confirmed from now on; or of which nobody is told, when they are about to
    /// be sent, or the people to be suspended (`told`).
    pub fn note(&self, delivery: i64, told: bool, rows: &[Noted]) -> Result<(), Error> {
        self.database.transact(|connection| {
            let sync: i64 = connection.query_row("SELECT sync FROM delivery WHERE id = ?1", [delivery], |row| row.get(0))?;
            let mut insert = connection.prepare_cached(
                "INSERT OR REPLACE INTO row (sync, key, delivery, confirmed, hash, who) VALUES (?1, ?2, ?3, 0, ?4, ?5)",
            )?;
            let (mut waiting, mut gone) = (0i64, 0i64);
            for Noted { key, hash, who } in rows {
                insert.execute((sync, key, delivery, hash, who))?;
                match hash {
                    Some(_) => waiting += i64::from(told),
                    None => gone += i64::from(told),
                }
            }
            let counts = (waiting, gone, delivery);
            connection.execute("UPDATE delivery SET waiting = waiting + ?1, gone = gone + ?2 WHERE id = ?3", counts)?;
            Ok(())
        })
    }

    /// Of rows that were sent and not told of: the vendor has only queued them, and they wait to be confirmed.
    pub fn tell(&self, delivery: i64) -> Result<u64, Error> {
        self.database
            .transact(|connection| {
                connection.execute(
                "UPDATE delivery SET waiting = (SELECT count(hash) FROM row WHERE row.sync = delivery.sync \
                 AND row.delivery = delivery.id AND NOT confirmed) WHERE id = ?1",
                [delivery],
            )?;
                connection.query_row("SELECT waiting FROM delivery WHERE id = ?1", [delivery], |row| {
                    row.get::<_, i64>(0)
                })
            })
            .map(|waiting| waiting as u64)
    }

    /// The run of a delivery can be seen, or its rows are about to be sent.
    pub fn publish(&self, delivery: i64, account: Option<&str>) -> Result<(), Error> {
        self.database.transact(|connection| {
            connection.execute("UPDATE delivery SET published = 1 WHERE id = ?1", [delivery])?;
            if let Some(account) = account {
                let sql = "UPDATE sync SET account = ?1 WHERE id = (SELECT sync FROM delivery WHERE id = ?2)";
                connection.execute(sql, (account, delivery))?;
            }
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

    /// Forgets people, of the connector that a delivery went to.
    pub fn forget_people(&self, delivery: i64, people: &[Key]) -> Result<(), Error> {
        self.database.transact(|connection| {
            let sql = "DELETE FROM row WHERE sync = (SELECT sync FROM delivery WHERE id = ?1) AND key = ?2";
            let mut delete = connection.prepare_cached(sql)?;
            people.iter().try_for_each(|key| delete.execute((delivery, key)).map(|_| ()))
        })
    }

    /// Takes back that people are gone, as a delivery has noted it.
    pub fn unlist(&self, delivery: i64, people: &[Key]) -> Result<(), Error> {
        self.database.transact(|connection| {
            let sql = "DELETE FROM row WHERE sync = (SELECT sync FROM delivery WHERE id = ?1) AND key = ?2 AND delivery = ?1 \
                       AND hash IS NULL";
            let mut delete = connection.prepare_cached(sql)?;
            people.iter().try_for_each(|key| delete.execute((delivery, key)).map(|_| ()))
        })
    }

    /// Notes who people are, of whom that was not kept.
    pub fn name(&self, delivery: i64, people: &[(Key, Vec<u8>)]) -> Result<(), Error> {
        self.database.transact(|connection| {
            let sql = "UPDATE row SET who = ?3 WHERE sync = (SELECT sync FROM delivery WHERE id = ?1) AND key = ?2 AND confirmed";
            let mut update = connection.prepare_cached(sql)?;
            people.iter().try_for_each(|(key, who)| update.execute((delivery, key, who)).map(|_| ()))
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

    /// A delivery of which nobody will say any more what became of it. Where it had other rows than those confirmed before,
    /// nobody knows any more what the vendor has.
    fn give_up(&self, sync: i64, delivery: i64) -> Result<(), Error> {
        self.by_ranges(|connection, from, to| {
            let sql = "UPDATE row SET confirmed = 0 WHERE sync = ?1 AND confirmed AND delivery < ?2 AND key >= ?3 AND key < ?4 \
                       AND EXISTS (SELECT 1 FROM row AS own WHERE own.sync = ?1 AND own.key = row.key AND own.delivery = ?2 \
                       AND own.hash <> row.hash)";
            connection.prepare_cached(sql)?.execute((sync, delivery, from, to))?;
            Ok(())
        })?;
        self.remove(sync, delivery)
    }

    /// Forgets what a delivery has of rows that are not confirmed.
    fn remove(&self, sync: i64, delivery: i64) -> Result<(), Error> {
        self.by_ranges(|connection, from, to| {
            let sql = "DELETE FROM row WHERE sync = ?1 AND delivery = ?2 AND NOT confirmed AND key >= ?3 AND key < ?4";
            connection.prepare_cached(sql)?.execute((sync, delivery, from, to))?;
            Ok(())
        })?;
        self.database.write(|connection| {
            // One that has confirmed rows is still what they belong to.
            connection
                .execute("UPDATE delivery SET published = 1, waiting = 0, gone = 0 WHERE id = ?1", [delivery])
        })?;
        Ok(())
    }

    /// Counts what waits of a connector anew; rows that were sent and not told of wait for nobody.
    pub(super) fn count(&self, sync: i64) -> Result<(), Error> {
        self.database.transact(|connection| {
            connection.execute(
                "UPDATE delivery SET (waiting, gone) = (SELECT count(hash), count(*) - count(hash) FROM row \
                 WHERE row.sync = ?1 AND row.delivery = delivery.id AND NOT confirmed) \
                 WHERE sync = ?1 AND waiting + gone > 0",
                [sync],
            )?;
            Ok(())
        })
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
