//! System calls, by seccomp. Three filters lie one over the other, and the strictest answer of them counts: a list of what is
//! allowed, whose rest answers `EPERM`; a list of what only an attack does, which is a trap; and what must look as if this
//! kernel did not have it.

use std::{collections::BTreeMap, io};

use libc::{SYS_clone, SYS_clone3, SYS_mmap, SYS_mprotect, SYS_prctl, SYS_tgkill, c_long};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use crate::runner::worker::Rights;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What computing takes: memory, threads, locks, time, random numbers, and to read and write what is open.
const COMPUTING: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_uname,
    libc::SYS_write,
    libc::SYS_writev,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

/// What a loader does besides: Landlock says with which files.
const LOADING: &[c_long] = &[
    libc::SYS_faccessat,
    libc::SYS_newfstatat,
    libc::SYS_readlinkat,
    libc::SYS_seccomp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
];

/// What reading a granted file takes: Landlock says which.
const READING: &[c_long] = &[
    libc::SYS_getdents64,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
];

/// What a granted network takes.
const NETWORK: &[(&str, c_long)] = &[
    ("connect", libc::SYS_connect),
    ("bind", libc::SYS_bind),
    ("getpeername", libc::SYS_getpeername),
    ("getsockname", libc::SYS_getsockname),
    ("getsockopt", libc::SYS_getsockopt),
    ("recvmmsg", libc::SYS_recvmmsg),
    ("sendmmsg", libc::SYS_sendmmsg),
    ("sendmsg", libc::SYS_sendmsg),
    ("setsockopt", libc::SYS_setsockopt),
    ("shutdown", libc::SYS_shutdown),
];

/// What waiting for several connections takes.
const WAITING: &[c_long] = &[
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
];

/// Anything but TCP and UDP would reach services of this machine that ask nobody who they are.
const FAMILIES: [libc::c_int; 2] = [libc::AF_INET, libc::AF_INET6];

/// What no connector does by mistake.
const ATTACKS: &[(&str, c_long)] = &[
    ("accept", libc::SYS_accept),
    ("accept4", libc::SYS_accept4),
    ("add_key", libc::SYS_add_key),
    ("bpf", libc::SYS_bpf),
    ("chroot", libc::SYS_chroot),
    ("execve", libc::SYS_execve),
    ("execveat", libc::SYS_execveat),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("kexec_load", libc::SYS_kexec_load),
    ("keyctl", libc::SYS_keyctl),
    ("kill", libc::SYS_kill),
    ("listen", libc::SYS_listen),
    ("mount", libc::SYS_mount),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
    ("pivot_root", libc::SYS_pivot_root),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("ptrace", libc::SYS_ptrace),
    ("reboot", libc::SYS_reboot),
    ("request_key", libc::SYS_request_key),
    ("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo),
    ("rt_tgsigqueueinfo", libc::SYS_rt_tgsigqueueinfo),
    ("setns", libc::SYS_setns),
    ("tkill", libc::SYS_tkill),
    ("umount2", libc::SYS_umount2),
    ("unshare", libc::SYS_unshare),
    ("userfaultfd", libc::SYS_userfaultfd),
    #[cfg(target_arch = "x86_64")]
    ("fork", libc::SYS_fork),
    #[cfg(target_arch = "x86_64")]
    ("vfork", libc::SYS_vfork),
];

/// A call by its number, of those that are trapped.
pub(super) fn name(number: i64) -> Option<&'static str> {
    if number == SYS_clone {
        return Some("fork");
    }
    if number == libc::SYS_socket {
        return Some("socket");
    }
    ATTACKS.iter().chain(NETWORK).find(|(_, call)| *call == number).map(|(name, _)| *name)
}

