//! Ctrl-C and SIGTERM: everything is asked to stop; what does not within a second is left where it stands, after the
//! staging folder was removed. And a plugin that ends the process itself, which must not look like a run that is done.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use super::session::code;
use crate::report::tell;

/// Which signal came, if one did.
#[derive(Clone, Debug, Default)]
pub(super) struct Signal(Arc<AtomicI32>);

impl Signal {
    /// 130 for Ctrl-C, 143 for SIGTERM.
    pub(super) fn exit_code(&self) -> u8 {
        match self.0.load(Ordering::Acquire) {
            SIGTERM => 143,
            _ => 130,
        }
    }
}

type Sweep = Arc<dyn Fn() + Send + Sync>;

/// Whether the command has come to its own end, and what to remove if it does not.
static DONE: AtomicBool = AtomicBool::new(false);
static SWEEP: OnceLock<Sweep> = OnceLock::new();

/// The command has come to its own end: what ends the process now is its `main`.
pub(super) fn done() {
    DONE.store(true, Ordering::Release);
}

/// Runs when anybody calls `exit`.
extern "C" fn exit_called() {
    if DONE.load(Ordering::Acquire) {
        return;
    }
    if let Some(sweep) = SWEEP.get() {
        sweep();
    }
    let published = if SWEEP.get().is_some() { "; the chain that ran published nothing" } else { "" };
    tell!(error, "a plugin ended the process{published}; `usher test PLUGIN` says which one does, and where");
    // SAFETY: as below: the folder is gone, nothing else needs unwinding.
    unsafe { libc::_exit(i32::from(code::FAILED)) }
}

/// From now on a plugin that calls `exit` makes the command fail, whatever code it gives.
pub(super) fn guard() {
    // SAFETY: the function lives as long as the process and does not unwind.
    unsafe { libc::atexit(exit_called) };
}

/// How long a run may take to stop by itself.
const GRACE: Duration = Duration::from_millis(800);

/// Listens from now on.
pub(super) fn listen(stop: impl Fn() + Send + 'static, sweep: impl Fn() + Send + Sync + 'static) -> Signal {
    // SAFETY: ignoring a signal runs no code. A file that grows beyond `ulimit -f` shall be an error that is told, like
    // a full disk, not the end of the process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let sweep: Sweep = Arc::new(sweep);
    let _ = SWEEP.set(sweep.clone());
    let signal = Signal::default();
    let noted = signal.clone();
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return signal };
    thread::spawn(move || {
        if let Some(number) = signals.forever().next() {
            noted.0.store(number, Ordering::Release);
            stop();
            thread::sleep(GRACE);
            // A call into a plugin did not come back: threads cannot be killed, a process can.
            sweep();
            tell!("interrupted: a connector did not stop within a second; nothing was published");
            // SAFETY: `_exit` only ends the process; the staging folder is gone, and nothing else needs unwinding.
            unsafe { libc::_exit(i32::from(noted.exit_code())) }
        }
    });
    signal
}
