//! The option `api`: with which token users are sent, and how much is made sure of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use usher_sdk::{Secret, abi::Problem, options::problem};

use crate::limits;

/// Delivery by the API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub(crate) struct Live {
    /// Of the admin panel: Settings > Developers > API keys
    pub(crate) token: Secret,
    /// So many rows are sent first, and nothing else unless they come back clean; 0: none
    #[serde(default)]
    pub(crate) canary: u64,
    /// Which row the vendor numbers 1, where it says what is wrong with a row: it is not documented
    #[serde(default)]
    pub(crate) row_numbers: RowNumbers,
    /// Who is read back after the import, since its reply says only who is queued; needs `merge_field = "user_id"`
    #[serde(default)]
    pub(crate) confirm: Confirm,
    /// With `confirm = "sample"`: so many people of each part
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1_000))]
    pub(crate) sample: u64,
    /// How long after the import people are looked for; who is not there then is unknown. By address, a part of which no
    /// answer came waits as long before it is sent again, and two minutes at the least
    #[serde(default = "ten_minutes")]
    #[schemars(range(max = 86_400))]
    pub(crate) wait_seconds: u64,
    /// Up to so many people are set one by one instead of imported; 0: never
    #[serde(default)]
    #[schemars(range(max = 1_000))]
    pub(crate) props_up_to: u64,
}

fn ten() -> u64 {
    10
}

fn ten_minutes() -> u64 {
    600
}

/// Which row has the number 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RowNumbers {
    /// Told by the numbers where they can tell; rows that they do not tell of are unknown.
    #[default]
    Detect,
    /// The header.
    Header,
    /// The first row after it.
    Data,
    /// The second row after it: the first is 0.
    Zero,
}

/// Who is read back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Confirm {
    /// Some of each part.
    #[default]
    Sample,
    /// Everybody, sixty a minute.
    All,
    /// Nobody.
    None,
}

impl Live {
    /// What is wrong with the options by themselves.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong =
            |pointer: &str, message: &str| problems.push(problem(pointer, "option.invalid", message));
        let token = self.token.reveal();
        if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
            wrong("/api/token", "it is empty, or holds blanks; the admin panel shows it under API keys");
        }
        if !(1..=limits::MOST_SAMPLE).contains(&self.sample) {
            wrong("/api/sample", "`sample` is from 1 to 1000");
        }
        if self.wait_seconds > limits::MOST_WAIT_SECONDS {
            wrong("/api/wait_seconds", "`wait_seconds` is at most 86400, a day");
        }
        if self.props_up_to > limits::MOST_PROPS {
            wrong("/api/props_up_to", "`props_up_to` is at most 1000: sixty people a minute");
        }
        problems
    }
}
