//! Makes each service call of a run fail in turn.

use usher_abi::{Error, ErrorClass};

use super::bench::show;
use crate::{Call, Failure, MemoryHost};

/// Runs once to count the calls, then once for each of them with that call failing (of many calls of a kind, the
/// first and the last). Each such run must end with the failing service's own class, so that the host retries it.
pub(super) fn every_call(
    host: impl Fn() -> MemoryHost,
    run: impl Fn(&MemoryHost) -> Result<(), Error>,
) -> Result<(), String> {
    const MANY: u64 = 24;
    let clean = host();
    run(&clean).map_err(|e| format!("without a failure: {}", show(&e)))?;
    for call in Call::ALL {
        let calls = clean.calls(call);
        let nths = (1..=calls.min(MANY)).chain((MANY + 1).max(calls.saturating_sub(MANY))..=calls);
        for nth in nths {
            let host = host();
            host.fail(Failure::new(call, nth));
            let what = format!("when call {nth} of {calls} of {call:?} fails");
            // Whoever keeps notes may do without them; everything else is needed.
            let optional = matches!(call, Call::State | Call::Ledger | Call::Sleep);
            match run(&host) {
                Err(error) if error.class == ErrorClass::TRANSIENT => {}
                Err(error) => return Err(format!("{what}, this comes out: {}", show(&error))),
                Ok(()) if optional || host.calls(call) < nth => {}
                Ok(()) => return Err(format!("{what}, nothing is said")),
            }
            if host.open_readers() > 0 {
                return Err(format!("{what}, a reader stays open"));
            }
        }
    }
    Ok(())
}
