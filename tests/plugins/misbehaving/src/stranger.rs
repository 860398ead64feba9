//! A record that nobody has read.

use usher_sdk::abi::{Origin, Reject};

/// A reject of it.
pub(crate) fn stranger() -> Reject {
    let origin = Origin { input: 7, length: 3, offset: 1_234 };
    Reject::new(origin, "email", "misbehaving", "a record that was never given")
}
