//! `usher.clock/1`, and the one switch that cancels a run.

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use usher_abi::{Error, service::ClockService};

use super::private::lock;

/// Says that a run is to stop. Clones share the switch; once cancelled it stays so. All methods may be called from
/// any thread, but not from inside a signal handler (they lock).
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    cancelled: AtomicBool,
    gate: Mutex<()>,
    wake: Condvar,
}

impl Cancel {
    /// A switch that nobody has thrown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels, and wakes whoever sleeps in [`wait`](Self::wait).
    pub fn cancel(&self) {
        // The gate is held so that no sleeper can look at the flag and miss the wake-up that follows.
        let _gate = lock(&self.0.gate);
        self.0.cancelled.store(true, Ordering::Release);
        self.0.wake.notify_all();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// [`Error::cancelled`] if it was cancelled.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Waits; answers at once, with true, when it was or is cancelled meanwhile.
    pub fn wait(&self, time: Duration) -> bool {
        let started = Instant::now();
        let mut gate = lock(&self.0.gate);
        while !self.is_cancelled() {
            let Some(left) = time.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) else {
                return false;
            };
            gate = self.0.wake.wait_timeout(gate, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// The machine's clock.
#[derive(Clone, Debug)]
pub struct SystemClock {
    cancel: Cancel,
}

impl SystemClock {
    /// A clock whose sleeps end when `cancel` is thrown.
    pub fn new(cancel: Cancel) -> Self {
        Self { cancel }
    }
}

impl ClockService for SystemClock {
    fn now_ms(&self) -> u64 {
        // A clock set before 1970 reads 0: nothing here depends on such a time.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_ms(&self, ms: u64) -> Result<(), Error> {
        if self.cancel.wait(Duration::from_millis(ms)) { Err(Error::cancelled()) } else { Ok(()) }
    }
}

/// A clock that stands still until somebody sleeps, and then is that much later at once. For tests.
#[derive(Debug)]
pub struct VirtualClock {
    now_ms: AtomicU64,
    cancel: Cancel,
}

impl VirtualClock {
    /// A clock that shows `now_ms`.
    pub fn new(now_ms: u64, cancel: Cancel) -> Self {
        Self { now_ms: AtomicU64::new(now_ms), cancel }
    }
}

impl ClockService for VirtualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Acquire)
    }

    fn sleep_ms(&self, ms: u64) -> Result<(), Error> {
        self.cancel.check()?;
        self.now_ms.fetch_add(ms, Ordering::AcqRel);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use usher_abi::ErrorClass;

    use super::*;

    #[test]
    fn a_sleep_ends_by_itself() {
        let clock = SystemClock::new(Cancel::new());
        let started = Instant::now();
        clock.sleep_ms(20).unwrap();
        assert!(started.elapsed() >= Duration::from_millis(20));
        assert!(clock.now_ms() > 1_700_000_000_000);
    }

    #[test]
    fn a_sleep_ends_when_the_run_is_cancelled() {
        let cancel = Cancel::new();
        let clock = SystemClock::new(cancel.clone());
        let started = Instant::now();
        let error = std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| clock.sleep_ms(60_000).unwrap_err());
            std::thread::sleep(Duration::from_millis(20));
            cancel.cancel();
            sleeper.join().unwrap()
        });
        assert_eq!(error.class, ErrorClass::CANCELLED);
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(clock.sleep_ms(60_000).is_err(), "and later ones do not begin");
        assert!(cancel.check().is_err());
    }

    #[test]
    fn an_endless_sleep_does_not_overflow() {
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(cancel.wait(Duration::MAX));
        assert!(SystemClock::new(cancel).sleep_ms(u64::MAX).is_err());
    }

    #[test]
    fn a_virtual_sleep_takes_no_time() {
        let cancel = Cancel::new();
        let clock = VirtualClock::new(1_000, cancel.clone());
        clock.sleep_ms(3_600_000).unwrap();
        assert_eq!(clock.now_ms(), 3_601_000);
        cancel.cancel();
        assert!(clock.sleep_ms(1).is_err());
        assert_eq!(clock.now_ms(), 3_601_000);
    }
}
