//! The one error that crosses the boundary.

use abi_stable::{
    StableAbi,
    std_types::{RString, RVec},
};
use serde::{Deserialize, Serialize};

/// What went wrong, coarse enough to act on: whether whoever runs the chain changes something, waits, or runs it again. An
/// open enumeration; a class that is not known is one that does not go away by itself. The host calls nothing again by
/// itself.
#[repr(transparent)]
#[derive(StableAbi, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorClass(pub u32);

impl ErrorClass {
    /// The manifest or an option is wrong; a person must change it.
    pub const CONFIG: Self = Self(1);
    /// Credentials are missing, wrong or lack a right.
    pub const AUTH: Self = Self(2);
    /// The other side refused for good.
    pub const PERMANENT: Self = Self(3);
    /// May go away by itself (network, server error).
    pub const TRANSIENT: Self = Self(4);
    /// Too many requests; see [`Error::retry_after_ms`].
    pub const RATE_LIMITED: Self = Self(5);
    /// The input is not what it should be.
    pub const DATA: Self = Self(6);
    /// The call was cancelled.
    pub const CANCELLED: Self = Self(7);
    /// Took too long.
    pub const TIMEOUT: Self = Self(8);
    /// Not offered by this side.
    pub const UNSUPPORTED: Self = Self(9);
    /// A defect of the code on the answering side, a panic included.
    pub const BUG: Self = Self(10);

    /// The class in words; unknown numbers read `unknown`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CONFIG => "config",
            Self::AUTH => "auth",
            Self::PERMANENT => "permanent",
            Self::TRANSIENT => "transient",
            Self::RATE_LIMITED => "rate-limited",
            Self::DATA => "data",
            Self::CANCELLED => "cancelled",
            Self::TIMEOUT => "timeout",
            Self::UNSUPPORTED => "unsupported",
            Self::BUG => "bug",
            _ => "unknown",
        }
    }
}

/// An error as either side answers it. Rejected *rows* are not errors; they stand in a
/// [`Report`](crate::Report).
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// Drives what the host does next.
    pub class: ErrorClass,
    /// Stable, lower case, dotted (`input.cut-gzip`): for tests and scripts.
    pub code: RString,
    /// For people: lower case, no full stop, names file, key or row and what to do next.
    pub message: RString,
    /// Wait at least so long before trying again; 0 when the other side said nothing.
    pub retry_after_ms: u64,
    /// JSON for machines, or empty. For [`ErrorClass::CONFIG`]: an array of [`Problem`](crate::Problem)s.
    pub details: RString,
    /// Context added on the way up, outermost last; part of the displayed message.
    pub context: RVec<RString>,
}

impl Error {
    /// An error of `class` with a stable `code` and a `message` for people.
    pub fn new(class: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            code: RString::from(code.into()),
            message: RString::from(message.into()),
            retry_after_ms: 0,
            details: RString::new(),
            context: RVec::new(),
        }
    }

    /// The manifest or an option is wrong.
    pub fn config(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::CONFIG, code, message)
    }

    /// The input is not what it should be.
    pub fn data(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::DATA, code, message)
    }

    /// Refused for good.
    pub fn permanent(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::PERMANENT, code, message)
    }

    /// May go away by itself.
    pub fn transient(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::TRANSIENT, code, message)
    }

    /// This side does not offer what was asked for.
    pub fn unsupported(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::UNSUPPORTED, code, message)
    }

    /// A defect in the code of the answering side.
    pub fn bug(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorClass::BUG, code, message)
    }

    /// The call was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorClass::CANCELLED, "cancelled", "cancelled")
    }

    /// Adds where it happened; shown in front of the message.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context.push(RString::from(context.into()));
        self
    }

    /// Adds machine-readable details (JSON text).
    #[must_use]
    pub fn details(mut self, json: impl Into<String>) -> Self {
        self.details = RString::from(json.into());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for context in self.context.iter().rev() {
            write!(f, "{context}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
