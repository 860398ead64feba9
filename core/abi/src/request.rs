//! What the host asks of a component, where a list of arguments could not grow: JSON objects, whose unknown fields are
//! passed over and whose absent ones have defaults.

use serde::{Deserialize, Serialize};

use crate::Problem;

/// What a component is asked where there is nothing to say yet.
pub const NOTHING_MORE: &str = "{}";

/// What a source is asked in [`SourceTable::plan`](crate::SourceTable::plan).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// The paths of the attributes that are needed, in the order in which the batches are to have them.
    pub columns: Vec<String>,
    /// How many splits are worth having, at least 1.
    #[serde(default = "one")]
    pub max_splits: u32,
    /// No more records than these will be read: a source that orders an export need not order more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

fn one() -> u32 {
    1
}

impl PlanRequest {
    /// These columns of all records, in one split.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), max_splits: 1, limit: None }
    }
}

/// What a component is asked in `check` ([`SinkTable::check`](crate::SinkTable::check)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// Sinks: the names of the columns that will come, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

/// What a component answers to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// What is wrong, or may be.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_side_may_say_more_and_an_older_one_less() {
        let request: PlanRequest = serde_json::from_str(r#"{"columns":["email"],"since":"2026"}"#).unwrap();
        assert_eq!(request, PlanRequest::new(["email"]));
        let request = PlanRequest { max_splits: 8, limit: Some(10), ..request };
        assert_eq!(
            serde_json::from_str::<PlanRequest>(&serde_json::to_string(&request).unwrap()).unwrap(),
            request
        );
        assert_eq!(serde_json::from_str::<CheckRequest>(r#"{"rows":7}"#).unwrap(), CheckRequest::default());
    }
}
