//! Tests connectors of Usher without files, network, waiting or a shared library.
//!
//! * [`MemoryHost`] is the host's services in memory: inputs cut into slabs of any size, captured parts, a virtual
//!   clock, replies of vendors, faults at any call.
//! * [`read`](fn@read), [`write`](fn@write), [`transform`](fn@transform) and [`check`](fn@check) run one component
//!   through its real tables, as the host does.
//! * [`drive`] holds the tables behind safe calls, for tests that need another order of calls.
//! * [`records`] and [`text_batch`] turn rows into text for snapshots, and text into rows.
//! * [`conformance`](fn@conformance) is the suite that every connector passes.
//!
//! # `conformance.toml` of a connector
//!
//! What the suite must be told of a component is a case: good options, samples, options to be refused. They stand as
//! data beside `Cargo.toml`, for `cargo test` ([`Case::load`]) and for `usher test` alike:
//!
//! ```toml
//! [[case]]
//! sink = "users"                                  # or source = "…", transform = "…"
//! options = { plan = "team" }                     # of several, [{ … }, { … }], each makes a case
//! refuses = [
//!     { options = { plan = "gold" } },
//!     { options = { max_rows = 0 }, at = "/max_rows" },   # the JSON pointer of the problem
//! ]
//! [case.columns]                                  # sinks and transforms: good values, used in turn
//! email = ["ada{n}@example.com"]                  # {n} is the number of the row
//! name = ["Ada", "Eve"]
//!
//! [[case]]
//! source = "users"
//! options = { input = "users.csv" }
//! [case.inputs."users.csv"]                       # what stands behind a spec that the options name
//! csv = """
//! email,name
//! ada{n}@example.com,Ada
//! """                                             # or lines = "…", json_array = ["…"], whole = "…"
//! text = { attribute = "name", record = 'a@example.com,"{text}"', escape = "csv" }    # or escape = "json"
//! ```
//!
//! `text` says how a record is written that holds any text in an attribute: hostile ones must come through unharmed.
//! A sample that is `whole` cannot be taken apart, so checks that need other numbers of records are skipped.
//!
//! ```no_run
//! # fn plugin() -> usher_abi::ModuleRef { unimplemented!() }
//! use usher_testkit::{Case, conformance};
//!
//! # /*
//! #[test]
//! # */
//! fn conforms() {
//!     let cases = Case::load(concat!(env!("CARGO_MANIFEST_DIR"), "/conformance.toml")).expect("cases");
//!     conformance(plugin(), &cases).assert();
//! }
//! ```
//!
//! # Cases in Rust
//!
//! The same can be said in code, where samples are to be computed. A source gives [`Sample`]s of its inputs instead of
//! columns.
//!
//! ```
//! # use serde_json::json;
//! # use usher_abi::{service::PartFormat, Component, Error, Part, Problem, Receipt, Report};
//! # use usher_sdk::{describe, options, Host, PartHandle, Records, Sink};
//! # #[derive(serde::Deserialize, schemars::JsonSchema)]
//! # #[serde(deny_unknown_fields)]
//! # struct Options {
//! #     /// First part of the file's name.
//! #     stem: Option<String>,
//! # }
//! # /// Counts people: one line each, with nothing on it but a number.
//! # struct Numbers { host: Host, stem: String, part: Option<PartHandle>, rows: u64, bytes: u64 }
//! # impl Sink for Numbers {
//! #     type Options = Options;
//! #     fn component() -> Component {
//! #         Component { open: true, ..describe::sink::<Options>("numbers", "a number for each row") }
//! #     }
//! #     fn open(options: Options, host: Host) -> Result<Self, Error> {
//! #         let stem = options.stem.unwrap_or_else(|| "numbers".to_owned());
//! #         if stem.is_empty() || !stem.bytes().all(|b| b.is_ascii_alphanumeric()) {
//! #             return Err(options::invalid("/stem", "letters and digits only"));
//! #         }
//! #         Ok(Self { host, stem, part: None, rows: 0, bytes: 0 })
//! #     }
//! #     fn check(&mut self, _: &[String]) -> Result<Vec<Problem>, Error> {
//! #         Ok(Vec::new())
//! #     }
//! #     fn begin(&mut self, _: arrow_schema::SchemaRef) -> Result<(), Error> {
//! #         self.part = Some(self.host.output()?.create(&self.stem, "ndjson", &PartFormat::ndjson())?);
//! #         Ok(())
//! #     }
//! #     fn write(&mut self, records: Records, report: &mut Report) -> Result<(), Error> {
//! #         let (origins, Some(part)) = (records.origins()?, &mut self.part) else { return Ok(()) };
//! #         for row in 0..records.batch.num_rows() {
//! #             self.rows += 1;
//! #             let line = format!("{}\n", self.rows);
//! #             part.write(line.as_bytes())?;
//! #             self.bytes += line.len() as u64;
//! #             report.written.add(origins.get(row).input, origins.get(row).offset);
//! #         }
//! #         Ok(())
//! #     }
//! #     fn finish(&mut self, _: &mut Report) -> Result<Receipt, Error> {
//! #         let Some(part) = self.part.take() else { return Ok(Receipt::default()) };
//! #         let (rows, bytes) = (self.rows, self.bytes);
//! #         let part = Part { name: part.finish(rows)?, rows, bytes, ..Part::default() };
//! #         Ok(Receipt { parts: vec![part], ..Receipt::default() })
//! #     }
//! # }
//! # usher_sdk::export! {
//! #     name = "numbers",
//! #     summary = "numbers",
//! #     sinks = { "numbers" => Numbers },
//! # }
//! use usher_testkit::{conformance, Case};
//!
//! # /*
//! #[test]
//! # */
//! fn conforms() {
//!     let users = Case::sink("numbers", json!({ "stem": "people" }))
//!         .column("email", ["ada{n}@example.com", "bo{n}@example.com"])
//!         .column("name", ["Ada", "Bo"])
//!         .refuses(json!({ "stem": "../people" }), "/stem")
//!         .refuses(json!({ "stem": 1 }), "");
//!     conformance(plugin(), &[users]).assert();
//! }
//! # fn main() { conforms() }
//! ```
//!
//! # One check at a time
//!
//! [`Suite`] is the list of checks behind [`conformance`](fn@conformance). `usher test` runs it check by check in a
//! process that is watched, with an [`Extent`] that measures memory and takes its time.

mod batches;
mod books;
mod check;
mod conformance;
pub mod drive;
mod loopback;
mod memory;
mod read;
mod show;
mod transform;
mod write;

pub use crate::conformance::{
    Case, Check, Extent, Outcome, Sample, Suite, Verdict, conformance, hostile_texts,
};
pub use batches::{comes_once, origin_columns, records, text_batch};
pub use books::{Books, balance};
pub use check::{check, description};
pub use loopback::{FormPart, Loopback, Request};
pub use memory::{Call, CapturedPart, Failure, MemoryHost, Reply, SentRequest, Trouble, VirtualClock};
pub use read::{Read, ReadPlan, read, read_with};
pub use show::show;
pub use transform::{Transformed, transform};
pub use write::{Written, write};
