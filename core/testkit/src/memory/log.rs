//! Log, metrics and cancellation.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{HostLog, LogLevel};

use super::lock;

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) lines: Mutex<Vec<(LogLevel, String)>>,
    pub(super) metrics: Mutex<BTreeMap<String, i64>>,
    cancelled: Arc<AtomicBool>,
}

impl Log {
    pub(super) fn new(cancelled: Arc<AtomicBool>) -> Self {
        Self { cancelled, ..Self::default() }
    }
}

impl HostLog for Log {
    fn log(&self, level: LogLevel, _target: &str, message: &str) {
        lock(&self.lines).push((level, message.to_owned()));
    }

    fn metric(&self, name: &str, amount: i64) {
        *lock(&self.metrics).entry(name.to_owned()).or_default() += amount;
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}
