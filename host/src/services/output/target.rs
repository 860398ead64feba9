//! Where the bytes of a part go.

use std::{
    fs::File,
    io::{self, Write},
    ops::Range,
    os::unix::fs::FileExt,
};

/// A file, or what a test puts in its place. Bytes are appended by one thread; others may read what was written.
pub(super) trait Target: Send + Sync {
    /// Appends.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Reads what was written at `offset`; 0 at the end.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Lets the disk begin with the bytes `range`, which were appended: what waits for [`sync`](Self::sync) then waits for
    /// little. A hint, so nobody is told of a failure.
    fn begin_sync(&self, _range: Range<u64>) {}
    /// Makes it durable.
    fn sync(&self) -> io::Result<()>;
}

/// A file on disk.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) file: File,
    /// Whether it is to outlive the run; if not, nobody waits for the disk.
    pub(super) kept: bool,
}

impl Target for Disk {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(&self.file, into, offset)
    }

    #[cfg(target_os = "linux")]
    fn begin_sync(&self, range: Range<u64>) {
        use rustix::fs::{Advice, fadvise};
        let length = std::num::NonZeroU64::new(range.end.saturating_sub(range.start));
        if self.kept && length.is_some() {
            // What is said not to be needed Linux begins to write; pages that are clean already it drops from memory.
            let _ = fadvise(&self.file, range.start, length, Advice::DontNeed);
        }
    }

    fn sync(&self) -> io::Result<()> {
        if self.kept { self.file.sync_all() } else { Ok(()) }
    }
}
