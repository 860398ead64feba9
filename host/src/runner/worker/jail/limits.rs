//! Limits that every Unix knows, and what a process must not keep.

use std::io;

/// Seconds of processor time. Calls have their deadlines; this ends a thread that the plugin has left running.
const PROCESSOR_TIME: u64 = 24 * 60 * 60;

/// Descriptors: the control socket, standard error, and the socket of each lane.
const DESCRIPTORS: u64 = 512;

/// Sets limits of memory (of this process's own, what it shares with the host apart), processor time and descriptors; no
/// core dump is written, which would hold people's data and options.
pub(super) fn set(memory: u64) -> io::Result<()> {
    limit(libc::RLIMIT_DATA, memory)?;
    limit(libc::RLIMIT_CPU, PROCESSOR_TIME)?;
    limit(libc::RLIMIT_NOFILE, DESCRIPTORS)?;
    limit(libc::RLIMIT_CORE, 0)?;
    #[cfg(target_os = "linux")]
    {
        // Neither a debugger of the same user nor a core dump by pipe; and it ends with the host while it is being loaded.
        prctl(libc::PR_SET_DUMPABLE, 0)?;
        prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
        prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    }
    Ok(())
}

/// The signal comes with the end of the thread that started this process, which may end before the host does. From here on
/// the first thread sees the host's end by its socket.
#[cfg(target_os = "linux")]
pub(super) fn outlive_the_thread_that_started_this() {
    let _ = prctl(libc::PR_SET_PDEATHSIG, 0);
}

#[cfg(target_os = "linux")]
fn prctl(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: numbers only.
    match unsafe { libc::prctl(option, value, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the struct is there for the call.
    if unsafe { libc::getrlimit(resource, &mut now) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Nobody may raise what was set for the host.
    let most = (most as libc::rlim_t).min(now.rlim_max);
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: as above.
    match unsafe { libc::setrlimit(resource, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
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
