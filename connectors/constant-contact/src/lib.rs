//! Constant Contact (Email & Digital Marketing): contacts, as CSV files for the upload page or for the API's import.
//!
//! The columns and their rules are the table in `columns.rs`, the limits the table in `limits.rs`. A file each: the names
//! of columns (`headings.rs`), single values (`values.rs`), dates (`dates.rs`), what a whole contact must be
//! (`contact.rs`), addresses that are never written to (`roles.rs`), what stands where in the file (`layout.rs`), the API
//! call (`api.rs`).

mod api;
mod columns;
mod contact;
mod dates;
mod guide;
mod headings;
mod layout;
mod limits;
mod notes;
mod options;
mod roles;
mod sink;
mod values;

usher_sdk::export! {
    name = "constant-contact",
    summary = "Constant Contact contacts, as CSV files for the import",
    sinks = { "contacts" => sink::Contacts },
    wants = ["output", "clock"],
}
