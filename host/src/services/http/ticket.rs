//! What a thread that sends hands over to whoever waits: the head of the reply, then its body, two slabs ahead.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use usher_abi::Error;

use crate::services::{clock::Cancel, private::lock};

/// Slabs that wait to be taken.
const AHEAD: usize = 2;
/// How soon a cancelled run is noticed.
const LOOK_UP: Duration = Duration::from_millis(50);

/// A request from its beginning to its end.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    head: Option<Result<String, Error>>,
    slabs: VecDeque<Vec<u8>>,
    end: Option<Result<(), Error>>,
    /// Bytes that were taken.
    offset: u64,
    given_up: bool,
}

impl Ticket {
    /// Blocks until the head of the reply is there.
    pub(super) fn wait(&self, cancel: &Cancel) -> Result<String, Error> {
        let state = self.until(cancel, |state| state.head.is_some())?;
        state.head.clone().unwrap_or_else(|| Err(Error::cancelled()))
    }

    /// The next bytes of the body with their place in it; none at the end. An error stays.
    pub(super) fn next(&self, cancel: &Cancel) -> Result<Option<(Vec<u8>, u64)>, Error> {
        self.wait(cancel)?;
        let mut state = self.until(cancel, |state| !state.slabs.is_empty() || state.end.is_some())?;
        let Some(slab) = state.slabs.pop_front() else {
            return state.end.clone().unwrap_or_else(|| Err(Error::cancelled())).map(|()| None);
        };
        let offset = state.offset;
        state.offset += slab.len() as u64;
        self.changed.notify_all();
        Ok(Some((slab, offset)))
    }

    /// Nobody wants the reply any more.
    pub(super) fn give_up(&self) {
        let mut state = lock(&self.state);
        state.given_up = true;
        state.slabs.clear();
        self.changed.notify_all();
    }

    /// Whether nobody wants the reply any more.
    pub(super) fn is_given_up(&self) -> bool {
        lock(&self.state).given_up
    }

    /// The sending side: the reply is there, or there is none.
    pub(super) fn answer(&self, head: Result<String, Error>) {
        lock(&self.state).head.get_or_insert(head);
        self.changed.notify_all();
    }

    /// The sending side: more of the body. Blocks while enough is waiting; false when nobody wants it any more.
    pub(super) fn push(&self, slab: Vec<u8>, cancel: &Cancel) -> bool {
        match self.until(cancel, |state| state.slabs.len() < AHEAD || state.given_up) {
            Ok(mut state) if !state.given_up => {
                state.slabs.push_back(slab);
                self.changed.notify_all();
                true
            }
            _ => false,
        }
    }

    /// The sending side: the body is over. Said, so that a thread that dies is never taken for the end of a body.
    pub(super) fn end(&self, end: Result<(), Error>) {
        let mut state = lock(&self.state);
        if let Err(error) = &end {
            state.head.get_or_insert_with(|| Err(error.clone()));
        }
        state.end.get_or_insert(end);
        self.changed.notify_all();
    }

    fn until(&self, cancel: &Cancel, there: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = lock(&self.state);
        while !there(&state) {
            cancel.check()?;
            state = self.changed.wait_timeout(state, LOOK_UP).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state)
    }
}
