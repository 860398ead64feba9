//! A source reads an input in slabs of different sizes.

use serde_json::Value;
use usher_abi::{Error, ModuleRef};
use usher_testkit::{MemoryHost, Read, read, records};

/// However the input comes, the same rows and the same rejects come of it, or the same error.
pub(super) fn alike(module: ModuleRef, component: &str, options: &Value, input: &[u8]) {
    let read = |slab: usize| {
        let host = MemoryHost::new().with_input("input", input).slab_size(slab);
        read(module, component, options.clone(), &host, None)
    };
    let (whole, cut) = (read(64 << 10), read(7));
    match (&whole, &cut) {
        (Ok(whole), Ok(cut)) => {
            assert_eq!(records(&whole.batches), records(&cut.batches));
            assert_eq!(rejects(whole), rejects(cut));
        }
        (Err(whole), Err(cut)) => assert_eq!(told(whole), told(cut)),
        _ => panic!("{whole:?}\n{cut:?}"),
    }
}

fn rejects(read: &Read) -> Vec<(u64, u32, &str)> {
    read.report
        .rejects
        .iter()
        .map(|reject| (reject.origin.offset, reject.origin.length, reject.code.as_str()))
        .collect()
}

/// What is wrong with an input is data's fault, never the connector's.
fn told(error: &Error) -> (&str, &str) {
    assert_ne!(error.class, usher_abi::ErrorClass::BUG, "{error:?}");
    (error.code.as_str(), error.message.as_str())
}
