//! The attacks, each by its name. What is let says `let`, what is not says how it was refused; some end the process.

use std::{
    ffi::{CStr, OsStr, c_void},
    fs, hint, io, mem,
    net::{SocketAddr, TcpStream},
    os::{fd::AsRawFd, unix::ffi::OsStrExt},
    process, ptr, thread,
    time::Duration,
};

/// Attacks, and says what came of it.
pub(crate) fn attack(name: &str) -> String {
    let outcome = match name {
        "passwd" => fs::read("/etc/passwd").map(drop),
        "environ" => fs::read("/proc/self/environ").map(drop),
        "write-file" => fs::write("/tmp/usher-hostile-was-here", "here").map(drop),
        "socket" => connect(),
        "exec" => process::Command::new("/bin/true").status().map(drop),
        "fork" => fork(),
        // SAFETY: numbers only.
        "ptrace-parent" => of(unsafe { libc::ptrace(libc::PTRACE_ATTACH, libc::getppid(), 0, 0) }),
        // SAFETY: numbers only; signal 0 would do nothing if it were let.
        "signal-parent" => of(i64::from(unsafe { libc::kill(libc::getppid(), 0) })),
        "read-parent" => read_parent(),
        "executable-memory" => executable_memory(),
        "make-executable" => make_executable(),
        "executable-file" => executable_file(),
        // SAFETY: numbers only.
        "namespace" => of(i64::from(unsafe { libc::unshare(libc::CLONE_NEWUSER) })),
        "shrink" => each_descriptor("no descriptor could be cut", |descriptor| {
            // SAFETY: a number that may be a descriptor.
            unsafe { libc::ftruncate(descriptor, 0) == 0 }
        }),
        "garbage" => garbage(),
        // More than any message between host and worker may hold.
        "words" => Err(io::Error::other("x".repeat(40 << 20))),
        "close-all" => {
            for descriptor in 0..64 {
                // SAFETY: they are not this plugin's, which is the point.
                unsafe { libc::close(descriptor) };
            }
            Ok(())
        }
        // A descriptor's owner is signalled when there is something to read, by whatever signal was chosen.
        // SAFETY: numbers only.
        "descriptor" => of(i64::from(unsafe { libc::fcntl(0, libc::F_SETOWN, 1) })),
        // SAFETY: the handler is the default one.
        "handler" => of(unsafe { libc::signal(libc::SIGSYS, libc::SIG_IGN) } as i64),
        // SAFETY: numbers only.
        "dumpable" => of(i64::from(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1) })),
        "shared-memory" => shared_memory(),
        "memory" => memory(),
        "threads" => threads(),
        "spin" => loop {
            hint::spin_loop();
        },
        "segfault" => {
            // SAFETY: none: this is the attack.
            unsafe { ptr::null_mut::<u8>().wrapping_add(8).write_volatile(1) };
            Ok(())
        }
        "abort" => process::abort(),
        "exit" => process::exit(0),
        "stack-overflow" => {
            let depth = deeper(0);
            Err(io::Error::other(format!("{depth} calls deep")))
        }
        other => Err(io::Error::other(format!("there is no attack `{other}`"))),
    };
    match outcome {
        Ok(()) => format!("{name}: let"),
        Err(error) => format!("{name}: refused: {error}"),
    }
}

/// That nobody listens is said by a network that was reached.
fn connect() -> io::Result<()> {
    let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
    match TcpStream::connect_timeout(&nobody, Duration::from_secs(5)) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        other => other.map(drop),
    }
}

fn of(answer: i64) -> io::Result<()> {
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn fork() -> io::Result<()> {
    // SAFETY: the child does nothing but end.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: as above.
        0 => unsafe { libc::_exit(0) },
        _ => Ok(()),
    }
}

/// The parent's memory: whatever its first mapped page is.
fn read_parent() -> io::Result<()> {
    let mut byte = [0_u8; 1];
    let local = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    let remote = libc::iovec { iov_base: attack as *mut c_void, iov_len: 1 };
    // SAFETY: one byte is written into the array above, if at all.
    of(unsafe { libc::process_vm_readv(libc::getppid(), &local, 1, &remote, 1, 0) } as i64)
}

fn page(protection: i32) -> io::Result<*mut c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping touches nothing that exists.
    let page = unsafe { libc::mmap(ptr::null_mut(), 4096, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(page) }
}

/// Memory that counts for no process.
fn shared_memory() -> io::Result<()> {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping touches nothing that exists.
    let page = unsafe { libc::mmap(ptr::null_mut(), 1 << 30, libc::PROT_WRITE, flags, -1, 0) };
    if page == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn executable_memory() -> io::Result<()> {
    page(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC).map(drop)
}

/// This library's own file, mapped to be written and run.
fn executable_file() -> io::Result<()> {
    // SAFETY: all-zero is such a struct, with null pointers.
    let mut found: libc::Dl_info = unsafe { mem::zeroed() };
    // SAFETY: the address is of this library's code, the struct is there.
    let name = unsafe {
        libc::dladdr(attack as *const c_void, &mut found);
        CStr::from_ptr(found.dli_fname)
    };
    let file = fs::File::open(OsStr::from_bytes(name.to_bytes()))?;
    let protection = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    // SAFETY: a new mapping touches nothing that exists.
    let page =
        unsafe { libc::mmap(ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE, file.as_raw_fd(), 0) };
    if page == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn make_executable() -> io::Result<()> {
    let page = page(libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: the page is this function's own.
    of(i64::from(unsafe { libc::mprotect(page, 4096, libc::PROT_READ | libc::PROT_EXEC) }))
}

/// Something done to every descriptor that is no socket or pipe of the standard ones.
fn each_descriptor(refused: &str, mut done: impl FnMut(i32) -> bool) -> io::Result<()> {
    // No short circuit: all of them are tried.
    let count = (0..64).filter(|descriptor| done(*descriptor)).count();
    if count > 0 { Ok(()) } else { Err(io::Error::other(refused.to_owned())) }
}

fn garbage() -> io::Result<()> {
    let bytes = [0xA5_u8; 4096];
    each_descriptor("no descriptor could be written", |descriptor| {
        // SAFETY: the bytes are there; whose descriptor it is does not matter to an attack.
        descriptor > 2 && unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) } > 0
    })
}

/// As much as there is, up to 8 GiB.
fn memory() -> io::Result<()> {
    let mut held = Vec::new();
    for _ in 0..128 {
        held.push(vec![1_u8; 64 << 20]);
    }
    mem::drop(hint::black_box(held));
    Ok(())
}

fn threads() -> io::Result<()> {
    for _ in 0..100_000 {
        thread::Builder::new().stack_size(8 << 20).spawn(thread::park)?;
    }
    Ok(())
}

#[expect(unconditional_recursion, reason = "this is the attack")]
fn deeper(depth: u64) -> u64 {
    let page = hint::black_box([depth; 512]);
    1 + deeper(page[7] + 1) + page[3]
}
