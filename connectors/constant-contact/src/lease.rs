//! One refresher at a time, in all processes that share the state: whoever refreshes a login says so there first.
//!
//! The state can be read and written, not both at once. So a lease is written, and read again after a pause that is far
//! longer than what lies between another's look and its write: whose name stands there then has it. That it could be
//! written shows, too, that the state takes the new refresh token, before the one that is good for one use is sent.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde::{Deserialize, Serialize};
use usher_sdk::{Clock, State, abi::Error};

/// Under which a lease stands.
const KEY: &str = "login.lease";
/// How long a lease lives that nobody gives back, in milliseconds: longer than a request for a token may take.
pub(crate) const LIFE_MS: u64 = 60_000;
/// Between writing a lease and reading it again.
const PAUSE_MS: u64 = 250;
/// The longest wait until another's lease is looked at again.
const WAIT_MS: u64 = 500;

/// The right to refresh the login.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    state: &'a State,
    clock: &'a Clock,
    name: String,
}

/// As it stands in the state.
#[derive(Serialize, Deserialize)]
struct Note {
    name: String,
    until_ms: u64,
}

impl<'a> Lease<'a> {
    /// Takes it; `None` after a short wait when another has it. What is kept may have changed by then.
    pub(crate) fn take(state: &'a State, clock: &'a Clock) -> Result<Option<Self>, Error> {
        if let Some(other) = read(state)? {
            // One that would live longer than any was left by a clock that was wrong.
            let left = other.until_ms.saturating_sub(clock.now_ms());
            if left > 0 && left <= LIFE_MS {
                clock.sleep_ms(left.min(WAIT_MS))?;
                return Ok(None);
            }
        }
        let lease = Self { state, clock, name: name() };
        lease.renew()?;
        clock.sleep_ms(PAUSE_MS)?;
        Ok(lease.is_ours()?.then_some(lease))
    }

    /// Makes it live on, when something takes longer.
    pub(crate) fn renew(&self) -> Result<(), Error> {
        let note = Note { name: self.name.clone(), until_ms: self.clock.now_ms() + LIFE_MS };
        let text = serde_json::to_vec(&note).map_err(|e| Error::bug("login.lease", e.to_string()))?;
        self.state.put(KEY, &text).map_err(|error| {
            error.context("the login was not refreshed, since its new refresh token could not be kept either")
        })
    }

    fn is_ours(&self) -> Result<bool, Error> {
        Ok(read(self.state)?.is_some_and(|note| note.name == self.name))
    }
}

impl Drop for Lease<'_> {
    /// Gives it back. One that cannot be given back ends by itself.
    fn drop(&mut self) {
        if self.is_ours().unwrap_or_default() {
            drop(self.state.delete(KEY));
        }
    }
}

fn read(state: &State) -> Result<Option<Note>, Error> {
    Ok(state.get(KEY)?.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// A name that no other process has.
fn name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
