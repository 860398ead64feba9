//! Units of which it is not known whether they arrived: what becomes of them.

use serde_json::json;
use usher_abi::Error;

use super::{
    super::{
        destination::Doubt,
        outcome::{Fates, UnitOutcome},
    },
    Flight, State,
};

/// How often a unit in doubt is looked for or sent again: its job is lost, or there was no reply.
const MOST_DOUBTS: u32 = 3;
/// The wait before the first of these, in milliseconds; each is twice the one before.
const DOUBT_MS: u64 = 1_000;

impl Flight<'_> {
    /// A unit whose reply is missing: what became of it is found out, or it is sent again. A vendor that stays away ends
    /// the delivery: the other units would fare no better.
    pub(super) fn doubtful(&mut self, unit: usize, at_ms: u64, why: &str) -> Result<(), Error> {
        match self.doubted(unit, at_ms) {
            _ if self.ending => Ok(()),
            times if times <= MOST_DOUBTS => {
                self.clock.sleep_ms(DOUBT_MS << (times - 1))?;
                self.resolve(unit, at_ms)
            }
            times => Err(Error::transient(
                "delivery.in-doubt",
                format!("{why} (sent {times} times); run again when the vendor answers"),
            )),
        }
    }

    /// A unit whose job the vendor has lost: sent again, but not for ever. The other units may fare better.
    pub(super) fn lost(&mut self, unit: usize, at_ms: u64) -> Result<(), Error> {
        let times = self.doubted(unit, at_ms);
        if times <= MOST_DOUBTS {
            return self.resolve(unit, at_ms);
        }
        let why = format!("the vendor has lost its job (sent {times} times)");
        self.warn(unit, &why);
        self.settle(unit, &UnitOutcome::all(Fates::Unknown, json!({ "unknown": why })))
    }

    /// How often there was doubt about a unit, this time counted.
    fn doubted(&mut self, unit: usize, at_ms: u64) -> u32 {
        let (_, times) = self.doubts.entry(unit).or_insert((at_ms, 0));
        *times += 1;
        *times
    }

    /// A unit that may have arrived.
    pub(super) fn resolve(&mut self, unit: usize, at_ms: u64) -> Result<(), Error> {
        self.states[unit] = State::UnderWay;
        let (at_ms, _) = *self.doubts.entry(unit).or_insert((at_ms, 0));
        let read = self.outbox.unit(unit, &self.cuts[unit])?;
        match self.destination.doubt(&self.http, &read, at_ms)? {
            Doubt::SendAgain => self.send(unit, &read),
            Doubt::Job(id) => self.note_job(unit, id),
            Doubt::Done(outcome) => self.settle(unit, &outcome),
            Doubt::Unknown(why) => {
                self.warn(unit, &why);
                self.settle(unit, &UnitOutcome::all(Fates::Unknown, json!({ "unknown": why })))
            }
        }
    }
}
