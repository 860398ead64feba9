//! Which expressions become column operations, and which.

use super::ast::{Argument, Body, Comparison, Const, Expr, Kind, Stmt};
use super::check::constants;
use super::describe::describe;
use super::list::{End, Split};
use super::name::NamePath;
use super::text::TextFilter;

/// One operation over whole columns.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// The nth column of the program.
    Column(usize),
    Const(Const),
    /// The parts printed one after the other; null prints nothing.
    Print(Vec<Op>),
    Filter(TextFilter, Box<Op>),
    Split(Split, Box<Op>),
    End(End, Box<Op>),
    Length(Box<Op>),
    /// The second where the first is null or empty text.
    Default(Box<Op>, Box<Op>),
    Compare(Comparison, Box<Op>, Box<Op>),
    In(Box<Op>, Vec<Const>),
    Defined(Box<Op>),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
    If(Box<Condition>, Box<Op>, Box<Op>),
}

/// An operation whose values must be conditions, and how messages name it.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) op: Op,
    pub(super) label: String,
}

/// Where a path is read: the nth column of the program, if the column stands for the whole path.
pub(super) type Whole<'a> = dyn Fn(&NamePath) -> Option<usize> + 'a;

/// The column operation of a whole text. The error says what only minijinja can do.
pub(super) fn lower(body: &Body, whole: &Whole<'_>) -> Result<Op, String> {
    match body {
        Body::Expression(expr) => lower_expr(expr, whole),
        Body::Template(stmts) => {
            let part = |stmt: &Stmt| match stmt {
                Stmt::Text(text) => Ok(Op::Const(Const::Text(text.clone()))),
                Stmt::Emit(expr) => lower_expr(expr, whole),
                other => Err(format!("uses `{}`", other.keyword())),
            };
            stmts.iter().map(part).collect::<Result<_, _>>().map(Op::Print)
        }
    }
}

fn lower_expr(expr: &Expr, whole: &Whole<'_>) -> Result<Op, String> {
    let boxed = |expr: &Expr| lower_expr(expr, whole).map(Box::new);
    let condition = |expr: &Expr| Ok(Condition { op: lower_expr(expr, whole)?, label: describe(expr) });
    Ok(match &expr.kind {
        Kind::Const(value) => Op::Const(value.clone()),
        Kind::Path(path) => {
            Op::Column(whole(path).ok_or_else(|| format!("looks inside a value for `{path}`"))?)
        }
        Kind::Concat(operands) => {
            Op::Print(operands.iter().map(|operand| lower_expr(operand, whole)).collect::<Result<_, _>>()?)
        }
        Kind::Not(inner) => Op::Not(Box::new(condition(inner)?)),
        Kind::And(operands) => Op::And(operands.iter().map(condition).collect::<Result<_, String>>()?),
        Kind::Or(operands) => Op::Or(operands.iter().map(condition).collect::<Result<_, String>>()?),
        Kind::Compare(Comparison::In, item, list) => match &list.kind {
            Kind::List(items) | Kind::Tuple(items) => {
                let constant = |item: &Expr| match &item.kind {
                    Kind::Const(value) => Ok(value.clone()),
                    _ => Err("uses `in` with values that are not constant".to_owned()),
                };
                Op::In(boxed(item)?, items.iter().map(constant).collect::<Result<_, _>>()?)
            }
            _ => return Err("uses `in` with a value of the row".to_owned()),
        },
        Kind::Compare(comparison, left, right) => Op::Compare(*comparison, boxed(left)?, boxed(right)?),
        Kind::If(test, then, otherwise) => {
            let otherwise = match otherwise {
                Some(otherwise) => boxed(otherwise)?,
                None => Box::new(Op::Const(Const::Null)),
            };
            Op::If(Box::new(condition(test)?), boxed(then)?, otherwise)
        }
        Kind::Test(name, input, arguments) if arguments.is_empty() => match name.as_str() {
            "defined" => Op::Defined(boxed(input)?),
            "undefined" | "none" => {
                let op = Op::Defined(boxed(input)?);
                Op::Not(Box::new(Condition { op, label: describe(input) }))
            }
            other => return Err(format!("uses the test `{other}`")),
        },
        Kind::Filter(name, Some(input), arguments) => filter(name, boxed(input)?, arguments, whole)?,
        Kind::Test(name, ..) => return Err(format!("uses the test `{name}`")),
        Kind::Filter(name, ..) => return Err(format!("uses the filter `{name}`")),
        Kind::Arithmetic(symbol, ..) => return Err(format!("calculates with `{symbol}`")),
        Kind::Negate(_) => return Err("calculates with `-`".to_owned()),
        Kind::Call(function, _) => return Err(format!("calls `{}`", describe(function))),
        Kind::Local(name) => return Err(format!("uses `{name}`")),
        Kind::Attribute(..) | Kind::Item(..) => return Err("looks inside a value".to_owned()),
        Kind::Slice(..) => return Err("takes a slice".to_owned()),
        Kind::List(_) | Kind::Tuple(_) => return Err("builds a list".to_owned()),
        Kind::Map(_) => return Err("builds a map".to_owned()),
    })
}

fn filter(name: &str, input: Box<Op>, arguments: &[Argument], whole: &Whole<'_>) -> Result<Op, String> {
    if matches!(name, "default" | "d") {
        // The second argument, `boolean`, is a constant that changes nothing.
        let other = match arguments.first() {
            Some(Argument::Positional(other)) => lower_expr(other, whole)?,
            _ => Op::Const(Const::Text(String::new())),
        };
        return Ok(Op::Default(input, Box::new(other)));
    }
    let Some(constants) = constants(arguments) else {
        return Err(format!("uses `{name}` with arguments that are not constant"));
    };
    match (name, constants.as_slice()) {
        ("split", constants) => return Ok(Op::Split(Split::new(constants)?, input)),
        ("first", []) => return Ok(Op::End(End::First, input)),
        ("last", []) => return Ok(Op::End(End::Last, input)),
        ("length" | "count", []) => return Ok(Op::Length(input)),
        _ => {}
    }
    match TextFilter::new(name, &constants)? {
        Some(filter) => Ok(Op::Filter(filter, input)),
        None => Err(format!("uses the filter `{name}`")),
    }
}
