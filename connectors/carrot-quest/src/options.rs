//! The options of the sink `users`.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::{
    abi::{OnInvalid, Problem},
    options::{problem, warning},
};

use crate::{
    limits,
    live::{Confirm, Live},
};

/// Where users are sent; `lib.rs` asks the host for these.
const HOSTS: [&str; 2] = ["api.carrotquest.io", "api.dashly.app"];

/// How users reach Carrot quest, and what the files are made for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The property by which people are found again: `user_id` or `email` (`$user_id` and `$email` are the same). Its
    /// column stands first, is never blank, and holds no value twice.
    pub(crate) merge_field: MergeField,
    /// The form of delivery: files that a person uploads, files that the API takes, or by the API.
    pub(crate) deliver: Deliver,
    /// With `deliver = "api"`: the token, and how much is made sure of.
    pub(crate) api: Option<Live>,
    /// Between the cells: `tab` (as the vendor's default), `,`, `|`, `;` or `space`.
    pub(crate) delimiter: Delimiter,
    /// Tags that everybody in the files gets; only the API sets them.
    pub(crate) tags: Vec<String>,
    /// Types of properties by column (`{ plan = "text", seats = "integer" }`). Not named: as the source says, else text.
    pub(crate) property_types: BTreeMap<String, PropertyType>,
    /// How a list stands in a cell. The vendor does not say which form its import reads.
    pub(crate) lists: Lists,
    /// What becomes of `$phone`. The vendor does not say which form it wants; its samples hold bare digits.
    pub(crate) phone: Phone,
    /// What becomes of columns that begin with `$` and are none of the vendor's known properties.
    pub(crate) unknown_system_columns: UnknownSystemColumns,
    /// The app's id; `$self_app` is the app that the token belongs to.
    pub(crate) app: String,
    /// Where the API is (for Dashly: `https://api.dashly.app`).
    pub(crate) api_base: String,
    /// What a bad value does, by column, where it is to be something else than the column's own rule.
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Who may be delivered: a condition, or `{ not_needed = "reason" }`.
    pub(crate) consent: Option<Value>,
    /// Most people in a file; in the form `ui-file` not more than the vendor's 4,000.
    #[schemars(range(min = 1))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file; not more than 29,999,999.
    #[schemars(range(min = 1, max = 29_999_999))]
    pub(crate) max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            merge_field: MergeField::UserId,
            deliver: Deliver::UiFile,
            api: None,
            delimiter: Delimiter::Tab,
            tags: Vec::new(),
            property_types: BTreeMap::new(),
            lists: Lists::Refuse,
            phone: Phone::AsIs,
            unknown_system_columns: UnknownSystemColumns::Refuse,
            app: "$self_app".to_owned(),
            api_base: "https://api.carrotquest.io".to_owned(),
            on_invalid: BTreeMap::new(),
            consent: None,
            max_rows: None,
            max_bytes: None,
        }
    }
}

/// The key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MergeField {
    #[serde(rename = "user_id", alias = "$user_id")]
    UserId,
    #[serde(rename = "email", alias = "$email")]
    Email,
}

impl MergeField {
    /// The column, as files and the API name it.
    pub(crate) fn column(self) -> &'static str {
        match self {
            Self::UserId => "$user_id",
            Self::Email => "$email",
        }
    }
}

// By hand, since the derived schema would not know the second spellings.
impl JsonSchema for MergeField {
    fn schema_name() -> Cow<'static, str> {
        "MergeField".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["user_id", "email", "$user_id", "$email"] })
    }
}

/// The form of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deliver {
    /// Files that a person uploads in the admin panel: at most 4,000 people each.
    UiFile,
    /// Files for `POST /users/import`, with the `curl` command for each.
    ApiFile,
    /// Sent to the API.
    Api,
}

/// Between the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Delimiter {
    #[serde(rename = "tab", alias = "\t")]
    Tab,
    #[serde(rename = ",", alias = "comma")]
    Comma,
    #[serde(rename = "|", alias = "pipe")]
    Pipe,
    #[serde(rename = ";", alias = "semicolon")]
    Semicolon,
    #[serde(rename = "space", alias = " ")]
    Space,
}

impl Delimiter {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Tab => b'\t',
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Space => b' ',
        }
    }

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tab => "TAB",
            Self::Comma => "comma (`,`)",
            Self::Pipe => "bar (`|`)",
            Self::Semicolon => "semicolon (`;`)",
            Self::Space => "space",
        }
    }
}

impl JsonSchema for Delimiter {
    fn schema_name() -> Cow<'static, str> {
        "Delimiter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = ["tab", "\t", ",", "comma", "|", "pipe", ";", "semicolon", "space", " "];
        json_schema!({ "type": "string", "enum": names })
    }
}

/// What the values of a property are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PropertyType {
    /// At most 255 characters.
    Text,
    /// A whole number from -2^53 to 2^53.
    Integer,
    /// ISO 8601 without a zone, in UTC.
    Date,
    /// `true` or `false`.
    Boolean,
    /// At most 30 texts of at most 255 characters.
    List,
}

