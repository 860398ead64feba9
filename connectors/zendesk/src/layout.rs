//! Where the columns stand in this run's file.

use usher_sdk::{Columns, Fate, Row, abi::OnInvalid, checks::Fault};

/// Names, rules and places of the bound columns.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) names: Vec<String>,
    /// Filled by the rows that come, not by the sink alone.
    pub(crate) given: Vec<bool>,
    on_invalid: Vec<OnInvalid>,
    /// Always there.
    pub(crate) emails: usize,
    /// The host has seen to it that each text of `emails` comes once.
    pub(crate) emails_come_once: bool,
    pub(crate) ticket_restriction: Option<usize>,
    pub(crate) external_id: Option<usize>,
    pub(crate) phones: Option<usize>,
    pub(crate) shared_phone: Option<usize>,
    pub(crate) role: Option<usize>,
    pub(crate) custom_role: Option<usize>,
    pub(crate) skip_verify_email: Option<usize>,
    pub(crate) signature: Option<usize>,
    pub(crate) organizations: Option<usize>,
    pub(crate) default_group_id: Option<usize>,
    pub(crate) tags: Option<usize>,
}

impl Layout {
    /// The layout of bound columns; `emails` must be among them.
    pub(crate) fn new(columns: &Columns) -> Self {
        let at = |name: &str| columns.index(name);
        Self {
            names: columns.names().map(str::to_owned).collect(),
            given: (0..columns.names().len()).map(|i| columns.is_given(i)).collect(),
            on_invalid: (0..columns.names().len()).map(|i| columns.on_invalid(i)).collect(),
            emails: at("emails").unwrap_or_default(),
            emails_come_once: at("emails").is_some_and(|emails| columns.comes_once(emails)),
            ticket_restriction: at("ticket_restriction"),
            external_id: at("external_id"),
            phones: at("phones"),
            shared_phone: at("shared_phone"),
            role: at("role"),
            custom_role: at("custom_role"),
            skip_verify_email: at("skip_verify_email"),
            signature: at("signature"),
            organizations: at("organizations"),
            default_group_id: at("default_group_id"),
            tags: at("tags"),
        }
    }

    /// A cell of a column that may not be there; blank then.
    pub(crate) fn cell<'r>(&self, row: &'r Row, column: Option<usize>) -> &'r str {
        column.map_or("", |column| row.get(column))
    }

    /// A cell that is bad for what other cells say: the row is rejected or the cell left out, as the column's rule says.
    pub(crate) fn bad(&self, row: &mut Row, column: usize, fault: Fault) -> Result<(), Fate> {
        if self.on_invalid[column] == OnInvalid::RejectRow {
            return Err(Fate::Rejected(self.names[column].clone(), fault));
        }
        row.leave_out(column, fault);
        Ok(())
    }

    /// A reject because of a column, which need not be in the file.
    pub(crate) fn missing(column: &str, message: &str) -> Fate {
        Fate::Rejected(column.to_owned(), Fault::new("value.missing", message))
    }
}
