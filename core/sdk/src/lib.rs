//! Everything a connector for Usher is written with: three traits, typed options, column tables, import files, and one
//! macro that makes the crate a plugin.
//!
//! A connector is a pure machine between Arrow batches and bytes. It does no input or output of its own: files, time
//! and durable values are the [`Host`]'s, so every connector behaves alike and can be tested without a disk.
//!
//! A sink for one more vendor that takes CSV files is a table and a few functions. This is a whole plugin:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use usher_sdk::{
//!     abi::{Component, Error, OnInvalid, Problem, Receipt, Report},
//!     arrow_schema::SchemaRef,
//!     check_names, checks, describe, describe_columns, ColumnRule, Columns, CsvDialect, Fate, Host, ImportFile, Order,
//!     PartLimits, Records, Sink,
//! };
//!
//! /// The vendor's rules, as a table: each row says where it stands.
//! const COLUMNS: &[ColumnRule] = &[
//!     ColumnRule {
//!         name: "mail",
//!         default: Some("email"),
//!         required: true,
//!         check: checks::email,
//!         summary: "the address; every row needs one",
//!         source: "vendor's help page 12",
//!         ..ColumnRule::TEXT
//!     },
//!     ColumnRule {
//!         name: "full_name",
//!         default: Some("name"),
//!         max_chars: Some(80),
//!         summary: "at most 80 characters",
//!         source: "vendor's help page 12",
//!         ..ColumnRule::TEXT
//!     },
//! ];
//!
//! #[derive(Default, serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, default)]
//! struct Options {
//!     /// What a bad value of a column does, instead of the table's own choice.
//!     on_invalid: BTreeMap<String, OnInvalid>,
//! }
//!
//! struct Contacts {
//!     options: Options,
//!     host: Host,
//!     file: Option<ImportFile>,
//! }
//!
//! impl Sink for Contacts {
//!     type Options = Options;
//!
//!     fn component() -> Component {
//!         Component { columns: describe_columns(COLUMNS), ..describe::sink::<Options>("contacts", "Contacts of a vendor") }
//!     }
//!
//!     fn open(options: Options, host: Host) -> Result<Self, Error> {
//!         Ok(Self { options, host, file: None })
//!     }
//!
//!     fn check(&mut self, columns: &[String]) -> Result<Vec<Problem>, Error> {
//!         Ok(check_names(COLUMNS, columns))
//!     }
//!
//!     fn begin(&mut self, schema: SchemaRef) -> Result<(), Error> {
//!         let columns = Columns::bind(COLUMNS, &schema, &[], Order::Table, &self.options.on_invalid)?;
//!         let limits = PartLimits { rows: Some(10_000), ..PartLimits::default() };
//!         self.file = Some(ImportFile::new(&self.host, "contacts", columns, CsvDialect::default(), limits));
//!         Ok(())
//!     }
//!
//!     fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
//!         match &mut self.file {
//!             Some(file) => file.write(&records, report, |_| Ok(Fate::Written)),
//!             None => Ok(()),
//!         }
//!     }
//!
//!     fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
//!         let parts = self.file.take().map(ImportFile::finish).transpose()?.unwrap_or_default();
//!         Ok(Receipt { parts, ..Receipt::default() })
//!     }
//! }
//!
//! usher_sdk::export! {
//!     name = "example",
//!     summary = "An example",
//!     sinks = { "contacts" => Contacts },
//! }
//! # fn main() {}
//! ```
//!
//! `Cargo.toml` says `crate-type = ["cdylib", "rlib"]`: the first is what the host loads, the second what the crate's own
//! tests link. `docs/writing-a-connector.md` goes on from here.

pub mod checks;
pub mod describe;
#[doc(hidden)]
pub mod entries;
mod export;
mod guard;
mod header;
mod host;
mod json_text;
mod login;
pub mod options;
mod pieces;
pub mod records;
pub mod shell;
mod sink;
pub mod source;
mod transform;
pub mod words;

/// The boundary itself; its types that authors meet are re-exported here.
#[doc(hidden)]
pub use usher_abi as abi;

/// The Arrow types that stand in the traits' signatures.
pub use arrow_schema;
#[doc(hidden)]
pub use header::header;
pub use host::{
    Clock, Host, Http, Input, Ledger, Multipart, Output, PartHandle, PendingReply, Reader, Reply,
    RequestBuilder, State,
};
pub use json_text::read_list;
pub use login::Login;
pub use options::Secret;
pub use records::Records;
pub use sink::outbox;
pub use sink::{
    Ahead, Aside, Cells, ColumnRule, Columns, CsvDialect, CsvEncoder, CsvFile, Fate, Framing, ImportFile,
    Known, Order, PartLimits, Parts, Row, Sink, Texts, Upcoming, Value, check_names, check_on_invalid,
    describe_columns, field_pointer, find_rule, option_pointer,
};
pub use source::{Source, Stream};
pub use transform::Transform;
pub use usher_keys::{Fingerprints, KeyedHash, Print};

/// Version of this SDK, as every preamble states it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
