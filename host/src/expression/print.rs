//! Prints our parsed form as the Jinja that minijinja runs, with our meanings written out (see the module).
//!
//! Every expression is printed so that any postfix (`.name`, `[…]`, `|filter`) may follow it.

use std::fmt::Write;

use super::ast::{Argument, Body, Const, Expr, Kind, Stmt};
use super::describe::describe;
use super::name::NamePath;

/// What minijinja runs.
#[derive(Debug, Clone)]
pub(super) enum Code {
    Expression(String),
    Template(String),
}

/// Prints the body; `access` says how a path of the row is read.
pub(super) fn print(body: &Body, access: &dyn Fn(&NamePath) -> String) -> Code {
    let mut print = Print { access, out: String::new() };
    match body {
        Body::Expression(expr) => {
            print.expr(expr);
            Code::Expression(print.out)
        }
        Body::Template(stmts) => {
            print.stmts(stmts);
            Code::Template(print.out)
        }
    }
}

/// Appends a string literal.
pub(super) fn literal(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            char => out.push(char),
        }
    }
    out.push('"');
}

struct Print<'a> {
    access: &'a dyn Fn(&NamePath) -> String,
    out: String,
}

impl Print<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Const(value) => self.constant(value),
            Kind::Path(path) => {
                let path = (self.access)(path);
                self.push(&path);
            }
            Kind::Local(name) => self.push(name),
            Kind::Attribute(base, name) => {
                self.expr(base);
                self.push(".");
                self.push(name);
            }
            Kind::Item(base, key) => {
                self.expr(base);
                self.push("[");
                self.expr(key);
                self.push("]");
            }
            Kind::Slice(base, bounds) => {
                self.expr(base);
                for (bound, before) in bounds.iter().zip(["[", ":", ":"]) {
                    self.push(before);
                    if let Some(bound) = bound {
                        self.expr(bound);
                    }
                }
                self.push("]");
            }
            Kind::List(items) => {
                self.push("[");
                self.items(items);
                self.push("]");
            }
            Kind::Tuple(items) => {
                self.push("(");
                self.items(items);
                self.push(")");
            }
            Kind::Map(entries) => {
                self.push("{");
                for (key, value) in entries {
                    self.expr(key);
                    self.push(": ");
                    self.expr(value);
                    self.push(", ");
                }
                self.push(" }");
            }
            Kind::Call(function, arguments) => {
                self.expr(function);
                self.arguments(arguments);
            }
            _ => {
                self.push("(");
                self.operation(expr);
                self.push(")");
            }
        }
    }

    /// What needs parentheses around it.
    fn operation(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Not(inner) => {
                self.push("not ");
                self.condition(inner);
            }
            Kind::Negate(inner) => {
                self.push("-");
                self.expr(inner);
            }
            Kind::And(operands) => self.chain(operands, " and ", Print::condition),
            Kind::Or(operands) => self.chain(operands, " or ", Print::condition),
            Kind::Concat(operands) => self.chain(operands, " ~ ", Print::text),
            Kind::Arithmetic(symbol, left, right) => {
                self.expr(left);
                self.push(" ");
                self.push(symbol);
                self.push(" ");
                self.expr(right);
            }
            Kind::Compare(comparison, left, right) => {
                self.expr(left);
                self.push("|");
                self.push(comparison.filter());
                self.push("(");
                self.expr(right);
                self.push(")");
            }
            Kind::If(test, then, otherwise) => {
                self.expr(then);
                self.push(" if ");
                self.condition(test);
                if let Some(otherwise) = otherwise {
                    self.push(" else ");
                    self.expr(otherwise);
                }
            }
            Kind::Test(name, input, arguments) => {
                self.expr(input);
                self.push(" is ");
                self.push(name);
                self.arguments(arguments);
            }
            _ => self.filters(expr),
        }
    }

    /// A chain of filters; in `filter` blocks it has no first input.
    fn filters(&mut self, expr: &Expr) {
        let Kind::Filter(name, input, arguments) = &expr.kind else { return self.expr(expr) };
        if let Some(input) = input {
            self.filters(input);
            self.push("|");
        }
        self.push(name);
        self.arguments(arguments);
    }

    fn chain(&mut self, operands: &[Expr], operator: &str, print: fn(&mut Self, &Expr)) {
        for (position, operand) in operands.iter().enumerate() {
            if position > 0 {
                self.push(operator);
            }
            print(self, operand);
        }
    }

    /// An expression whose value must be a condition.
    fn condition(&mut self, expr: &Expr) {
        self.expr(expr);
        let boolean = matches!(
            expr.kind,
            Kind::Not(_) | Kind::And(_) | Kind::Or(_) | Kind::Compare(..) | Kind::Test(..)
        );
        if !boolean {
            self.push("|__condition(");
            literal(&describe(expr), &mut self.out);
            self.push(")");
        }
    }

    /// An expression whose value is printed.
    fn text(&mut self, expr: &Expr) {
        self.expr(expr);
        if !matches!(expr.kind, Kind::Const(Const::Text(_)) | Kind::Concat(_)) {
            self.push("|__text");
        }
    }

    fn constant(&mut self, value: &Const) {
        // Writing to a string cannot fail.
        let _ = match value {
            // A name nobody has: undefined.
            Const::Null => write!(self.out, "__none"),
            Const::Text(text) => {
                literal(text, &mut self.out);
                Ok(())
            }
            Const::Bool(value) => write!(self.out, "{value}"),
            Const::Integer(value) => write!(self.out, "({value})"),
            Const::Float(value) => write!(self.out, "({value:?})"),
        };
    }

    fn items(&mut self, items: &[Expr]) {
        for item in items {
            self.expr(item);
            self.push(", ");
        }
    }

    fn arguments(&mut self, arguments: &[Argument]) {
        self.push("(");
        for argument in arguments {
            match argument {
                Argument::Positional(expr) => self.expr(expr),
                Argument::Named(name, expr) => {
                    self.push(name);
                    self.push("=");
                    self.expr(expr);
                }
                Argument::Splat(expr) => {
                    self.push("*");
                    self.expr(expr);
                }
                Argument::NamedSplat(expr) => {
                    self.push("**");
                    self.expr(expr);
                }
            }
            self.push(", ");
        }
        self.push(")");
    }

    fn block(&mut self, body: &[Stmt], end: &str) {
        self.push(" %}");
        self.stmts(body);
        self.push("{% ");
        self.push(end);
        self.push(" %}");
    }

    fn stmts(&mut self, stmts: &[Stmt]) {
        stmts.iter().for_each(|stmt| self.stmt(stmt));
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Text(text) => {
                self.push("{{ ");
                literal(text, &mut self.out);
                self.push(" }}");
            }
            Stmt::Emit(expr) => {
                self.push("{{ ");
                self.expr(expr);
                self.push(" }}");
            }
            Stmt::For { target, iter, test, recursive, body, otherwise } => {
                self.push("{% for ");
                self.push(target);
                self.push(" in ");
                self.expr(iter);
                if let Some(test) = test {
                    self.push(" if ");
                    self.condition(test);
                }
                if *recursive {
                    self.push(" recursive");
                }
                self.branches(body, otherwise, "endfor");
            }
            Stmt::If { test, then, otherwise } => {
                self.push("{% if ");
                self.condition(test);
                self.branches(then, otherwise, "endif");
            }
            Stmt::With { assignments, body } => {
                self.push("{% with ");
                for (position, (target, value)) in assignments.iter().enumerate() {
                    if position > 0 {
                        self.push(", ");
                    }
                    self.push(target);
                    self.push(" = ");
                    self.expr(value);
                }
                self.block(body, "endwith");
            }
            Stmt::Set { target, value } => {
                self.push("{% set ");
                self.push(target);
                self.push(" = ");
                self.expr(value);
                self.push(" %}");
            }
            Stmt::SetBlock { target, filter, body } => {
                self.push("{% set ");
                self.push(target);
                if let Some(filter) = filter {
                    self.push(" | ");
                    self.filters(filter);
                }
                self.block(body, "endset");
            }
            Stmt::FilterBlock { filter, body } => {
                self.push("{% filter ");
                self.filters(filter);
                self.block(body, "endfilter");
            }
            Stmt::Do(call) => {
                self.push("{% do ");
                self.expr(call);
                self.push(" %}");
            }
        }
    }

    fn branches(&mut self, body: &[Stmt], otherwise: &[Stmt], end: &str) {
        if otherwise.is_empty() {
            return self.block(body, end);
        }
        self.push(" %}");
        self.stmts(body);
        self.push("{% else");
        self.block(otherwise, end);
    }
}
