//! Constant Contact (Email & Digital Marketing): contacts, as CSV files for the upload page or for the API's import, or
//! over the API.
//!
//! The columns and their rules are the table in `columns.rs`, the limits the table in `limits.rs`. A file each: the names
//! of columns (`headings.rs`), single values (`values.rs`), dates (`dates.rs`), what a whole contact must be
//! (`contact.rs`), addresses that are never written to (`roles.rs`), what stands where in the file (`layout.rs`), where rows
//! go (`out.rs`).
//!
//! Of the API: its option (`access.rs`), a login and its tokens (`login.rs`, `device.rs`,
//! `oauth.rs`, `kept.rs`, `lease.rs`, `tokens.rs`), requests and replies as text (`api.rs`,
//! `activity.rs`, `refusals.rs`; for a shell `curl.rs`), sending them (`client.rs`), what is looked up and created before
//! contacts are sent (`account.rs`, `library.rs`), and all of it in order (`remote.rs`, and
//! `stopped.rs` where nothing can be sent).
//!
//! Units under way: sent (`delivery.rs`), looked for when it is not known whether they arrived (`doubts.rs`), asked for
//! (`polling.rs`), and read back where the answer leaves contacts open (`read_back.rs`, `keys.rs`); contacts that sign up
//! (`sign_up.rs`, `person.rs`); tags (`tagging.rs`).

mod access;
mod account;
mod activity;
mod api;
mod client;
mod columns;
mod contact;
mod curl;
mod dates;
mod delivery;
mod device;
mod doubts;
mod guide;
mod headings;
mod kept;
mod keys;
mod layout;
mod lease;
mod library;
mod limits;
mod login;
mod notes;
mod oauth;
mod options;
mod out;
mod person;
mod polling;
mod read_back;
mod refusals;
mod remote;
mod roles;
mod sign_up;
mod sink;
mod stopped;
mod tagging;
mod tokens;
mod values;

usher_sdk::export! {
    name = "constant-contact",
    summary = "Constant Contact contacts, as CSV files for the import or over the API",
    sinks = { "contacts" => sink::Contacts },
    wants = ["output", "clock", "http", "state", "ledger"],
    hosts = ["api.cc.email", "authz.constantcontact.com"],
    login = login::DeviceLogin,
}
