//! Roles, restrictions, and the columns that only agents have (KB-USR, SEED-001).

use usher_sdk::{Fate, Row, checks::Fault};

use crate::{
    layout::Layout,
    options::{Deliver, ImportType, Options, Plan, Restriction},
    values::{is_admin, is_end_user},
};

/// The rules of this run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    plan: Option<Plan>,
    restriction: Restriction,
    import_type: ImportType,
    /// Rows go into files, where every new user needs a restriction. Zendesk itself gives those that come over the API one
    /// (ZENPY).
    needed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EndUser,
    Agent,
    /// Over the API; has no restriction.
    Admin,
    /// No role in an import that updates: whatever the stored user is.
    AsStored,
}

impl Roles {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            plan: options.plan,
            restriction: options.ticket_restriction,
            import_type: options.import_type,
            needed: options.deliver == Deliver::UiFile,
        }
    }

    /// Holds the row's role against its other cells, and fills a restriction that is blank.
    pub(crate) fn apply(&self, layout: &Layout, row: &mut Row) -> Result<(), Fate> {
        let role = layout.cell(row, layout.role);
        // A custom role makes an agent of whom the API is sent (DEV-USR); in files its absence is a fault.
        let by_custom_role = !self.needed && !layout.cell(row, layout.custom_role).is_empty();
        let kind = match (role.is_empty(), self.import_type) {
            (true, _) if by_custom_role => Kind::Agent,
            (true, ImportType::Create) => Kind::EndUser,
            (true, _) => Kind::AsStored,
            (false, _) if is_end_user(role) => Kind::EndUser,
            (false, _) if is_admin(role) => Kind::Admin,
            (false, _) => Kind::Agent,
        };
        if kind == Kind::Admin {
            return Ok(());
        }
        if kind == Kind::EndUser {
            self.end_user(layout, row)?;
        }
        if kind == Kind::Agent && self.plan == Some(Plan::Enterprise) {
            return self.enterprise_agent(layout, row);
        }
        self.fill(layout, row, kind)
    }

    fn end_user(&self, layout: &Layout, row: &mut Row) -> Result<(), Fate> {
        for column in [layout.custom_role, layout.signature, layout.default_group_id].into_iter().flatten() {
            if row.is_filled(column) {
                let message =
                    format!("only agents have a `{}`, and the row is an end user's", layout.names[column]);
                layout.bad(row, column, Fault::new("role.needs-agent", message))?;
            }
        }
        let Some(column) = layout.ticket_restriction else { return Ok(()) };
        let restriction = row.get(column);
        if matches!(restriction, "" | "requested" | "organization") {
            return Ok(());
        }
        let message = format!("`{restriction}` is for agents; end users take requested or organization");
        layout.bad(row, column, Fault::new("restriction.end-user", message))
    }

    /// On Enterprise plans an agent's role decides; restrictions cannot be used.
    fn enterprise_agent(&self, layout: &Layout, row: &mut Row) -> Result<(), Fate> {
        let given = |column: &usize| row.is_filled(*column) && layout.given[*column];
        if let Some(column) = layout.ticket_restriction.filter(given) {
            let message = "agents of Enterprise plans have a `custom_role` instead of a restriction";
            layout.bad(row, column, Fault::new("restriction.enterprise", message))?;
        }
        if layout.cell(row, layout.custom_role).is_empty() {
            let message = "an agent of an Enterprise plan needs a `custom_role`";
            return Err(Layout::missing("custom_role", message));
        }
        Ok(())
    }

    fn fill(&self, layout: &Layout, row: &mut Row, kind: Kind) -> Result<(), Fate> {
        let Some(column) = layout.ticket_restriction.filter(|column| !row.is_filled(*column)) else {
            return Ok(());
        };
        let for_agents =
            matches!(self.restriction, Restriction::Assigned | Restriction::Groups | Restriction::None);
        let value = match (self.restriction.value(), kind) {
            (Some(_), Kind::EndUser) if for_agents => Some("requested"),
            (Some(value), _) => Some(value),
            (None, Kind::Agent) => None,
            (None, _) => (self.needed && self.import_type.creates()).then_some("requested"),
        };
        match value {
            Some(value) => {
                row.set(column, value);
                if layout.given[column] {
                    row.count_change(column, "default");
                }
                Ok(())
            }
            None if kind == Kind::Agent && self.import_type.creates() => {
                if self.plan.is_none() && !layout.cell(row, layout.custom_role).is_empty() {
                    return Ok(());
                }
                let message = "an agent needs a `ticket_restriction`; give it in `fields` or as the option \
                               `ticket_restriction`";
                Err(Layout::missing("ticket_restriction", message))
            }
            None => Ok(()),
        }
    }
}
