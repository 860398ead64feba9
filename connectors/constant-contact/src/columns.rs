//! The columns of a contact in Constant Contact, and what each takes.
//!
//! Names are those of the API; the first alias is the heading on the upload page. `max_chars` is the limit of the upload
//! page, which is the stricter one; `limits::api_chars` has the API's where it is another. Short names in `source` are
//! those of the sheet in this connector's README.

use usher_sdk::{
    ColumnRule,
    abi::{OnInvalid, ValueKind},
    checks::trimmed,
    find_rule,
};

use crate::{dates, values};

const TEXT: ColumnRule = ColumnRule { check: trimmed, ..ColumnRule::TEXT };

/// A text with its heading, limit and default.
const fn text(
    name: &'static str,
    aliases: &'static [&'static str],
    max: u32,
    default: Option<&'static str>,
    summary: &'static str,
    source: &'static str,
) -> ColumnRule {
    ColumnRule { name, aliases, max_chars: Some(max), default, summary, source, ..TEXT }
}

/// Part of an address.
const fn place(
    name: &'static str,
    aliases: &'static [&'static str],
    max: u32,
    default: Option<&'static str>,
    summary: &'static str,
) -> ColumnRule {
    text(name, aliases, max, default, summary, "KB-HEAD, OAS")
}

