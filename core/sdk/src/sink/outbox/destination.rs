//! The vendor's side of a delivery.

use usher_abi::Error;

use super::{RowReject, UnitOutcome, cut::Unit};
use crate::{Http, Reply, RequestBuilder};

/// A vendor as the [`Outbox`](super::Outbox) sees it. Requests are put together and replies are read here; when they are
/// sent, noted in the ledger and asked for is the outbox's affair. Calls come one at a time.
///
/// An error ends the delivery: what is under way is of unknown fate, the rest is not sent, and the same run may go on
/// later. An answer that is about single rows is no error but an outcome.
pub trait Destination {
    /// Whose data it is at the vendor (a subdomain, an id of an app); no secret.
    fn account(&self) -> String;

    /// The most units that may be under way at once, those that the vendor works on counted. At least 1; asked again and
    /// again, so that the first unit may go alone.
    fn in_flight(&self) -> usize {
        4
    }

    /// Milliseconds between two questions for jobs; `asked` is how often they were asked since one was done.
    fn poll_ms(&self, asked: u32) -> u64 {
        (500u64 << asked.min(5)).min(10_000)
    }

    /// How many requests a minute the vendor allows, if its jobs end by themselves and one request asks for all of them.
    /// Then they are asked for when they should be done, by how long those before took, and [`poll_ms`](Self::poll_ms)
    /// counts only until one was done.
    fn requests_a_minute(&self) -> Option<u32> {
        None
    }

    /// The request that sends a unit; or what is known without one.
    fn send(&mut self, http: &Http, unit: &Unit) -> Result<Step, Error>;

    /// Reads the reply to [`send`](Self::send), whatever its status is.
    fn sent(&mut self, unit: &Unit, reply: Reply) -> Result<Reaction, Error>;

    /// Asks how far jobs are: an answer for each, in their order. Called for vendors that work in jobs.
    fn poll(&mut self, http: &Http, jobs: &mut Jobs<'_>) -> Result<Vec<Progress>, Error> {
        let _ = http;
        Ok(jobs.list().iter().map(|_| Progress::Running).collect())
    }

    /// A unit of which it is not known whether it arrived, sent `at_ms` since 1970 at the earliest: an earlier attempt was
    /// ended, there was no reply, or the vendor has lost its job. Sending again is right where the vendor takes the same
    /// rows twice without harm.
    fn doubt(&mut self, http: &Http, unit: &Unit, at_ms: u64) -> Result<Doubt, Error> {
        let _ = (http, unit, at_ms);
        Ok(Doubt::SendAgain)
    }

    /// Whether a reject says nothing of the rows to come (a user who is there already, where only new ones are made), so
    /// that the units sent first count as clean in spite of it.
    fn is_harmless(&self, reject: &RowReject) -> bool {
        let _ = reject;
        false
    }

    /// When all units are settled: what is to be done once for all of them, and must do no harm when it is done twice.
    fn close(&mut self, http: &Http) -> Result<(), Error> {
        let _ = http;
        Ok(())
    }
}

/// What to do for a unit.
#[derive(Debug)]
pub enum Step {
    /// Send this.
    Request(Box<RequestBuilder>),
    /// Nothing: its outcome is known.
    Done(UnitOutcome),
}

impl From<RequestBuilder> for Step {
    fn from(request: RequestBuilder) -> Self {
        Self::Request(Box::new(request))
    }
}

/// What a reply says of a unit.
#[derive(Debug)]
pub enum Reaction {
    /// What became of it.
    Done(UnitOutcome),
    /// The vendor works on it, under this id.
    Job(String),
    /// The vendor has no room for it now; it is sent again when something else is done, at the soonest after so many
    /// milliseconds.
    Later(u64),
    /// The vendor has taken none of it and would take no other either (imports are switched off, say): the delivery ends
    /// with this error, and the unit counts as not sent.
    Refused(Error),
    /// Whether it was taken cannot be told from this reply (a 503 may come after the work): as when there was none,
    /// [`doubt`](Destination::doubt) decides. The reason, for people.
    InDoubt(String),
    /// Nothing that is known: this text is kept in the run's folder, without secrets; the rows' fate is unknown.
    NotUnderstood(String),
}

/// How far a job is.
#[derive(Debug)]
pub enum Progress {
    /// Not done.
    Running,
    /// What became of its unit.
    Done(UnitOutcome),
    /// The vendor does not know it (any more).
    Lost,
    /// As [`Reaction::NotUnderstood`].
    NotUnderstood(String),
}

/// What to do with a unit in doubt.
#[derive(Debug)]
pub enum Doubt {
    /// Send it: if it had arrived, that does no harm.
    SendAgain,
    /// It had arrived: the vendor works on it under this id.
    Job(String),
    /// It had arrived: this became of it.
    Done(UnitOutcome),
    /// It cannot be told, and must not be sent again; why.
    Unknown(String),
}

/// A unit that the vendor works on.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// The unit's number.
    pub unit: u64,
    /// How many rows it has.
    pub rows: u64,
    /// The vendor's id of the job.
    pub job: String,
    /// When the vendor took it up, in milliseconds since 1970.
    pub at_ms: u64,
}

/// The jobs that are asked for.
pub struct Jobs<'a> {
    pub(super) list: &'a [InFlight],
    pub(super) read: &'a mut dyn FnMut(u64) -> Result<Unit, Error>,
}

impl Jobs<'_> {
    /// All of them.
    pub fn list(&self) -> &[InFlight] {
        self.list
    }

    /// The rows of one of them, read back from disk.
    pub fn unit(&mut self, number: u64) -> Result<Unit, Error> {
        (self.read)(number)
    }
}

impl std::fmt::Debug for Jobs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").field("list", &self.list).finish_non_exhaustive()
    }
}
