//! The SQLite files of the state folder: `usher.db` with state and ledger, `synced.db` with the rows that vendors have
//! (`synced/`). The `sqlite3` tool opens them; its `.schema` shows the comments of their tables.

use std::{
    fs,
    io::ErrorKind,
    path::{Display, Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior};
use usher_abi::Error;

use super::{
    gate::Gate,
    ledger::{Attempt, Ledger},
    private::{create_private_file, create_private_folder, disk_error, lock},
    secret::Secret,
    state::State,
};

/// How long another process that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Up to so many bytes the whole file is checked when it is opened: longer would be felt.
const CHECKED: u64 = 64 << 20;

/// Memory for pages, at most: negative, in KiB.
const CACHE: i64 = -16_384;

/// The table of every file, with what is made of the others.
const SCHEMA: &str = "
CREATE TABLE schema (
  version INTEGER NOT NULL  -- of the tables; a host that knows only older ones refuses the file
);
INSERT INTO schema (version) VALUES (0);
";

/// A file and its tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The file's name in the state folder.
    pub(super) file: &'static str,
    /// What brings the tables from each version to the next; the first makes them.
    pub(super) steps: &'static [&'static str],
    /// What is not known any more when the file is lost, and what to do.
    pub(super) lost: &'static str,
}

impl Layout {
    /// The version of the tables after the last step.
    fn version(&self) -> i64 {
        self.steps.len() as i64
    }
}

/// State and ledger.
const USHER: Layout = Layout {
    file: "usher.db",
    steps: &[TABLES, UNFINISHED, INPUTS],
    lost: "what unfinished runs have noted is not known then, so look first whether one was sending",
};

const TABLES: &str = "
CREATE TABLE state (
  connector TEXT NOT NULL,  -- the connector's name in the manifest; each sees only its own rows
  key       TEXT NOT NULL,  -- the connector's own
  value     BLOB NOT NULL,  -- the connector's own
  PRIMARY KEY (connector, key)
) WITHOUT ROWID;
CREATE TABLE ledger (
  run       TEXT NOT NULL,  -- run id; its rows go when the run is finished
  chain     TEXT NOT NULL,  -- name of the chain
  connector TEXT NOT NULL,  -- name of the connector that sent the unit
  account   TEXT NOT NULL,  -- the vendor's account it went to
  unit      BLOB NOT NULL,  -- keyed hash of what was sent; the secret is in secret.key
  outcome   BLOB NOT NULL,  -- what the connector wants to know when the run is resumed
  noted_at  INTEGER NOT NULL DEFAULT (unixepoch()),  -- seconds, UTC
  PRIMARY KEY (run, chain, connector, account, unit)
) WITHOUT ROWID;
";

/// What version 2 added.
const UNFINISHED: &str = "
CREATE TABLE unfinished (
  chain     TEXT NOT NULL PRIMARY KEY,  -- name of the chain; its row goes when all it sent is known
  run       TEXT NOT NULL,  -- id of the run that began to send, under which the ledger has its units
  manifest  TEXT NOT NULL,  -- digest of the manifest: another manifest goes on with nothing
  began_at  INTEGER NOT NULL DEFAULT (unixepoch())  -- seconds, UTC
) WITHOUT ROWID;
";

/// What version 3 added.
const INPUTS: &str = "
ALTER TABLE unfinished ADD COLUMN inputs TEXT NOT NULL DEFAULT '';  -- digests of what was read when it began to send
";

/// State and ledger of all connectors of a manifest. Nothing is created before the first value is written; what was
/// written is on disk when the call returns (WAL, `synchronous=FULL`). Several processes may use the file at once.
#[derive(Debug)]
pub struct Database {
    layout: Layout,
    /// None: in memory.
    path: Option<PathBuf>,
    connection: Mutex<Option<Connection>>,
    secret: OnceLock<Secret>,
}

impl Database {
    /// The file `usher.db` in `folder` (the manifest's `state`, by default `.usher` beside it).
    pub fn new(folder: &Path) -> Arc<Self> {
        Arc::new(Self::of(USHER, folder))
    }

