//! What the host asks of a component, where a list of arguments could not grow: JSON objects, whose unknown fields are
//! passed over and whose absent ones have defaults.

use serde::{Deserialize, Serialize};

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

/// What a sink is asked in [`SinkTable::check`](crate::SinkTable::check).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The names of the columns that will come, in their order.
    #[serde(default)]
    pub columns: Vec<String>,
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
