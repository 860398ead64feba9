//! The jail: a process that may do nothing but compute. In two stages, since a library's constructors run while it is loaded.
//!
//! 1. Before the library is loaded and before there is any thread: every other descriptor closed, no new privileges, limits of
//!    memory, processor time and descriptors, no core dump; no file but the plugin's and the system's libraries, for reading;
//!    no code but that of such a file; no socket, program, process, tracing or signal.
//! 2. After it was loaded: no file is opened at all, and no file's code is mapped.
//!
//! What stands in the way of ordinary code answers an error, what only an attack does is a trap: the process ends, and the host
//! is told which call it was.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
#[cfg(unix)]
mod limits;
#[cfg(target_os = "linux")]
mod trap;

#[cfg(target_os = "linux")]
pub(super) use self::linux::Jail;
#[cfg(not(target_os = "linux"))]
pub(super) use self::none::Jail;
pub(super) use limits::close_all_above;
pub(crate) use limits::no_core_dump;

/// What a worker says on standard error when a call was trapped, before its number.
const TRAPPED: &str = "usher-jail: trapped system call ";

/// The system call that a line of standard error says was trapped.
pub(super) fn trapped(line: &str) -> Option<String> {
    let number: i64 = line.strip_prefix(TRAPPED)?.trim().parse().ok()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = calls::name(number) {
        return Some(format!("`{name}`"));
    }
    Some(format!("system call {number}"))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{io, path::Path};

    use super::{calls, files, limits, trap};
    use crate::runner::worker::Rights;

    /// A jail that is entered and not yet shut.
    pub(in crate::runner::worker) struct Jail {
        rights: Rights,
        gaps: Vec<String>,
    }

    impl Jail {
        /// Stage 1, for a process that has one thread and is about to load `plugin`.
        pub(in crate::runner::worker) fn enter(plugin: &Path, rights: &Rights) -> io::Result<Self> {
            limits::set(rights.memory)?;
            trap::install()?;
            let gaps = files::restrict(plugin, rights)?;
            calls::restrict_loading(rights)?;
            Ok(Self { rights: rights.clone(), gaps })
        }

        /// Stage 2, for all threads, those that a constructor has started included. Answers what this system cannot do.
        pub(in crate::runner::worker) fn shut(self) -> io::Result<Vec<String>> {
            limits::outlive_the_thread_that_started_this();
            calls::restrict_working(&self.rights)?;
            Ok(self.gaps)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod none {
    use std::{io, path::Path};

    use crate::runner::worker::Rights;

    /// There is no jail here: a process of its own is all.
    pub(in crate::runner::worker) struct Jail;

    impl Jail {
        pub(in crate::runner::worker) fn enter(_: &Path, rights: &Rights) -> io::Result<Self> {
            super::limits::set(rights.memory)?;
            Ok(Self)
        }

        pub(in crate::runner::worker) fn shut(self) -> io::Result<Vec<String>> {
            let gap =
                "only Linux can lock it in: it runs in a process of its own, and may do there what you may";
            Ok(vec![gap.to_owned()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_trapped_call_has_its_name() {
        let line = format!("{TRAPPED}{}\n", libc::SYS_socket);
        assert_eq!(trapped(&line).as_deref(), Some("`socket`"));
        assert_eq!(trapped(&format!("{TRAPPED}99999")).as_deref(), Some("system call 99999"));
        assert_eq!(trapped("panicked at"), None);
    }
}