    /// Another file in `folder`.
    pub(super) fn of(layout: Layout, folder: &Path) -> Self {
        let path = Some(folder.join(layout.file));
        Self { path, layout, connection: Mutex::default(), secret: OnceLock::new() }
    }

    /// In memory, and gone with it.
    pub fn in_memory() -> Arc<Self> {
        Arc::new(Self { layout: USHER, path: None, connection: Mutex::default(), secret: OnceLock::new() })
    }

    /// The values of one connector.
    pub fn state(self: &Arc<Self>, connector: &str) -> State {
        State::new(Arc::clone(self), connector)
    }

    /// The notes of one connector in an attempt at a run; nothing is noted unless the gate lets everything out.
    pub fn ledger(self: &Arc<Self>, attempt: &Attempt, connector: &str, gate: Gate) -> Ledger {
        Ledger::new(Arc::clone(self), attempt, connector, gate)
    }

    /// The secret of the state folder; `None` when there is none. What is in memory has one of its own.
    pub(super) fn known_secret(&self) -> Result<Option<&Secret>, Error> {
        if self.secret.get().is_none() {
            let found = match self.folder() {
                Some(folder) => Secret::load(folder)?,
                None => Some(Secret::ephemeral()?),
            };
            // Of two threads the first one's counts, which is the same but in memory.
            found.map(|found| self.secret.set(found));
        }
        Ok(self.secret.get())
    }

    /// As [`known_secret`](Self::known_secret); makes one when there is none.
    pub(super) fn secret(&self) -> Result<&Secret, Error> {
        if let Some(secret) = self.known_secret()? {
            return Ok(secret);
        }
        let made = match self.folder() {
            Some(folder) => Secret::load_or_create(folder)?,
            None => Secret::ephemeral()?,
        };
        Ok(self.secret.get_or_init(|| made))
    }

    fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }

    /// Reads; `None` when there is no file yet.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        let mut connection = lock(&self.connection);
        if connection.is_none() && !self.path.as_ref().is_some_and(|path| path.exists()) {
            return Ok(None);
        }
        query(self.opened(&mut connection)?).map(Some).map_err(|e| self.explain(&e))
    }

    /// Writes; the file is created if need be.
    pub(super) fn write<T>(
        &self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut connection = lock(&self.connection);
        statement(self.opened(&mut connection)?).map_err(|e| self.explain(&e))
    }

    /// As [`write`](Self::write), all or nothing.
    pub(super) fn transact<T>(
        &self,
        statements: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut connection = lock(&self.connection);
        let connection = self.opened(&mut connection)?;
        // At once as a writer: who begins as a reader is not waited for when another has written meanwhile.
        let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)
            .map_err(|e| self.explain(&e))?;
        let result = statements(&transaction).map_err(|e| self.explain(&e))?;
        transaction.commit().map_err(|e| self.explain(&e))?;
        Ok(result)
    }

    fn opened<'a>(&self, slot: &'a mut Option<Connection>) -> Result<&'a Connection, Error> {
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        Ok(slot.insert(connection))
    }

    fn open(&self) -> Result<Connection, Error> {
        let connection = match &self.path {
            Some(path) => {
                create_private(path)?;
                Connection::open(path)
            }
            None => Connection::open_in_memory(),
        };
        let mut connection = connection.map_err(|e| self.explain(&e))?;
        let prepared = prepare(&mut connection, &self.layout).and_then(|version| {
            check(&connection, self.path.as_deref())?;
            Ok(version)
        });
        let version = match prepared {
            Err(error) if is_damaged(&error) => {
                drop(connection);
                return Err(self.put_aside(&error));
            }
            version => version.map_err(|e| self.explain(&e))?,
        };
        let known = self.layout.version();
        if version != known {
            return Err(Error::config(
                "state.version",
                format!(
                    "`{}` has tables of version {version}, this usher knows version {known}; use the usher that \
                     wrote it, or another `state` folder",
                    self.shown()
                ),
            ));
        }
        Ok(connection)
    }

    /// Moves a damaged file out of the way, so that the next command begins with an empty one; answers what to tell.
    fn put_aside(&self, error: &rusqlite::Error) -> Error {
        let Some(path) = &self.path else { return self.explain(error) };
        let at = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
        let aside = path.with_added_extension(format!("damaged-{at}"));
        for suffix in ["", "-wal", "-shm"] {
            let of = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
            match fs::rename(of(path), of(&aside)) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return disk_error("state", path, &error);
                }
                _ => {}
            }
        }
        Error::permanent(
            "state.corrupt",
            format!(
                "`{}` is damaged or no SQLite file ({error}) and was moved to `{}`: restore it from a backup, or run again \
                 with an empty one; {}",
                path.display(),
                aside.display(),
                self.layout.lost
            ),
        )
    }

    fn shown(&self) -> Display<'_> {
        self.path.as_deref().unwrap_or(Path::new("memory")).display()
    }

    fn explain(&self, error: &rusqlite::Error) -> Error {
        let path = self.shown();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::permanent(
                "state.disk-full",
                format!("no space left to write `{path}`; free some, or choose another `state` folder"),
            ),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Error::config(
                "state.not-writable",
                format!("cannot write `{path}` ({error}); allow it, or choose another `state` folder"),
            ),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::transient(
                "state.busy",
                format!("`{path}` was kept busy by another process for too long; run again when it is done"),
            ),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::permanent(
                "state.corrupt",
                format!("`{path}` is damaged or no SQLite file ({error}); run again, and it is put aside"),
            ),
            _ => Error::permanent("state.failed", format!("cannot use `{path}` ({error}); check the disk")),
        }
    }
}

