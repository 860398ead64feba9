//! Users of several organizations, of which Zendesk chooses the default one (KB-USR): no column says which it is to be.

use serde_json::{Value, json};
use usher_sdk::{Row, abi::Origin, words::counted};

/// So many are named.
const NAMED: usize = 3;

/// Users whose default organization is not ours to choose.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) users: u64,
    first: Vec<Origin>,
}

impl Defaults {
    /// Looks at a row that was taken, whose organizations stand in `column`.
    pub(crate) fn look(&mut self, row: &Row, column: usize) {
        if row.items(column).nth(1).is_some() {
            self.users += 1;
            if self.first.len() < NAMED {
                self.first.push(row.origin());
            }
        }
    }

    /// What to say, and the fact that has it with the first rows; nothing when there are none.
    pub(crate) fn remark(&self, sent: bool) -> Option<(String, Value)> {
        let users = counted(self.users, "user has", "users have");
        let says = match (self.users, sent) {
            (0, _) => return None,
            (_, false) => {
                format!("{users} several organizations; Zendesk makes the first by alphabet the default one")
            }
            (_, true) => format!(
                "{users} several organizations; which one Zendesk makes the default one is documented for files only: the \
                 first by alphabet"
            ),
        };
        let place = |at: &Origin| json!({ "input": at.input, "offset": at.offset, "length": at.length });
        let first: Vec<Value> = self.first.iter().map(place).collect();
        let fact = json!({ "says": says, "rows": self.users, "first": first });
        Some((says, fact))
    }
}
