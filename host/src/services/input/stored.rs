//! The bytes of an input as they are stored: a file, or what came through a pipe, spooled to an unnamed file.

use std::{
    fs::{File, Metadata},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use usher_abi::Error;

use super::{digest::Blocks, registry::Incoming};
use crate::services::{clock::Cancel, private::disk_error};

/// Stored bytes, which can be read any number of times, from any thread. What is read is hashed, once.
#[derive(Debug)]
pub(super) struct Stored {
    place: Place,
    pub(super) blocks: Arc<Blocks>,
}

/// Where the stored bytes are.
#[derive(Debug)]
enum Place {
    /// A file of the user's, opened anew for each reader, so that a glob of thousands holds no descriptors.
    File { path: PathBuf, stamp: Stamp },
    /// An unnamed file of ours; it goes when its last user does.
    Spool { file: Arc<File>, len: u64 },
}

/// What tells that a file is still the one that was opened first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

impl Stored {
    /// A file of the user's.
    pub(super) fn file(path: PathBuf, stamp: Stamp) -> Self {
        Self { blocks: Arc::new(Blocks::new(stamp.len)), place: Place::File { path, stamp } }
    }

    fn spool(file: File, len: u64) -> Self {
        Self { blocks: Arc::new(Blocks::new(len)), place: Place::Spool { file: Arc::new(file), len } }
    }

    /// Bytes as stored.
    pub(super) fn len(&self) -> u64 {
        match &self.place {
            Place::File { stamp, .. } => stamp.len,
            Place::Spool { len, .. } => *len,
        }
    }

    /// Whether they stand in a file of the user's.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.place, Place::File { .. })
    }

    /// Opens the bytes from `position` on; `name` is for messages. A file that is not what it was when it was
    /// opened first is an error: rows, rejects and digests would be of different inputs.
    pub(super) fn open(&self, name: &str, position: u64) -> Result<At, Error> {
        let file = match &self.place {
            Place::Spool { file, .. } => Arc::clone(file),
            Place::File { path, stamp } => {
                let file = File::open(path).map_err(|e| unreadable(name, &e))?;
                let now = file.metadata().map_err(|e| unreadable(name, &e))?;
                if Stamp::of(&now) != *stamp {
                    return Err(changed(name));
                }
                Arc::new(file)
            }
        };
        Ok(At { file, position, blocks: Arc::clone(&self.blocks) })
    }
}

/// A place in stored bytes. Reading moves only this place, never that of another reader of the same file.
#[derive(Debug)]
pub(super) struct At {
    file: Arc<File>,
    position: u64,
    blocks: Arc<Blocks>,
}

impl At {
    /// Where the next read begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.position)?;
        self.blocks.note(self.position, &into[..read]);
        self.position += read as u64;
        Ok(read)
    }
}

/// The file could not be read.
pub(super) fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::permanent(
        "input.unreadable",
        format!("cannot read `{name}` ({error}); check its permissions and the disk it is on"),
    )
}

/// The file is not what it was.
pub(super) fn changed(name: &str) -> Error {
    Error::data(
        "input.changed",
        format!("`{name}` changed while it was being used; leave inputs alone during a run, and run again"),
    )
}

/// A file (mode 0600) that is being written: without a name, or one that is to stay.
pub(super) struct Spool<'a> {
    name: &'a str,
    folder: &'a Path,
    limit: u64,
    file: Target,
    len: u64,
}

enum Target {
    Unnamed(File),
    Incoming(Box<dyn Incoming>),
}

impl<'a> Spool<'a> {
    /// An empty one, `incoming` or else in `folder`, for at most `limit` bytes; `name` is for messages.
    pub(super) fn new(
        name: &'a str,
        folder: &'a Path,
        limit: u64,
        incoming: Option<Box<dyn Incoming>>,
    ) -> Result<Self, Error> {
        let file = match incoming {
            Some(incoming) => Target::Incoming(incoming),
            None => Target::Unnamed(tempfile::tempfile_in(folder).map_err(|e| refused(name, folder, &e))?),
        };
        Ok(Self { name, folder, limit, file, len: 0 })
    }

