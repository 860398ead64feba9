//! Auth0: user exports as a source.
//!
//! `users` reads what the users-exports job, the Dashboard and the old extension write: NDJSON, CSV, and converted
//! JSON arrays; or it orders such a job itself and reads its file. What is known of attributes and headings is data, in
//! `columns.rs`; what Auth0's refusals mean, in `refusals.rs`.

mod api;
mod client;
mod columns;
mod escape;
mod export;
mod files;
mod jobs;
mod limits;
mod options;
mod order;
mod refusals;
mod source;
mod tenant;

// Tenants, and the storage that links to exports point at (in the sample of Auth0's page on bulk exports, a bucket of
// Amazon S3 that is named after a region, so no narrower name holds for all tenants).
usher_sdk::export! {
    name = "auth0",
    summary = "Auth0 user exports",
    sources = { "users" => source::Users },
    wants = ["input", "clock", "state", "ledger", "http"],
    hosts = ["*.auth0.com", "*.amazonaws.com"],
}
