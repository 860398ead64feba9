//! Requests and replies against the vendors' own descriptions, so that neither the client nor the double of the vendor
//! speaks a dialect of this house.

mod document;
mod exchange;
mod parameters;
mod schema;

pub(crate) use document::Document;
pub use exchange::{Contract, Exception};
