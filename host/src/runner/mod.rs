//! Components as the engine drives them: traits over a plugin's tables, which are its own (in the host's process) or those of
//! [`Jailed`], which send what they are given to a worker.

mod in_process;
mod worker;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use usher_abi::{Catalog, Error, PlanRequest, Problem, Receipt, Report, Split};

pub use in_process::{open_sink, open_source, open_transform};
#[doc(hidden)]
pub use worker::fuzzing;
pub use worker::{Jailed, Rights};
pub(crate) use worker::{no_core_dump, run as run_worker};

/// Stops a component from any thread; calls that run return soon after.
pub type Cancel = std::sync::Arc<dyn Fn() + Send + Sync>;

/// A source; see [`usher_abi::SourceTable`].
pub trait Source: Send {
    /// What is wrong with the options.
    fn check(&mut self) -> Result<Vec<Problem>, Error>;
    /// The attributes of the input.
    fn catalog(&mut self) -> Result<Catalog, Error>;
    /// The splits that are to be read.
    fn plan(&mut self, request: &PlanRequest) -> Result<Vec<Split>, Error>;
    /// Opens a split.
    fn open_split(&mut self, split: &Split) -> Result<Box<dyn Stream>, Error>;
    /// A way to stop it.
    fn canceller(&self) -> Cancel;
}

/// A stream of a source; see [`usher_abi::StreamTable`].
pub trait Stream: Send {
    /// The next batch and its input, or none at the end.
    fn next(&mut self, report: &mut Report) -> Result<Option<(RecordBatch, u32)>, Error>;
    /// A way to stop it.
    fn canceller(&self) -> Cancel;
}

/// A transform; see [`usher_abi::TransformTable`].
pub trait Transform: Send {
    /// What is wrong with the options.
    fn check(&mut self) -> Result<Vec<Problem>, Error>;
    /// The schema that comes out.
    fn output_schema(&mut self, input: &SchemaRef) -> Result<SchemaRef, Error>;
    /// One batch in, at most one out.
    fn apply(
        &mut self,
        batch: &RecordBatch,
        input: u32,
        report: &mut Report,
    ) -> Result<Option<(RecordBatch, u32)>, Error>;
    /// What was held back, until none.
    fn flush(&mut self, report: &mut Report) -> Result<Option<(RecordBatch, u32)>, Error>;
    /// A way to stop it.
    fn canceller(&self) -> Cancel;
}

/// A sink; see [`usher_abi::SinkTable`].
pub trait Sink: Send {
    /// What is wrong with the options and with these columns.
    fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error>;
    /// The schema of all batches.
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), Error>;
    /// Takes a batch.
    fn write(&mut self, batch: &RecordBatch, input: u32, report: &mut Report) -> Result<(), Error>;
    /// Hands on what is buffered.
    fn flush(&mut self, report: &mut Report) -> Result<(), Error>;
    /// Ends the work.
    fn finish(&mut self, report: &mut Report) -> Result<Receipt, Error>;
    /// A way to stop it.
    fn canceller(&self) -> Cancel;
}