/// Stage 1: before the plugin is loaded.
pub(super) fn restrict_loading(rights: &Rights) -> io::Result<()> {
    let mut allowed: Rules = whenever(COMPUTING.iter().chain(LOADING).chain(READING).copied());
    allowed.extend(whenever([SYS_clone, SYS_clone3].into_iter()));
    let mut mappings = mapping()?;
    mappings.push(code()?);
    allowed.insert(SYS_mmap, mappings);
    allowed.insert(SYS_mprotect, vec![rule(vec![without_code()?])?]);
    allowed.insert(SYS_prctl, options(&[libc::PR_SET_NO_NEW_PRIVS, libc::PR_SET_PDEATHSIG])?);
    allowed.extend(careful()?);
    allowed.extend(opening()?);
    if rights.network {
        allowed.extend(networking()?);
    }
    apply(allowed, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    let mut attacks = whenever(ATTACKS.iter().map(|(_, call)| *call));
    if !rights.network {
        // Descriptors could be received, and sent.
        attacks.extend(whenever(NETWORK.iter().map(|(_, call)| *call)));
        attacks.insert(libc::SYS_socket, Vec::new());
    }
    // A process, not a thread.
    let thread = libc::CLONE_THREAD as u64;
    attacks.insert(SYS_clone, vec![rule(vec![condition(0, SeccompCmpOp::MaskedEq(thread), 0)?])?]);
    apply(attacks, SeccompAction::Allow, SeccompAction::Trap)?;
    // Its arguments lie in memory, where no filter sees them: the C library takes `clone` instead.
    apply(whenever([SYS_clone3].into_iter()), SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

/// Stage 2: once it is loaded, for all threads.
pub(super) fn restrict_working(rights: &Rights) -> io::Result<()> {
    let mut allowed: Rules = whenever(COMPUTING.iter().copied());
    allowed.insert(SYS_mmap, mapping()?);
    allowed.insert(SYS_mprotect, vec![rule(vec![without_code()?])?]);
    allowed.extend(careful()?);
    // Others than threads are trapped already.
    allowed.extend(whenever([SYS_clone, SYS_clone3].into_iter()));
    allowed.insert(SYS_prctl, options(&[])?);
    if !rights.paths.is_empty() {
        allowed.extend(whenever(READING.iter().copied()));
        allowed.extend(opening()?);
    }
    if rights.network {
        allowed.extend(networking()?);
    }
    apply(allowed, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// Memory without code: of its own, which counts against its limit, or of a descriptor that it has.
fn mapping() -> io::Result<Vec<SeccompRule>> {
    // What is shared and of no descriptor counts for nobody, and a mapping that grows only when it does.
    [libc::MAP_SHARED, libc::MAP_ANONYMOUS]
        .into_iter()
        .map(|never| {
            let without = condition(3, SeccompCmpOp::MaskedEq((never | libc::MAP_GROWSDOWN) as u64), 0)?;
            rule(vec![without, without_code()?])
        })
        .collect()
}

/// What the loader makes of a library's code: a private mapping of a file that nobody writes.
fn code() -> io::Result<SeccompRule> {
    let (code, writes) = (libc::PROT_EXEC as u64, libc::PROT_WRITE as u64);
    let never = (libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN) as u64;
    rule(vec![
        condition(2, SeccompCmpOp::MaskedEq(code | writes), code)?,
        condition(3, SeccompCmpOp::MaskedEq(never), 0)?,
    ])
}

/// Of `mmap` and `mprotect`: what is there is not run.
fn without_code() -> io::Result<SeccompCondition> {
    condition(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0)
}

/// What a thread is called, and these.
fn options(more: &[libc::c_int]) -> io::Result<Vec<SeccompRule>> {
    let all = [libc::PR_SET_NAME, libc::PR_GET_NAME].into_iter().chain(more.iter().copied());
    all.map(|option| rule(vec![condition(0, SeccompCmpOp::Eq, option as u64)?])).collect()
}

/// Calls of which some arguments would reach beyond the process, or take the trap away.
fn careful() -> io::Result<Rules> {
    let command = |command: libc::c_int| condition(1, SeccompCmpOp::Eq, command as u64);
    let plain = [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_DUPFD, libc::F_DUPFD_CLOEXEC];
    let mut descriptors: Vec<SeccompRule> =
        plain.into_iter().map(|one| rule(vec![command(one)?])).collect::<io::Result<_>>()?;
    // A descriptor with an owner signals it when there is something to read, whoever that is.
    let silent = condition(2, SeccompCmpOp::MaskedEq(libc::O_ASYNC as u64), 0)?;
    descriptors.push(rule(vec![command(libc::F_SETFL)?, silent])?);
    Ok(Rules::from([
        (libc::SYS_fcntl, descriptors),
        (libc::SYS_rt_sigaction, vec![rule(vec![condition(0, SeccompCmpOp::Ne, libc::SIGSYS as u64)?])?]),
        (SYS_tgkill, vec![of_this_process()?]),
    ]))
}

fn networking() -> io::Result<Rules> {
    let mut rules = whenever(NETWORK.iter().map(|(_, call)| *call).chain(WAITING.iter().copied()));
    // Not to wait for a connection, as whoever has a time limit for it does.
    let at_once = condition(1, SeccompCmpOp::Eq, libc::FIONBIO as _)?;
    rules.insert(libc::SYS_ioctl, vec![rule(vec![at_once])?]);
    let families =
        FAMILIES.into_iter().map(|family| rule(vec![condition(0, SeccompCmpOp::Eq, family as u64)?]));
    rules.insert(libc::SYS_socket, families.collect::<io::Result<_>>()?);
    Ok(rules)
}

fn whenever(calls: impl Iterator<Item = c_long>) -> Rules {
    calls.map(|call| (call, Vec::new())).collect()
}

/// Files are opened for reading, wherever Landlock does not see to it.
fn opening() -> io::Result<Rules> {
    let reading = |argument| {
        let writes = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u64;
        rule(vec![condition(argument, SeccompCmpOp::MaskedEq(writes), 0)?])
    };
    Ok(Rules::from([
        (libc::SYS_openat, vec![reading(2)?]),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, vec![reading(1)?]),
    ]))
}

/// `raise` and `abort` signal a thread of this process; no other process may be.
fn of_this_process() -> io::Result<SeccompRule> {
    rule(vec![condition(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?])
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u64) -> io::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value).map_err(cannot)
}

fn rule(conditions: Vec<SeccompCondition>) -> io::Result<SeccompRule> {
    SeccompRule::new(conditions).map_err(cannot)
}

/// Lays a filter over those that are there.
fn apply(rules: Rules, otherwise: SeccompAction, listed: SeccompAction) -> io::Result<()> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH).map_err(cannot)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, architecture).map_err(cannot)?;
    let program = BpfProgram::try_from(filter).map_err(cannot)?;
    apply_filter_all_threads(&program).map_err(cannot)
}

fn cannot(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("its system calls cannot be restricted: {error}"))
}
