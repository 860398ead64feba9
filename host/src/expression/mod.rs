//! The expression engine: `fields`, `where` and `consent` of a manifest, over Arrow batches.
//!
//! A text is Jinja: an expression, or a template when it contains `{{` or `{%`. It becomes a
//! [`Program`] in two steps, [`Expression::parse`] and [`Expression::bind`], and runs in one of two ways:
//!
//! - **Column operations** (`lower.rs`, `evaluate.rs`): the common forms run over whole columns, one output
//!   buffer per column.
//! - **Row by row** (`print.rs`, `environment.rs`, `rows.rs`): everything else runs in minijinja with fuel.
//!   A row that fails becomes an entry in `errors`; the run goes on.
//!
//! Both give the same text and the same errors for every row; a property test holds them to it. They agree
//! because they share the functions on one cell (`cell.rs`, `compare.rs`, `text.rs`, `list.rs`), and because
//! minijinja never sees the text of the manifest. The parsed form is printed again (`print.rs`) with every
//! operator whose Jinja meaning is not ours replaced by a filter of ours:
//!
//! | in the manifest            | what minijinja runs                                   |
//! |----------------------------|-------------------------------------------------------|
//! | `a and b`, `not a`, `x if a` | operands and tests through `__condition`             |
//! | `a ~ b`                    | operands through `__text`                             |
//! | `a == b`, `<`, `in`, …     | `a \| __equal(b)`, …                                   |
//! | `user_metadata.plan`       | `__usher_0`, a name the row resolves from its columns |
//!
//! This holds for statements of templates (`if`, `for … if`) as well as for expressions.
//!
//! # Meanings that differ from Jinja
//!
//! - Null enters as undefined, and `none` is undefined too. Undefined prints as nothing; as the result of a
//!   whole expression it is a null cell. Filters on text pass it through.
//! - Conditions are booleans, never truthiness: operands of `and`, `or` and `not`, tests of `if`, and the
//!   result of `where` must be true or false, or the text true/false in any case. Missing is false;
//!   anything else is an error of that row. So `a or b` is no fallback: that is `a | default(b)`.
//! - A comparison of a number or boolean with text reads the text as one; `<` on text that is no number
//!   is an error of that row. Missing equals only missing, and is never less or greater than anything.
//! - `default(x)` also covers empty text; it never replaces `false` or `0`.
//! - Booleans print as `true` and `false`, lists and maps as compact JSON.

mod ast;
mod cell;
mod check;
mod column;
mod compare;
mod conditions;
mod describe;
mod environment;
mod error;
mod evaluate;
mod few;
mod filters;
mod json;
mod list;
mod load;
mod lower;
mod merge;
mod name;
mod nearest;
mod parse;
mod print;
mod program;
mod rows;
mod runs;
mod scope;
mod source;
mod text;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use error::{BindError, EvalError, ParseError, UnknownName};
pub use name::{NamePath, Segment};
pub use program::{Conditions, Evaluated, Program};
pub use source::{Bound, Expression};
