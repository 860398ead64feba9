//! What the records of a chain say, claim by claim, and which columns take it before and after. Two vendors' columns have
//! nothing in common but this.

use serde::Serialize;
use usher_abi::{Column, Component};

use crate::{
    chain::Filled,
    plugins::{Change, compare_columns},
};

/// A claim, or an attribute that is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Its name.
    pub claim: String,
    /// The columns that take it before.
    pub old: Vec<Taken>,
    /// The columns that take it after.
    pub new: Vec<Taken>,
    /// What becomes of it.
    pub fate: Fate,
    /// Rules that differ, where one column takes it before and after.
    pub differences: Vec<Change>,
}

/// A column that takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The column.
    pub column: String,
    /// Whether it is made from this alone.
    pub alone: bool,
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Columns take it before and after.
    Kept,
    /// No column takes it any more.
    Lost,
    /// No column took it before.
    Gained,
}

/// All that is taken before or after, in the order of the columns.
pub fn meanings(
    (old, before): (&Component, &[Filled]),
    (new, after): (&Component, &[Filled]),
) -> Vec<Meaning> {
    let mut claims: Vec<&String> = Vec::new();
    for claim in before.iter().chain(after).flat_map(|filled| &filled.reads) {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    let meaning = |claim: &String| {
        let (before, after) = (taken(before, claim), taken(after, claim));
        let fate = match (before.is_empty(), after.is_empty()) {
            (true, _) => Fate::Gained,
            (_, true) => Fate::Lost,
            _ => Fate::Kept,
        };
        let rules = (rule(old, &before), rule(new, &after));
        let differences = match rules {
            (Some(old), Some(new)) => compare_columns(old, new),
            _ => Vec::new(),
        };
        Meaning { claim: claim.clone(), old: before, new: after, fate, differences }
    };
    claims.into_iter().map(meaning).collect()
}

fn taken(filled: &[Filled], claim: &String) -> Vec<Taken> {
    let reading = filled.iter().filter(|filled| filled.reads.contains(claim));
    reading.map(|filled| Taken { column: filled.column.clone(), alone: filled.reads.len() == 1 }).collect()
}

/// The rule of the one column that takes nothing else.
fn rule<'c>(component: &'c Component, taken: &[Taken]) -> Option<&'c Column> {
    let mut alone = taken.iter().filter(|taken| taken.alone);
    let (Some(one), None) = (alone.next(), alone.next()) else { return None };
    let named = component.columns.iter().find(|column| column.name == one.column);
    named.or_else(|| {
        let covers =
            |column: &&Column| column.name.strip_suffix('*').is_some_and(|p| one.column.starts_with(p));
        component.columns.iter().find(covers)
    })
}

#[cfg(test)]
mod tests {
    use usher_abi::{Consent, Role, ValueKind};

    use super::*;
    use crate::chain::Filling;

    fn sink(columns: Vec<Column>) -> Component {
        Component {
            name: "users".to_owned(),
            role: Role::Sink,
            summary: String::new(),
            options: serde_json::json!({}),
            attributes: Vec::new(),
            open: false,
            columns,
            limits: Vec::new(),
            rate_limits: Vec::new(),
            custom_claim: None,
            consent: Consent::None,
            suspend: None,
        }
    }

    fn filled(column: &str, reads: &[&str]) -> Filled {
        let reads = reads.iter().map(|name| (*name).to_owned()).collect();
        Filled { column: column.to_owned(), from: Filling::Default, reads }
    }

    #[test]
    fn columns_meet_in_what_they_read() {
        let list = Column { name: "emails".to_owned(), kind: ValueKind::List, ..Column::default() };
        let any = Column { name: "*".to_owned(), max_chars: Some(9), ..Column::default() };
        let (old, new) = (sink(vec![list]), sink(vec![any]));
        let before =
            [filled("name", &["given_name", "email"]), filled("emails", &["email"]), filled("id", &["sub"])];
        let after = [filled("Email", &["email"]), filled("Plan", &["plan"]), filled("Note", &[])];
        let found = meanings((&old, &before), (&new, &after));
        let told: Vec<_> = found.iter().map(|m| (m.claim.as_str(), m.fate, m.differences.len())).collect();
        let expected = [
            ("given_name", Fate::Lost, 0),
            ("email", Fate::Kept, 2),
            ("sub", Fate::Lost, 0),
            ("plan", Fate::Gained, 0),
        ];
        assert_eq!(told, expected);
        assert_eq!(found[1].old.iter().map(|taken| taken.alone).collect::<Vec<_>>(), [false, true]);
        assert_eq!(found[1].differences[0].what, "type is `text`, was `list`");
    }
}
