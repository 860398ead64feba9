//! What happens if one vendor takes the place of another.
//!
//! | File | What it holds |
//! |---|---|
//! | `parties.rs` | who goes and who comes: names of connectors and plugins |
//! | `change.rs` | what of the manifest changes with it |
//! | `meaning.rs` | what the records say, and which columns take it before and after |
//! | `trial.rs` | the chains with the data at hand, before and after |
//! | `comparison.rs` | all of it |

mod change;
mod comparison;
mod meaning;
mod parties;
mod trial;

pub use change::{Change, Gone, of_chains, of_plugin};
pub use comparison::{Comparison, InChain, Party, Side};
pub use meaning::{Fate, Meaning, Taken, meanings};
pub use parties::{New, Parties};
pub use trial::{Trial, Tried, tried};
