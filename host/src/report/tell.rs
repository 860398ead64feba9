//! Standard error and standard output.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, IsTerminal, Write},
    os::fd::{AsFd, AsRawFd},
    sync::OnceLock,
    thread::{self, JoinHandle},
};

use super::log::{KEPT, log_stray};

/// Writes a line to the log: `tell!("…")`, `tell!(warning, "…")`, `tell!(error, "…")`. Unlike `eprintln!` it does not panic
/// when nobody reads it.
macro_rules! tell {
    (error, $($message:tt)*) => { $crate::report::tell!(@ ERROR, $($message)*) };
    (warning, $($message:tt)*) => { $crate::report::tell!(@ WARN, $($message)*) };
    (@ $level:ident, $($message:tt)*) => {
        $crate::report::log(&$crate::services::LogLine::new(usher_abi::LogLevel::$level, &format!($($message)*)))
    };
    ($($message:tt)*) => { $crate::report::tell!(@ INFO, $($message)*) };
}
pub(crate) use tell;

/// Writes a text to standard error as it stands.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

static RESULTS: OnceLock<File> = OnceLock::new();

/// Keeps standard output for results: whatever a plugin prints goes to standard error from now on. Call it once, first
/// thing, before any thread.
pub fn keep_stdout() {
    let Ok(kept) = std::io::stdout().as_fd().try_clone_to_owned() else { return };
    // SAFETY: both descriptors are open; `dup2` only makes 1 another name of 2.
    if unsafe { libc::dup2(std::io::stderr().as_raw_fd(), libc::STDOUT_FILENO) } >= 0 {
        let _ = RESULTS.set(File::from(kept));
    }
}

/// Until [`end`](Self::end), what plugins print on standard output and standard error becomes lines of the log: whoever
/// reads JSON must not find anything else among it.
pub(crate) struct Prints(JoinHandle<()>);

impl Prints {
    /// Begins to read; `None` when the system gives no pipe, so that prints stand as they are.
    pub(crate) fn read() -> Option<Self> {
        let (reader, writer) = io::pipe().ok()?;
        let kept = File::from(std::io::stderr().as_fd().try_clone_to_owned().ok()?);
        KEPT.set(kept).ok()?;
        rename(writer.as_raw_fd());
        drop(writer);
        let read = move || {
            let mut lines = BufReader::new(reader);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log_stray(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
        };
        Some(Self(thread::spawn(read)))
    }

    /// Everything that was printed so far is in the log.
    pub(crate) fn end(self) {
        if let Some(kept) = KEPT.get() {
            // The last names of the pipe's end: the reader comes to its own.
            rename(kept.as_raw_fd());
            let _ = self.0.join();
        }
    }
}

/// Makes 1 and 2 other names of an open descriptor.
fn rename(to: i32) {
    for name in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: the descriptor is open; `dup2` only makes another name of it. On failure prints go where they went.
        let _ = unsafe { libc::dup2(to, name) };
    }
}

/// Sends into a file what plugins print on standard output, after [`keep_stdout`].
pub fn divert_stdout(file: &File) -> io::Result<()> {
    // SAFETY: both descriptors are open; `dup2` only makes 1 another name of the file's.
    match unsafe { libc::dup2(file.as_raw_fd(), libc::STDOUT_FILENO) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whether somebody sees results as they are written.
pub fn on_terminal() -> bool {
    RESULTS.get().map_or_else(|| std::io::stdout().is_terminal(), File::is_terminal)
}

/// Writes results; a closed pipe is nobody's fault.
pub fn print(text: &str) {
    let _ = match RESULTS.get() {
        Some(mut results) => results.write_all(text.as_bytes()),
        None => std::io::stdout().lock().write_all(text.as_bytes()),
    };
}
