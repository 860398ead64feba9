//! Writing a part on a thread of its own, so that the sink only copies: the thread hashes, counts and writes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

use usher_abi::Error;

use super::{count::Counter, target::Target};
use crate::services::private::disk_error;

/// Bytes of a buffer.
const BUFFER: usize = 256 * 1024;
/// Full buffers that wait; with the one being filled and the one being written a part holds `WAITING` + 2.
const WAITING: usize = 3;

/// Bytes with which the disk may begin.
const BEGIN: u64 = 8 << 20;

/// What a part turned out to be.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) bytes: u64,
    /// BLAKE3, hexadecimal.
    pub(super) digest: String,
    /// Records, or why they cannot be counted; `None`: not of a format that is counted.
    pub(super) records: Result<Option<u64>, &'static str>,
    /// The first bytes, as many as were asked for.
    pub(super) head: Vec<u8>,
}

enum Message {
    Bytes(Vec<u8>),
    /// Answers when everything before is written.
    Flush(SyncSender<()>),
    /// Answers what the part is, then makes it durable.
    Finish(SyncSender<Outcome>),
}

/// A part that is being written.
pub(super) struct Writer {
    path: PathBuf,
    target: Arc<dyn Target>,
    filling: Vec<u8>,
    /// Bytes were written since the last flush.
    unflushed: bool,
    queue: Option<SyncSender<Message>>,
    spent: Receiver<Vec<u8>>,
    failure: Arc<OnceLock<Error>>,
    thread: JoinHandle<Result<(), Error>>,
}

impl Writer {
    /// Starts the thread. `path` is for messages; the first `head` bytes are kept for [`Outcome::head`].
    pub(super) fn new(
        target: Arc<dyn Target>,
        path: &Path,
        counter: Counter,
        head: usize,
    ) -> Result<Self, Error> {
        let (queue, messages) = sync_channel(WAITING);
        let (recycle, spent) = channel();
        let failure = Arc::new(OnceLock::new());
        let work = Work {
            target: Arc::clone(&target),
            path: path.to_owned(),
            hasher: blake3::Hasher::new(),
            counter,
            bytes: 0,
            begun: 0,
            head: Vec::new(),
            keep: head,
        };
        let failed = Arc::clone(&failure);
        let thread = thread::Builder::new()
            .name("usher-write".to_owned())
            .spawn(move || {
                let result = work.run(&messages, &recycle);
                if let Err(error) = &result {
                    // Set before the queue is dropped, so that whoever sees that finds the reason.
                    let _ = failed.set(error.clone());
                }
                drop(messages);
                result
            })
            .map_err(|e| disk_error("output", path, &e))?;
        Ok(Self {
            path: path.to_owned(),
            target,
            filling: Vec::with_capacity(BUFFER),
            unflushed: false,
            queue: Some(queue),
            spent,
            failure,
            thread,
        })
    }

    /// Appends. An error is of bytes appended before.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        self.unflushed |= !bytes.is_empty();
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BUFFER - self.filling.len()));
            self.filling.extend_from_slice(now);
            bytes = rest;
            if self.filling.len() == BUFFER {
                self.pass_on()?;
            }
        }
        Ok(())
    }

    /// Reads back what was written; 0 at the end.
    pub(super) fn read_back(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        if self.unflushed {
            self.pass_on()?;
            let (done, wait) = sync_channel(1);
            self.send(Message::Flush(done))?;
            wait.recv().map_err(|_| self.reason())?;
            self.unflushed = false;
        }
        loop {
            match self.target.read_at(into, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map_err(|e| disk_error("output", &self.path, &e)),
            }
        }
    }

    /// Ends the part. The thread still makes it durable; joining it answers whether it could.
    pub(super) fn finish(mut self) -> Result<(Outcome, JoinHandle<Result<(), Error>>), Error> {
        self.pass_on()?;
        let (done, wait) = sync_channel(1);
        self.send(Message::Finish(done))?;
        let outcome = wait.recv().map_err(|_| self.reason())?;
        Ok((outcome, self.thread))
    }

    /// Stops without an end; nothing is written any more when this returns.
    pub(super) fn stop(mut self) {
        self.queue = None;
        // What it could not write does not matter any more.
        let _ = self.thread.join();
    }

    fn pass_on(&mut self) -> Result<(), Error> {
        if self.filling.is_empty() {
            return Ok(());
        }
        let empty = match self.spent.try_recv() {
            Ok(buffer) => buffer,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Vec::with_capacity(BUFFER),
        };
        let full = std::mem::replace(&mut self.filling, empty);
        self.send(Message::Bytes(full))
    }

    fn send(&self, message: Message) -> Result<(), Error> {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(message).is_ok());
        if sent { Ok(()) } else { Err(self.reason()) }
    }

    fn reason(&self) -> Error {
        self.failure.get().cloned().unwrap_or_else(|| {
            Error::bug("output.writer-died", format!("the thread that wrote `{}` died", self.path.display()))
        })
    }
}

/// What the thread works with.
struct Work {
    target: Arc<dyn Target>,
    path: PathBuf,
    hasher: blake3::Hasher,
    counter: Counter,
    bytes: u64,
    /// So many of them the disk has begun with.
    begun: u64,
    head: Vec<u8>,
    keep: usize,
}

