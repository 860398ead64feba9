//! The options of the sink `contacts`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::{
    abi::{Error, OnInvalid, Problem},
    options::{problem, warning},
};

use crate::{access::Access, limits};

/// How contacts reach Constant Contact.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The form of delivery: files that a person uploads, files that the API takes, or the API itself.
    pub(crate) deliver: Deliver,
    /// Who may be written to: a condition, or `{ not_needed = "reason" }`. Must be given.
    pub(crate) consent: Option<Value>,
    /// Names of the lists that the contacts are added to: for the guide of `ui-file`, and by `api`.
    pub(crate) lists: Vec<String>,
    /// Ids (UUIDs) of the lists that the contacts are added to by the command of `api-file`, and by `api`; at most 50.
    /// Without them, the command takes them from the environment: `CONSTANT_CONTACT_LIST_IDS`.
    pub(crate) list_ids: Vec<String>,
    /// Whether people with an `sms_number` have agreed to texts, in `api-file` and `api`. `explicit` needs an `sms_consent_date`
    /// beside every number.
    pub(crate) sms_permission_to_send: SmsPermission,
    /// What becomes of addresses that are imported and never written to (`admin@…`, `sales@…`).
    pub(crate) role_addresses: RoleAddresses,
    /// Where the API is.
    pub(crate) api_base: String,
    /// For `deliver = "api"`: with whose right it is called, and what it does beside sending contacts.
    pub(crate) api: Option<Access>,
    /// What a bad value does, by column, where it is to be something else than the column's own rule.
    pub(crate) on_invalid: BTreeMap<String, OnInvalid>,
    /// Most contacts in a file; lower than the vendor's 999,999 (`ui-file`) or 39,999 (`api-file`, `api`).
    #[schemars(range(min = 1, max = 999_999))]
    pub(crate) max_rows: Option<u64>,
    /// Most bytes of a file; lower than 99,999,999 (`ui-file`) or 3,990,000 (`api-file`, `api`).
    #[schemars(range(min = 1, max = 99_999_999))]
    pub(crate) max_bytes: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deliver: Deliver::UiFile,
            consent: None,
            lists: Vec::new(),
            list_ids: Vec::new(),
            sms_permission_to_send: SmsPermission::NotSet,
            role_addresses: RoleAddresses::Flag,
            api_base: "https://api.cc.email/v3".to_owned(),
            api: None,
            on_invalid: BTreeMap::new(),
            max_rows: None,
            max_bytes: None,
        }
    }
}

/// The form of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Deliver {
    /// Files with the headings of the upload page.
    UiFile,
    /// Files with the API's names, for `POST /activities/contacts_file_import`, with the `curl` command for each.
    ApiFile,
    /// No files: the API is called.
    Api,
}

impl Deliver {
    /// Whether the API's names and limits hold.
    pub(crate) fn is_api(self) -> bool {
        matches!(self, Self::ApiFile | Self::Api)
    }
}

/// Whether texts may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SmsPermission {
    /// Nothing is said.
    NotSet,
    /// Everybody with a number has agreed.
    Explicit,
}

/// What becomes of addresses that stand for a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RoleAddresses {
    /// They are delivered, counted and warned of.
    Flag,
    /// Their rows are rejected with `email.role-address`.
    Reject,
}

