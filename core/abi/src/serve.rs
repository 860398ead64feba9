//! The serving side of the services: Rust traits behind the tables. The host and the test kit fill a [`Services`]
//! and hand its table to an instance.

use std::{
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use abi_stable::std_types::{RErr, RNone, ROk, ROption, RResult, RSome, RStr};

use crate::{
    Error, Extension, HostTable, LogLevel,
    export::panic_message,
    service::{
        CLOCK, CLOCK_TABLE, ClockService, HTTP, HTTP_TABLE, HttpService, INPUT, INPUT_TABLE, InputService,
        LEDGER, LEDGER_TABLE, LedgerService, OUTPUT, OUTPUT_TABLE, OutputService, STATE, STATE_TABLE,
        StateService,
    },
};

/// Where log lines and metrics of an instance go, and whether it should stop.
pub trait HostLog: Send + Sync {
    /// A log line.
    fn log(&self, level: LogLevel, target: &str, message: &str);
    /// A counter.
    fn metric(&self, name: &str, amount: i64);
    /// Whether the run was cancelled.
    fn is_cancelled(&self) -> bool;
}

/// What one instance may use. Services that are `None` do not exist for it.
#[expect(missing_debug_implementations, reason = "holds trait objects")]
pub struct Services {
    /// Log, metrics and cancellation.
    pub log: Arc<dyn HostLog>,
    /// Files to read.
    pub input: Option<Arc<dyn InputService>>,
    /// Files to write.
    pub output: Option<Arc<dyn OutputService>>,
    /// Time.
    pub clock: Option<Arc<dyn ClockService>>,
    /// Durable values.
    pub state: Option<Arc<dyn StateService>>,
    /// Units sent.
    pub ledger: Option<Arc<dyn LedgerService>>,
    /// Requests over the network.
    pub http: Option<Arc<dyn HttpService>>,
    /// Services that this crate does not know, by id; their functions get the same context.
    pub others: Vec<(&'static str, Extension)>,
}

impl Services {
    /// The table to hand to an instance; valid while `self` is neither moved nor dropped, which is why it asks for
    /// an `Arc`.
    pub fn table(self: &Arc<Self>) -> HostTable {
        HostTable { context: Arc::as_ptr(self).cast(), log, metric, is_cancelled, get_extension }
    }

    pub(crate) fn input(&self) -> Result<&dyn InputService, Error> {
        self.input.as_deref().ok_or_else(|| absent(INPUT))
    }

    pub(crate) fn output(&self) -> Result<&dyn OutputService, Error> {
        self.output.as_deref().ok_or_else(|| absent(OUTPUT))
    }

    pub(crate) fn clock(&self) -> Result<&dyn ClockService, Error> {
        self.clock.as_deref().ok_or_else(|| absent(CLOCK))
    }

    pub(crate) fn state(&self) -> Result<&dyn StateService, Error> {
        self.state.as_deref().ok_or_else(|| absent(STATE))
    }

    pub(crate) fn ledger(&self) -> Result<&dyn LedgerService, Error> {
        self.ledger.as_deref().ok_or_else(|| absent(LEDGER))
    }

    pub(crate) fn http(&self) -> Result<&dyn HttpService, Error> {
        self.http.as_deref().ok_or_else(|| absent(HTTP))
    }

    fn extension(&self, id: &str) -> Option<Extension> {
        match id {
            INPUT => self.input.as_ref().map(|_| Extension::new(&INPUT_TABLE)),
            OUTPUT => self.output.as_ref().map(|_| Extension::new(&OUTPUT_TABLE)),
            CLOCK => self.clock.as_ref().map(|_| Extension::new(&CLOCK_TABLE)),
            STATE => self.state.as_ref().map(|_| Extension::new(&STATE_TABLE)),
            LEDGER => self.ledger.as_ref().map(|_| Extension::new(&LEDGER_TABLE)),
            HTTP => self.http.as_ref().map(|_| Extension::new(&HTTP_TABLE)),
            id => self.others.iter().find(|(other, _)| *other == id).map(|(_, extension)| *extension),
        }
    }
}

fn absent(id: &str) -> Error {
    Error::unsupported("service.absent", format!("the service `{id}` is not available to this connector"))
}

/// Runs a service function over the context of a call; a panic becomes an error, never an abort.
pub(crate) fn with<T>(
    context: *const c_void,
    body: impl FnOnce(&Services) -> Result<T, Error>,
) -> RResult<T, Error> {
    // SAFETY: the context is the address of the `Services` that made the table (see `Services::table`), which
    // outlives every instance it was given to.
    let services = unsafe { &*context.cast::<Services>() };
    match catch_unwind(AssertUnwindSafe(|| body(services))) {
        Ok(Ok(value)) => ROk(value),
        Ok(Err(error)) => RErr(error),
        Err(panic) => {
            RErr(Error::bug("host.panic", format!("the host panicked: {}", panic_message(&*panic))))
        }
    }
}

extern "C" fn log(context: *const c_void, level: LogLevel, target: RStr<'_>, message: RStr<'_>) {
    let _ = with(context, |s| {
        s.log.log(level, target.as_str(), message.as_str());
        Ok(())
    });
}

extern "C" fn metric(context: *const c_void, name: RStr<'_>, amount: i64) {
    let _ = with(context, |s| {
        s.log.metric(name.as_str(), amount);
        Ok(())
    });
}

extern "C" fn is_cancelled(context: *const c_void) -> bool {
    with(context, |s| Ok(s.log.is_cancelled())).unwrap_or(true)
}

extern "C" fn get_extension(context: *const c_void, id: RStr<'_>) -> ROption<Extension> {
    match with(context, |s| Ok(s.extension(id.as_str()))) {
        ROk(Some(extension)) => RSome(extension),
        _ => RNone,
    }
}
