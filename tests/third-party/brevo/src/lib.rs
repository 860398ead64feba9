//! Brevo (brevo.com): contacts as files for its import. Sources by their short names: README.

mod columns;
mod sink;

usher_sdk::export! {
    name = "brevo",
    summary = "Brevo, the marketing platform",
    sinks = { "contacts" => sink::Contacts },
}
