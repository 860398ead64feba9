//! What became of rows that waited to be confirmed, and people who are to be forgotten.

use std::collections::HashSet;

use serde::Serialize;
use usher_abi::Error;

use super::{secret::Key, store::Synced};

/// What was confirmed of one connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confirmed {
    /// The connector.
    pub connector: String,
    /// Rows that the vendor has.
    pub rows: u64,
    /// Rows that it has not: they go out again.
    pub not_taken: u64,
    /// People who were listed as withdrawn or missing, and are not any more.
    pub gone: u64,
    /// Rows of which a later run has been confirmed already.
    pub superseded: u64,
}

/// Where a person was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// The chain.
    pub chain: String,
    /// The connector.
    pub connector: String,
    /// Rows of the database.
    pub rows: u64,
}

impl Synced {
    /// Says that a vendor has what a run gave it, but for the rows of the people in `not_taken`. Of every connector of the
    /// run that waits, or of one; none is answered when nothing waits.
    pub fn confirm(
        &self,
        chain: &str,
        run: &str,
        connector: Option<&str>,
        not_taken: &HashSet<Key>,
    ) -> Result<Vec<Confirmed>, Error> {
        let mut all = Vec::new();
        for (name, (sync, delivery)) in self.deliveries(chain, run)? {
            if connector.is_none_or(|connector| connector == name)
                && let Some(confirmed) = self.confirm_one(name, sync, delivery, not_taken)?
            {
                all.push(confirmed);
            }
        }
        Ok(all)
    }

    fn confirm_one(
        &self,
        connector: String,
        sync: i64,
        delivery: i64,
        not_taken: &HashSet<Key>,
    ) -> Result<Option<Confirmed>, Error> {
        let waits = self.database.read(|connection| {
            let sql = "SELECT waiting + gone > 0 FROM delivery WHERE id = ?1";
            connection.query_row(sql, [delivery], |row| row.get(0))
        })?;
        if waits != Some(true) {
            return Ok(None);
        }
        let mut told = Confirmed { connector, ..Confirmed::default() };
        self.database.transact(|connection| {
            let sql = "DELETE FROM row WHERE sync = ?1 AND key = ?2 AND delivery = ?3 AND NOT confirmed";
            let mut delete = connection.prepare_cached(sql)?;
            for key in not_taken {
                told.not_taken += delete.execute((sync, key, delivery))? as u64;
            }
            Ok(())
        })?;
        self.by_ranges(|connection, from, to| {
            let of = (sync, delivery, from, to);
            let own = "row.sync = ?1 AND row.delivery = ?2 AND NOT row.confirmed AND row.key >= ?3 AND row.key < ?4";
            // A later run has gone to the vendor meanwhile: what this one says is old.
            told.superseded += connection.prepare_cached(&format!(
                "DELETE FROM row WHERE {own} AND EXISTS (SELECT 1 FROM row AS later WHERE later.sync = row.sync \
                 AND later.key = row.key AND later.delivery > row.delivery AND later.confirmed)"
            ))?
            .execute(of)? as u64;
            connection.prepare_cached(&format!(
                "DELETE FROM row WHERE sync = ?1 AND delivery < ?2 AND key >= ?3 AND key < ?4 \
                 AND EXISTS (SELECT 1 FROM row AS own WHERE own.sync = ?1 AND own.key = row.key AND own.delivery = ?2)"
            ))?
            .execute(of)?;
            told.gone += connection
                .prepare_cached(&format!("DELETE FROM row WHERE {own} AND hash IS NULL"))?
                .execute(of)? as u64;
            told.rows += connection
                .prepare_cached(&format!("UPDATE row SET confirmed = 1 WHERE {own}"))?
                .execute(of)? as u64;
            Ok(())
        })?;
        self.database.write(|connection| {
            connection.execute("UPDATE delivery SET waiting = 0, gone = 0 WHERE id = ?1", [delivery])
        })?;
        Ok(Some(told))
    }

    /// Removes all that is known of a person; answers where it was.
    pub fn forget(&self, key: &Key) -> Result<Vec<Forgotten>, Error> {
        let found = self.database.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT chain, connector, count(*) FROM sync \
                 JOIN row ON row.sync = sync.id AND row.key = ?1 GROUP BY sync.id",
            )?;
            let rows = statement.query_map([key], |row| {
                Ok(Forgotten {
                    chain: row.get(0)?,
                    connector: row.get(1)?,
                    rows: row.get::<_, i64>(2)? as u64,
                })
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        })?;
        let found = found.unwrap_or_default();
        if !found.is_empty() {
            self.database.transact(|connection| {
                // Freed pages are overwritten, so that nothing can be read from the file.
                connection.pragma_update(None, "secure_delete", true)?;
                let waits = "SELECT delivery FROM row WHERE key = ?1 AND NOT confirmed AND hash IS";
                connection.execute(
                    &format!("UPDATE delivery SET waiting = waiting - 1 WHERE id IN ({waits} NOT NULL)"),
                    [key],
                )?;
                connection.execute(
                    &format!("UPDATE delivery SET gone = gone - 1 WHERE id IN ({waits} NULL)"),
                    [key],
                )?;
                connection.execute("DELETE FROM row WHERE key = ?1", [key])?;
                Ok(())
            })?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::store::{Entry, Noted},
        *,
    };