impl Work {
    fn run(
        mut self,
        messages: &Receiver<Message>,
        recycle: &std::sync::mpsc::Sender<Vec<u8>>,
    ) -> Result<(), Error> {
        for message in messages {
            match message {
                Message::Bytes(mut bytes) => {
                    self.target.append(&bytes).map_err(|e| disk_error("output", &self.path, &e))?;
                    self.hasher.update(&bytes);
                    self.counter.update(&bytes);
                    self.bytes += bytes.len() as u64;
                    if self.bytes - self.begun >= BEGIN {
                        self.target.begin_sync(self.begun..self.bytes);
                        self.begun = self.bytes;
                    }
                    let missing = self.keep - self.head.len();
                    self.head.extend_from_slice(&bytes[..missing.min(bytes.len())]);
                    bytes.clear();
                    // The writer may be gone already.
                    let _ = recycle.send(bytes);
                }
                Message::Flush(done) => drop(done.send(())),
                Message::Finish(done) => {
                    let outcome = Outcome {
                        bytes: self.bytes,
                        digest: self.hasher.finalize().to_hex().to_string(),
                        records: self.counter.finish(),
                        head: self.head,
                    };
                    drop(done.send(outcome));
                    return self.target.sync().map_err(|e| disk_error("output", &self.path, &e));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::ErrorKind,
        sync::{
            Mutex,
            atomic::{AtomicU64, Ordering},
        },
    };

    use usher_abi::service::PartFormat;

    use super::*;
    use crate::services::private::lock;

    /// A disk with room for so many bytes.
    struct Disk {
        room: u64,
        bytes: Mutex<Vec<u8>>,
        syncs: AtomicU64,
        sync_fails: bool,
    }

    fn disk(room: u64, sync_fails: bool) -> Arc<Disk> {
        Arc::new(Disk { room, bytes: Mutex::default(), syncs: AtomicU64::new(0), sync_fails })
    }

    impl Target for Disk {
        fn append(&self, bytes: &[u8]) -> io::Result<()> {
            let mut all = lock(&self.bytes);
            if (all.len() + bytes.len()) as u64 > self.room {
                return Err(ErrorKind::StorageFull.into());
            }
            all.extend_from_slice(bytes);
            Ok(())
        }

        fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
            let all = lock(&self.bytes);
            let rest = all.get(offset as usize..).unwrap_or_default();
            let read = rest.len().min(into.len());
            into[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        }

        fn sync(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            if self.sync_fails { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
    }

    fn writer(disk: &Arc<Disk>) -> Writer {
        let counter = Counter::new(&PartFormat::ndjson()).unwrap();
        Writer::new(Arc::clone(disk) as _, Path::new("out/users.part-1.tmp"), counter, 5).unwrap()
    }

    #[test]
    fn everything_arrives_hashed_and_counted() {
        let disk = disk(u64::MAX, false);
        let mut writer = writer(&disk);
        let mut all = Vec::new();
        for n in 0..3_000usize {
            let line = format!("{}\n", "x".repeat(n % 700));
            writer.write(line.as_bytes()).unwrap();
            all.extend_from_slice(line.as_bytes());
        }
        let big = [vec![b'y'; BUFFER * 3], b"\n".to_vec()].concat();
        writer.write(&big).unwrap();
        all.extend_from_slice(&big);
        let (outcome, syncing) = writer.finish().unwrap();
        syncing.join().unwrap().unwrap();
        assert_eq!(disk.syncs.load(Ordering::Relaxed), 1);
        assert_eq!(*lock(&disk.bytes), all);
        assert_eq!(outcome.bytes, all.len() as u64);
        assert_eq!(outcome.digest, blake3::hash(&all).to_hex().to_string());
        let lines = all.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count() as u64;
        assert_eq!(outcome.records, Ok(Some(lines)));
        assert_eq!(outcome.head, &all[..5]);
    }

    #[test]
    fn what_was_written_can_be_read_back_at_once() {
        let disk = disk(u64::MAX, false);
        let mut writer = writer(&disk);
        let mut into = [0; 4];
        writer.write(b"abcdef").unwrap();
        assert_eq!(writer.read_back(2, &mut into).unwrap(), 4);
        assert_eq!(&into, b"cdef");
        assert_eq!(writer.read_back(6, &mut into).unwrap(), 0);
        writer.write(b"g").unwrap();
        assert_eq!(writer.read_back(6, &mut into).unwrap(), 1);
        writer.stop();
        assert_eq!(disk.syncs.load(Ordering::Relaxed), 0, "what is thrown away need not be durable");
    }

    #[test]
    fn a_full_disk_is_told_at_the_next_write_and_at_every_later_call() {
        let disk = disk(BUFFER as u64, false);
        let mut writer = writer(&disk);
        let error = loop {
            if let Err(error) = writer.write(&vec![b'x'; BUFFER]) {
                break error;
            }
        };
        assert_eq!(error.code, "output.disk-full");
        assert!(error.message.contains("out/users.part-1.tmp"), "{error}");
        assert_eq!(writer.write(&vec![b'x'; BUFFER]).unwrap_err(), error);
        assert_eq!(writer.read_back(0, &mut [0; 4]).unwrap_err(), error);
        assert_eq!(writer.finish().unwrap_err(), error);
    }

    #[test]
    fn a_full_disk_is_told_at_finish() {
        let mut writer = writer(&disk(3, false));
        writer.write(b"abcdef").unwrap();
        assert_eq!(writer.finish().unwrap_err().code, "output.disk-full");
    }

    #[test]
    fn a_disk_that_fails_late_is_told_too() {
        let mut writer = writer(&disk(u64::MAX, true));
        writer.write(b"abcdef").unwrap();
        let (_, syncing) = writer.finish().unwrap();
        assert_eq!(syncing.join().unwrap().unwrap_err().code, "output.disk-full");
    }
}
