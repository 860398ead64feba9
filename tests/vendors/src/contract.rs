//! Requests and replies against the vendors' own descriptions.

use crate::message::{Asked, Reply};

/// A vendor's description, read.
#[derive(Debug)]
pub struct Contract {}

impl Contract {
    /// Where a request, or the reply to it, departs from the description.
    pub(crate) fn check(&self, _asked: &Asked, _reply: &Reply) -> Vec<String> {
        Vec::new()
    }
}
