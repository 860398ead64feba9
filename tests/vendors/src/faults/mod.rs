//! Faults on demand: which strike is drawn from a seed, every one is written down, and one layer does them.

mod body;
mod layer;
mod plan;

pub(crate) use layer::{Layer, layer};
pub use plan::{Fault, FaultPlan, Faults, Struck};
