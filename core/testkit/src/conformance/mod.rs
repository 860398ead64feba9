//! The conformance suite: what every connector must do, whatever its vendor.

mod bench;
mod case;
mod faults;
mod file;
mod guess;
mod hostile;
mod memory;
mod options;
mod outcome;
mod plugin;
mod sample;
mod schema;
mod sink;
mod source;
mod suite;
mod transform;

use usher_abi::ModuleRef;

pub use case::Case;
pub use hostile::hostile_texts;
pub use outcome::{Check, Outcome, Verdict};
pub use sample::Sample;
pub use suite::{Extent, Suite};

use suite::Steps;

/// Runs the suite over a plugin: at least one case per component. Nothing is loaded, read or written outside of this
/// process; what only a process of its own can tell is left to `usher test` ([`Extent::Shared`]).
///
/// A failing check says what it fails at with the smallest input that it knows of; see [`Outcome::assert`].
pub fn conformance(module: ModuleRef, cases: &[Case]) -> Outcome {
    Suite::new(module, cases, Extent::Shared).run_all()
}
