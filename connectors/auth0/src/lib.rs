//! Auth0: user exports as a source.
//!
//! `users` reads what the users-exports job, the Dashboard and the old extension write: NDJSON, CSV, and converted
//! JSON arrays. What is known of attributes and headings is data, in `columns.rs`.

mod columns;
mod escape;
mod files;
mod source;

usher_sdk::export! {
    name = "auth0",
    summary = "Auth0 user exports",
    sources = { "users" => source::Users },
    wants = ["input"],
}
