//! `usher.clock/1`: the time, and waiting that can be cancelled. Virtual in tests.

use std::ffi::c_void;

use abi_stable::{StableAbi, std_types::RResult};

use crate::{Error, serve::with};

/// Id of the service.
pub const CLOCK: &str = "usher.clock/1";

/// The functions of the service, `[any thread]`.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct ClockTable {
    /// Milliseconds since the Unix epoch, UTC.
    pub now_ms: extern "C" fn(*const c_void) -> u64,
    /// Waits; [`ErrorClass::CANCELLED`](crate::ErrorClass::CANCELLED) when the run is cancelled meanwhile.
    pub sleep_ms: extern "C" fn(*const c_void, u64) -> RResult<(), Error>,
}

/// What serves [`ClockTable`].
pub trait ClockService: Send + Sync {
    /// See [`ClockTable::now_ms`].
    fn now_ms(&self) -> u64;
    /// See [`ClockTable::sleep_ms`].
    fn sleep_ms(&self, ms: u64) -> Result<(), Error>;
}

extern "C" fn now_ms(context: *const c_void) -> u64 {
    with(context, |s| Ok(s.clock()?.now_ms())).unwrap_or(0)
}

extern "C" fn sleep_ms(context: *const c_void, ms: u64) -> RResult<(), Error> {
    with(context, |s| s.clock()?.sleep_ms(ms))
}

pub(crate) static CLOCK_TABLE: ClockTable = ClockTable { now_ms, sleep_ms };
