//! Brevo (brevo.com): contacts sent to its API, in background imports. Sources by their short names: README.

mod api;
mod columns;
mod import;
mod limits;
mod options;
mod preflight;
mod sink;

usher_sdk::export! {
    name = "brevo-api",
    summary = "Brevo contacts, sent to its API",
    sinks = { "contacts" => sink::Contacts },
    wants = ["output", "http", "clock", "ledger"],
    hosts = ["api.brevo.com"],
}
