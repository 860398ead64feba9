//! The columns of `contacts`.

use usher_sdk::{ColumnRule, checks};

/// The attributes by which Brevo knows a contact: each row has one of them at least (FILE).
pub(crate) const KEYS: [&str; 5] = ["EMAIL", "SMS", "WHATSAPP", "LANDLINE_NUMBER", "EXT_ID"];

#[rustfmt::skip]
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule { name: "EMAIL", default: Some("email"), check: checks::email, summary: "the address; a key", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "LASTNAME", default: Some("family_name"), summary: "last name", source: "FILE, API", ..ColumnRule::TEXT },
    ColumnRule { name: "FIRSTNAME", default: Some("given_name"), summary: "first name", source: "FILE, API", ..ColumnRule::TEXT },
    ColumnRule { name: "SMS", default: Some("phone_number"), check: PHONE, summary: "a mobile number with its country code; a key", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "WHATSAPP", check: PHONE, summary: "a number with its country code; a key", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "LANDLINE_NUMBER", check: PHONE, summary: "a number with `+` and country code; a key", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "EXT_ID", check: checks::clean_key, summary: "the contact's id elsewhere; a key", source: "FILE", ..ColumnRule::TEXT },
    ColumnRule { name: "*", summary: "an attribute of your own, which must exist in the account", source: "API", ..ColumnRule::TEXT },
];

const PHONE: checks::Check = |value, out| checks::e164(value, None, out);
