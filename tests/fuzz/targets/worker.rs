//! Messages between host and worker, in both directions: one message, and what lies in the shared memory.

use usher::runner::fuzzing;
use usher_testkit::MemoryHost;

pub(crate) fn run(input: &[u8]) {
    let Some((message, memory)) = super::halves(input) else { return };
    let host = MemoryHost::new().with_input("input", memory);
    let services = host.services();
    fuzzing::to_host(message, memory, services.table());
    fuzzing::to_worker(message, memory);
}

/// Messages of several kinds.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let batch = super::arrow::batch();
    fuzzing::messages(&batch).iter().map(|(message, memory)| super::joined(message, memory)).collect()
}
