//! What a name in an expression means: an attribute of the source, or else a claim.

use std::collections::BTreeMap;

use usher_abi::{Catalog, nearest};

use crate::{
    expression::{Bound, Expression, NamePath, Segment},
    report::list,
};

/// Name of the column that stands for claims the chain does not have; all null.
pub(super) const NOTHING: &str = "_nothing";

/// How a name was resolved, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An attribute of the source.
    Known(Bound),
    /// An attribute that the source's catalog does not list but may have.
    Guessed(Bound),
    /// Nothing, with what to say about it.
    Unknown(String),
}

/// The names of a chain.
#[derive(Clone, Debug)]
pub(super) struct Names {
    catalog: Catalog,
    /// Claim to attribute path: the chain's own before the source's.
    claims: BTreeMap<String, String>,
    /// Whether nothing is known of the source, so that any name may be right.
    pub(super) unknown: bool,
}

impl Names {
    /// The names that a source and a chain's own `claims` give.
    pub(super) fn new(catalog: Catalog, own: &[(String, String)]) -> Self {
        let mut claims = BTreeMap::new();
        for attribute in &catalog.attributes {
            if let Some(claim) = &attribute.claim {
                claims.entry(claim.clone()).or_insert_with(|| attribute.path.clone());
            }
        }
        claims.extend(own.iter().cloned());
        Self { catalog, claims, unknown: false }
    }

    /// Of a source that could not be opened.
    pub(super) fn unknown() -> Self {
        let catalog = Catalog { open: true, ..Catalog::default() };
        Self { catalog, claims: BTreeMap::new(), unknown: true }
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The attribute that provides a claim.
    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).map(String::as_str)
    }

    /// What a closed input has, for messages.
    pub(super) fn listing(&self) -> String {
        list(self.catalog.attributes.iter().map(|attribute| &attribute.path))
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = (&str, &str)> {
        self.claims.iter().map(|(claim, path)| (claim.as_str(), path.as_str()))
    }

    /// What a path in an expression means.
    pub(super) fn resolve(&self, path: &NamePath) -> Meaning {
        let whole = path.to_string();
        let written = match (&path.segments[..], path.quoted) {
            ([Segment::Key(heading)], true) => heading.clone(),
            _ => whole,
        };
        if self.lists(&written) {
            return Meaning::Known(Bound { column: written, consumed: path.segments.len() });
        }
        // The longest known attribute that the path begins with; what follows is looked up inside its values. An open
        // source is asked for the whole path instead, which costs less and means the same.
        if !self.catalog.open {
            for consumed in (1..path.segments.len()).rev() {
                let prefix =
                    NamePath { segments: path.segments[..consumed].to_vec(), quoted: false }.to_string();
                if self.lists(&prefix) {
                    return Meaning::Known(Bound { column: prefix, consumed });
                }
            }
        }
        let first = match path.segments.first() {
            Some(Segment::Key(key)) => key.as_str(),
            _ => "",
        };
        if self.catalog.open && self.lists(first) && path.segments.len() > 1 {
            return Meaning::Known(Bound { column: written, consumed: path.segments.len() });
        }
        if let Some(attribute) = self.claims.get(first) {
            return Meaning::Known(Bound { column: attribute.clone(), consumed: 1 });
        }
        if ["null", "nil", "undefined"].iter().any(|word| written.eq_ignore_ascii_case(word)) && !path.quoted
        {
            let message = format!(
                "unknown attribute or claim `{written}`; what is not there is `none` in expressions, an attribute of that name \
                 is row['{written}']"
            );
            return Meaning::Unknown(message);
        }
        let known = self.catalog.attributes.iter().map(|a| a.path.as_str());
        let suggestion = nearest(first, known.clone().chain(self.claims.keys().map(String::as_str)));
        if suggestion.name().is_some() {
            return Meaning::Unknown(format!("unknown attribute or claim `{written}`{suggestion}"));
        }
        if !self.catalog.open {
            let message = format!("unknown attribute or claim `{written}`; the input has {}", self.listing());
            return Meaning::Unknown(message);
        }
        Meaning::Guessed(Bound { column: written, consumed: path.segments.len() })
    }

    /// An attribute that is no path, as a heading with a space in it, and stands in an expression as if it were one.
    pub(super) fn spelt_out(&self, expression: &str) -> Option<&str> {
        let is_path = |name: &str| Expression::parse(name).is_ok_and(|parsed| parsed.names().len() == 1);
        let quoted = |name: &str| {
            ['\'', '"'].iter().any(|quote| expression.contains(&format!("{quote}{name}{quote}")))
        };
        let paths = self.catalog.attributes.iter().map(|attribute| attribute.path.as_str());
        paths.into_iter().find(|path| expression.contains(path) && !quoted(path) && !is_path(path))
    }

    /// Whether the catalog lists exactly this path.
    pub(super) fn lists(&self, path: &str) -> bool {
        self.catalog.attributes.iter().any(|a| a.path == path)
    }
}

#[cfg(test)]
mod tests {
    use usher_abi::Attribute;

    use super::*;

    fn names(open: bool) -> Names {
        let attribute = |path: &str, claim: Option<&str>| Attribute {
            path: path.into(),
            claim: claim.map(str::to_owned),
            ..Attribute::default()
        };
        let attributes = vec![
            attribute("email", Some("email")),
            attribute("user_metadata", None),
            attribute("First Name", Some("given_name")),
        ];
        Names::new(
            Catalog { attributes, open, notes: vec![] },
            &[("plan".into(), "user_metadata.plan".into())],
        )
    }

    fn meaning(open: bool, text: &str) -> String {
        let path = Expression::parse(text).unwrap().names().remove(0);
        match names(open).resolve(&path) {
            Meaning::Known(b) => format!("{}/{}", b.column, b.consumed),
            Meaning::Guessed(b) => format!("guess {}/{}", b.column, b.consumed),
            Meaning::Unknown(m) => m,
        }
    }

    #[test]
    fn attributes_come_before_claims() {
        assert_eq!(meaning(true, "email"), "email/1");
        assert_eq!(meaning(true, "given_name"), "First Name/1");
        assert_eq!(meaning(true, "row['First Name']"), "First Name/1");
        assert_eq!(meaning(true, "user_metadata.age"), "user_metadata.age/2");
        assert_eq!(meaning(false, "user_metadata.age"), "user_metadata/1");
        assert_eq!(meaning(true, "plan"), "user_metadata.plan/1");
        assert_eq!(meaning(true, "favourite_colour"), "guess favourite_colour/1");
        assert_eq!(meaning(true, "emial"), "unknown attribute or claim `emial`; did you mean `email`?");
        assert_eq!(meaning(false, "emial"), "unknown attribute or claim `emial`; did you mean `email`?");
        let none = "unknown attribute or claim `null`; what is not there is `none` in expressions, an attribute of that name \
                    is row['null']";
        assert_eq!(meaning(true, "null"), none);
        assert_eq!(meaning(true, "row['null']"), "guess null/1");
        let listed =
            "unknown attribute or claim `wizard`; the input has `email`, `user_metadata`, `First Name`";
        assert_eq!(meaning(false, "wizard"), listed);
    }
}
