//! Plugins as the host meets them: several in one process, files that are none or not for this host, and one that
//! misbehaves on purpose. All through the real binary and real libraries.

#[path = "../support/mod.rs"]
mod support;

mod comparing;
mod delivering;
mod exposed;
mod fetching;
mod files;
mod honest;
mod jail;
mod listing;
mod locking;
mod misbehaving;
mod refusals;
mod several;
mod testing;
mod wants;
mod watching;
mod writable;
