//! Sources: the trait and what helps to write one.
//!
//! [`Inputs`] finds the files. JSON: a [`Projection`] of the wanted paths and a [`JsonStream`] over lines or over the
//! elements of an array. Delimited text: a [`Header`] and a [`TableStream`]; [`Tables`] is a whole source of them but
//! for its options.

mod builders;
mod declared;
mod delimited;
mod dialect;
mod header;
mod inputs;
mod json;
mod json_array;
mod json_order;
mod json_place;
mod json_record;
mod json_scan;
mod json_value;
mod lines;
mod path;
mod place;
mod projection;
mod quotes;
mod rejects;
mod role;
mod row;
mod separators;
pub(crate) mod shim;
mod slabs;
mod starts;
mod table;
mod table_rows;
mod tables;
mod texts;
mod waiting;

pub use builders::{BATCH_BYTES, BATCH_ROWS, Wanted};
pub use declared::{Declared, absent, pointer, refuse};
pub use delimited::{DelimitedReader, Record};
pub use dialect::Dialect;
pub use header::{Delimiter, Header, MAX_COLUMNS, clean};
pub use inputs::{Inputs, Shape};
pub use json::JsonStream;
pub use json_array::Elements;
pub use lines::Lines;
pub use path::{MAX_CHARS, Path, PathError, Step};
pub use projection::{Projection, Rename};
pub use rejects::MAX_RECORD_BYTES;
pub use role::{Source, Stream};
pub use slabs::{Slabs, SplitReader};
pub use table::TableStream;
pub use table_rows::TableColumn;
pub use tables::{Profile, Tables};
pub use usher_abi::{STANDARD_CLAIMS, is_standard};
