//! What a component did with the rows it was given.

use abi_stable::{
    StableAbi,
    std_types::{RString, RVec},
};
use serde::{Deserialize, Serialize};

/// Where a record came from: the input, and its place in the *decompressed* bytes of that input.
#[repr(C)]
#[derive(
    StableAbi, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default,
)]
pub struct Origin {
    /// Id of the input (given by `usher.input/1`).
    pub input: u32,
    /// Length of the record in bytes, its line end not counted.
    pub length: u32,
    /// First byte of the record.
    pub offset: u64,
}

/// An order-free sum over origins: two sets of records have the same identity when (but for a chance of about
/// 2⁻⁶⁴) they hold the same records, each as often. The books balance by it, not by counts alone.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// How many records.
    pub count: u64,
    /// Wrapping sum of a 64-bit hash of each origin.
    pub sum: u64,
}

impl Identity {
    /// Counts one record.
    #[inline]
    pub fn add(&mut self, input: u32, offset: u64) {
        // splitmix64 over offset and input: cheap, and well spread for neighbouring offsets.
        let mut z = offset
            .wrapping_add(u64::from(input).wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.count += 1;
        self.sum = self.sum.wrapping_add(z ^ (z >> 31));
    }

    /// Counts all records of `other`.
    #[inline]
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// A record that was not taken. It may belong to any earlier batch: a vendor's answer comes minutes later.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Reject {
    /// The record.
    pub origin: Origin,
    /// The column (of a sink) or attribute (of a source) at fault; empty when the whole record is.
    pub column: RString,
    /// Stable, documented in `docs/reject-codes.md`.
    pub code: RString,
    /// For people, with the offending value shortened.
    pub message: RString,
    /// Whether the same record may be taken on another day.
    pub retryable: bool,
    /// What the vendor said of it, as JSON; empty: nothing.
    pub details: RString,
}

impl Reject {
    /// A record that will not be taken on another day either.
    pub fn new(
        origin: Origin,
        column: impl Into<RString>,
        code: impl Into<RString>,
        message: impl Into<RString>,
    ) -> Self {
        Self {
            origin,
            column: column.into(),
            code: code.into(),
            message: message.into(),
            retryable: false,
            details: RString::new(),
        }
    }
}

/// An optional value that was left out; its record was delivered without it.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// The record.
    pub origin: Origin,
    /// The column.
    pub column: RString,
    /// The value as it stood, shortened.
    pub value: RString,
    /// Stable, as for rejects.
    pub code: RString,
    /// For people.
    pub message: RString,
}

/// A record that went into another one.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Merged {
    /// The record that is no row of its own any more.
    pub origin: Origin,
    /// The record that stands for it.
    pub survivor: Origin,
}

/// How many values of a column a rule changed since the last report.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The column.
    pub column: RString,
    /// The rule, stable and lower case (`trim`, `e164`, `truncate`).
    pub rule: RString,
    /// How many values.
    pub count: u64,
}

/// What happened to rows since the last report of the same instance. Every row given to a sink ends, in this or
/// in a later report, as exactly one of written, accepted, confirmed, unknown, rejected or merged.
#[repr(C)]
#[derive(StableAbi, Serialize, Deserialize, Clone, Debug, Default)]
pub struct Report {
    /// Rows written to a staged file.
    pub written: Identity,
    /// Rows queued by an API.
    pub accepted: Identity,
    /// Rows an API says it has stored.
    pub confirmed: Identity,
    /// Rows whose fate is not known.
    pub unknown: Identity,
    /// Rows not taken.
    pub rejects: RVec<Reject>,
    /// Rows merged into others.
    pub merged: RVec<Merged>,
    /// Values left out of rows that were taken.
    pub left_out: RVec<LeftOut>,
    /// Values changed, by column and rule.
    pub changed: RVec<Changed>,
    /// What else there is to say, as a JSON object; empty: nothing. No member has a meaning yet; unknown ones are passed over.
    pub details: RString,
}

impl Report {
    /// Adds what a later report of the same instance says.
    pub fn merge(&mut self, later: Self) {
        self.written.merge(later.written);
        self.accepted.merge(later.accepted);
        self.confirmed.merge(later.confirmed);
        self.unknown.merge(later.unknown);
        self.rejects.extend(later.rejects);
        self.merged.extend(later.merged);
        self.left_out.extend(later.left_out);
        for change in later.changed {
            match self.changed.iter_mut().find(|c| c.column == change.column && c.rule == change.rule) {
                Some(known) => known.count += change.count,
                None => self.changed.push(change),
            }
        }
        if !later.details.is_empty() {
            self.details = later.details;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `docs/abi.md` has it: other hosts and plugins count by it.
    #[test]
    fn the_sum_is_that_of_the_documents() {
        let mut identity = Identity::default();
        for offset in [0, 10, 300] {
            identity.add(1, offset);
        }
        assert_eq!(identity, Identity { count: 3, sum: 0x683F_4518_24ED_EEE8 });
    }
}
