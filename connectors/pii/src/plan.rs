//! Which columns of a schema the option `columns` means.

use std::collections::BTreeMap;

use usher_sdk::{
    abi::{Error, metadata::CLAIM, nearest},
    arrow_schema::Schema,
    option_pointer,
    options::invalid,
    records,
};

use crate::options::Action;

/// Actions by attribute; what stands below an attribute is meant, too.
#[derive(Clone, Debug)]
pub(crate) struct Plan(BTreeMap<String, Action>);

impl Plan {
    /// As the manifest says it: by attribute or claim.
    pub(crate) fn new(columns: BTreeMap<String, Action>) -> Self {
        Self(columns)
    }

    /// Puts attributes in the place of claims, and refuses names that a source which lists `schema` cannot have: with
    /// `open`, only those that look like a slip.
    pub(crate) fn resolve(&mut self, schema: &Schema, open: bool) -> Result<(), Error> {
        let listed: Vec<(&str, Option<&String>)> = records::given(schema)
            .map(|(_, field)| (field.name().as_str(), field.metadata().get(CLAIM)))
            .collect();
        let names = || {
            listed.iter().flat_map(|(name, claim)| std::iter::once(*name).chain(claim.map(String::as_str)))
        };
        let mut resolved = BTreeMap::new();
        for (name, action) in &self.0 {
            let is_listed =
                listed.iter().any(|(other, _)| name == other || below(name, other) || below(other, name));
            let provider = listed.iter().find(|(_, claim)| *claim == Some(name)).map(|(other, _)| *other);
            let attribute = match provider {
                Some(attribute) if !is_listed => attribute,
                _ => name,
            };
            let near = nearest(name, names());
            if !is_listed && provider.is_none() && (!open || near.name().is_some()) {
                let message = format!("unknown column `{name}`{near}");
                return Err(invalid(&option_pointer("columns", name), message));
            }
            resolved.insert(attribute.to_owned(), *action);
        }
        self.0 = resolved;
        Ok(())
    }

    /// The action of each column, in the order of the schema; `None` for those that pass.
    pub(crate) fn actions(&self, schema: &Schema) -> Vec<Option<Action>> {
        let mut actions = vec![None; schema.fields().len()];
        for (index, field) in records::given(schema) {
            let named = |name: &String| name == field.name() || below(field.name(), name);
            actions[index] = self.0.iter().find(|(name, _)| named(name)).map(|(_, action)| *action);
        }
        actions
    }

    /// An error for a column that holds another one which is named: it would carry the value past.
    pub(crate) fn check_wholes(&self, schema: &Schema) -> Result<(), Error> {
        let actions = self.actions(schema);
        for (_, field) in records::given(schema).filter(|(index, _)| actions[*index].is_none()) {
            if let Some(name) = self.0.keys().find(|name| below(name, field.name())) {
                let message = format!(
                    "`{0}` is used as a whole, and `{name}` stands within it: name `{0}` here, or use only what stands \
                     below it",
                    field.name(),
                );
                return Err(invalid(&option_pointer("columns", name), message));
            }
        }
        Ok(())
    }
}

/// Whether `name` is a path below `of` (`user_metadata.plan`, `identities[0]`).
fn below(name: &str, of: &str) -> bool {
    name.strip_prefix(of).is_some_and(|rest| rest.starts_with(['.', '[']))
}
