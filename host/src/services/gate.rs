//! What may leave this machine.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// Which requests are sent, and whether units that are sent are noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Sending {
    /// No request: all are checked and counted.
    Nothing = 0,
    /// Those that change nothing at the other side; the others are checked and counted.
    Reads = 1,
    /// As [`Reads`](Self::Reads), because the time for the others has not come: the chain has not been checked to its
    /// end.
    Held = 2,
    /// All.
    #[default]
    All = 3,
}

/// A [`Sending`] that many services look at, and that the chain changes while they live.
#[derive(Clone, Debug)]
pub struct Gate(Arc<AtomicU8>);

impl Gate {
    /// A gate of its own.
    pub fn new(sending: Sending) -> Self {
        Self(Arc::new(AtomicU8::new(sending as u8)))
    }

    /// From now on.
    pub fn set(&self, sending: Sending) {
        self.0.store(sending as u8, Ordering::SeqCst);
    }

    /// Now.
    pub fn get(&self) -> Sending {
        match self.0.load(Ordering::SeqCst) {
            0 => Sending::Nothing,
            1 => Sending::Reads,
            2 => Sending::Held,
            _ => Sending::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_hold_a_gate_see_it_open() {
        let gate = Gate::new(Sending::Held);
        let other = gate.clone();
        for sending in [Sending::Nothing, Sending::Reads, Sending::Held, Sending::All] {
            gate.set(sending);
            assert_eq!(other.get(), sending);
        }
    }
}
