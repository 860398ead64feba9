//! The options of the sink `users`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::abi::OnInvalid;

use crate::access::Api;

/// How users reach Zendesk, and what the files are made for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The form of delivery.
    pub(crate) deliver: Deliver,
    /// The account and the credentials, for `deliver = "api"`.
    pub(crate) api: Option<Api>,
    /// What becomes of known and of unknown users: the import type that will be chosen at the upload, for which files
    /// are checked, or the API's call.
    pub(crate) import_type: ImportType,
    /// The plan of the account; it decides which restrictions, roles and organizations are allowed. Not given: those
    /// rules are not checked, with a warning where they would matter.
    pub(crate) plan: Option<Plan>,
    /// No verification mail to new users (`skip_verify_email` is `true` in every row that does not say otherwise).
    pub(crate) skip_verify_email: bool,
    /// What `ticket_restriction` says in rows that do not say it themselves. End users get `requested` where it is one
    /// for agents only; agents of Enterprise plans get none.
    pub(crate) ticket_restriction: Restriction,
    /// How roles are spelt; Zendesk's own pages disagree.
    pub(crate) role_spelling: RoleSpelling,
    /// Region of phone numbers without a country code (`FR`).
    pub(crate) default_region: Option<String>,
    /// What happens to a phone number that an earlier user has already.
    pub(crate) shared_phones: SharedPhones,
    /// Types of custom fields by key (`{ subscription_date = "date", vip = "checkbox" }`); fields not named here are
    /// delivered as they come.
    pub(crate) custom_field_types: BTreeMap<String, FieldType>,
    /// What happens to a second row of a user: of the same `external_id` or with one of the same addresses.
    pub(crate) on_duplicate: OnDuplicate,
    /// What a blank cell does in imports that update.
    pub(crate) on_blank: OnBlank,
    /// Also write the file with the organizations that users name, to be imported first.
    pub(crate) organizations_file: bool,
    /// A CSV template downloaded from the account (Data importer > Import > Download CSV template); the header is held
    /// against it.
    pub(crate) template: Option<String>,
    /// What a bad value does, by column, where it is to be something else than the column's own rule.
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Who may be delivered: a condition, or `{ not_needed = "reason" }`.
    pub(crate) consent: Option<Value>,
    /// Most rows of a file; lower than the vendor's 499,999.
    #[schemars(range(min = 1, max = 499_999))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file; lower than the vendor's 1,000,000,000.
    #[schemars(range(min = 1_000, max = 1_000_000_000))]
    pub(crate) max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deliver: Deliver::default(),
            api: None,
            import_type: ImportType::default(),
            plan: None,
            skip_verify_email: true,
            ticket_restriction: Restriction::default(),
            role_spelling: RoleSpelling::default(),
            default_region: None,
            shared_phones: SharedPhones::default(),
            custom_field_types: BTreeMap::new(),
            on_duplicate: OnDuplicate::default(),
            on_blank: OnBlank::default(),
            organizations_file: true,
            template: None,
            on_invalid: BTreeMap::new(),
            consent: None,
            max_rows: None,
            max_bytes: None,
        }
    }
}

impl Options {
    /// The account, when users are sent to it.
    pub(crate) fn account(&self) -> Option<&Api> {
        self.api.as_ref().filter(|_| self.deliver == Deliver::Api)
    }

    /// Whether rows go into files by the columns they fill.
    pub(crate) fn groups(&self) -> bool {
        self.import_type.updates() && self.on_blank == OnBlank::LeaveStored
    }
}

/// The form of delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deliver {
    /// Files that a person uploads in Admin Center.
    #[default]
    UiFile,
    /// Usher sends the users itself, over the Users API.
    Api,
}

impl Deliver {
    /// As manifests write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UiFile => "ui-file",
            Self::Api => "api",
        }
    }
}

/// What becomes of known and of unknown users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImportType {
    /// "Create records only": of users that exist the importer ignores the rows; over the API they are rejects
    /// (`user.exists`), looked up by `external_id` before.
    #[default]
    Create,
    /// "Update records only": of unknown users the importer ignores the rows; over the API they are rejects
    /// (`user.unknown`). Every row needs `external_id`.
    Update,
    /// "Create and update records".
    CreateAndUpdate,
}

impl ImportType {
    pub(crate) fn creates(self) -> bool {
        self != Self::Update
    }

    pub(crate) fn updates(self) -> bool {
        self != Self::Create
    }

    /// As manifests write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::CreateAndUpdate => "create_and_update",
        }
    }

    /// As Admin Center writes it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Create => "Create records only",
            Self::Update => "Update records only",
            Self::CreateAndUpdate => "Create and update records",
        }
    }
}

/// A plan, as far as the rules differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plan {
    /// One organization per user.
    Team,
    /// Several organizations per user.
    Professional,
    /// As `professional`; agents have a `custom_role` instead of a restriction.
    Enterprise,
}

impl Plan {
    /// As manifests write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Professional => "professional",
            Self::Enterprise => "enterprise",
        }
    }
}

/// A ticket restriction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Restriction {
    /// `requested` for end users; agents must say it themselves; nothing with `import_type = "update"`.
    #[default]
    Automatic,
    /// Tickets that the user requested.
    Requested,
    /// Tickets of the user's organization.
    Organization,
    /// Agents only: tickets assigned to the agent.
    Assigned,
    /// Agents only: tickets of the agent's groups.
    Groups,
    /// Agents only: all tickets.
    None,
}

impl Restriction {
    /// As the file writes it; nothing for [`Automatic`](Self::Automatic).
    pub(crate) fn value(self) -> Option<&'static str> {
        Some(match self {
            Self::Automatic => return Option::None,
            Self::Requested => "requested",
            Self::Organization => "organization",
            Self::Assigned => "assigned",
            Self::Groups => "groups",
            Self::None => "none",
        })
    }
}

/// How roles are spelt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoleSpelling {
    /// `end-user`, `agent` (the current English page).
    #[default]
    Lower,
    /// `End-user`, `Agent` (the older importer, the French page).
    Capital,
}

/// What happens to a phone number that an earlier user has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SharedPhones {
    /// It moves to the column `shared_phone`, which holds one; further ones are left out. So are all where blank cells
    /// erase stored values and `fields` does not give `shared_phone`.
    #[default]
    Column,
    /// It is left out and listed.
    LeaveOut,
}

/// Type of a custom field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FieldType {
    /// Written `YYYY-MM-DD`.
    Date,
    /// `true` or `false`.
    Checkbox,
    /// The tag of an option.
    Dropdown,
    /// A number.
    Number,
    /// Any text.
    Text,
    /// The id of the related record.
    Lookup,
    /// A text that the account's own pattern judges.
    Regexp,
}

impl FieldType {
    /// As manifests write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Checkbox => "checkbox",
            Self::Dropdown => "dropdown",
            Self::Number => "number",
            Self::Text => "text",
            Self::Lookup => "lookup",
            Self::Regexp => "regexp",
        }
    }
}

/// What happens to a second row of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnDuplicate {
    /// Its addresses and phones join the first row when all else is equal; otherwise it is rejected.
    #[default]
    Merge,
    /// It is rejected.
    Reject,
}

/// What a blank cell does in imports that update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnBlank {
    /// Nothing: rows are grouped into files by the columns they fill, and a file has no other columns.
    #[default]
    LeaveStored,
    /// It erases what Zendesk has stored.
    EraseStored,
}