/// The file, empty, with its mode, which SQLite then gives to the `-wal` and `-shm` files as well.
fn create_private(file: &Path) -> Result<(), Error> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder).map_err(|e| disk_error("state", folder, &e))?;
    }
    match create_private_file(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(disk_error("state", file, &error)),
        _ => Ok(()),
    }
}

/// Sets a new connection up, creates the tables if there are none, and answers their version.
fn prepare(connection: &mut Connection, layout: &Layout) -> rusqlite::Result<i64> {
    connection.busy_timeout(PATIENCE)?;
    use_wal(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Only macOS needs (and knows) it: a plain fsync does not reach the disk there.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.set_prepared_statement_cache_capacity(16);
    connection.pragma_update(None, "cache_size", CACHE)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let present: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema')",
        [],
        |row| row.get(0),
    )?;
    if !present {
        transaction.execute_batch(SCHEMA)?;
    }
    let version = || transaction.query_row("SELECT version FROM schema", [], |row| row.get(0)).optional();
    for (older, added) in (0..).zip(layout.steps) {
        if version()? == Some(older) {
            transaction.execute_batch(added)?;
            transaction.execute("UPDATE schema SET version = ?1", [older + 1])?;
        }
    }
    let version = version()?;
    transaction.commit()?;
    Ok(version.unwrap_or(-1))
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// An error of damage unless every page of the file is what it should be.
fn check(connection: &Connection, path: Option<&Path>) -> rusqlite::Result<()> {
    let bytes = path.and_then(|path| path.metadata().ok()).map_or(0, |metadata| metadata.len());
    if bytes == 0 || bytes > CHECKED {
        return Ok(());
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        return Ok(());
    }
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
    Err(rusqlite::Error::SqliteFailure(code, Some(said)))
}

/// SQLite does not wait here as it does elsewhere: whoever changes the mode while another opens the file is told "busy" at
/// once, lest both wait for each other.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && begun.elapsed() < PATIENCE =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use usher_abi::service::{LedgerService, StateService};

    use super::*;
    use crate::services::Sending;

    #[test]
    fn nothing_is_created_before_the_first_write() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/.usher");
        let database = Database::new(&place);
        assert_eq!(database.state("a").get("k").unwrap(), None);
        database.state("a").delete("k").unwrap();
        let attempt = Attempt { chain: "c".to_owned(), run: "r".to_owned(), manifest: "m".to_owned() };
        let gate = Gate::new(Sending::All);
        assert_eq!(database.ledger(&attempt, "a", gate).find("x", b"u").unwrap(), None);
        attempt.finish(&database).unwrap();
        assert!(!place.exists());

        database.state("a").put("k", b"v").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place), 0o700);
        for name in ["usher.db", "usher.db-wal", "usher.db-shm"] {
            assert_eq!(mode(&place.join(name)), 0o600, "{name}");
        }
        let how = |pragma: &str| -> String {
            database
                .read(|c| c.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0)))
                .map(|value| format!("{:?}", value.unwrap()))
                .unwrap()
        };
        assert_eq!(how("journal_mode"), r#"Text("wal")"#);
        assert_eq!(how("synchronous"), "Integer(2)");
    }

    #[test]
    fn a_file_of_another_version_or_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        database.state("a").put("k", b"v").unwrap();
        database.write(|c| c.execute("UPDATE schema SET version = 99", [])).unwrap();
        let error = Database::new(folder.path()).state("a").get("k").unwrap_err();
        assert_eq!(error.code, "state.version");
        assert!(error.message.contains("version 99"), "{error}");

        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("usher.db"), "name,email\n".repeat(1_000)).unwrap();
        is_put_aside(folder.path());
    }

    /// The first command tells it, the next begins anew, and the file is still there.
    fn is_put_aside(folder: &Path) {
        let before = std::fs::read(folder.join("usher.db")).unwrap();
        let error = Database::new(folder).state("a").get("k").unwrap_err();
        assert_eq!(error.code, "state.corrupt");
        assert!(error.message.contains("was moved to"), "{error}");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let aside: Vec<PathBuf> =
            names.filter(|name| name.to_string_lossy().contains("usher.db.damaged-")).collect();
        assert!(aside.iter().any(|path| std::fs::read(path).unwrap() == before), "{aside:?}");
        assert_eq!(Database::new(folder).state("a").get("k").unwrap(), None);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::new(folder.path());
        for n in 0..200 {
            database.state("a").put(&format!("k{n}"), &[b'v'; 400]).unwrap();
        }
        drop(database);
        let file = folder.path().join("usher.db");
        let mut bytes = std::fs::read(&file).unwrap();
        let half = bytes.len() / 2;
        bytes[half..half + 6_000].fill(0x5A);
        std::fs::write(&file, bytes).unwrap();
        is_put_aside(folder.path());
    }

    #[test]
    fn tables_of_version_1_are_carried_on() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("usher.db")).unwrap();
        old.execute_batch(SCHEMA).unwrap();
        old.execute_batch(TABLES).unwrap();
        old.execute_batch("UPDATE schema SET version = 1; INSERT INTO state VALUES ('a', 'k', x'76')")
            .unwrap();
        drop(old);
        let database = Database::new(folder.path());
        assert_eq!(database.state("a").get("k").unwrap().as_deref(), Some(&b"v"[..]));
        let attempt = Attempt { chain: "c".to_owned(), run: "r".to_owned(), manifest: "m".to_owned() };
        database.ledger(&attempt, "a", Gate::new(Sending::All)).note("x", b"u", b"").unwrap();
        assert_eq!(Attempt::unfinished(&database, "c").unwrap(), Some(attempt));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Database::new(&folder.path().join("file/.usher")).state("a").put("k", b"v").unwrap_err();
        assert_eq!(error.code, "state.not-writable");
        assert!(error.message.contains("file/.usher"), "{error}");
    }

    #[test]
    fn many_may_open_it_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let together = Barrier::new(8);
            std::thread::scope(|scope| {
                for n in 0..8 {
                    let (place, together) = (folder.path(), &together);
                    scope.spawn(move || {
                        together.wait();
                        Database::new(place).state("a").put(&n.to_string(), b"v").unwrap();
                    });
                }
            });
            let count = Database::new(folder.path())
                .read(|c| c.query_row("SELECT count(*) FROM state", [], |row| row.get::<_, i64>(0)));
            assert_eq!(count.unwrap(), Some(8));
        }
    }
}
