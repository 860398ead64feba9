//! Zendesk Support: users, as CSV files for the data importer or over the Users API.
//!
//! The columns and their rules are the table in `columns.rs`, the limits the table in `limits.rs`. Rules that look at
//! more than one cell have a file each: roles, phones, duplicates, blanks (`patterns.rs`), organizations,
//! the default one among them (`defaults.rs`). Of the API,
//! `properties.rs` is the table of what columns become, `refusals.rs` that of what refusals mean; `api.rs` and `results.rs`
//! read what comes, `delivery.rs` decides what follows, with
//! `users.rs` and `trip.rs` for what is looked up before.

mod access;
mod account;
mod api;
mod client;
mod columns;
mod defaults;
mod delivery;
mod duplicates;
mod fields;
mod files;
mod guide;
mod held;
mod layout;
mod limits;
mod lists;
mod names;
mod options;
mod organizations;
mod outgoing;
mod patterns;
mod phones;
mod preflight;
mod properties;
mod refusals;
mod results;
mod roles;
mod row_size;
mod sink;
mod target;
mod template;
mod time_zones;
mod trip;
mod user;
mod users;
mod values;

usher_sdk::export! {
    name = "zendesk",
    summary = "Zendesk Support users, as CSV files for the data importer or over the API",
    sinks = { "users" => sink::Users },
    wants = ["input", "output", "http", "clock", "ledger"],
    hosts = ["*.zendesk.com"],
}
