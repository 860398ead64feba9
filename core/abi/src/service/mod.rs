//! The services a connector may ask the host for: one file per extension id. Each file holds the table that crosses,
//! the trait that the serving side implements, and the table's functions over that trait.

mod clock;
mod http;
mod input;
mod ledger;
mod output;
mod state;

pub use clock::{CLOCK, ClockService, ClockTable};
pub use http::{HTTP, HttpService, HttpTable};
pub use input::{INPUT, InputFile, InputService, InputTable, Slab};
pub use ledger::{LEDGER, LedgerService, LedgerTable};
pub use output::{OUTPUT, OutputService, OutputTable, PartFormat};
pub use state::{STATE, StateService, StateTable};

pub(crate) use clock::CLOCK_TABLE;
pub(crate) use http::HTTP_TABLE;
pub(crate) use input::INPUT_TABLE;
pub(crate) use ledger::LEDGER_TABLE;
pub(crate) use output::OUTPUT_TABLE;
pub(crate) use state::STATE_TABLE;
