//! Which columns of a schema the option `columns` means.

use std::collections::BTreeMap;

use usher_sdk::{
    abi::{Error, nearest},
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

    /// Puts attributes in the place of claims (a name that is both means both: neither may go by), and refuses names that a source which lists `schema` cannot have (with
    /// `open`, only those that look like a slip) and two actions for one attribute.
    pub(crate) fn resolve(&mut self, schema: &Schema, open: bool) -> Result<(), Error> {
        let listed: Vec<(&str, Vec<String>)> = records::given(schema)
            .map(|(_, field)| (field.name().as_str(), records::claims(field)))
            .collect();
        let names = listed
            .iter()
            .flat_map(|(name, claims)| std::iter::once(*name).chain(claims.iter().map(String::as_str)));
        let names: Vec<&str> = names.collect();
        let mut resolved: BTreeMap<String, (Action, &String)> = BTreeMap::new();
        for (name, action) in &self.0 {
            let refuse = |message: String| Err(invalid(&option_pointer("columns", name), message));
            let is_listed =
                listed.iter().any(|(other, _)| name == other || below(name, other) || below(other, name));
            let provider = listed.iter().find(|(_, claims)| claims.contains(name)).map(|(other, _)| *other);
            let near = nearest(name, names.iter().copied());
            if !is_listed && provider.is_none() && (!open || near.name().is_some()) {
                return refuse(format!("unknown column `{name}`{near}"));
            }
            let itself = (is_listed || provider.is_none()).then_some(name.as_str());
            for attribute in itself.into_iter().chain(provider) {
                match resolved.insert(attribute.to_owned(), (*action, name)) {
                    Some((other, earlier)) if other != *action => {
                        return refuse(format!("`{earlier}` and `{name}` are one column: keep one of them"));
                    }
                    _ => {}
                }
            }
        }
        self.0 = resolved.into_iter().map(|(attribute, (action, _))| (attribute, action)).collect();
        Ok(())
    }

    /// The action of each column, in the order of the schema; `None` for those that pass. Of several names that a
    /// column stands below, the longest is meant.
    pub(crate) fn actions(&self, schema: &Schema) -> Vec<Option<Action>> {
        let mut actions = vec![None; schema.fields().len()];
        for (index, field) in records::given(schema) {
            let named = self.0.iter().filter(|(name, _)| *name == field.name() || below(field.name(), name));
            actions[index] = named.max_by_key(|(name, _)| name.len()).map(|(_, action)| *action);
        }
        actions
    }

    /// An error for a column that holds another one for which something else is said: it would carry the value past.
    pub(crate) fn check_wholes(&self, schema: &Schema) -> Result<(), Error> {
        let actions = self.actions(schema);
        for (index, field) in records::given(schema) {
            let whole = actions[index];
            let within =
                |(name, action): &(&String, &Action)| below(name, field.name()) && whole != Some(**action);
            if whole == Some(Action::Drop) {
                continue;
            }
            if let Some((name, _)) = self.0.iter().find(within) {
                let message = format!(
                    "`{0}` is used as a whole, and `{name}` stands within it: say the same of `{0}`, or use only what \
                     stands below it",
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
