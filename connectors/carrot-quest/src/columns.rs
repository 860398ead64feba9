//! The properties of a user in Carrot quest, and what each takes.
//!
//! Short names in `source` are those of the sheet in this connector's README.

use usher_sdk::{
    ColumnRule,
    checks::{clean_key, clean_text},
};

use crate::values::email;

/// Longest text (PROPS).
const TEXT: ColumnRule = ColumnRule { max_chars: Some(255), check: clean_text, ..ColumnRule::TEXT };

/// A property of the e-commerce set. Types are not stated: values go as they come.
const fn shop(name: &'static str, summary: &'static str) -> ColumnRule {
    ColumnRule { name, summary, source: "FLUTTER", ..TEXT }
}

/// All properties that Carrot quest names, then all others.
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule {
        name: "$user_id",
        default: Some("sub"),
        check: clean_key,
        summary: "your own id of the person, unique in the app; the key with `merge_field = \"user_id\"`",
        source: "USER, IMPORT",
        ..TEXT
    },
    ColumnRule {
        name: "$email",
        default: Some("email"),
        check: email,
        summary: "address; the key with `merge_field = \"email\"`",
        source: "IMPORT, FLUTTER",
        ..TEXT
    },
    ColumnRule {
        name: "$name",
        default: Some(
            "(given_name ~ ' ' ~ family_name) | trim if name | default(email) | lower == email | lower else name",
        ),
        summary: "full name; there is no documented property for a part of it",
        source: "IMPORT, FLUTTER",
        ..TEXT
    },
    ColumnRule {
        name: "$phone",
        default: Some("phone_number"),
        summary: "phone number; samples hold bare digits, the form is not documented (option `phone`)",
        source: "FLUTTER, TUNING",
        ..TEXT
    },
    shop("$cart_amount", "sum of the cart"),
    shop("$viewed_products", "products looked at"),
    shop("$cart_items", "products in the cart"),
    shop("$last_order_status", "state of the last order"),
    shop("$last_payment", "last payment"),
    shop("$revenue", "revenue"),
    shop("$profit", "profit"),
    shop("$group", "group"),
    shop("$discount", "discount"),
    shop("$orders_count", "number of orders"),
    shop("$ordered_items", "products ordered"),
    shop("$ordered_categories", "categories ordered from"),
    shop("$viewed_categories", "categories looked at"),
    ColumnRule {
        name: "*",
        summary: "property of your own: any name that does not begin with `$`; text of at most 255 characters, whole \
                  number from -2^53 to 2^53, date without a zone, true/false, or list of at most 30 texts",
        source: "PROPS, USER, HELP-EN",
        ..TEXT
    },
];

/// Properties that Carrot quest fills by itself; patterns end in `*` (APPUSERS, USER).
pub(crate) const READ_ONLY: &[&str] = &["$last_seen", "$sessions", "$event_*", "$carrot_id"];

/// The table with the key first, as the file has it (HELP-EN).
pub(crate) fn table(key: &str) -> Vec<ColumnRule> {
    let mut table = COLUMNS.to_vec();
    table.sort_by_key(|rule| rule.name != key);
    table
}
