//! What a process can see of itself: what was printed, and how many threads there are.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    thread,
    time::{Duration, Instant},
};

use crate::report::divert_stdout;

/// Standard output, kept in a file nobody else sees.
pub(super) struct Printed {
    file: File,
    read: u64,
}

impl Printed {
    /// From now on.
    pub(super) fn divert() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        divert_stdout(&file)?;
        Ok(Self { file, read: 0 })
    }

    /// What was printed since the last time.
    pub(super) fn since(&mut self) -> String {
        read_on(&self.file, &mut self.read)
    }
}

/// The text of a file from a place on, which moves to its end. The file's own place is left alone: another process
/// writes there.
pub(super) fn read_on(file: &File, place: &mut u64) -> String {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = file.read_at(&mut chunk, *place) {
        text.extend_from_slice(&chunk[..count]);
        *place += count as u64;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Threads end a moment after they were joined.
const GRACE: Duration = Duration::from_millis(500);

/// The threads of this process.
pub(super) struct Threads {
    known: usize,
}

impl Threads {
    /// Before anything of a plugin runs there is one.
    pub(super) fn new() -> Self {
        Self { known: 1 }
    }

    /// How many there are more than the last time, after a moment for those that are about to end; none where nobody
    /// can tell.
    pub(super) fn more(&mut self) -> Option<usize> {
        let started = Instant::now();
        loop {
            let count = fs::read_dir("/proc/self/task").ok()?.count();
            let more = count.saturating_sub(self.known);
            if more == 0 || started.elapsed() > GRACE {
                self.known = count;
                return Some(more);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}
