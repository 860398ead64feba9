//! What one connector writes.

use std::{
    collections::HashMap,
    fmt, fs,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::Ordering},
};

use usher_abi::{
    Error,
    service::{OutputService, PartFormat},
};

use super::{
    count::Counter,
    staging::{Place, Shared, check_name},
    target::Disk,
    writer::{Outcome, Writer},
};
use crate::services::private::{create_private_file, disk_error, lock};

/// A finished part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The connector that wrote it; its folder in the run folder.
    pub connector: String,
    /// `<chain>-<connector>-<run>-<stem>-<number>.<extension>`.
    pub name: String,
    /// The sink's name for what is in it (`users`).
    pub stem: String,
    /// Records, header not counted: by the host, for formats that it counts, else by the sink.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 of the bytes, 64 hexadecimal digits.
    pub digest: String,
    /// What is in it.
    pub format: PartFormat,
    /// The first bytes, in a dry run that asked for them.
    pub head: Vec<u8>,
}

/// The output service of one connector.
pub struct Outputs {
    shared: Arc<Shared>,
    connector: String,
    open: Mutex<HashMap<u64, Arc<Mutex<Option<Open>>>>>,
    /// The last number given, by stem.
    numbers: Mutex<HashMap<String, u64>>,
}

/// A part that is being written.
struct Open {
    stem: String,
    extension: String,
    format: PartFormat,
    /// None in a dry run.
    path: Option<PathBuf>,
    writer: Writer,
}

impl fmt::Debug for Outputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").field("connector", &self.connector).finish_non_exhaustive()
    }
}

impl Outputs {
    pub(super) fn new(shared: Arc<Shared>, connector: &str) -> Self {
        let connector = connector.to_owned();
        Self { shared, connector, open: Mutex::default(), numbers: Mutex::default() }
    }

    fn part(&self, part: u64) -> Result<Arc<Mutex<Option<Open>>>, Error> {
        lock(&self.open).get(&part).cloned().ok_or_else(|| self.no_part(part))
    }

    /// Takes a part out of the books; the caller must end it.
    fn take(&self, part: u64) -> Result<Open, Error> {
        let slot = lock(&self.open).remove(&part).ok_or_else(|| self.no_part(part))?;
        lock(&self.shared.open).remove(&part);
        lock(&slot).take().ok_or_else(|| self.no_part(part))
    }

    fn no_part(&self, part: u64) -> Error {
        Error::bug("output.no-part", format!("connector `{}` has no open part {part}", self.connector))
    }

    fn miscount(&self, stem: &str, what: &str) -> Error {
        Error::bug(
            "output.miscount",
            format!("a part `{stem}` of connector `{}` is not what its sink says: {what}", self.connector),
        )
    }

    fn final_name(&self, stem: &str, extension: &str) -> String {
        let mut numbers = lock(&self.numbers);
        let number = numbers.entry(stem.to_owned()).or_default();
        *number += 1;
        let Shared { chain, run, .. } = &*self.shared;
        format!("{chain}-{}-{run}-{stem}-{number:04}.{extension}", self.connector)
    }

    /// Ends a part that was taken out of the books.
    fn end(&self, open: Open, records: u64) -> Result<String, Error> {
        let Open { stem, extension, format, path, writer } = open;
        let (outcome, syncing) = writer.finish()?;
        self.shared.add_syncing(syncing)?;
        let rows = self.agreed(&stem, &outcome, records)?;
        let name = self.final_name(&stem, &extension);
        if let Some(path) = &path {
            let to = path.with_file_name(&name);
            fs::rename(path, &to).map_err(|e| disk_error("output", &to, &e))?;
        }
        let Outcome { bytes, digest, head, .. } = outcome;
        let connector = self.connector.clone();
        lock(&self.shared.parts).push(Part {
            connector,
            name: name.clone(),
            stem,
            rows,
            bytes,
            digest,
            format,
            head,
        });
        Ok(name)
    }

    /// The records of a part, if the sink and the host agree on them.
    fn agreed(&self, stem: &str, outcome: &Outcome, said: u64) -> Result<u64, Error> {
        match outcome.records {
            Ok(Some(counted)) if counted != said => {
                Err(self.miscount(stem, &format!("it holds {counted} records, the sink says {said}")))
            }
            Ok(_) => Ok(said),
            Err(why) => Err(self.miscount(stem, why)),
        }
    }
}

impl OutputService for Outputs {
    fn create(&self, stem: &str, extension: &str, format: &PartFormat) -> Result<u64, Error> {
        check_name("part", stem)?;
        check_name("extension", extension)?;
        let counter = Counter::new(format)?;
        let id = self.shared.next_part.fetch_add(1, Ordering::Relaxed);
        let (file, path, shown, head) = match &self.shared.place {
            Place::Kept { staging, .. } => {
                let path = staging.join(&self.connector).join(format!("{stem}.part-{id}.tmp"));
                (create_private_file(&path), Some(path.clone()), path, 0)
            }
            Place::Dry { temporary, head } => {
                (tempfile::tempfile_in(temporary), None, temporary.clone(), *head)
            }
        };
        let file = file.map_err(|e| disk_error("output", &shown, &e))?;
        let target = Arc::new(Disk { file, kept: path.is_some() });
        let writer = Writer::new(target, &shown, counter, head)?;
        let (stem, extension, format) = (stem.to_owned(), extension.to_owned(), format.clone());
        lock(&self.shared.open).insert(id, format!("{}: {stem}", self.connector));
        let open = Open { stem, extension, format, path, writer };
        lock(&self.open).insert(id, Arc::new(Mutex::new(Some(open))));
        Ok(id)
    }

    fn write(&self, part: u64, bytes: &[u8]) -> Result<(), Error> {
        let slot = self.part(part)?;
        let mut open = lock(&slot);
        open.as_mut().ok_or_else(|| self.no_part(part))?.writer.write(bytes)
    }

    fn read_back(&self, part: u64, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let slot = self.part(part)?;
        let mut open = lock(&slot);
        open.as_mut().ok_or_else(|| self.no_part(part))?.writer.read_back(offset, into)
    }

    fn finish(&self, part: u64, records: u64) -> Result<String, Error> {
        let open = self.take(part)?;
        // A sink that goes on after this error must not end up published without the part.
        self.end(open, records).inspect_err(|error| self.shared.fail(error))
    }

    fn discard(&self, part: u64) -> Result<(), Error> {
        let open = self.take(part)?;
        open.writer.stop();
        let removed = open
            .path
            .map_or(Ok(()), |path| fs::remove_file(&path).map_err(|e| disk_error("output", &path, &e)));
        removed.inspect_err(|error| self.shared.fail(error))
    }
}
