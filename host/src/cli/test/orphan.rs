//! A worker does not outlive its supervisor, however that ends: a plugin that never returns would go on for ever, and
//! nobody would know.

/// The worker ends with its parent, the process of this id, from now on; at once if that has ended already.
#[cfg(target_os = "linux")]
pub(super) fn end_with(parent: u32) {
    // SAFETY: two numbers are handed to the kernel, no memory. The signal comes when the thread that started this process
    // ends: the supervisor starts its workers on its main thread.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong) };
    // A parent that ended before that has left this process to another.
    if std::os::unix::process::parent_id() != parent {
        std::process::exit(i32::from(crate::cli::session::code::FAILED));
    }
}

/// Only Linux tells a process of its parent's end.
#[cfg(not(target_os = "linux"))]
pub(super) fn end_with(_: u32) {}
