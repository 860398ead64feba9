//! What a worker says on standard error, and what that and its exit status mean once it is dead.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    sync::{Mutex, OnceLock},
};

use usher_abi::LogLevel;

use super::{jail, serving::Serving};
use crate::services::private::lock;

/// So much of what a worker says on standard error is kept for whoever asks why it died.
const LAST_WORDS: usize = 4096;

/// What is done with a worker's standard error: its last lines are kept, all go to the log of the run.
#[derive(Debug, Default)]
pub(super) struct Words {
    last: Mutex<String>,
    serving: OnceLock<Serving>,
}

impl Words {
    /// From now on each line is logged, too.
    pub(super) fn log_by(&self, serving: Serving) {
        let _ = self.serving.set(serving);
    }

    /// What was said last.
    pub(super) fn last(&self) -> String {
        lock(&self.last).clone()
    }

    /// Until the process ends.
    pub(super) fn listen(&self, errors: impl Read) {
        let mut errors = BufReader::new(errors);
        let mut line = Vec::new();
        // A line that does not end is cut into such as do.
        while matches!(errors.by_ref().take(LAST_WORDS as u64).read_until(b'\n', &mut line), Ok(1..)) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if text.is_empty() {
                continue;
            }
            if let (Some(serving), None) = (self.serving.get(), jail::trapped(&text)) {
                // As shown as what a plugin prints in the host's own process.
                serving.log(LogLevel::WARN, "print", &text);
            }
            let mut last = lock(&self.last);
            if last.len() + text.len() > LAST_WORDS {
                last.clear();
            }
            *last += &text;
            last.push('\n');
        }
    }
}

/// What an exit status means, and what was said last.
pub(super) fn describe(status: ExitStatus, words: &str) -> String {
    if let Some(call) = words.lines().rev().find_map(jail::trapped) {
        return format!("it tried what its jail forbids ({call}), and its process was ended");
    }
    // What the runtime has to say of backtraces helps nobody here.
    let last = words.lines().rev().find(|line| !line.trim().is_empty() && !line.starts_with("note: "));
    let of_memory = |line: &str| line.starts_with("memory allocation of ");
    let limit = if last.is_some_and(of_memory) { " (its limit is `jail.memory`)" } else { "" };
    let last = last.map_or_else(String::new, |line| format!("; the last it said: {line}{limit}"));
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = match signal {
                libc::SIGSEGV => " (segmentation fault)",
                libc::SIGBUS => " (bus error)",
                libc::SIGABRT => " (abort)",
                libc::SIGILL => " (illegal instruction)",
                libc::SIGFPE => " (arithmetic)",
                libc::SIGSYS => " (a system call that its jail forbids)",
                libc::SIGKILL => " (killed; the system may be out of memory)",
                libc::SIGXCPU => " (its processor time is used up)",
                _ => "",
            };
            format!("its process was ended by signal {signal}{name}{last}")
        }
        (None, code) => {
            format!("its process ended itself with code {}{last}", code.unwrap_or_default())
        }
    }
}
