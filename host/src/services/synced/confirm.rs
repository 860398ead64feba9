//! What became of rows that waited to be confirmed, and people who are to be forgotten.

use std::collections::HashSet;

use serde::Serialize;
use usher_abi::Error;

use super::store::Synced;
use crate::services::secret::Key;

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
        let mut told = self.settle(delivery, not_taken)?;
        told.connector = connector;
        self.count(sync)?;
        Ok(Some(told))
    }

    /// How many of these people have a row of the run that waits.
    pub fn known_of(
        &self,
        chain: &str,
        run: &str,
        connector: &str,
        keys: &HashSet<Key>,
    ) -> Result<u64, Error> {
        let Some((sync, delivery)) = self.deliveries(chain, run)?.remove(connector) else { return Ok(0) };
        let known = self.database.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM row WHERE sync = ?1 AND key = ?2 AND delivery = ?3)";
            let mut statement = connection.prepare_cached(sql)?;
            let mut known = 0;
            for key in keys {
                known += u64::from(statement.query_row((sync, key, delivery), |row| row.get::<_, bool>(0))?);
            }
            Ok(known)
        })?;
        Ok(known.unwrap_or_default())
    }

    /// The vendor has what a delivery gave it, but for these people's rows: what is older does not count any more.
    pub fn settle(&self, delivery: i64, not_taken: &HashSet<Key>) -> Result<Confirmed, Error> {
        let sync: i64 = self.database.write(|connection| {
            connection.query_row("SELECT sync FROM delivery WHERE id = ?1", [delivery], |row| row.get(0))
        })?;
        let mut told = Confirmed { not_taken: self.take_back(delivery, not_taken)?, ..Confirmed::default() };
        self.by_ranges(|connection, from, to| {
            let of = (sync, delivery, from, to);
            let own = "sync = ?1 AND delivery = ?2 AND NOT confirmed AND key >= ?3 AND key < ?4";
            let older = "DELETE FROM row WHERE sync = ?1 AND delivery < ?2 AND key >= ?3 AND key < ?4 \
                         AND EXISTS (SELECT 1 FROM row AS own WHERE own.sync = ?1 AND own.key = row.key AND own.delivery = ?2)";
            connection.prepare_cached(older)?.execute(of)?;
            let gone = format!("DELETE FROM row WHERE {own} AND hash IS NULL");
            told.gone += connection.prepare_cached(&gone)?.execute(of)? as u64;
            let rows = format!("UPDATE row SET confirmed = 1 WHERE {own}");
            told.rows += connection.prepare_cached(&rows)?.execute(of)? as u64;
            Ok(())
        })?;
        Ok(told)
    }

    /// The vendor has not these people's rows of a delivery; answers how many there were.
    pub fn take_back(&self, delivery: i64, not_taken: &HashSet<Key>) -> Result<u64, Error> {
        self.database.transact(|connection| {
            let sql = "DELETE FROM row WHERE sync = (SELECT sync FROM delivery WHERE id = ?2) AND key = ?1 AND delivery = ?2 \
                       AND NOT confirmed AND hash IS NOT NULL";
            let mut delete = connection.prepare_cached(sql)?;
            let mut taken = 0;
            for key in not_taken {
                taken += delete.execute((key, delivery))? as u64;
            }
            Ok(taken)
        })
    }

    /// Where something is known of a person.
    pub fn whereabouts(&self, key: &Key) -> Result<Vec<Forgotten>, Error> {
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
        Ok(found.unwrap_or_default())
    }

    /// Removes all that is known of a person, from free pages of the file, too; answers where it was.
    pub fn forget(&self, key: &Key) -> Result<Vec<Forgotten>, Error> {
        let found = self.whereabouts(key)?;
        if !found.is_empty() {
            self.database.transact(|connection| {
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
            self.database.scrub()?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        super::store::{Entry, Noted},
        *,
    };
    use crate::services::Secret;

    fn key(n: u8) -> Key {
        [n; 16]
    }

    fn noted(n: u8, hash: Option<i64>) -> Noted {
        Noted { key: key(n), hash, who: None }
    }

    /// A store with its secret.
    struct Shelf(Synced, Secret, tempfile::TempDir);

    impl Shelf {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            Self(Synced::new(folder.path()), Secret::ephemeral().unwrap(), folder)
        }

        fn begin(&self, run: &str, folder: &Path) -> (i64, Vec<String>) {
            self.0.begin(("main", "crm"), (run, folder), "m", &self.1).unwrap()
        }

        /// A run of files; answers the runs that were given up.
        fn deliver(&self, run: &str, rows: &[Noted]) -> Vec<String> {
            let (delivery, given_up) = self.begin(run, Path::new(""));
            self.0.note(delivery, true, rows).unwrap();
            self.0.publish(delivery, Some("")).unwrap();
            given_up
        }

        /// A run that sends, and is told that all has arrived but for these.
        fn send(&self, run: &str, rows: &[Noted], refused: &[u8]) {
            let (delivery, _) = self.begin(run, Path::new(""));
            self.0.note(delivery, false, rows).unwrap();
            self.0.publish(delivery, None).unwrap();
            self.0.settle(delivery, &refused.iter().map(|n| key(*n)).collect()).unwrap();
        }

        fn sync(&self) -> i64 {
            self.0.known("main", "crm").unwrap().unwrap().sync
        }

        fn entry(&self, n: u8) -> Entry {
            let (sync, mut entries) = (self.sync(), Vec::new());
            let published = self.0.published(sync).unwrap();
            self.0.look((sync, &published), [&key(n)[..]].into_iter(), &mut entries).unwrap();
            entries[0]
        }

        /// Whether a row with this hash is held back.
        fn holds(&self, n: u8, hash: i64) -> bool {
            let entry = self.entry(n);
            entry.confirmed == Some(hash) && !entry.unsure && !entry.listed
        }

        fn confirm(&self, run: &str, not_taken: &[u8]) -> Vec<Confirmed> {
            let not_taken = not_taken.iter().map(|n| key(*n)).collect();
            self.0.confirm("main", run, None, &not_taken).unwrap()
        }

        fn waiting(&self) -> Vec<(String, u64, u64)> {
            self.0.waiting().unwrap().into_iter().map(|w| (w.run, w.rows, w.gone)).collect()
        }

        fn everybody(&self) -> Vec<Key> {
            let mut all = Vec::new();
            let push = |key, _| {
                all.push(key);
                Ok(())
            };
            self.0.everybody(self.sync(), push).unwrap();
            all
        }
    }

    #[test]
    fn rows_wait_until_somebody_says_that_the_vendor_has_them() {
        let shelf = Shelf::new();
        assert_eq!(shelf.waiting(), []);
        shelf.deliver("r1", &[noted(1, Some(10)), noted(2, Some(20)), noted(255, Some(30))]);
        assert_eq!(shelf.entry(1), Entry { unsure: true, delivered: true, ..Entry::default() });
        assert_eq!(shelf.waiting(), [("r1".to_owned(), 3, 0)]);
        let told = shelf.confirm("r1", &[2, 7]);
        assert_eq!(told, [Confirmed { connector: "crm".into(), rows: 2, not_taken: 1, gone: 0 }]);
        assert!(shelf.holds(1, 10) && shelf.holds(255, 30));
        assert_eq!(shelf.entry(2), Entry::default());
        assert_eq!((shelf.waiting(), shelf.confirm("r1", &[])), (vec![], vec![]));
    }

    #[test]
    fn what_may_have_arrived_since_is_not_forgotten() {
        let shelf = Shelf::new();
        shelf.send("r1", &[noted(1, Some(10)), noted(2, Some(20))], &[]);
        shelf.deliver("r2", &[noted(1, Some(11)), noted(2, Some(20))]);
        assert!(!shelf.holds(1, 10), "the vendor may have 11 by now");
        assert!(shelf.holds(2, 20), "whichever arrived, it is the same");
        // Nobody ever says whether r2 was uploaded.
        for run in 3..=5 {
            shelf.deliver(&format!("r{run}"), &[noted(9, Some(run))]);
        }
        assert!(!shelf.holds(1, 10), "nobody knows any more what it has");
        assert!(shelf.entry(1).delivered);
        shelf.send("r6", &[noted(1, Some(10))], &[]);
        assert!(shelf.holds(1, 10));
    }

    #[test]
    fn rows_about_to_be_sent_may_have_arrived_whatever_ends_the_run() {
        let shelf = Shelf::new();
        shelf.send("r1", &[noted(1, Some(10)), noted(2, Some(20))], &[2]);
        assert!(shelf.holds(1, 10) && shelf.entry(2) == Entry::default());
        let (killed, _) = shelf.begin("r2", Path::new(""));
        shelf.0.note(killed, false, &[noted(1, Some(11))]).unwrap();
        shelf.0.publish(killed, None).unwrap();
        assert!(!shelf.holds(1, 10));
        assert_eq!(shelf.waiting(), [], "the same command goes on: nobody is to confirm it");
        shelf.send("r3", &[noted(1, Some(10))], &[]);
        assert!(shelf.holds(1, 10));
    }

    #[test]
    fn the_later_of_two_runs_counts_in_whatever_order_they_are_confirmed() {
        let shelf = Shelf::new();
        shelf.deliver("r1", &[noted(1, Some(10)), noted(2, Some(20))]);
        shelf.deliver("r2", &[noted(1, Some(11))]);
        assert_eq!(shelf.confirm("r2", &[])[0].rows, 1);
        assert_eq!(shelf.waiting(), [("r1".to_owned(), 1, 0)], "what is told is what still waits");
        assert_eq!(shelf.confirm("r1", &[])[0].rows, 1);
        assert!(shelf.holds(1, 11) && shelf.holds(2, 20));
    }

    #[test]
    fn whoever_is_gone_is_listed_until_that_is_confirmed() {
        let shelf = Shelf::new();
        shelf.send("r1", &[noted(1, Some(10)), noted(2, Some(20))], &[]);
        shelf.deliver("r2", &[noted(2, None)]);
        assert!(shelf.entry(2).listed && shelf.entry(2).delivered);
        assert_eq!(shelf.everybody(), [key(1), key(2)]);
        shelf.deliver("r3", &[noted(2, None)]);
        assert_eq!(shelf.confirm("r3", &[])[0].gone, 1);
        assert_eq!((shelf.entry(2), shelf.waiting()), (Entry::default(), vec![]));
        assert_eq!(shelf.everybody(), [key(1)]);
    }

    #[test]
    fn runs_that_wait_too_long_are_given_up_by_name() {
        let shelf = Shelf::new();
        let given_up: Vec<Vec<String>> =
            (1..=4u8).map(|run| shelf.deliver(&format!("r{run}"), &[noted(run, Some(1))])).collect();
        assert_eq!(given_up, [vec![], vec![], vec![], vec!["r1".to_owned()]]);
        assert_eq!(shelf.waiting().iter().map(|w| &*w.0).collect::<Vec<_>>(), ["r2", "r3", "r4"]);
        assert_eq!(shelf.confirm("r1", &[]), []);
    }

    #[test]
    fn a_run_that_ended_between_publication_and_its_note_counts() {
        let shelf = Shelf::new();
        let there = shelf.2.path().join("out");
        std::fs::create_dir(&there).unwrap();
        for (run, folder) in [("dead", Path::new("/nowhere/r")), ("there", &there)] {
            let (delivery, _) = shelf.begin(run, folder);
            shelf.0.note(delivery, true, &[noted(1, Some(10))]).unwrap();
        }
        assert_eq!((shelf.entry(1), shelf.waiting()), (Entry::default(), vec![]));
        shelf.0.mend(shelf.sync()).unwrap();
        assert_eq!(shelf.waiting(), [("there".to_owned(), 1, 0)]);
        assert!(shelf.entry(1).delivered);
    }

    #[test]
    fn another_secret_is_noticed() {
        let shelf = Shelf::new();
        let other = Secret::ephemeral().unwrap();
        shelf.0.check(&other).unwrap();
        shelf.deliver("r1", &[noted(1, Some(10))]);
        shelf.0.check(&shelf.1).unwrap();
        assert_eq!(shelf.0.check(&other).unwrap_err().code, "state.secret");
    }

    #[test]
    fn many_may_note_at_once() {
        let shelf = Shelf::new();
        std::thread::scope(|scope| {
            for n in 0..4u8 {
                let shelf = &shelf;
                scope.spawn(move || {
                    let own = Synced::new(shelf.2.path());
                    let place = (&*format!("r{n}"), Path::new(""));
                    let (delivery, _) =
                        own.begin(("main", &format!("crm{n}")), place, "m", &shelf.1).unwrap();
                    for at in 0..20 {
                        own.note(delivery, true, &[noted(at, Some(1))]).unwrap();
                    }
                    own.publish(delivery, None).unwrap();
                });
            }
        });
        assert_eq!(shelf.0.waiting().unwrap().iter().map(|w| w.rows).sum::<u64>(), 80);
    }

    #[test]
    fn a_person_is_forgotten_everywhere() {
        let shelf = Shelf::new();
        shelf.deliver("r1", &[noted(1, Some(10)), noted(2, Some(20))]);
        assert_eq!(shelf.0.forget(&key(1)).unwrap().len(), 1);
        assert_eq!(shelf.0.forget(&key(1)).unwrap(), []);
        assert_eq!((shelf.entry(1), shelf.waiting()), (Entry::default(), vec![("r1".to_owned(), 1, 0)]));
    }
}
