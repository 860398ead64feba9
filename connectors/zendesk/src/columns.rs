//! Zendesk's columns for users, in the order that the data importer requires; `verified` is the API's alone.
//!
//! Sources are the short names of `README.md`; KB-USR stands for the English page, SEED-001 for its French twin.

use usher_sdk::{
    ColumnRule,
    abi::{OnInvalid, ValueKind},
    checks::{boolean, clean_text, email},
};

use crate::{limits, values};

/// What begins the name of a custom field's column.
pub(crate) const CUSTOM: &str = "custom_fields.";

const BOTH: &str = "KB-USR, SEED-001";

/// E.164 without a default region; the sink puts its own in place of it.
fn phone(value: &str, out: &mut String) -> usher_sdk::checks::Verdict {
    usher_sdk::checks::e164(value, None, out)
}

/// The role in lower case; the sink puts its own spelling in place of it.
fn role(value: &str, out: &mut String) -> usher_sdk::checks::Verdict {
    values::role(crate::options::RoleSpelling::Lower, false, value, out)
}

/// The table. `name` is required by imports that create, `external_id` by those that only update: see `roles.rs` and
/// `sink.rs` for what one column's row cannot say.
pub(crate) const COLUMNS: &[ColumnRule] = &[
    ColumnRule {
        name: "name",
        aliases: &["full_name"],
        default: Some(
            "((given_name ~ ' ' ~ family_name) | trim if name | default(email) | lower == email | lower else name) \
             | default(name) | default(nickname)",
        ),
        check: clean_text,
        on_invalid: OnInvalid::RejectRow,
        summary: "full name; imports that create need it in every row. By default the name, or given and family name \
                  where the name is only the address",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "emails",
        aliases: &["email"],
        default: Some("email"),
        separator: '|',
        check: email,
        on_invalid: OnInvalid::RejectRow,
        summary: "addresses; the column is always there, blank for users that only `external_id` identifies",
        source: BOTH,
        ..ColumnRule::LIST
    },
    ColumnRule {
        name: "ticket_restriction",
        aliases: &["restriction"],
        check: values::restriction,
        on_invalid: OnInvalid::RejectRow,
        summary: "assigned, groups, none, organization or requested; new users need it, end users take only the last \
                  two, agents of Enterprise plans none. Filled by the option `ticket_restriction`",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "external_id",
        default: Some("sub"),
        check: clean_text,
        on_invalid: OnInvalid::RejectRow,
        summary: "unique per user, case aside; update-only imports need it in every row",
        source: "KB-USR, SEED-001, DEV-USR",
        ..ColumnRule::TEXT
    },
    ColumnRule { name: "details", summary: "text that agents see", source: BOTH, ..ColumnRule::TEXT },
    ColumnRule {
        name: "notes",
        aliases: &["note"],
        summary: "text that agents see; line breaks are allowed",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "phones",
        aliases: &["phone"],
        default: Some("phone_number"),
        separator: '|',
        check: phone,
        summary: "E.164; a number of an earlier user moves to `shared_phone` or is left out (option `shared_phones`)",
        source: BOTH,
        ..ColumnRule::LIST
    },
    ColumnRule {
        name: "shared_phone",
        aliases: &["shared_phone_number"],
        check: phone,
        summary: "E.164",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "role",
        check: role,
        on_invalid: OnInvalid::RejectRow,
        summary: "end-user or agent (option `role_spelling`), over the API also admin; without it new users are end users",
        source: "KB-USR, KB-OLD, SEED-001, OAS",
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "custom_role",
        check: clean_text,
        on_invalid: OnInvalid::RejectRow,
        summary: "agents only: the role's name as on the page Roles, or Light agent; an unknown name silently makes a \
                  light agent",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "skip_verify_email",
        summary: "true: no verification mail. Filled by the option `skip_verify_email`",
        source: BOTH,
        ..ColumnRule::BOOLEAN
    },
    ColumnRule {
        name: "time_zone",
        aliases: &["timezone"],
        default: Some("zoneinfo"),
        check: crate::time_zones::time_zone,
        summary: "Zendesk's own name of a zone (Berlin); IANA names are translated",
        source: "KB-USR, SEED-001, TZ",
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "locale",
        aliases: &["language"],
        default: Some("locale"),
        check: values::locale,
        summary: "BCP 47 (en-US); wins over `local_id`",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "local_id",
        aliases: &["locale_id"],
        check: values::id,
        summary: "numeric id of a locale; the page spells the column in two ways, so better use `locale`",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule { name: "moderator", summary: "may moderate forums", source: BOTH, ..ColumnRule::BOOLEAN },
    ColumnRule {
        name: "only_private_comments",
        summary: "may write private comments only",
        source: BOTH,
        ..ColumnRule::BOOLEAN
    },
    ColumnRule {
        name: "remote_photo_url",
        check: values::url,
        summary: "address of the profile picture",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule { name: "signature", summary: "agents only", source: BOTH, ..ColumnRule::TEXT },
    ColumnRule {
        name: "suspended",
        summary: "true: the user cannot sign in and tickets of theirs are suspended",
        source: BOTH,
        ..ColumnRule::BOOLEAN
    },
    ColumnRule { name: "alias", summary: "name that end users see", source: BOTH, ..ColumnRule::TEXT },
    ColumnRule {
        name: "organizations",
        aliases: &["organization"],
        separator: '|',
        max_items: Some(limits::ORGANIZATIONS),
        check: clean_text,
        summary: "names of organizations that exist already (one on the plan team); the first by alphabet becomes the \
                  default one",
        source: BOTH,
        ..ColumnRule::LIST
    },
    ColumnRule {
        name: "default_group_id",
        check: values::id,
        summary: "agents only: id of a group",
        source: BOTH,
        ..ColumnRule::TEXT
    },
    ColumnRule {
        name: "tags",
        separator: ',',
        check: clean_text,
        summary: "only where tags are enabled for users",
        source: BOTH,
        ..ColumnRule::LIST
    },
    ColumnRule {
        name: "verified",
        summary: "over the API only: true when the address is known to be the user's",
        source: "OAS, DEV-USR",
        ..ColumnRule::BOOLEAN
    },
    ColumnRule {
        name: "custom_fields.*",
        kind: ValueKind::Text,
        summary: "a custom field by its key in lower case; the option `custom_field_types` says what it holds",
        source: BOTH,
        ..ColumnRule::TEXT
    },
];

/// Columns of `true` and `false`: [`boolean`] is theirs by [`ColumnRule::BOOLEAN`], and checkbox fields take it too.
pub(crate) const CHECKBOX: usher_sdk::checks::Check = boolean;
