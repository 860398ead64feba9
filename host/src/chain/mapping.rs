//! Which expression fills which column of a sink.

use serde::Serialize;
use usher_abi::{Column, Component, is_standard, nearest};

use super::names::Names;
use crate::{
    expression::Expression,
    manifest::{Connector, KeyPath},
};

/// Why a column is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Filling {
    /// The manifest's `fields` say so.
    Field,
    /// The sink's own default over claims.
    Default,
    /// A claim of the chain's own.
    Claim,
    /// The sink takes any column and nothing else was said.
    Everything,
}

/// A column and the text of the expression that fills it.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) column: String,
    pub(super) expression: String,
    pub(super) filling: Filling,
    /// Where the manifest says it, for messages.
    pub(super) key: KeyPath,
}

/// The columns that a sink gets: `fields` first, then its defaults, then the chain's own claims.
pub(super) fn map_columns(
    connector: &Connector,
    component: &Component,
    names: &Names,
    own: &[(String, String)],
) -> Vec<Mapped> {
    let base = KeyPath::from(["connectors", connector.name.as_str()]);
    let mut mapped: Vec<Mapped> = Vec::new();
    for field in &connector.fields {
        mapped.push(Mapped {
            column: canonical(component, &field.column),
            expression: field.expression.clone(),
            filling: Filling::Field,
            key: base.child("fields").child(&field.column),
        });
    }
    for column in &component.columns {
        if let Some(default) = &column.default
            && !mapped.iter().any(|m| m.column == column.name)
            && names_a_claim(default, names)
        {
            mapped.push(Mapped {
                column: column.name.clone(),
                expression: default.clone(),
                filling: Filling::Default,
                key: base.clone(),
            });
        }
    }
    for (claim, _) in own.iter().filter(|(claim, _)| !is_standard(claim)) {
        let Some(pattern) = &component.custom_claim else { continue };
        let column = canonical(component, &pattern.replace("{claim}", claim));
        if !mapped.iter().any(|m| m.column == column) {
            let expression = claim.clone();
            mapped.push(Mapped { column, expression, filling: Filling::Claim, key: base.clone() });
        }
    }
    if takes_everything(connector, component) {
        everything(names, &base, &mut mapped);
    }
    mapped
}

/// Whether the sink has no table and was given no `fields`.
pub(super) fn takes_everything(connector: &Connector, component: &Component) -> bool {
    let has_table = component.columns.iter().any(|c| !c.name.ends_with('*'));
    connector.fields.is_empty() && component.open && !has_table
}

/// A sink without a table and without `fields` takes every column of a table, or every claim of an open profile.
fn everything(names: &Names, base: &KeyPath, mapped: &mut Vec<Mapped>) {
    let mut add = |column: &str, expression: String| {
        if !mapped.iter().any(|m| m.column == column) {
            mapped.push(Mapped {
                column: column.to_owned(),
                expression,
                filling: Filling::Everything,
                key: base.clone(),
            });
        }
    };
    if names.catalog().open {
        for (claim, _) in names.claims() {
            add(claim, claim.to_owned());
        }
    } else {
        for attribute in &names.catalog().attributes {
            add(&attribute.path, format!("row[{}]", serde_json::Value::from(attribute.path.as_str())));
        }
    }
}

fn names_a_claim(expression: &str, names: &Names) -> bool {
    let Ok(parsed) = Expression::parse(expression) else { return false };
    parsed.names().iter().any(|path| match path.segments.first() {
        Some(crate::expression::Segment::Key(key)) => names.claim(key).is_some(),
        _ => false,
    })
}

/// The columns that `fields` names and a closed table does not have, each with what to say. For when the sink cannot be
/// asked, because its options are wrong.
pub(crate) fn unknown_columns<'a>(
    connector: &'a Connector,
    component: &'a Component,
) -> impl Iterator<Item = (&'a str, String)> {
    let covers = |column: &Column, name: &str| match column.name.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => column.name == name || column.aliases.iter().any(|a| a == name),
    };
    let spellings = || component.columns.iter().map(|c| c.name.as_str());
    let fields = connector.fields.iter().map(|field| field.column.as_str()).filter(|_| !component.open);
    fields
        .filter(move |name| !component.columns.iter().any(|column| covers(column, name)))
        .map(move |name| (name, format!("unknown column `{name}`{}", nearest(name, spellings()))))
}

/// The table's own spelling of a column.
pub(super) fn canonical(component: &Component, name: &str) -> String {
    let spelt = |column: &&Column| column.name == name || column.aliases.iter().any(|a| a == name);
    component.columns.iter().find(spelt).map_or_else(|| name.to_owned(), |column| column.name.clone())
}
