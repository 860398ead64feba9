//! The columns of `users` (sheet: `IMPEXP`, `LISTS`, `CUSTOM`; README).

use usher_sdk::{ColumnRule, abi::OnInvalid, checks};

/// The heading of the address, which is the key.
pub(crate) const EMAIL: &str = "Email";

/// Cohort has no fixed names: the person who imports maps each column to a property. These are the headings that
/// Cohort's own import box suggests.
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule {
        name: EMAIL,
        aliases: &["email"],
        default: Some("email"),
        required: true,
        check: checks::email,
        on_invalid: OnInvalid::RejectRow,
        summary: "the address, in every row and no address twice; users are found again by it",
        source: "IMPEXP, LISTS",
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "First Name",
        aliases: &["first_name"],
        default: Some("given_name"),
        summary: "first name; a blank cell leaves the stored one",
        source: "IMPEXP",
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "Last Name",
        aliases: &["last_name"],
        default: Some("family_name"),
        summary: "last name; a blank cell leaves the stored one",
        source: "IMPEXP",
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "*",
        summary: "a custom property, under the Name or Reference ID that it has in the account; `properties` says its type",
        source: "CUSTOM",
        ..ColumnRule::TEXT
    },
];