impl Options {
    /// What is wrong with the options by themselves.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        match usher_sdk::options::consent(&self.consent) {
            Ok(Some(_)) => {}
            Ok(None) => problems.push(problem(
                "/consent",
                "option.missing",
                "`consent` must say who may be written to: a condition, or { not_needed = \"reason\" }",
            )),
            Err(wrong) => problems.push(wrong),
        }
        for (i, id) in self.list_ids.iter().enumerate().filter(|(_, id)| !is_uuid(id)) {
            let message = format!("`{id}` is not the id of a list (a UUID); names go into `lists`");
            problems.push(problem(format!("/list_ids/{i}"), "option.invalid", message));
        }
        if self.list_ids.len() > limits::LISTS {
            let message = format!("an import takes at most {} lists", limits::LISTS);
            problems.push(problem("/list_ids", "option.invalid", message));
        }
        if !is_base(&self.api_base) {
            let message = "`api_base` is an https address without a query, such as `https://api.cc.email/v3`";
            problems.push(problem("/api_base", "option.invalid", message));
        }
        let (rows, bytes) = limits::vendors(self.deliver);
        for (pointer, given, most) in
            [("/max_rows", self.max_rows, rows), ("/max_bytes", self.max_bytes, bytes)]
        {
            if given.is_some_and(|given| given == 0 || given > most) {
                let message = format!("`{}` is from 1 to {most} in this form", &pointer[1..]);
                problems.push(problem(pointer, "option.invalid", message));
            }
        }
        for (column, _) in self.on_invalid.iter().filter(|(_, choice)| **choice == OnInvalid::Truncate) {
            if is_no_text(column) {
                let pointer = usher_sdk::option_pointer("on_invalid", column);
                let message = format!("`{column}` cannot be cut: it would be something else");
                problems.push(problem(pointer, "option.invalid", message));
            }
        }
        if self.deliver == Deliver::Api {
            problems.extend(self.of_api());
        }
        problems.extend(self.unused());
        problems
    }

    /// What a delivery over the API needs.
    fn of_api(&self) -> Vec<Problem> {
        let Some(access) = &self.api else {
            let message = "`deliver = \"api\"` needs to know whose right it has: api = { client_id = \"…\" }";
            return vec![problem("/api", "option.missing", message)];
        };
        let mut problems = access.problems();
        match self.lists.len() + self.list_ids.len() {
            0 => {
                let message = "contacts are added to at least one list; give `lists` (names) or `list_ids`";
                problems.push(problem("/lists", "option.missing", message));
            }
            count if count > limits::LISTS && self.list_ids.len() <= limits::LISTS => {
                let message = format!("contacts are added to at most {} lists at once", limits::LISTS);
                problems.push(problem("/lists", "option.invalid", message));
            }
            _ => {}
        }
        for (i, name) in self.lists.iter().enumerate() {
            let length = name.chars().count();
            if name.trim().is_empty() || length > limits::LIST_NAME {
                let message = format!("a list's name has 1 to {} characters", limits::LIST_NAME);
                problems.push(problem(format!("/lists/{i}"), "option.invalid", message));
            }
        }
        if access.explicit_consent && matches!(self.consent, Some(Value::Object(_))) {
            let message = "`explicit_consent` says that everybody has asked for mail, and `consent` that nobody was asked; \
                           give the condition by which they did, or leave `explicit_consent` out";
            problems.push(problem("/api/explicit_consent", "option.invalid", message));
        }
        problems
    }

    /// The option `api`, which is there when the form is [`Deliver::Api`].
    pub(crate) fn access(&self) -> Result<&Access, Error> {
        self.api.as_ref().ok_or_else(|| {
            let message = "`deliver = \"api\"` needs to know whose right it has: api = { client_id = \"…\" }";
            usher_sdk::options::invalid("/api", message)
        })
    }

    /// Options of the other forms.
    fn unused(&self) -> Vec<Problem> {
        let explicit = self.sms_permission_to_send == SmsPermission::Explicit;
        let all = [
            (Deliver::UiFile, !self.list_ids.is_empty(), "/list_ids", r#""api-file"` and `"api"#),
            (Deliver::UiFile, explicit, "/sms_permission_to_send", r#""api-file"` and `"api"#),
            (Deliver::ApiFile, !self.lists.is_empty(), "/lists", r#""ui-file"` and `"api"#),
            (Deliver::UiFile, self.api.is_some(), "/api", "\"api"),
            (Deliver::ApiFile, self.api.is_some(), "/api", "\"api"),
        ];
        let unused = all.iter().filter(|(deliver, given, ..)| *deliver == self.deliver && *given);
        unused
            .map(|(_, _, pointer, form)| {
                let message = format!("`{}` is for `deliver = {form}\"` only", &pointer[1..]);
                warning(*pointer, "option.unused", message)
            })
            .collect()
    }
}

/// Addresses, numbers and dates.
fn is_no_text(column: &str) -> bool {
    crate::columns::find(column).is_some_and(|rule| {
        matches!(rule.name, "email" | "sms_number" | "sms_consent_date" | "anniversary")
            || rule.name.starts_with("birthday")
    })
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// `https`, or `http` on this machine (for tests); nothing that a shell or a URL would take apart.
pub(crate) fn is_base(base: &str) -> bool {
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
