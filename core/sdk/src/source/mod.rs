//! Sources: the trait and what helps to write one.
//!
//! [`Inputs`] finds the files. JSON: a [`Projection`] of the wanted paths and a [`JsonStream`] over lines or over the
//! elements of an array. Delimited text: a [`Header`] and a [`TableStream`]; [`Tables`] is a whole source of them but
//! for its options.

mod builders;
mod claims;
mod declared;
mod delimited;
mod header;
mod inputs;
mod json;
mod json_array;
mod json_order;
mod json_record;
mod json_scan;
mod json_value;
mod lines;
mod path;
mod projection;
mod rejects;
mod role;
mod row;
pub(crate) mod shim;
mod slabs;
mod table;
mod tables;

pub use builders::{Wanted, BATCH_BYTES, BATCH_ROWS};
pub use claims::{is_claim, CLAIMS};
pub use declared::{absent, pointer, refuse, Declared};
pub use delimited::{DelimitedReader, Dialect, Record};
pub use header::{clean, Delimiter, Header};
pub use inputs::{Inputs, Shape};
pub use json::JsonStream;
pub use json_array::Elements;
pub use lines::Lines;
pub use path::{Path, PathError, Step, MAX_CHARS};
pub use projection::{Projection, Rename};
pub use rejects::{reject, MAX_RECORD_BYTES};
pub use role::{Source, Stream};
pub use slabs::Slabs;
pub use table::{TableColumn, TableStream};
pub use tables::{Profile, Tables};
