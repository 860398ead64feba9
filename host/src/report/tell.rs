//! Standard error and standard output.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    os::fd::{AsFd, AsRawFd},
    sync::OnceLock,
};

/// Writes a line to standard error. Unlike `eprintln!` it does not panic when nobody reads it.
macro_rules! tell {
    ($($message:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($message)*);
    }};
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

/// Sends into a file what plugins print on standard output, after [`keep_stdout`].
pub fn divert_stdout(file: &File) -> io::Result<()> {
    // SAFETY: both descriptors are open; `dup2` only makes 1 another name of the file's.
    match unsafe { libc::dup2(file.as_raw_fd(), libc::STDOUT_FILENO) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whether results go to a terminal, and no further than to whoever sits before it.
pub fn results_are_seen() -> bool {
    RESULTS.get().map_or_else(|| std::io::stdout().is_terminal(), IsTerminal::is_terminal)
}

/// Writes results; a closed pipe is nobody's fault.
pub fn print(text: &str) {
    let _ = match RESULTS.get() {
        Some(mut results) => results.write_all(text.as_bytes()),
        None => std::io::stdout().lock().write_all(text.as_bytes()),
    };
}
