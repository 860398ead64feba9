//! Faults on demand: the nth call of a service fails, and every call is counted.

use std::{collections::HashMap, sync::Mutex};

use usher_abi::Error;

use super::lock;

/// A service call that can be counted and made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `usher.input/1`: finding inputs.
    Open,
    /// `usher.input/1`: opening a reader.
    Reader,
    /// `usher.input/1`: the next slab of any reader.
    Read,
    /// `usher.output/1`: beginning a part.
    Create,
    /// `usher.output/1`: appending to any part.
    Write,
    /// `usher.output/1`: reading back from any part.
    ReadBack,
    /// `usher.output/1`: ending any part.
    Finish,
    /// `usher.clock/1`: waiting.
    Sleep,
    /// `usher.state/1`: any call.
    State,
    /// `usher.ledger/1`: any call.
    Ledger,
    /// `usher.http/1`: beginning a request.
    Send,
    /// `usher.http/1`: waiting for a reply.
    Receive,
    /// `usher.http/1`: the next slab of any reply.
    ReceiveBody,
    /// `usher.http/1`: making a reply an input.
    Keep,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Open,
        Self::Reader,
        Self::Read,
        Self::Create,
        Self::Write,
        Self::ReadBack,
        Self::Finish,
        Self::Sleep,
        Self::State,
        Self::Ledger,
        Self::Send,
        Self::Receive,
        Self::ReceiveBody,
        Self::Keep,
    ];
}

/// Which call fails: the `nth` one (from 1, counted over the life of the [`MemoryHost`](super::MemoryHost)) of its
/// kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// The kind of call.
    pub call: Call,
    /// Which one of them, from 1.
    pub nth: u64,
    /// What it fails with.
    pub with: Trouble,
}

/// What a call fails with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// An error of class `transient` and code `test.fault`: what may go away by itself.
    #[default]
    Passing,
    /// An error of class `permanent` and code `output.disk-full`, as the host says it.
    DiskFull,
}

impl Failure {
    /// The `nth` call (from 1) of this kind.
    pub fn new(call: Call, nth: u64) -> Self {
        Self { call, nth, with: Trouble::Passing }
    }

    /// The `nth` call (from 1) of this kind, since the disk is full.
    pub fn disk_full(call: Call, nth: u64) -> Self {
        Self { call, nth, with: Trouble::DiskFull }
    }

    fn is(&self, call: Call, nth: u64) -> bool {
        (self.call, self.nth) == (call, nth)
    }
}

type Action = Box<dyn FnOnce() + Send>;

/// Counts of calls, what is going to fail and what is going to happen at a call.
#[derive(Default)]
pub(super) struct Faults {
    calls: Mutex<HashMap<Call, u64>>,
    planned: Mutex<Vec<Failure>>,
    actions: Mutex<Vec<(Failure, Action)>>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faults")
            .field("calls", &self.calls)
            .field("planned", &self.planned)
            .finish_non_exhaustive()
    }
}

impl Faults {
    pub(super) fn plan(&self, failure: Failure) {
        lock(&self.planned).push(failure);
    }

    pub(super) fn when(&self, at: Failure, action: Action) {
        lock(&self.actions).push((at, action));
    }

    pub(super) fn calls(&self, call: Call) -> u64 {
        lock(&self.calls).get(&call).copied().unwrap_or(0)
    }

    /// Counts a call; an error when it is one that fails.
    pub(super) fn count(&self, call: Call) -> Result<(), Error> {
        let nth = {
            let mut calls = lock(&self.calls);
            let count = calls.entry(call).or_default();
            *count += 1;
            *count
        };
        let action = {
            let mut actions = lock(&self.actions);
            let place = actions.iter().position(|(at, _)| at.is(call, nth));
            place.map(|i| actions.swap_remove(i).1)
        };
        if let Some(action) = action {
            action();
        }
        let failure = lock(&self.planned).iter().find(|planned| planned.is(call, nth)).copied();
        let message = format!("call {nth} of {call:?} fails because the test says so");
        match failure.map(|failure| failure.with) {
            None => Ok(()),
            Some(Trouble::Passing) => Err(Error::transient("test.fault", message)),
            Some(Trouble::DiskFull) => Err(Error::permanent("output.disk-full", message)),
        }
    }
}
