//! Keys of Arrow metadata that mean something on both sides of the boundary.

/// The column with the place of each row in its decompressed input, a UInt64.
pub const OFFSET: &str = "_offset";

/// The column with the length of each record in bytes, a UInt32.
pub const LENGTH: &str = "_length";

/// Of a field: its [`ValueKind`](crate::ValueKind) by name. A field without it is taken by its Arrow type.
pub const KIND: &str = "usher.kind";

/// Of a field of a sink's schema: present with the value [`FOLDED`] when no two rows that come have the same text in it, the
/// white space around it and its case left aside (blank texts and nulls aside, of which there may be many). A sink that
/// wants each of them once need not look itself.
pub const UNIQUE: &str = "usher.unique";

/// The value of [`UNIQUE`].
pub const FOLDED: &str = "folded";

/// Of a field in a transform's schemas: the claims that the column provides, as a JSON list of names.
pub const CLAIMS: &str = "usher.claims";

/// Of a field that comes out of a transform: the columns that it is made from, as a JSON list of names. A field
/// without it is made from the column of its own name.
pub const FROM: &str = "usher.from";

/// Of the schema that a transform is asked about first: present when it lists what the source may send, `true` when
/// records may have more columns than it lists. The schema that is asked about after it, without this key, lists the
/// columns that are going to come.
pub const OPEN: &str = "usher.open";
