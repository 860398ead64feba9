//! Which values of a row an expression asks whether they are true.

use super::{
    ast::{Argument, Body, Expr, Kind, Stmt},
    name::NamePath,
};

/// The paths whose very value is asked: operands of `and`, `or` and `not`, tests of `if`, and, `as_condition`, what the whole
/// expression comes to.
pub(super) fn conditions(body: &Body, as_condition: bool) -> Vec<&NamePath> {
    let mut search = Search::default();
    match body {
        Body::Expression(expr) => search.expr(expr, as_condition),
        Body::Template(stmts) => search.stmts(stmts),
    }
    search.found
}

#[derive(Default)]
struct Search<'a> {
    found: Vec<&'a NamePath>,
}

impl<'a> Search<'a> {
    /// `asked`: whether it is asked whether the expression's value is true.
    fn expr(&mut self, expr: &'a Expr, asked: bool) {
        match &expr.kind {
            Kind::Path(path) if asked => self.found.push(path),
            Kind::Path(_) | Kind::Const(_) | Kind::Local(_) => {}
            Kind::Not(operand) => self.expr(operand, true),
            Kind::And(operands) | Kind::Or(operands) => {
                operands.iter().for_each(|operand| self.expr(operand, true))
            }
            Kind::If(test, then, otherwise) => {
                self.expr(test, true);
                self.expr(then, asked);
                otherwise.iter().for_each(|otherwise| self.expr(otherwise, asked));
            }
            Kind::Attribute(of, _) | Kind::Negate(of) => self.expr(of, false),
            Kind::Item(left, right) | Kind::Arithmetic(_, left, right) | Kind::Compare(_, left, right) => {
                self.values([&**left, right]);
            }
            Kind::Slice(of, bounds) => {
                self.values([&**of].into_iter().chain(bounds.iter().flatten().map(|bound| &**bound)))
            }
            Kind::Concat(parts) | Kind::List(parts) | Kind::Tuple(parts) => self.values(parts),
            Kind::Filter(_, input, arguments) => {
                self.values(input.as_deref());
                self.arguments(arguments);
            }
            Kind::Test(_, of, arguments) | Kind::Call(of, arguments) => {
                self.expr(of, false);
                self.arguments(arguments);
            }
            Kind::Map(entries) => self.values(entries.iter().flat_map(|(key, value)| [key, value])),
        }
    }

    fn values(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) {
        exprs.into_iter().for_each(|expr| self.expr(expr, false));
    }

    fn arguments(&mut self, arguments: &'a [Argument]) {
        self.values(arguments.iter().map(|argument| match argument {
            Argument::Positional(expr)
            | Argument::Named(_, expr)
            | Argument::Splat(expr)
            | Argument::NamedSplat(expr) => expr,
        }));
    }

    fn stmts(&mut self, stmts: &'a [Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Text(_) => {}
                Stmt::Emit(expr) | Stmt::Do(expr) | Stmt::Set { value: expr, .. } => self.expr(expr, false),
                Stmt::For { iter, test, body, otherwise, .. } => {
                    self.expr(iter, false);
                    test.iter().for_each(|test| self.expr(test, true));
                    self.stmts(body);
                    self.stmts(otherwise);
                }
                Stmt::If { test, then, otherwise } => {
                    self.expr(test, true);
                    self.stmts(then);
                    self.stmts(otherwise);
                }
                Stmt::With { assignments, body } => {
                    self.values(assignments.iter().map(|(_, value)| value));
                    self.stmts(body);
                }
                Stmt::SetBlock { filter, body, .. } => {
                    self.values(filter);
                    self.stmts(body);
                }
                Stmt::FilterBlock { filter, body } => {
                    self.expr(filter, false);
                    self.stmts(body);
                }
            }
        }
    }
}
