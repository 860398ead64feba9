//! Limits that every Unix knows, and what a process must not keep.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
#[cfg(target_os = "linux")]
use rustix::{
    process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal},
    thread::set_no_new_privs,
};

/// Seconds of processor time. Calls have their deadlines; this ends a thread that the plugin has left running.
const PROCESSOR_TIME: u64 = 24 * 60 * 60;

/// Descriptors: the control socket, standard error, and the socket of each lane.
const DESCRIPTORS: u64 = 512;

/// Sets limits of memory (of this process's own, what it shares with the host apart), processor time and descriptors; no
/// core dump is written, which would hold people's data and options.
pub(super) fn set(memory: u64) -> io::Result<()> {
    limit(Resource::Data, memory, memory)?;
    // The first limit is a signal of its own, by which the host knows; the second one ends whoever ignores it.
    limit(Resource::Cpu, PROCESSOR_TIME, PROCESSOR_TIME + 5)?;
    limit(Resource::Nofile, DESCRIPTORS, DESCRIPTORS)?;
    no_core_dump()?;
    #[cfg(target_os = "linux")]
    {
        // It ends with the host while it is being loaded.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        set_no_new_privs(true)?;
    }
    Ok(())
}

/// The signal comes with the end of the thread that started this process, which may end before the host does. From here on
/// the first thread sees the host's end by its socket.
#[cfg(target_os = "linux")]
pub(super) fn outlive_the_thread_that_started_this() {
    let _ = set_parent_process_death_signal(None);
}

/// From now on no core dump is written of this process: neither as a file nor by a pipe, which knows no limit. Nor may a
/// debugger of the same user attach to it.
pub(crate) fn no_core_dump() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    limit(Resource::Core, 0, 0)
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    // Nobody may raise what was set for the host.
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(soft.min(most)), maximum: Some(hard.min(most)) };
    Ok(setrlimit(resource, limit)?)
}

/// Closes every descriptor above this one.
pub(in crate::runner::worker) fn close_all_above(last: i32) {
    // SAFETY: this is a new process: what its program has opened on the way here, nobody uses any more.
    #[cfg(target_os = "linux")]
    if unsafe { libc::syscall(libc::SYS_close_range, last + 1, u32::MAX, 0) } == 0 {
        return;
    }
    for descriptor in last + 1..1024 {
        // SAFETY: as above; closing what is not open does nothing.
        unsafe { libc::close(descriptor) };
    }
}
