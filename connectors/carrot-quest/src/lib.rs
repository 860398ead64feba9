//! Carrot quest (carrotquest.io; abroad: Dashly): users, as CSV files for the import in the admin panel or by the API.
//!
//! The properties and their rules are the table in `columns.rs`, the limits the table in `limits.rs`. A file each: the
//! names of columns (`headings.rs`), values (`values.rs`), types of properties (`types.rs`), the API call (`api.rs`).

mod api;
mod columns;
mod guide;
mod headings;
mod limits;
mod options;
mod sink;
mod types;
mod values;

usher_sdk::export! {
    name = "carrot-quest",
    summary = "Carrot quest users, as CSV files for the import",
    sinks = { "users" => sink::Users },
    wants = ["output"],
}
