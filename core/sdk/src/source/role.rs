//! The role of a source.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use usher_abi::{Catalog, Component, Error, PlanRequest, Problem, Report, Split};

use crate::{Host, Records};

/// Reads records. Called in the order `open` → `check` → `catalog` → `plan` → `open_split`…, one call at a time;
/// streams of different splits run on different threads.
pub trait Source: Sized + Send + 'static {
    /// Typed options; unknown keys are refused when it says `#[serde(deny_unknown_fields)]`, which it should.
    type Options: DeserializeOwned + JsonSchema;
    /// What [`open_split`](Self::open_split) gives.
    type Stream: Stream;

    /// What the component is; start from [`describe::source`](crate::describe::source).
    fn component() -> Component;

    /// Takes the options, which have passed their schema. Does no work yet.
    fn open(options: Self::Options, host: Host) -> Result<Self, Error>;

    /// What is wrong with the options that a schema cannot say; every problem at once.
    fn check(&mut self) -> Result<Vec<Problem>, Error> {
        Ok(Vec::new())
    }

    /// The attributes of this input. May read a little of it.
    fn catalog(&mut self) -> Result<Catalog, Error>;

    /// Takes the attributes that are needed, and the number of splits worth having; answers splits in input order.
    /// Nothing but the attributes needed is decoded later on. Comes again when a run looks ahead, and again the same
    /// records must follow.
    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error>;

    /// Opens a planned split, from its start or from a checkpoint (empty: none).
    fn open_split(&mut self, split: &Split, checkpoint: &[u8]) -> Result<Self::Stream, Error>;
}

/// Pulls the batches of one split.
pub trait Stream: Send + 'static {
    /// The next batch, or `None` at the end. Its columns are those of the projection, in its order, then
    /// [`OFFSET`](crate::records::OFFSET) and [`LENGTH`](crate::records::LENGTH). Records that cannot be read go into
    /// `report.rejects`.
    fn next(&mut self, report: &mut Report) -> Result<Option<Records>, Error>;
}
