//! stub
pub mod checks;
pub mod describe;
#[doc(hidden)]
pub mod entries;
mod export;
mod guard;
mod header;
mod host;
mod json_text;
pub mod options;
pub mod records;
pub mod shell;
mod sink;
pub mod source;
mod transform;

/// The boundary itself; its types that authors meet are re-exported here.
#[doc(hidden)]
pub use usher_abi as abi;

#[doc(hidden)]
pub use header::header;
pub use host::{Clock, Host, Input, Ledger, Output, PartHandle, Reader, State};
pub use options::Secret;
pub use records::Records;
pub use json_text::read_list;
pub use sink::{
    check_names, check_on_invalid, describe_columns, field_pointer, find_rule, Aside, Cells, ColumnRule, Columns, CsvDialect, CsvEncoder, CsvFile, Fate,
    Fingerprints, Framing, ImportFile, option_pointer, Order, PartLimits, Parts, Print, Row, Sink, Value,
};
pub use source::{Source, Stream};
pub use transform::Transform;

/// Version of this SDK, as every preamble states it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