/// All columns, in the order of the file.
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule {
        name: "email",
        aliases: &["Email Address", "email_address"],
        default: Some("email"),
        max_chars: Some(80),
        check: values::email,
        on_invalid: OnInvalid::RejectRow,
        summary: "address, the key: at most 80 characters (a warning above 50, where pages disagree), no two contacts with \
                  one; needed unless `sms_number` and `sms_consent_date` are filled",
        source: "KB-HEAD, OAS",
        ..TEXT
    },
    text("first_name", &["First Name"], 50, Some("given_name"), "first name", "KB-HEAD, OAS"),
    text("last_name", &["Last Name"], 50, Some("family_name"), "last name", "KB-HEAD, OAS"),
    text("job_title", &["Job Title"], 50, None, "job title", "KB-HEAD, OAS"),
    text("company_name", &["Company"], 50, Some("company"), "company", "KB-HEAD, OAS"),
    ColumnRule {
        name: "birthday",
        aliases: &["Birthday"],
        kind: ValueKind::Date,
        check: dates::birthday_page,
        summary: "day of birth as a date, of which the year is not kept; the API gets it as `birthday_month` and \
                  `birthday_day`",
        source: "KB-HEAD, OAS",
        ..TEXT
    },
    ColumnRule {
        name: "birthday_month",
        aliases: &["Birthday Month"],
        kind: ValueKind::Integer,
        check: values::month,
        summary: "1 to 12, together with `birthday_day`; the upload page gets both as `Birthday`",
        source: "OAS",
        ..TEXT
    },
    ColumnRule {
        name: "birthday_day",
        aliases: &["Birthday Day"],
        kind: ValueKind::Integer,
        check: values::day,
        summary: "1 to 31, together with `birthday_month`",
        source: "OAS",
        ..TEXT
    },
    ColumnRule {
        name: "anniversary",
        aliases: &["Anniversary"],
        kind: ValueKind::Date,
        check: dates::date,
        summary: "a date after 1900 and at most 10 years ahead, written as YYYY-MM-DD",
        source: "KB-HEAD, OAS",
        ..TEXT
    },
    text("phone", &["Phone Number"], 25, Some("phone_number"), "phone number, of no said kind", "OAS"),
    text("home_phone", &["Phone Number - Home"], 25, None, "phone number at home", "KB-HEAD, OAS"),
    text("work_phone", &["Phone Number - Work"], 25, None, "phone number at work", "KB-HEAD, OAS"),
    text("mobile_phone", &["Phone Number - Mobile"], 25, None, "mobile phone number", "OAS"),
    text("other_phone", &["Phone Number - Other"], 25, None, "another phone number", "OAS"),
    place("street", &["Address Line 1"], 50, Some("address.street_address"), "street (255 for the API)"),
    place(
        "street2",
        &["Address Line 2"],
        50,
        None,
        "second line of the street, appended to it (255 for the API)",
    ),
    place("city", &["City"], 50, Some("address.locality"), "city"),
    place(
        "state",
        &["State / Province"],
        50,
        Some("address.region"),
        "province, or the two letters of a US state",
    ),
    place("zip", &["Zip / Postal Code"], 25, Some("address.postal_code"), "postal code (50 for the API)"),
    place("country", &["Country"], 25, Some("address.country"), "country (50 for the API)"),
    place("home_street", &["Home Address Line 1"], 50, None, "street, at home (255 for the API)"),
    place(
        "home_street2",
        &["Home Address Line 2"],
        50,
        None,
        "second line of the street, at home (255 for the API)",
    ),
    place("home_city", &["Home City"], 50, None, "city, at home"),
    place("home_state", &["Home State / Province"], 50, None, "province or US state, at home"),
    place("home_zip", &["Home Zip / Postal Code"], 25, None, "postal code, at home (50 for the API)"),
    place("home_country", &["Home Country", "home country"], 25, None, "country, at home (50 for the API)"),
    place("work_street", &["Work Address Line 1"], 50, None, "street, at work (255 for the API)"),
    place(
        "work_street2",
        &["Work Address Line 2"],
        50,
        None,
        "second line of the street, at work (255 for the API)",
    ),
    place("work_city", &["Work City"], 50, None, "city, at work"),
    place("work_state", &["Work State / Province"], 50, None, "province or US state, at work"),
    place("work_zip", &["Work Zip / Postal Code"], 25, None, "postal code, at work (50 for the API)"),
    place("work_country", &["Work Country"], 25, None, "country, at work (50 for the API)"),
    place("other_street", &["Other Address Line 1"], 50, None, "street, elsewhere (255 for the API)"),
    place(
        "other_street2",
        &["Other Address Line 2"],
        50,
        None,
        "second line of the street, elsewhere (255 for the API)",
    ),
    place("other_city", &["Other City"], 50, None, "city, elsewhere"),
    place("other_state", &["Other State / Province"], 50, None, "province or US state, elsewhere"),
    place("other_zip", &["Other Zip / Postal Code"], 25, None, "postal code, elsewhere (50 for the API)"),
    place("other_country", &["Other Country"], 25, None, "country, elsewhere (50 for the API)"),
    ColumnRule {
        name: "sms_number",
        aliases: &["SMS Number"],
        max_chars: Some(16),
        check: values::sms_number,
        summary: "number for texts, of the USA only: 1231231234 or 123-123-1234",
        source: "OAS",
        ..TEXT
    },
    ColumnRule {
        name: "sms_consent_date",
        aliases: &["SMS Consent Date"],
        kind: ValueKind::Date,
        max_chars: Some(16),
        check: dates::date,
        summary: "the day on which texts were agreed to, written as YYYY-MM-DD",
        source: "OAS",
        ..TEXT
    },
    ColumnRule {
        name: "cf:*",
        max_chars: Some(255),
        summary: "custom field: `cf:` and its API name (the label with `_` for blanks), which the API must know before; \
                  on the upload page the name alone is the heading; at most 25 filled in a contact",
        source: "OAS, KB-FAQ",
        ..TEXT
    },
];

/// The phones of a contact.
pub(crate) const PHONES: [&str; 5] = ["phone", "home_phone", "work_phone", "mobile_phone", "other_phone"];
/// The addresses of a contact, by what stands in front of their parts' names.
pub(crate) const ADDRESSES: [&str; 4] = ["", "home_", "work_", "other_"];
/// The parts of an address.
pub(crate) const ADDRESS_PARTS: [&str; 6] = ["street", "street2", "city", "state", "zip", "country"];

/// The rule of a column, in any spelling.
pub(crate) fn find(name: &str) -> Option<&'static ColumnRule> {
    find_rule(COLUMNS, name)
}
