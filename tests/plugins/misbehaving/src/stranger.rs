//! A record that nobody has read.

use usher_sdk::abi::{Origin, Reject};

/// A reject of it.
pub(crate) fn stranger() -> Reject {
    Reject {
        origin: Origin { input: 7, length: 3, offset: 1_234 },
        column: "email".into(),
        code: "misbehaving".into(),
        message: "a record that was never given".into(),
        retryable: false,
    }
}
