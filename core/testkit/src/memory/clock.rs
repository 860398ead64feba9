//! `usher.clock/1` whose time passes only when somebody sleeps or a test says so.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use usher_abi::{Error, service::ClockService};

use super::fault::{Call, Faults};

/// A clock that stands still until it is told otherwise. It begins at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct VirtualClock {
    now_ms: AtomicU64,
    slept_ms: AtomicU64,
    cancelled: Arc<AtomicBool>,
    faults: Arc<Faults>,
}

impl VirtualClock {
    pub(super) fn new(cancelled: Arc<AtomicBool>, faults: Arc<Faults>) -> Self {
        Self { now_ms: AtomicU64::new(1_767_225_600_000), slept_ms: AtomicU64::new(0), cancelled, faults }
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    /// Sets the time.
    pub fn set_ms(&self, ms: u64) {
        self.now_ms.store(ms, Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// How long connectors have slept in all.
    pub fn slept_ms(&self) -> u64 {
        self.slept_ms.load(Ordering::SeqCst)
    }
}

impl ClockService for VirtualClock {
    fn now_ms(&self) -> u64 {
        VirtualClock::now_ms(self)
    }

    fn sleep_ms(&self, ms: u64) -> Result<(), Error> {
        self.faults.count(Call::Sleep)?;
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(Error::cancelled());
        }
        self.advance_ms(ms);
        self.slept_ms.fetch_add(ms, Ordering::SeqCst);
        Ok(())
    }
}
