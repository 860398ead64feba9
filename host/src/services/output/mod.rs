//! `usher.output/1`: staged parts, and the run folder that is seen only when it is whole.
//!
//! A chain's [`Staging`] gives each connector its [`Outputs`]. Everything is written below
//! `out/<chain>/.staging-<run>`, which [`Staging::publish`] renames to `out/<chain>/<run>`; dropped without that, it
//! is removed. What a killed run left is removed when the chain is started again.

mod count;
mod csv;
mod download;
mod json;
mod leftovers;
mod outputs;
mod publish;
mod staging;
mod target;
mod writer;

pub use outputs::{Outputs, Part};
pub use publish::RunFolder;
pub use staging::{Staging, StagingOptions};
