//! The role of a sink.

use arrow_schema::SchemaRef;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use usher_abi::{Component, Error, Problem, Receipt, Report};

use crate::{Host, Records};

/// Writes records. Called in the order `open` → `check` → `begin` → `write`… → `flush` → `finish`, one call at a time;
/// `flush` may come between batches, too. A report counts even when its call fails.
pub trait Sink: Sized + Send + 'static {
    /// Typed options; unknown keys are refused when it says `#[serde(deny_unknown_fields)]`, which it should.
    type Options: DeserializeOwned + JsonSchema;

    /// What the component is; start from [`describe::sink`](crate::describe::sink).
    fn component() -> Component;

    /// Takes the options, which have passed their schema. Does no work yet.
    fn open(options: Self::Options, host: Host) -> Result<Self, Error>;

    /// What is wrong with the options, and with the columns that are going to come; every problem at once.
    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error>;

    /// The schema of all batches: the columns checked before, then the origin columns.
    fn begin(&mut self, schema: SchemaRef) -> Result<(), Error>;

    /// Takes rows. Those that cannot be taken are rejects in the report, not errors.
    fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error>;

    /// Hands on whatever is buffered: afterwards the report has what can be known of every row written before. Changes
    /// nothing of what comes out; a sink of files, which knows at once, need not do anything.
    fn flush(&mut self, report: &mut Report) -> Result<(), Error> {
        let _ = report;
        Ok(())
    }

    /// Ends the work and says what was done.
    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error>;
}
