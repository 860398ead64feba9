//! One side knows a service more than the other: that must never be a reason to build anything again.

use std::{ffi::c_void, fs};

use serde_json::{Value, json};
use usher_abi::{Error, Extension, RResult, service::ClockTable};
use usher_testkit::MemoryHost;

use crate::{bench, file, run, today};

extern "C" fn now_ms(_: *const c_void) -> u64 {
    1
}

extern "C" fn sleep_ms(_: *const c_void, _: u64) -> RResult<(), Error> {
    RResult::ROk(())
}

/// A service that the host has and that was not there when the kept plugins were built.
static FUTURE: ClockTable = ClockTable { now_ms, sleep_ms };

/// What the sink of the kept plugin finds of a host's services.
fn facts(host: &MemoryHost) -> Value {
    let module = usher::plugins::load(&file(&today())).expect("it loads");
    let written = usher_testkit::write(module, "rows", json!({}), host, Vec::new()).expect("it writes");
    json!(written.receipt.facts)
}

/// A newer host, an older plugin: what the plugin does not ask for does not disturb it. A newer host, a newer plugin: what
/// it asks for is there, its table checked alone.
#[test]
fn a_host_may_have_one_service_more() {
    let today = facts(&MemoryHost::new());
    assert_eq!(today["future"], "absent");
    let unasked = facts(&MemoryHost::new().with_service("usher.another/1", Extension::new(&FUTURE)));
    assert_eq!(unasked, today);
    let asked = facts(&MemoryHost::new().with_service("usher.future/1", Extension::new(&FUTURE)));
    assert_eq!(asked["future"], "works");
}

/// A newer plugin, an older host: its file wants a service that this host does not know, its code asks for one. It is
/// shown, it runs, and it goes on without.
#[test]
fn a_plugin_may_want_one_service_more() {
    let kept = fs::read(file(&today())).expect("a plugin");
    let (old, new) = (br#","ledger"]"#, br#","future"]"#);
    let at = kept.windows(old.len()).position(|bytes| bytes == old).expect("its list of services");
    let newer = [&kept[..at], new, &kept[at + new.len()..]].concat();
    let bench = bench(&newer);
    let said = bench.usher(&["plugins", "show", "./sample.so", "--json"]).expect(0);
    let shown: Value = serde_json::from_str(&said.out).expect("an object");
    assert_eq!((&shown["wants"][4], &shown["refused"]), (&"future".into(), &Value::Null));
    let (rows, facts) = run(&bench);
    assert_eq!(rows.lines().count(), 2);
    assert_eq!(
        (&facts["ledger"], &facts["future"], &facts["state"]),
        (&"absent".into(), &"absent".into(), &"works".into())
    );
}

/// A service whose table has another layout than the plugin was built with is refused alone; nothing else is.
#[test]
fn a_table_of_another_layout_is_an_error_of_its_own() {
    static OTHER: usher_abi::service::LedgerTable = {
        extern "C" fn find(
            _: *const c_void,
            _: usher_abi::RStr<'_>,
            _: usher_abi::RSlice<'_, u8>,
        ) -> RResult<usher_abi::ROption<usher_abi::RVec<u8>>, Error> {
            RResult::ROk(usher_abi::ROption::RNone)
        }
        extern "C" fn note(
            _: *const c_void,
            _: usher_abi::RStr<'_>,
            _: usher_abi::RSlice<'_, u8>,
            _: usher_abi::RSlice<'_, u8>,
        ) -> RResult<(), Error> {
            RResult::ROk(())
        }
        usher_abi::service::LedgerTable { find, note }
    };
    let host = MemoryHost::new().with_service("usher.future/1", Extension::new(&OTHER));
    let module = usher::plugins::load(&file(&today())).expect("it loads");
    let error =
        usher_testkit::write(module, "rows", json!({}), &host, Vec::new()).expect_err("another layout");
    assert_eq!(error.code.as_str(), "abi.extension-layout");
}
