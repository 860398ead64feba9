//! Expressions as a reader of `usher plan` and of messages sees them: filters as calls, no byte of source.

use super::ast::{Argument, Const, Expr, Kind, Stmt};

/// One line that says what the expression does.
pub(super) fn describe(expr: &Expr) -> String {
    match &expr.kind {
        Kind::Const(value) => constant(value),
        Kind::Path(path) => path.to_string(),
        Kind::Local(name) => name.clone(),
        Kind::Attribute(base, name) => format!("{}.{name}", operand(base)),
        Kind::Item(base, key) => format!("{}[{}]", operand(base), describe(key)),
        Kind::Slice(base, [start, stop, step]) => {
            let bound = |bound: &Option<Box<Expr>>| bound.as_deref().map(describe).unwrap_or_default();
            let step = step.as_deref().map(|step| format!(":{}", describe(step))).unwrap_or_default();
            format!("{}[{}:{}{step}]", operand(base), bound(start), bound(stop))
        }
        Kind::Not(inner) => format!("not {}", operand(inner)),
        Kind::Negate(inner) => format!("-{}", operand(inner)),
        Kind::And(operands) => chain(operands, " and "),
        Kind::Or(operands) => chain(operands, " or "),
        Kind::Concat(operands) => chain(operands, " ~ "),
        Kind::Arithmetic(symbol, left, right) => format!("{} {symbol} {}", operand(left), operand(right)),
        Kind::Compare(comparison, left, right) => {
            format!("{} {} {}", operand(left), comparison.symbol(), operand(right))
        }
        Kind::If(test, then, otherwise) => {
            let otherwise = otherwise.as_deref().map(|expr| format!(" else {}", operand(expr)));
            format!("{} if {}{}", operand(then), operand(test), otherwise.unwrap_or_default())
        }
        Kind::Filter(name, input, given) => {
            let parts = input.as_deref().map(describe).into_iter().chain(given.iter().map(argument));
            format!("{name}({})", parts.collect::<Vec<_>>().join(", "))
        }
        Kind::Test(name, input, given) if given.is_empty() => format!("{} is {name}", operand(input)),
        Kind::Test(name, input, given) => format!("{} is {name}({})", operand(input), arguments(given)),
        Kind::Call(function, given) => format!("{}({})", operand(function), arguments(given)),
        Kind::List(items) => format!("[{}]", list(items)),
        Kind::Tuple(items) => format!("({})", list(items)),
        Kind::Map(entries) => {
            let entry = |(key, value): &(Expr, Expr)| format!("{}: {}", describe(key), describe(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

/// One line that says what a template prints; it must consist of text and expressions only.
pub(super) fn describe_template(stmts: &[Stmt]) -> String {
    let part = |stmt: &Stmt| match stmt {
        Stmt::Text(text) => constant(&Const::Text(text.clone())),
        Stmt::Emit(expr) => operand(expr),
        other => other.keyword().to_owned(),
    };
    if stmts.is_empty() { "''".to_owned() } else { stmts.iter().map(part).collect::<Vec<_>>().join(" ~ ") }
}

fn constant(value: &Const) -> String {
    match value {
        Const::Null => "none".to_owned(),
        Const::Text(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
            format!("'{}'", escaped.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t"))
        }
        other => other.cell().to_text().into_owned(),
    }
}

/// In parentheses where it is more than one thing.
fn operand(expr: &Expr) -> String {
    let text = describe(expr);
    match expr.kind {
        Kind::Not(_)
        | Kind::Negate(_)
        | Kind::And(_)
        | Kind::Or(_)
        | Kind::Concat(_)
        | Kind::Arithmetic(..)
        | Kind::Compare(..)
        | Kind::If(..)
        | Kind::Test(..) => format!("({text})"),
        _ => text,
    }
}

fn chain(operands: &[Expr], separator: &str) -> String {
    operands.iter().map(operand).collect::<Vec<_>>().join(separator)
}

fn list(items: &[Expr]) -> String {
    items.iter().map(describe).collect::<Vec<_>>().join(", ")
}

fn arguments(arguments: &[Argument]) -> String {
    arguments.iter().map(argument).collect::<Vec<_>>().join(", ")
}

fn argument(argument: &Argument) -> String {
    match argument {
        Argument::Positional(expr) => describe(expr),
        Argument::Named(name, expr) => format!("{name}={}", describe(expr)),
        Argument::Splat(expr) => format!("*{}", operand(expr)),
        Argument::NamedSplat(expr) => format!("**{}", operand(expr)),
    }
}
