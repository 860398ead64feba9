//! Sinks: the trait and what helps to write one.

mod ahead;
mod aside;
mod cells;
mod columns;
mod csv_encoder;
mod csv_file;
mod import_file;
pub mod outbox;
mod parts;
mod reread;
mod role;
mod row;
mod rule;
pub(crate) mod shim;

pub use ahead::{Ahead, Upcoming};
pub use aside::Aside;
pub use cells::{Cells, Texts, Value};
pub use columns::{Columns, Fate, Order};
pub use csv_encoder::{CsvDialect, CsvEncoder};
pub use csv_file::CsvFile;
pub use import_file::ImportFile;
pub use parts::{Framing, PartLimits, Parts};
pub use role::Sink;
pub use row::{Known, Row};
pub use rule::{
    ColumnRule, check_names, check_on_invalid, describe_columns, field_pointer, find_rule, option_pointer,
};
