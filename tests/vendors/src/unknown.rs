//! What a vendor does with a value that names nothing it has, where its sheet does not say.

/// Whether a value that names nothing (a field, a zone, an organization) fails its row or is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// The row fails.
    Refuse,
    /// The row is taken without the value.
    Ignore,
}
