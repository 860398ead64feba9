//! The option `api`: with whose right the API is called, and what a delivery over it does beside sending contacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{
    Secret,
    abi::Problem,
    options::{problem, warning},
};

use crate::{limits, options::is_base};

/// A delivery over the API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Access {
    /// The application's key
    pub(crate) client_id: String,
    /// The application's secret; applications of the device flow and of PKCE have none
    #[serde(default)]
    pub(crate) client_secret: Option<Secret>,
    /// The first refresh token of a machine on which nobody can log in, as `usher login <connector> --export` prints it;
    /// without it, `usher login <connector>` must have been run here
    #[serde(default)]
    pub(crate) refresh_token: Option<Secret>,
    /// Where tokens are given out
    #[serde(default = "auth_base")]
    pub(crate) auth_base: String,
    /// What an import consists of: `json` leaves blank values out; `csv` cannot, but names the lines of errors and can be
    /// found again after a crash
    #[serde(default)]
    pub(crate) format: Format,
    /// The line by which errors of an import name its first contact; in `csv` 2, in `json` not known: without it, contacts
    /// are not told apart by lines there
    #[serde(default)]
    #[schemars(range(min = 0, max = 2))]
    pub(crate) first_line: Option<u64>,
    /// Create lists of `lists` that do not exist
    #[serde(default)]
    pub(crate) create_lists: bool,
    /// Create custom fields (of the type `string`) that do not exist
    #[serde(default)]
    pub(crate) create_custom_fields: bool,
    /// Names of tags that the contacts get at the end, by the lists that they are on
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// Create tags that do not exist
    #[serde(default)]
    pub(crate) create_tags: bool,
    /// Tags go to everybody on the lists, also to those who were there before
    #[serde(default)]
    pub(crate) tag_whole_lists: bool,
    /// Everybody has asked for mail by themselves: contacts are signed up one by one, with the permission `explicit`
    #[serde(default)]
    pub(crate) explicit_consent: bool,
    /// So many contacts are sent first and must come back clean before the others go; 0: none
    #[serde(default = "canary")]
    pub(crate) canary: u64,
}

/// What an import consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Format {
    #[default]
    Json,
    Csv,
}

fn auth_base() -> String {
    "https://authz.constantcontact.com".to_owned()
}

fn canary() -> u64 {
    10
}

impl Access {
    /// What is wrong by itself.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.client_id.trim().is_empty() {
            let message = "it is empty; the developer portal shows it as the application's API key";
            problems.push(problem("/api/client_id", "option.invalid", message));
        }
        for (pointer, secret) in
            [("/api/client_secret", &self.client_secret), ("/api/refresh_token", &self.refresh_token)]
        {
            if secret.as_ref().is_some_and(|secret| secret.reveal().trim().is_empty()) {
                problems.push(problem(pointer, "option.invalid", "it is empty; leave it out, or give it"));
            }
        }
        if !is_base(&self.auth_base) {
            let message = "`auth_base` is an https address without a query, such as `https://authz.constantcontact.com`";
            problems.push(problem("/api/auth_base", "option.invalid", message));
        }
        if self.first_line.is_some_and(|line| line > 2) {
            problems.push(problem("/api/first_line", "option.invalid", "0, 1 or 2"));
        }
        for (i, tag) in self.tags.iter().enumerate() {
            let length = tag.chars().count();
            if length == 0 || length > limits::TAG {
                let message = format!("a tag's name has 1 to {} characters, this one {length}", limits::TAG);
                problems.push(problem(format!("/api/tags/{i}"), "option.invalid", message));
            }
        }
        if self.tags.len() > limits::TAGS {
            let message = format!("at most {} tags are given at once", limits::TAGS);
            problems.push(problem("/api/tags", "option.invalid", message));
        }
        for (given, name) in [(self.create_tags, "create_tags"), (self.tag_whole_lists, "tag_whole_lists")] {
            if given && self.tags.is_empty() {
                let message = format!("`{name}` has no effect without `tags`");
                problems.push(warning(format!("/api/{name}"), "option.unused", message));
            }
        }
        if self.explicit_consent {
            let unused =
                [(self.format == Format::Csv, "/api/format"), (self.first_line.is_some(), "/api/first_line")];
            for (_, pointer) in unused.iter().filter(|(given, _)| *given) {
                let message = "contacts are signed up one by one, which has no files";
                problems.push(warning(*pointer, "option.unused", message));
            }
        }
        problems
    }

    /// The line of the first contact of an import, where it is known.
    pub(crate) fn first_line(&self) -> Option<u64> {
        self.first_line.or((self.format == Format::Csv).then_some(2))
    }
}
