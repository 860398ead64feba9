//! The host's services, in memory.

mod clock;
mod content;
mod count;
mod fault;
mod host;
mod http;
mod input;
mod keep;
mod log;
mod output;

pub use clock::VirtualClock;
pub use fault::{Call, Failure, Trouble};
pub use host::MemoryHost;
pub use http::{Reply, SentRequest};
pub use output::CapturedPart;

/// Locks, also after a panic of another test's thread.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
