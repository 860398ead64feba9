//! What options say of attributes: which claim each provides, and which kind it is.

use std::collections::{BTreeMap, BTreeSet};

use usher_abi::{Attribute, Error, Problem, ValueKind, nearest};

use crate::options::{problem, warning};
use usher_abi::{STANDARD_CLAIMS, is_standard};

/// The options `claims` and `kinds` of a source whose attributes nobody knows beforehand.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The attribute that provides each claim.
    pub claims: BTreeMap<String, String>,
    /// The kind of attributes that are not `any`.
    pub kinds: BTreeMap<String, ValueKind>,
}

impl Declared {
    /// Claims that look like a slip of the pen.
    pub fn check(&self) -> Vec<Problem> {
        let slips = self.claims.keys().filter(|claim| !is_standard(claim)).filter_map(|claim| {
            let near = nearest(claim, STANDARD_CLAIMS.iter().copied());
            near.name()?;
            Some(warning(
                pointer(&["claims", claim]),
                "claim.unknown",
                format!("`{claim}` is no usual claim{near}"),
            ))
        });
        slips.collect()
    }

    /// The kind of an attribute.
    pub fn kind(&self, path: &str) -> ValueKind {
        self.kinds.get(path).copied().unwrap_or(ValueKind::Any)
    }

    /// Attributes with their kinds and claims: a claim comes from the attribute that the options say, else from the
    /// first one for which `usual` knows the claim.
    pub fn attributes<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a str>,
        usual: impl Fn(&str) -> Option<&'static str>,
    ) -> Vec<Attribute> {
        let mut given: BTreeSet<&str> = self.claims.keys().map(String::as_str).collect();
        let said = |path: &str| self.claims.iter().find(|(_, p)| *p == path).map(|(claim, _)| claim.clone());
        let attribute = |path: &str| {
            let claim =
                said(path).or_else(|| usual(path).filter(|claim| given.insert(claim)).map(str::to_owned));
            Attribute { path: path.to_owned(), kind: self.kind(path), claim, summary: String::new() }
        };
        paths.into_iter().map(attribute).collect()
    }

    /// Attributes that the options name and that are not among `paths`.
    pub fn absent(&self, paths: &[&str]) -> Vec<Problem> {
        let claims = self.claims.iter().map(|(claim, path)| (pointer(&["claims", claim]), path));
        let kinds = self.kinds.keys().map(|path| (pointer(&["kinds", path]), path));
        let strange = claims.chain(kinds).filter(|(_, path)| !paths.contains(&path.as_str()));
        strange.map(|(at, path)| absent(at, path, paths)).collect()
    }
}

/// The problem of a heading that no file has.
pub fn absent(pointer: String, heading: &str, headings: &[&str]) -> Problem {
    let near = nearest(heading, headings.iter().copied());
    let what = match near.name() {
        Some(_) => near.to_string(),
        None => format!("; it has {}", list(headings)),
    };
    problem(pointer, "heading.absent", format!("the input has no heading `{heading}`{what}"))
}

/// The first names, for people.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    match names.len() {
        0 => "none".to_owned(),
        n if n > SHOWN => format!("{} and {} more", shown.join(", "), n - SHOWN),
        _ => shown.join(", "),
    }
}

/// A JSON pointer.
pub fn pointer(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

/// An error of all problems that are more than warnings.
pub fn refuse(problems: &[Problem]) -> Result<(), Error> {
    let grave: Vec<&Problem> = problems.iter().filter(|p| !p.warning).collect();
    let Some(first) = grave.first() else { return Ok(()) };
    let message = match grave.len() {
        1 => first.message.clone(),
        n => format!("{} (and {} more)", first.message, n - 1),
    };
    let details =
        serde_json::to_string(problems).map_err(|e| Error::bug("source.problems", e.to_string()))?;
    Err(Error::config(first.code.clone(), message).details(details))
}
