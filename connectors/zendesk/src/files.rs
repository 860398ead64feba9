//! Delivery as files: users, and beside them the organizations they name.

use usher_sdk::{
    Row,
    abi::{Error, Part, Receipt},
    checks::Fault,
};

use crate::{
    duplicates::Additions,
    guide::{Summary, guide},
    layout::Layout,
    options::Options,
    organizations::Organizations,
    patterns::{Files, Placed},
};

/// See the module's head.
#[derive(Debug)]
pub(crate) struct FileDelivery {
    pub(crate) files: Files,
    pub(crate) organizations: Option<Organizations>,
}

impl FileDelivery {
    /// Writes a row.
    pub(crate) fn push(&mut self, row: &Row) -> Result<Result<Placed, Fault>, Error> {
        self.files.push(row)
    }

    /// Notes an organization that a row names.
    pub(crate) fn organization(&mut self, name: &str) -> Result<(), Error> {
        self.organizations.as_mut().map_or(Ok(()), |organizations| organizations.add(name))
    }

    /// Ends the files.
    pub(crate) fn finish(
        self,
        options: &Options,
        layout: &Layout,
        additions: Additions,
        merged: u64,
        by_alphabet: u64,
    ) -> Result<Receipt, Error> {
        let (variants, organizations) = match self.organizations {
            Some(organizations) => (organizations.variants, organizations.finish()?),
            None => (0, Vec::new()),
        };
        let groups = self.files.finish(additions)?;
        let grouped = groups.len() > 1;
        let mut users = Vec::new();
        for group in groups {
            let note = if grouped { format!("fills {}", group.columns.join(", ")) } else { String::new() };
            users.extend(group.parts.into_iter().map(|part| Part { note: note.clone(), ..part }));
        }
        let mut receipt = Receipt::default();
        if variants > 0 {
            receipt.warnings.push(format!(
                "{variants} names of organizations differ from others in capitals only; whether Zendesk takes them for \
                 one is not documented"
            ));
        }
        receipt.guide = guide(&Summary {
            options,
            layout,
            organizations: &organizations,
            users: &users,
            merged,
            by_alphabet,
            grouped,
        });
        receipt.parts = organizations
            .into_iter()
            .map(|part| Part { note: "organizations".to_owned(), extra: true, ..part })
            .collect();
        receipt.parts.extend(users);
        Ok(receipt)
    }
}
