//! Carrot quest (carrotquest.io; abroad: Dashly): users, as CSV files for the import in the admin panel or by the API, or
//! sent to the API.
//!
//! The properties and their rules are the table in `columns.rs`, the limits the table in `limits.rs`, the vendor's errors
//! the table in `refusals.rs`. A file each: the names of columns (`headings.rs`), values (`values.rs`), types of properties
//! (`types.rs`), the printed command (`curl.rs`).
//!
//! Delivery by the API: its calls as text (`api.rs`, `lenient.rs`), who asks (`client.rs`), before a row is sent
//! (`preflight.rs`), parts (`import.rs`, `row_errors.rs`) or people one by one (`props.rs`), and reading them back
//! (`read_back.rs`, `people.rs`).

mod api;
mod client;
mod columns;
mod curl;
mod delivery;
mod guide;
mod headings;
mod import;
mod lenient;
mod limits;
mod live;
mod options;
mod people;
mod preflight;
mod props;
mod read_back;
mod refusals;
mod row_errors;
mod sending;
mod sink;
mod types;
mod values;

usher_sdk::export! {
    name = "carrot-quest",
    summary = "Carrot quest users, as CSV files for the import or by the API",
    sinks = { "users" => sink::Users },
    wants = ["output", "http", "clock", "ledger"],
    hosts = ["api.carrotquest.io", "api.dashly.app"],
}