    fn key(n: u8) -> Key {
        [n; 16]
    }

    fn noted(n: u8, hash: Option<i64>) -> Noted {
        Noted { key: key(n), hash, who: None }
    }

    fn deliver(synced: &Synced, run: &str, confirmed: bool, rows: &[Noted]) -> i64 {
        let delivery = synced.begin("main", "crm", run, "m").unwrap();
        synced.note(delivery, confirmed, rows).unwrap();
        synced.publish(delivery, "").unwrap();
        delivery
    }

    fn entry(synced: &Synced, n: u8) -> Entry {
        let Some(known) = synced.known("main", "crm").unwrap() else { return Entry::default() };
        let mut entries = Vec::new();
        synced.look(known.sync, [&key(n)[..]].into_iter(), &mut entries).unwrap();
        entries[0]
    }

    fn confirm(synced: &Synced, run: &str, not_taken: &[u8]) -> Vec<Confirmed> {
        let not_taken = not_taken.iter().map(|n| key(*n)).collect();
        synced.confirm("main", run, None, &not_taken).unwrap()
    }

    #[test]
    fn rows_wait_until_somebody_says_that_the_vendor_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        assert_eq!(synced.waiting().unwrap(), []);
        deliver(&synced, "r1", false, &[noted(1, Some(10)), noted(2, Some(20)), noted(255, Some(30))]);
        assert_eq!(entry(&synced, 1), Entry { confirmed: None, delivered: true, listed: false });
        assert_eq!(synced.waiting().unwrap()[0].rows, 3);
        let told = confirm(&synced, "r1", &[2, 7]);
        assert_eq!(
            told,
            [Confirmed { connector: "crm".into(), rows: 2, not_taken: 1, ..Confirmed::default() }]
        );
        assert_eq!(entry(&synced, 1).confirmed, Some(10));
        assert_eq!(entry(&synced, 255).confirmed, Some(30));
        assert_eq!(entry(&synced, 2), Entry::default());
        assert_eq!((synced.waiting().unwrap(), confirm(&synced, "r1", &[])), (vec![], vec![]));
    }

    #[test]
    fn the_later_of_two_runs_counts_in_whatever_order_they_are_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        deliver(&synced, "r1", false, &[noted(1, Some(10)), noted(2, Some(20))]);
        deliver(&synced, "r2", false, &[noted(1, Some(11))]);
        assert_eq!(confirm(&synced, "r2", &[])[0].rows, 1);
        let told = confirm(&synced, "r1", &[]);
        assert_eq!(
            (told[0].rows, told[0].superseded),
            (1, 0),
            "older rows of the same people went with the later"
        );
        assert_eq!(entry(&synced, 1).confirmed, Some(11));
        assert_eq!(entry(&synced, 2).confirmed, Some(20));
    }

    #[test]
    fn confirmed_rows_take_the_place_of_older_ones() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        deliver(&synced, "r1", false, &[noted(1, Some(10))]);
        deliver(&synced, "r2", true, &[noted(1, Some(11))]);
        assert_eq!(entry(&synced, 1).confirmed, Some(11));
        let told = confirm(&synced, "r1", &[]);
        assert_eq!((told[0].rows, entry(&synced, 1).confirmed), (0, Some(11)));
    }

    #[test]
    fn whoever_is_gone_is_listed_until_that_is_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        deliver(&synced, "r1", true, &[noted(1, Some(10)), noted(2, Some(20))]);
        deliver(&synced, "r2", false, &[noted(2, None)]);
        assert_eq!(entry(&synced, 2), Entry { confirmed: Some(20), delivered: true, listed: true });
        let mut all = Vec::new();
        let sync = synced.known("main", "crm").unwrap().unwrap().sync;
        synced
            .everybody(sync, |key, _| {
                all.push(key);
                Ok(())
            })
            .unwrap();
        assert_eq!(all, [key(1)], "who is listed is not missed again");
        assert_eq!(confirm(&synced, "r2", &[])[0].gone, 1);
        assert_eq!(entry(&synced, 2), Entry::default());
    }

    #[test]
    fn what_was_never_published_or_waits_too_long_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        let dead = synced.begin("main", "crm", "r0", "m").unwrap();
        synced.note(dead, false, &[noted(9, Some(90))]).unwrap();
        assert_eq!(entry(&synced, 9), Entry::default());
        for run in 1..=5u8 {
            deliver(&synced, &format!("r{run}"), false, &[noted(run, Some(i64::from(run)))]);
        }
        let waiting: Vec<String> = synced.waiting().unwrap().into_iter().map(|w| w.run).collect();
        assert_eq!(waiting, ["r3", "r4", "r5"]);
        assert_eq!(entry(&synced, 1), Entry::default());
        assert!(entry(&synced, 5).delivered);
    }

    #[test]
    fn a_person_is_forgotten_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        let synced = Synced::new(folder.path());
        deliver(&synced, "r1", false, &[noted(1, Some(10)), noted(2, Some(20))]);
        assert_eq!(synced.forget(&key(1)).unwrap().len(), 1);
        assert_eq!(synced.forget(&key(1)).unwrap(), []);
        assert_eq!((entry(&synced, 1), synced.waiting().unwrap()[0].rows), (Entry::default(), 1));
    }
}
