//! What is wrong with a parsed piece although it is good Jinja: unknown filters, bad constant arguments,
//! `or` used as a fallback. Each check returns the message.

use super::ast::{Argument, Const, Expr, Kind};
use super::nearest::nearest;
use super::text::TextFilter;

/// Filters that expressions may use: ours and the builtin ones of minijinja.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "date",
    "default",
    "dictsort",
    "e",
    "e164",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sha256",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Tests that expressions may use.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "greaterthan",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// Functions that expressions may call.
pub(super) const FUNCTIONS: &[&str] = &["dict", "namespace", "range"];

/// A filter must be known; constant arguments of ours must be right.
pub(super) fn filter(name: &str, arguments: &[Argument]) -> Result<(), String> {
    if !FILTERS.contains(&name) {
        return Err(unknown("filter", name, FILTERS));
    }
    if matches!(name, "default" | "d") {
        return default(arguments);
    }
    match constants(arguments) {
        Some(constants) => TextFilter::new(name, &constants).map(drop),
        None => Ok(()),
    }
}

/// `default(x)`; `true` or `boolean=true` after it is what ours always does.
fn default(arguments: &[Argument]) -> Result<(), String> {
    let is_true = |expr: &Expr| matches!(expr.kind, Kind::Const(Const::Bool(true)));
    match arguments {
        [] | [Argument::Positional(_)] => Ok(()),
        [Argument::Positional(_), Argument::Positional(flag)] if is_true(flag) => Ok(()),
        [Argument::Positional(_), Argument::Named(name, flag)] if name == "boolean" && is_true(flag) => {
            Ok(())
        }
        _ => Err("`default` takes one value, as in default('x')".to_owned()),
    }
}

pub(super) fn test(name: &str) -> Result<(), String> {
    if TESTS.contains(&name) { Ok(()) } else { Err(unknown("test", name, TESTS)) }
}

pub(super) fn function(name: &str) -> Result<(), String> {
    if FUNCTIONS.contains(&name) {
        Ok(())
    } else if FILTERS.contains(&name) {
        Err(format!("`{name}` is a filter, not a function; write `x | {name}`"))
    } else {
        Err(unknown("function", name, FUNCTIONS))
    }
}

/// The operand of `and`, `or` or `not` must not be a constant that is neither true nor false.
pub(super) fn operand(operator: &str, operand: &Expr) -> Result<(), String> {
    let Kind::Const(value) = &operand.kind else { return Ok(()) };
    let cell = value.cell();
    if cell.condition().is_ok() {
        return Ok(());
    }
    let text = cell.to_text();
    Err(match operator {
        "or" => format!("`or` needs conditions, not `{text}`; for a fallback write `… | default('{text}')`"),
        _ => format!("`{operator}` needs conditions, not `{text}`; compare with it, as in `… == '{text}'`"),
    })
}

/// The arguments, if all are constants given by position.
pub(super) fn constants(arguments: &[Argument]) -> Option<Vec<Const>> {
    let constant = |argument: &Argument| match argument {
        Argument::Positional(Expr { kind: Kind::Const(value), .. }) => Some(value.clone()),
        _ => None,
    };
    arguments.iter().map(constant).collect()
}

fn unknown(what: &str, name: &str, known: &[&'static str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("unknown {what} `{name}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`; known are {}", known.join(", ")),
    }
}
