//! An expression as a manifest states it, before anything is known about columns.

use std::collections::HashMap;

use super::ast::{Body, Kind};
use super::conditions::conditions;
use super::describe::{describe, describe_template};
use super::error::{BindError, ParseError, UnknownName};
use super::lower::lower;
use super::name::{NamePath, Segment};
use super::parse::parse;
use super::print::{literal, print};
use super::program::{Plan, Program};
use super::rows;

/// A parsed expression or template, not bound to columns.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    body: Body,
    /// The paths it reads, in its order, each with the byte where it starts.
    names: Vec<(NamePath, usize)>,
}

/// What a name resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The column of the batch.
    pub column: String,
    /// How many segments of the path the column stands for; the rest is looked up inside its values.
    pub consumed: usize,
}

impl Expression {
    /// Reads a text: a template if it contains `{{` or `{%`, else an expression. Unknown filters, tests and
    /// functions and wrong constant arguments are errors here, not later.
    pub fn parse(text: &str) -> Result<Expression, ParseError> {
        let (body, names) = parse(text)?;
        Ok(Expression { text: text.to_owned(), body, names })
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every constant path that it reads from the row, each once, as long as it is constant:
    /// `user_metadata.plan`, `identities[0].connection`, `row["First Name"]`.
    pub fn names(&self) -> Vec<NamePath> {
        self.unique_names().map(|(path, _)| path.clone()).collect()
    }

    /// The paths whose very value is asked whether it is true: operands of `and`, `or` and `not`, tests of `if`, and what the
    /// whole expression comes to, `as_condition`.
    pub fn conditions(&self, as_condition: bool) -> Vec<&NamePath> {
        conditions(&self.body, as_condition)
    }

    /// Makes it runnable. `resolve` is asked once for each of [`names`](Self::names); all the names it does
    /// not know are reported together.
    pub fn bind(&self, resolve: &dyn Fn(&NamePath) -> Option<Bound>) -> Result<Program, BindError> {
        let mut columns: Vec<String> = Vec::new();
        let mut bound: HashMap<&NamePath, (usize, &[Segment])> = HashMap::new();
        let mut unknown = Vec::new();
        for (path, offset) in self.unique_names() {
            let Some(found) = resolve(path) else {
                let hyphenated = hyphenated(&self.text, *offset);
                unknown.push(UnknownName { path: path.clone(), offset: *offset, hyphenated });
                continue;
            };
            let column = columns.iter().position(|column| *column == found.column).unwrap_or_else(|| {
                columns.push(found.column);
                columns.len() - 1
            });
            bound.insert(path, (column, path.segments.get(found.consumed..).unwrap_or_default()));
        }
        if !unknown.is_empty() {
            return Err(BindError::unknown(&self.text, unknown));
        }
        let access = |path: &NamePath| {
            let (column, rest) = bound.get(path).copied().unwrap_or_default();
            rows::variable(column) + &lookups(rest)
        };
        let code = print(&self.body, &access);
        rows::check(&code).map_err(|message| BindError::problem(&self.text, message))?;
        let whole =
            |path: &NamePath| bound.get(path).filter(|(_, rest)| rest.is_empty()).map(|(column, _)| *column);
        let (plan, label) = match (&self.body, lower(&self.body, &whole)) {
            (Body::Expression(expr), Ok(_)) if matches!(expr.kind, Kind::Path(_)) => {
                (Plan::Copy, describe(expr))
            }
            (Body::Expression(expr), Ok(op)) => (Plan::Columns(op), describe(expr)),
            (Body::Template(stmts), Ok(op)) => (Plan::Columns(op), describe_template(stmts)),
            (Body::Expression(expr), Err(reason)) => (Plan::Rows(reason), describe(expr)),
            (Body::Template(_), Err(reason)) => (Plan::Rows(reason), "the template".to_owned()),
        };
        Ok(Program { columns, plan, code, label, threads: 1 })
    }

    /// The names, each with the byte where it occurs first.
    fn unique_names(&self) -> impl Iterator<Item = &(NamePath, usize)> {
        let seen_before =
            |nth: usize, path: &NamePath| self.names[..nth].iter().any(|(seen, _)| seen == path);
        self.names
            .iter()
            .enumerate()
            .filter(move |(nth, (path, _))| !seen_before(*nth, path))
            .map(|(_, name)| name)
    }
}

/// The lookups inside a value, as Jinja.
fn lookups(segments: &[Segment]) -> String {
    let mut out = String::new();
    for segment in segments {
        out.push('[');
        match segment {
            Segment::Key(key) => literal(key, &mut out),
            Segment::Index(index) => out.push_str(&index.to_string()),
        }
        out.push(']');
    }
    out
}

/// The word with hyphens around a name, if it stands in one.
fn hyphenated(text: &str, offset: usize) -> Option<String> {
    let in_word = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
    let before = text.get(..offset)?;
    let start = before.len()
        - before.chars().rev().take_while(|char| in_word(*char)).map(char::len_utf8).sum::<usize>();
    let word: &str = text[start..].split(|char| !in_word(char)).next()?.trim_matches('-');
    word.contains('-').then(|| word.to_owned())
}
