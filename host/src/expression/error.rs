//! What can go wrong before a row is read, and with a whole batch.

use std::error::Error;
use std::fmt;

use super::name::NamePath;

/// A text that is no expression or template of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    message: String,
    text: String,
    offset: usize,
}

impl ParseError {
    pub(super) fn new(text: &str, offset: usize, message: impl Into<String>) -> ParseError {
        ParseError { message: message.into(), text: text.to_owned(), offset: floor(text, offset) }
    }

    /// What is wrong and what to do, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The byte of the text where the problem starts; at most the length of the text.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Place(&self.text, self.offset), self.message)
    }
}

impl Error for ParseError {}

/// A name of an expression that nothing answers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// The path as written.
    pub path: NamePath,
    /// The byte of the text where it first occurs.
    pub offset: usize,
    /// The word with hyphens that it is part of: `end-user` was read as a subtraction, where the text
    /// `'end-user'` may have been meant.
    pub hyphenated: Option<String>,
}

/// An expression whose names cannot all be resolved, or that is too deeply nested to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindError {
    /// Every name that is unknown, each once, in the order of the text.
    pub unknown: Vec<UnknownName>,
    text: String,
    problem: Option<String>,
}

impl BindError {
    pub(super) fn unknown(text: &str, unknown: Vec<UnknownName>) -> BindError {
        BindError { unknown, text: text.to_owned(), problem: None }
    }

    pub(super) fn problem(text: &str, problem: impl Into<String>) -> BindError {
        BindError { unknown: Vec::new(), text: text.to_owned(), problem: Some(problem.into()) }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(problem) = &self.problem {
            return f.write_str(problem);
        }
        let mut last_word = None;
        for (position, name) in self.unknown.iter().enumerate() {
            // `end` and `user` of `end-user` are one mistake.
            if name.hyphenated.is_some() && name.hyphenated == last_word {
                continue;
            }
            last_word.clone_from(&name.hyphenated);
            if position > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{}: unknown name `{}`", Place(&self.text, name.offset), name.path)?;
            if let Some(word) = &name.hyphenated {
                write!(f, " in the subtraction `{word}`; for the text write '{word}'")?;
            } else if name.path.to_string() == self.text.trim() && !name.path.quoted {
                write!(f, "; for the text write '{}'", name.path)?;
            }
        }
        Ok(())
    }
}

impl Error for BindError {}

/// A batch that does not fit the program: a column is missing, has a type that expressions cannot read,
/// or the result is too large. Errors of single rows are no `EvalError`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    message: String,
}

impl EvalError {
    pub(super) fn new(message: impl Into<String>) -> EvalError {
        EvalError { message: message.into() }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for EvalError {}

/// A place in a text for a reader: columns count characters from 1, the line only where there are several.
struct Place<'a>(&'a str, usize);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = &self.0[..floor(self.0, self.1)];
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        if self.0.contains('\n') {
            write!(f, "line {}, ", before.matches('\n').count() + 1)?;
        }
        write!(f, "column {column}")
    }
}

fn floor(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or(0)
}
