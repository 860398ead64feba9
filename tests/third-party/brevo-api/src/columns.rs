//! The columns of `contacts`.

use usher_sdk::{ColumnRule, checks};

/// What a contact is known by, in a member of its own beside the attributes (IMPORT).
pub(crate) const EMAIL: &str = "EMAIL";

#[rustfmt::skip]
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule { name: EMAIL, default: Some("email"), required: true, check: checks::email, summary: "the address, in every row", source: "IMPORT", ..ColumnRule::TEXT },
    ColumnRule { name: "LASTNAME", default: Some("family_name"), summary: "last name", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "FIRSTNAME", default: Some("given_name"), summary: "first name", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "*", summary: "an attribute of your own, which must exist in the account", source: "IMPORT", ..ColumnRule::TEXT },
];
