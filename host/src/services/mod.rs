//! The services that connectors ask the host for, one file or folder each: the bytes of inputs, staged outputs,
//! time, durable values, units sent, and the log; and what the host itself keeps. Connectors reach them through the traits of
//! [`usher_abi::service`]; the engine keeps the concrete types and asks them what happened.

mod clock;
mod database;
mod exclusive;
mod forget;
mod gate;
mod http;
mod input;
mod ledger;
mod log;
mod output;
pub(crate) mod private;
mod secret;
mod state;
mod synced;

pub use clock::{Cancel, SystemClock, VirtualClock};
pub use database::Database;
pub use exclusive::{Busy, Exclusive, Right};
pub use forget::Held;
pub use gate::{Gate, Sending};
pub(crate) use http::REQUESTS;
pub use http::{AllowedHosts, ConnectorNetwork, Http, Network, NetworkOptions, Redact, Tape, Variable};
pub use input::{
    Digest, Incoming, InputInfo, InputOptions, InputProgress, InputRegistry, Inputs, Keeper, Packing,
};
pub use ledger::{Attempt, Ledger};
pub use log::{LineSink, LogLine, RunLog};
pub use output::{Outputs, Part, RunFolder, Staging, StagingOptions};
pub use private::{create_private_file, create_private_folder, disk_error, replace_private_file};
pub use secret::{Key, Secret};
pub use state::State;
pub use synced::{Confirmed, Entry, Forgotten, Known, Noted, Published, Synced, Waiting};
