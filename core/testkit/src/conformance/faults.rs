//! Makes each service call of a run fail in turn.

use usher_abi::{Error, ErrorClass};

use super::bench::show;
use crate::{Call, Failure, MemoryHost, Trouble};

/// Of many calls of a kind, so many at the beginning fail in turn, and the last.
const MANY: u64 = 24;

/// Runs once to count the calls, then once for each of them with that call failing. Each such run must end with the
/// failing service's own class, so that the host retries it.
pub(super) fn every_call(
    host: impl Fn() -> MemoryHost,
    run: impl Fn(&MemoryHost) -> Result<(), Error>,
) -> Result<(), String> {
    each(&Call::ALL, Trouble::Passing, host, run)
}

/// The same with a full disk at each call that writes.
pub(super) fn full_disk(
    host: impl Fn() -> MemoryHost,
    run: impl Fn(&MemoryHost) -> Result<(), Error>,
) -> Result<(), String> {
    each(&[Call::Create, Call::Write, Call::Finish], Trouble::DiskFull, host, run)
}

fn each(
    kinds: &[Call],
    with: Trouble,
    host: impl Fn() -> MemoryHost,
    run: impl Fn(&MemoryHost) -> Result<(), Error>,
) -> Result<(), String> {
    let class = match with {
        Trouble::Passing => ErrorClass::TRANSIENT,
        Trouble::DiskFull => ErrorClass::PERMANENT,
    };
    let clean = host();
    run(&clean).map_err(|e| format!("without a failure: {}", show(&e)))?;
    for &call in kinds {
        let calls = clean.calls(call);
        let nths = (1..=calls.min(MANY)).chain((MANY + 1).max(calls.saturating_sub(MANY))..=calls);
        for nth in nths {
            let host = host();
            host.fail(Failure { call, nth, with });
            let what = format!("when call {nth} of {calls} of {call:?} fails");
            // Whoever keeps notes may do without them; everything else is needed.
            let optional = matches!(call, Call::State | Call::Ledger | Call::Sleep);
            match run(&host) {
                Err(error) if error.class == class => {}
                Err(error) => return Err(format!("{what}, this comes out: {}", show(&error))),
                Ok(()) if optional || host.calls(call) < nth => {}
                Ok(()) => return Err(format!("{what}, nothing is said")),
            }
            if host.open_readers() > 0 {
                return Err(format!("{what}, a reader stays open"));
            }
            if host.open_requests() > 0 {
                return Err(format!("{what}, a request stays open"));
            }
        }
    }
    Ok(())
}
