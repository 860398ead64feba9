//! All services together.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{Extension, LogLevel, Services};

use super::{
    clock::VirtualClock,
    fault::{Call, Failure, Faults},
    http::{Network, Reply, SentRequest},
    input::Inputs,
    keep::Keep,
    lock,
    log::Log,
    output::{CapturedPart, Outputs},
};

/// In-memory services. A clone shares everything with the original.
///
/// Ids of inputs begin at 1, in the order in which they were added.
#[derive(Clone, Debug)]
pub struct MemoryHost {
    log: Arc<Log>,
    inputs: Arc<Inputs>,
    outputs: Arc<Outputs>,
    clock: Arc<VirtualClock>,
    keep: Arc<Keep>,
    network: Arc<Network>,
    faults: Arc<Faults>,
    others: Vec<(&'static str, Extension)>,
    cancelled: Arc<AtomicBool>,
}

impl Default for MemoryHost {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryHost {
    /// Services without inputs, with slabs of 64 KiB.
    pub fn new() -> Self {
        let (faults, cancelled) = (Arc::new(Faults::default()), Arc::new(AtomicBool::new(false)));
        let inputs = Arc::new(Inputs::new(cancelled.clone(), faults.clone()));
        Self {
            log: Arc::new(Log::new(cancelled.clone())),
            network: Arc::new(Network::new(inputs.clone(), cancelled.clone(), faults.clone())),
            inputs,
            outputs: Arc::new(Outputs::new(faults.clone())),
            clock: Arc::new(VirtualClock::new(cancelled.clone(), faults.clone())),
            keep: Arc::new(Keep::new(faults.clone())),
            faults,
            others: Vec::new(),
            cancelled,
        }
    }

    /// Adds an input: `open(spec)` answers it under that name. Several with one spec are several files of a glob;
    /// from the second on they are named `<spec>#2`, `<spec>#3`, ….
    #[must_use]
    pub fn with_input(self, spec: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.inputs.add(spec, bytes.into());
        self
    }

    /// Size of the slabs that readers answer; at least 1.
    #[must_use]
    pub fn slab_size(self, bytes: usize) -> Self {
        self.inputs.set_slab_size(bytes);
        self
    }

    /// Makes all inputs look like standard input: of unknown size, and not to be split.
    #[must_use]
    pub fn as_stream(self) -> Self {
        self.inputs.set_as_stream();
        self
    }

    /// Keeps parts in unnamed files until they are finished, and forgets them then, uncounted: for runs that are too
    /// large for memory.
    #[must_use]
    pub fn forgetting_parts(self) -> Self {
        self.outputs.set_forget();
        self
    }

    /// Adds the reply to a request by method and whole URL. Several for one are given out in this order, each once; a
    /// request without one fails with the code `test.no-reply`.
    #[must_use]
    pub fn with_reply(self, method: &str, url: &str, reply: Reply) -> Self {
        self.network.add(method, url, reply);
        self
    }

    /// Adds a reply to whatever request has none of its own left. Several are given out in this order.
    #[must_use]
    pub fn with_reply_to_any(self, reply: Reply) -> Self {
        self.network.add_to_any(reply);
        self
    }

    /// As in a dry run: requests that write are answered with the code `http.dry-run`.
    #[must_use]
    pub fn reads_only(self) -> Self {
        self.network.set_reads_only();
        self
    }

    /// Adds a service that is not one of ours, under its id.
    #[must_use]
    pub fn with_service(mut self, id: &'static str, table: Extension) -> Self {
        self.others.push((id, table));
        self
    }

    /// Makes a call fail. May be called several times.
    pub fn fail(&self, at: Failure) {
        self.faults.plan(at);
    }

    /// Does something once, within a service call that goes on normally afterwards: cancels at the third read, sets
    /// the clock when a part is finished.
    pub fn when(&self, at: Failure, action: impl FnOnce() + Send + 'static) {
        self.faults.when(at, Box::new(action));
    }

    /// How often a service call was made so far.
    pub fn calls(&self, call: Call) -> u64 {
        self.faults.calls(call)
    }

    /// Cancels the run: `is_cancelled` answers true, reading and sleeping answer `cancelled`.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// What to hand to an instance (through [`Services::table`]); keep it as long as the instance lives.
    pub fn services(&self) -> Arc<Services> {
        Arc::new(Services {
            log: self.log.clone(),
            input: Some(self.inputs.clone()),
            output: Some(self.outputs.clone()),
            clock: Some(self.clock.clone()),
            state: Some(self.keep.clone()),
            ledger: Some(self.keep.clone()),
            http: Some(self.network.clone()),
            others: self.others.clone(),
        })
    }

    /// The finished parts, in order of finish.
    pub fn parts(&self) -> Vec<CapturedPart> {
        self.outputs.finished()
    }

    /// Stems of the parts that were begun and are neither finished nor discarded.
    pub fn open_parts(&self) -> Vec<String> {
        self.outputs.open()
    }

    /// The log lines.
    pub fn logs(&self) -> Vec<(LogLevel, String)> {
        lock(&self.log.lines).clone()
    }

    /// The counters.
    pub fn metrics(&self) -> BTreeMap<String, i64> {
        lock(&self.log.metrics).clone()
    }

    /// The values that connectors keep.
    pub fn state(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.keep.values).clone()
    }

    /// The clock.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The requests that were answered, in the order in which they were begun.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.network.sent()
    }

    /// Requests whose tickets are open now; 0 once every reply is dropped.
    pub fn open_requests(&self) -> usize {
        self.network.open()
    }

    /// Readers that are open now; 0 once every stream is closed.
    pub fn open_readers(&self) -> usize {
        self.inputs.open_readers()
    }

    /// The bytes of an input.
    pub fn input_bytes(&self, input: u32) -> Option<Arc<Vec<u8>>> {
        self.inputs.bytes(input)
    }
}
