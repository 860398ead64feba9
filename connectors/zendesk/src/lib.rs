//! Zendesk Support: users, as CSV files for the data importer.
//!
//! The columns and their rules are the table in `columns.rs`, the limits the table in `limits.rs`. Rules that look at
//! more than one cell have a file each: roles, phones, duplicates, blanks (`patterns.rs`), organizations.

mod columns;
mod duplicates;
mod guide;
mod layout;
mod limits;
mod lists;
mod options;
mod organizations;
mod patterns;
mod phones;
mod preflight;
mod roles;
mod row_size;
mod sink;
mod template;
mod time_zones;
mod values;

usher_sdk::export! {
    name = "zendesk",
    summary = "Zendesk Support users, as CSV files for the data importer",
    sinks = { "users" => sink::Users },
    wants = ["input", "output"],
}