/// How a list stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Lists {
    /// It is left out, with the code `list.unverified`.
    Refuse,
    /// As a JSON array: `["a","b"]`.
    Json,
    /// Its items, a comma between them: `a,b`.
    Comma,
}

/// The form of `$phone`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phone {
    /// As it comes.
    AsIs,
    /// Only its digits: `+7 912 000-00-00` becomes `79120000000`.
    Digits,
}

/// Columns that begin with `$` and are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum UnknownSystemColumns {
    /// They are refused before anything is written.
    Refuse,
    /// They are delivered, with a warning.
    Allow,
}

impl Options {
    /// What is wrong with the options by themselves.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong =
            |pointer: &str, message: &str| problems.push(problem(pointer, "option.invalid", message));
        let app_is_plain = self.app.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if self.app != "$self_app" && (self.app.is_empty() || !app_is_plain) {
            wrong("/app", "`app` is the app's id (letters, digits, `-` and `_`), or `$self_app`");
        }
        if !is_api_base(&self.api_base) {
            wrong(
                "/api_base",
                "`api_base` is an https address without a query, such as `https://api.carrotquest.io`",
            );
        }
        if self.max_bytes.is_some_and(|max| max == 0 || max > limits::BYTES) {
            wrong("/max_bytes", "`max_bytes` is from 1 to 29999999");
        }
        match self.max_rows {
            Some(0) => wrong("/max_rows", "`max_rows` is at least 1"),
            Some(max) if self.deliver == Deliver::UiFile && max > limits::UI_ROWS => {
                wrong("/max_rows", "the admin panel takes at most 4000 people a file");
            }
            _ => {}
        }
        for (i, tag) in self.tags.iter().enumerate() {
            if tag.trim().is_empty() || tag.chars().any(usher_sdk::checks::is_invisible) {
                let pointer = format!("/tags/{i}");
                wrong(&pointer, "a tag has a name, without invisible characters");
            }
        }
        let key = self.merge_field.column();
        for (column, choice) in &self.on_invalid {
            let pointer = usher_sdk::option_pointer("on_invalid", column);
            if column == key && *choice != OnInvalid::RejectRow {
                let message = format!("`{key}` is the key: a row with a bad one is rejected");
                wrong(&pointer, &message);
            } else if matches!(column.as_str(), "$user_id" | "$email") && *choice == OnInvalid::Truncate {
                let message = format!("`{column}` cannot be cut: it would be somebody else's");
                wrong(&pointer, &message);
            }
        }
        if !self.tags.is_empty() && self.deliver == Deliver::UiFile {
            let message = "only the API sets `tags`; with `deliver = \"ui-file\"` nobody gets them";
            problems.push(warning("/tags", "option.unused", message));
        }
        problems.extend(self.live_problems());
        if let Err(wrong) = usher_sdk::options::consent(&self.consent) {
            problems.push(wrong);
        }
        problems
    }

    /// How users are sent, when they are.
    pub(crate) fn live(&self) -> Option<&Live> {
        self.api.as_ref().filter(|_| self.deliver == Deliver::Api)
    }

    /// What is wrong with the options of delivery by the API.
    fn live_problems(&self) -> Vec<Problem> {
        let live = match (&self.api, self.deliver) {
            (None, Deliver::Api) => {
                let message =
                    "`deliver = \"api\"` needs a token: `api = { token = \"${env:CARROT_QUEST_TOKEN}\" }`";
                return vec![problem("/api", "option.invalid", message)];
            }
            (None, _) => return Vec::new(),
            (Some(_), Deliver::UiFile | Deliver::ApiFile) => {
                let message = "`api` is used with `deliver = \"api\"` only; nothing is sent";
                return vec![warning("/api", "option.unused", message)];
            }
            (Some(live), Deliver::Api) => live,
        };
        let mut problems = live.problems();
        let host = self.api_base.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        if self.api_base.starts_with("https://") && !HOSTS.contains(&host) {
            let message =
                format!("users are sent to {} only", HOSTS.map(|host| format!("`{host}`")).join(" or "));
            problems.push(problem("/api_base", "option.invalid", message));
        }
        if self.merge_field == MergeField::Email && live.confirm != Confirm::None {
            let message = "nobody is read back: that is done by your own id only (`merge_field = \"user_id\"`), so people stay \
                           accepted; `confirm = \"none\"` says that this is meant";
            problems.push(warning("/api/confirm", "confirm.by-id-only", message));
        }
        if live.props_up_to > 0 {
            let wrong = if self.merge_field == MergeField::Email {
                "people are set one by one by your own id only; set `merge_field = \"user_id\"`, or leave `props_up_to` out"
            } else if !self.tags.is_empty() {
                "only an import sets `tags`; leave out these or `props_up_to`"
            } else {
                return problems;
            };
            problems.push(problem("/api/props_up_to", "option.invalid", wrong));
        }
        problems
    }
}

/// `https`, or `http` on this machine (for tests); nothing that a shell or a URL would take apart.
fn is_api_base(base: &str) -> bool {
    let rest = base.strip_prefix("https://").or_else(|| {
        base.strip_prefix("http://")
            .filter(|rest| rest.starts_with("127.0.0.1:") || rest.starts_with("localhost:"))
    });
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'/' | b'_'))
    })
}
