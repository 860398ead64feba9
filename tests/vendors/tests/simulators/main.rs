//! Every nastiness of the vendors, shown by a plain client over the socket.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

mod auth0;
mod carrot_quest;
mod client;
mod constant_contact;
mod contract;
mod faults;
mod zendesk;
