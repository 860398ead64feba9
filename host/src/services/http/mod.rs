//! `usher.http/1`: requests over the network, the host's way.
//!
//! | File | |
//! |---|---|
//! | `network.rs` | what all connectors of a process share |
//! | `service.rs` | the service of one connector: tickets |
//! | `request.rs` | a request, checked before anything is sent |
//! | `address.rs` | where requests may go |
//! | `workers.rs`, `ticket.rs` | the threads that send, and what they hand over |
//! | `course.rs` | from a request to its reply: attempts and waits between them |
//! | `limits.rs`, `hint.rs`, `retry.rs` | when to send, and when again |
//! | `redirect.rs` | where a reply leads |
//! | `wire.rs`, `proxy.rs` | one exchange on the wire, the only user of `ureq` |
//! | `body.rs` | the bytes of a reply |
//! | `tape.rs`, `mask.rs`, `values.rs` | exchanges on record, without secrets, and without values of people where that is asked for |

mod address;
mod body;
mod course;
mod hint;
mod limits;
mod mask;
mod network;
mod proxy;
mod redirect;
mod request;
mod retry;
mod service;
mod tape;
mod ticket;
mod values;
mod wire;
mod workers;

pub use address::AllowedHosts;
pub use network::{ConnectorNetwork, Network, NetworkOptions, Redact, Variable};
pub use service::Http;
pub(crate) use service::REQUESTS;
pub use tape::Tape;

#[cfg(test)]
mod tests;
