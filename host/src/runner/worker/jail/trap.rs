//! Says which call the jail has trapped, as well as that can be done in a process that may be out of order.

use std::{ffi::c_void, io, mem, ptr};

use super::TRAPPED;

/// Where the number of the call stands in what the kernel tells a handler of `SIGSYS`: behind three numbers, padding and the
/// address of the call.
const CALL: usize = 24;

/// Handles `SIGSYS` from now on; the filters see to it that nobody takes the handler away.
pub(super) fn install() -> io::Result<()> {
    // SAFETY: all-zero is a `sigaction` without flags, mask or handler, which are filled in here.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handle as extern "C" fn(_, _, _) as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESETHAND | libc::SA_NODEFER;
    // SAFETY: the handler is `extern "C"`, lives for ever and calls only what may be called in one.
    match unsafe { libc::sigaction(libc::SIGSYS, &action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn handle(_: libc::c_int, info: *const libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel gives a whole `siginfo_t`, which for this signal has the call's number there.
    let number = unsafe { info.cast::<u8>().add(CALL).cast::<i32>().read_unaligned() };
    let mut text = [b' '; 64];
    text[..TRAPPED.len()].copy_from_slice(TRAPPED.as_bytes());
    let (mut end, mut rest, mut digits) = (TRAPPED.len(), number.unsigned_abs(), [0; 10]);
    let mut count = 0;
    loop {
        digits[count] = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    for digit in digits[..count].iter().rev() {
        text[end] = *digit;
        end += 1;
    }
    text[end] = b'\n';
    // SAFETY: `write`, `getpid`, `gettid` and `tgkill` may be called in a handler; the text is there. The signal's handler is
    // the default one again, so that it ends the process.
    unsafe {
        libc::write(2, text.as_ptr().cast(), end + 1);
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), libc::SIGSYS);
        libc::_exit(1);
    }
}