    /// Appends bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.len += bytes.len() as u64;
        if self.len > self.limit {
            let (name, limit) = (self.name, self.limit);
            return Err(Error::data(
                "input.too-large",
                format!("`{name}` is larger than {limit} bytes; split it, or raise the limit"),
            ));
        }
        let file = match &mut self.file {
            Target::Unnamed(file) => file,
            Target::Incoming(incoming) => incoming.file(),
        };
        file.write_all(bytes).map_err(|e| refused(self.name, self.folder, &e))
    }

    /// What was written, and what people call it.
    pub(super) fn finish(self) -> Result<(Stored, String), Error> {
        let (file, label) = match self.file {
            Target::Unnamed(file) => (file, self.name.to_owned()),
            Target::Incoming(incoming) => incoming.stay()?,
        };
        Ok((Stored::spool(file, self.len), label))
    }
}

fn refused(name: &str, folder: &Path, error: &io::Error) -> Error {
    disk_error("input", folder, error).context(format!("spooling `{name}`, so that it can be read again"))
}

/// Copies all of `source` to an unnamed file (mode 0600) in `folder`. Ends soon after `cancel` is thrown, even if
/// `source` says nothing: it is read on a thread of its own, which then stays behind until `source` speaks or ends.
pub(super) fn spool(
    name: &str,
    source: impl Read + Send + 'static,
    folder: &Path,
    limit: u64,
    cancel: &Cancel,
) -> Result<Stored, Error> {
    let mut spool = Spool::new(name, folder, limit, None)?;
    let (sender, receiver) = mpsc::sync_channel(2);
    thread::Builder::new()
        .name("usher-spool".to_owned())
        .spawn(move || pump(source, &sender))
        .map_err(|e| unreadable(name, &e))?;
    loop {
        cancel.check()?;
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(Ok(chunk)) if chunk.is_empty() => return Ok(spool.finish()?.0),
            Ok(Ok(chunk)) => spool.write(&chunk)?,
            Ok(Err(error)) => return Err(unreadable(name, &error)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(Error::bug("input.reader-died", format!("the thread that read `{name}` died")));
            }
        }
    }
}

/// Sends what `source` holds in pieces, at last an empty one.
fn pump(mut source: impl Read, sender: &mpsc::SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; 256 * 1024];
        let item = match source.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
            Ok(read) => {
                chunk.truncate(read);
                Ok(chunk)
            }
        };
        let last = !matches!(&item, Ok(chunk) if !chunk.is_empty());
        if sender.send(item).is_err() || last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use usher_abi::ErrorClass;

    use super::*;

    fn spooled(source: impl Read + Send + 'static, limit: u64) -> Result<Stored, Error> {
        let folder = tempfile::tempdir().unwrap();
        let stored = spool("stdin", source, folder.path(), limit, &Cancel::new());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "the spool file has no name");
        stored
    }

    #[test]
    fn a_spool_can_be_read_again_and_from_anywhere() {
        let stored = spooled(io::Cursor::new(b"abcdef".repeat(200_000)), u64::MAX).unwrap();
        assert_eq!(stored.len(), 1_200_000);
        for position in [0, 6, 600_000] {
            let mut text = String::new();
            stored.open("stdin", position).unwrap().take(3).read_to_string(&mut text).unwrap();
            assert_eq!(text, "abc");
        }
    }

    #[test]
    fn a_spool_is_bounded() {
        let error = spooled(io::repeat(b'x'), 1_000_000).unwrap_err();
        assert_eq!(error.code, "input.too-large");
    }

    #[test]
    fn a_broken_pipe_is_an_error_not_an_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let error = spooled(io::Cursor::new("abc").chain(Broken), u64::MAX).unwrap_err();
        assert_eq!(error.code, "input.unreadable");
    }

    #[test]
    fn a_silent_pipe_can_be_cancelled() {
        let (reader, _writer) = io::pipe().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        let error = spool("stdin", reader, folder.path(), u64::MAX, &cancel).unwrap_err();
        assert_eq!(error.class, ErrorClass::CANCELLED);
    }

    #[test]
    fn a_full_disk_is_named() {
        let error = spool("stdin", io::empty(), Path::new("/nowhere"), u64::MAX, &Cancel::new()).unwrap_err();
        assert_eq!(error.code, "input.failed");
        assert!(error.to_string().starts_with("spooling `stdin`"), "{error}");
        assert!(error.to_string().contains("/nowhere"), "{error}");
    }

    #[test]
    fn a_file_that_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "a,b\n").unwrap();
        let stored = Stored::file(path.clone(), Stamp::of(&path.metadata().unwrap()));
        stored.open("a.csv", 0).unwrap();
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        assert_eq!(stored.open("a.csv", 0).unwrap_err().code, "input.changed");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(stored.open("a.csv", 0).unwrap_err().code, "input.unreadable");
    }
}
