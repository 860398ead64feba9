//! The one file that touches minijinja's parsed form, an unstable interface (its version is pinned): it
//! turns the form into our own (`ast.rs`) and decides on the way which names belong to the row.

use minijinja::Value;
use minijinja::machinery::ast;
use minijinja::machinery::{parse as parse_template, parse_expr, tokenize};
use minijinja::value::ValueKind;

use super::ast::{Argument, Body, Comparison, Const, Expr, Kind, Stmt};
use super::check;
use super::error::ParseError;
use super::name::{NamePath, Segment};
use super::scope::{Owner, Scope};

/// Names that start like this are ours; expressions must not use them.
pub(super) const RESERVED: &str = "__";

/// A parsed text and the paths it reads, in its order, each with the byte where it starts.
pub(super) fn parse(text: &str) -> Result<(Body, Vec<(NamePath, usize)>)> {
    let template = text.contains("{{") || text.contains("{%");
    let mut convert = Convert { text, scope: Scope::default(), names: Vec::new() };
    let body = if template {
        match parse_template(text, "", Default::default()) {
            Ok(ast::Stmt::Template(template)) => Body::Template(convert.stmts(&template.children)?),
            Ok(_) => return Err(ParseError::new(text, 0, "not a template")),
            Err(error) => return Err(syntax_error(text, template, &error)),
        }
    } else {
        match parse_expr(text) {
            Ok(expr) => Body::Expression(convert.expr(&expr)?),
            Err(error) => return Err(syntax_error(text, template, &error)),
        }
    };
    Ok((body, convert.names))
}

/// minijinja keeps the place of a syntax error to itself. But the parser stops at the first token it cannot
/// use: the shortest run of tokens that fails with the same message ends with that token.
fn syntax_error(text: &str, template: bool, error: &minijinja::Error) -> ParseError {
    let parse_error = |text: &str| match template {
        true => parse_template(text, "", Default::default()).err(),
        false => parse_expr(text).err(),
    };
    let message = error.detail().unwrap_or("the syntax is wrong");
    let at = |offset: usize| match meant(text, offset) {
        Some(meant) => ParseError::new(text, offset, format!("{message}; {meant}")),
        None => ParseError::new(text, offset, message),
    };
    let mut end = 0;
    for token in tokenize(text, !template, Default::default()) {
        let Ok((_, span)) = token else {
            let rest = &text[end..];
            return at(end + rest.len() - rest.trim_start().len());
        };
        end = span.end_offset as usize;
        let same =
            text.get(..end).and_then(parse_error).is_some_and(|found| found.detail() == error.detail());
        if same && !message.contains("end of input") {
            return at(span.start_offset as usize);
        }
    }
    let message =
        if text.trim().is_empty() { "the expression is empty; for empty text write ''" } else { message };
    ParseError::new(text, text.len(), message)
}

/// What was meant by what other languages write, at the place where the parser stopped.
fn meant(text: &str, offset: usize) -> Option<String> {
    let (before, rest) = (text.get(..offset)?, text.get(offset..)?);
    let twice = rest.get(1..2) == rest.get(..1);
    let (symbol, word) = match rest.as_bytes().first()? {
        b'&' if twice => ("&&", "and"),
        b'|' if twice || before.ends_with('|') => ("||", "or"),
        b'=' if !twice => ("=", "=="),
        b'!' => ("!", "not"),
        _ => return None,
    };
    Some(format!("`{symbol}` is written `{word}`"))
}

struct Convert<'a> {
    text: &'a str,
    scope: Scope,
    names: Vec<(NamePath, usize)>,
}

type Result<T> = std::result::Result<T, ParseError>;

impl Convert<'_> {
    fn error<T>(&self, offset: usize, message: impl Into<String>) -> Result<T> {
        Err(ParseError::new(self.text, offset, message))
    }

    fn checked(&self, offset: usize, check: std::result::Result<(), String>) -> Result<()> {
        check.map_err(|message| ParseError::new(self.text, offset, message))
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Result<Expr> {
        let offset = expr.span().start_offset as usize;
        let kind = match expr {
            ast::Expr::Var(var) => self.name(var.id, offset)?,
            ast::Expr::Const(value) => Kind::Const(self.constant(&value.value, offset)?),
            ast::Expr::Slice(slice) => {
                let input = self.boxed(&slice.expr)?;
                let bounds =
                    [self.optional(&slice.start)?, self.optional(&slice.stop)?, self.optional(&slice.step)?];
                Kind::Slice(input, bounds)
            }
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => Kind::Not(Box::new(self.operand("not", &unary.expr)?)),
                ast::UnaryOpKind::Neg => match self.expr(&unary.expr)?.kind {
                    Kind::Const(Const::Integer(value)) => Kind::Const(Const::Integer(-value)),
                    Kind::Const(Const::Float(value)) => Kind::Const(Const::Float(-value)),
                    kind => Kind::Negate(Box::new(Expr { offset, kind })),
                },
            },
            ast::Expr::BinOp(binary) => self.binary(binary)?,
            ast::Expr::Compare(chain) => self.chain(chain)?,
            ast::Expr::IfExpr(conditional) => {
                let test = Box::new(self.operand("if", &conditional.test_expr)?);
                Kind::If(test, self.boxed(&conditional.true_expr)?, self.optional(&conditional.false_expr)?)
            }
            ast::Expr::Filter(filter) => {
                let input = self.optional(&filter.expr)?;
                let arguments = self.arguments(&filter.args)?;
                self.checked(offset, check::filter(filter.name, &arguments))?;
                Kind::Filter(filter.name.to_owned(), input, arguments)
            }
            ast::Expr::Test(test) => {
                self.checked(offset, check::test(test.name))?;
                Kind::Test(test.name.to_owned(), self.boxed(&test.expr)?, self.arguments(&test.args)?)
            }
            ast::Expr::GetAttr(attribute) => {
                let base = self.expr(&attribute.expr)?;
                self.step(base, Segment::Key(attribute.name.to_owned()), None)
            }
            ast::Expr::GetItem(item) => {
                let base = self.expr(&item.expr)?;
                let key = self.expr(&item.subscript_expr)?;
                match &key.kind {
                    Kind::Const(Const::Text(text)) => self.step(base, Segment::Key(text.clone()), Some(key)),
                    Kind::Const(Const::Integer(index)) => match usize::try_from(*index) {
                        Ok(index) => self.step(base, Segment::Index(index), Some(key)),
                        Err(_) => Kind::Item(Box::new(base), Box::new(key)),
                    },
                    _ => Kind::Item(Box::new(base), Box::new(key)),
                }
            }
            ast::Expr::Call(call) => self.call(call)?,
            ast::Expr::List(list) => Kind::List(self.exprs(&list.items)?),
            ast::Expr::Tuple(tuple) => Kind::Tuple(self.exprs(&tuple.items)?),
            ast::Expr::Map(map) => {
                let (keys, values) = (self.exprs(&map.keys)?, self.exprs(&map.values)?);
                Kind::Map(keys.into_iter().zip(values).collect())
            }
        };
        Ok(Expr { offset, kind })
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Result<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn optional(&mut self, expr: &Option<ast::Expr<'_>>) -> Result<Option<Box<Expr>>> {
        expr.as_ref().map(|expr| self.boxed(expr)).transpose()
    }

    fn exprs(&mut self, exprs: &[ast::Expr<'_>]) -> Result<Vec<Expr>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn operand(&mut self, operator: &str, expr: &ast::Expr<'_>) -> Result<Expr> {
        let expr = self.expr(expr)?;
        self.checked(expr.offset, check::operand(operator, &expr))?;
        Ok(expr)
    }

    fn name(&mut self, name: &str, offset: usize) -> Result<Kind> {
        if name.starts_with(RESERVED) {
            return self
                .error(offset, format!("names that start with `{RESERVED}` are reserved; rename `{name}`"));
        }
        match self.scope.owner(name) {
            Owner::Template => Ok(Kind::Local(name.to_owned())),
            Owner::Unsure => {
                self.error(offset, format!("`{name}` is set in only one branch of an `if`; set it in both"))
            }
            Owner::Row => {
                let path = NamePath { segments: vec![Segment::Key(name.to_owned())], quoted: false };
                self.names.push((path.clone(), offset));
                Ok(Kind::Path(path))
            }
        }
    }

    /// One step further into `base`: a longer path, or a lookup where the base is no path. The key is given
    /// where it was written in brackets; its constant left no trace in `names`, so the last name is the base.
    fn step(&mut self, base: Expr, segment: Segment, key: Option<Expr>) -> Kind {
        let Kind::Path(mut path) = base.kind else {
            return match (segment, key) {
                (Segment::Key(name), None) => Kind::Attribute(Box::new(base), name),
                (Segment::Key(name), Some(key)) => {
                    let kind = Kind::Const(Const::Text(name));
                    Kind::Item(Box::new(base), Box::new(Expr { kind, ..key }))
                }
                (Segment::Index(index), _) => {
                    let kind = Kind::Const(Const::Integer(index as i64));
                    Kind::Item(Box::new(base), Box::new(Expr { offset: 0, kind }))
                }
            };
        };
        let is_row = !path.quoted && path.segments == [Segment::Key("row".to_owned())];
        if is_row && key.is_some() && matches!(segment, Segment::Key(_)) {
            path = NamePath { segments: vec![segment], quoted: true };
        } else {
            path.segments.push(segment);
        }
        if let Some((last, _)) = self.names.last_mut() {
            last.clone_from(&path);
        }
        Kind::Path(path)
    }

    fn constant(&self, value: &Value, offset: usize) -> Result<Const> {
        Ok(match value.kind() {
            ValueKind::None | ValueKind::Undefined => Const::Null,
            ValueKind::Bool => Const::Bool(value.is_true()),
            ValueKind::Number if value.is_integer() => match i64::try_from(value.clone()) {
                Ok(integer) => Const::Integer(integer),
                Err(_) => {
                    return self.error(offset, format!("the number {value} is too large; write it as text"));
                }
            },
            ValueKind::Number => match f64::try_from(value.clone()) {
                Ok(float) if float.is_finite() => Const::Float(float),
                _ => return self.error(offset, "the number is too large; write it as text"),
            },
            _ => Const::Text(value.as_str().unwrap_or_default().to_owned()),
        })
    }

    fn binary(&mut self, binary: &ast::BinOp<'_>) -> Result<Kind> {
        use ast::BinOpKind as Op;
        let arithmetic = |symbol| (symbol, None);
        let (symbol, comparison) = match binary.op {
            Op::ScAnd => return Ok(Kind::And(self.operands("and", binary)?)),
            Op::ScOr => return Ok(Kind::Or(self.operands("or", binary)?)),
            Op::Concat => return Ok(Kind::Concat(self.operands("~", binary)?)),
            Op::Eq => ("", Some(Comparison::Equal)),
            Op::Ne => ("", Some(Comparison::Unequal)),
            Op::Lt => ("", Some(Comparison::Less)),
            Op::Lte => ("", Some(Comparison::LessEqual)),
            Op::Gt => ("", Some(Comparison::Greater)),
            Op::Gte => ("", Some(Comparison::GreaterEqual)),
            Op::In => ("", Some(Comparison::In)),
            Op::Add => arithmetic("+"),
            Op::Sub => arithmetic("-"),
            Op::Mul => arithmetic("*"),
            Op::Div => arithmetic("/"),
            Op::FloorDiv => arithmetic("//"),
            Op::Rem => arithmetic("%"),
            Op::Pow => arithmetic("**"),
        };
        let (left, right) = (self.boxed(&binary.left)?, self.boxed(&binary.right)?);
        Ok(match comparison {
            Some(comparison) => Kind::Compare(comparison, left, right),
            None => Kind::Arithmetic(symbol, left, right),
        })
    }

    /// The operands of `a and b and c`, which is parsed as nested pairs.
    fn operands(&mut self, operator: &str, binary: &ast::BinOp<'_>) -> Result<Vec<Expr>> {
        let same = |op: ast::BinOpKind| std::mem::discriminant(&op) == std::mem::discriminant(&binary.op);
        let mut operands = vec![&binary.right];
        let mut left = &binary.left;
        while let ast::Expr::BinOp(inner) = left
            && same(inner.op)
        {
            operands.push(&inner.right);
            left = &inner.left;
        }
        operands.push(left);
        let convert = |operand| match operator {
            "~" => self.expr(operand),
            _ => self.operand(operator, operand),
        };
        operands.into_iter().rev().map(convert).collect()
    }

    /// `a < b < c` is `a < b and b < c`.
    fn chain(&mut self, chain: &ast::Compare<'_>) -> Result<Kind> {
        use ast::CompareOpKind as Op;
        let mut left = self.expr(&chain.expr)?;
        let mut links = Vec::with_capacity(chain.ops.len());
        for op in &chain.ops {
            let right = self.expr(&op.expr)?;
            let comparison = match op.op {
                Op::Eq => Comparison::Equal,
                Op::Ne => Comparison::Unequal,
                Op::Lt => Comparison::Less,
                Op::Lte => Comparison::LessEqual,
                Op::Gt => Comparison::Greater,
                Op::Gte => Comparison::GreaterEqual,
                Op::In | Op::NotIn => Comparison::In,
            };
            let offset = left.offset;
            let mut kind = Kind::Compare(comparison, Box::new(left), Box::new(right.clone()));
            if matches!(op.op, Op::NotIn) {
                kind = Kind::Not(Box::new(Expr { offset, kind }));
            }
            links.push(Expr { offset, kind });
            left = right;
        }
        Ok(Kind::And(links))
    }

    fn call(&mut self, call: &ast::Call<'_>) -> Result<Kind> {
        let offset = call.expr.span().start_offset as usize;
        let function = match &call.expr {
            ast::Expr::Var(var) if self.scope.owner(var.id) != Owner::Template => {
                self.checked(offset, check::function(var.id))?;
                Expr { offset, kind: Kind::Local(var.id.to_owned()) }
            }
            expr => self.expr(expr)?,
        };
        if let Kind::Path(path) = &function.kind {
            return self.error(offset, format!("`{path}` cannot be called; use a filter, as in `x | lower`"));
        }
        Ok(Kind::Call(Box::new(function), self.arguments(&call.args)?))
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'_>]) -> Result<Vec<Argument>> {
        let convert = |argument: &ast::CallArg<'_>| {
            Ok(match argument {
                ast::CallArg::Pos(expr) => Argument::Positional(self.expr(expr)?),
                ast::CallArg::Kwarg(name, expr) => Argument::Named((*name).to_owned(), self.expr(expr)?),
                ast::CallArg::PosSplat(expr) => Argument::Splat(self.expr(expr)?),
                ast::CallArg::KwargSplat(expr) => Argument::NamedSplat(self.expr(expr)?),
            })
        };
        arguments.iter().map(convert).collect()
    }

    fn stmts(&mut self, stmts: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>> {
        stmts.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn scoped(&mut self, stmts: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>> {
        self.scope.open();
        let stmts = self.stmts(stmts);
        self.scope.close();
        stmts
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> Result<Stmt> {
        Ok(match stmt {
            ast::Stmt::EmitRaw(raw) => Stmt::Text(raw.raw.to_owned()),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)?),
            ast::Stmt::ForLoop(for_loop) => {
                let iter = self.expr(&for_loop.iter)?;
                self.scope.open();
                let target = self.target(&for_loop.target)?;
                let test = for_loop.filter_expr.as_ref().map(|test| self.operand("if", test)).transpose()?;
                self.scope.declare("loop");
                let body = self.stmts(&for_loop.body)?;
                self.scope.close();
                let otherwise = self.scoped(&for_loop.else_body)?;
                Stmt::For { target, iter, test, recursive: for_loop.recursive, body, otherwise }
            }
            ast::Stmt::IfCond(condition) => {
                let test = self.operand("if", &condition.expr)?;
                let before = self.scope.clone();
                let then = self.stmts(&condition.true_body)?;
                let after_then = std::mem::replace(&mut self.scope, before);
                let otherwise = self.stmts(&condition.false_body)?;
                self.scope.join(after_then);
                Stmt::If { test, then, otherwise }
            }
            ast::Stmt::WithBlock(with) => {
                self.scope.open();
                let mut assignments = Vec::with_capacity(with.assignments.len());
                for (target, value) in &with.assignments {
                    let value = self.expr(value)?;
                    assignments.push((self.target(target)?, value));
                }
                let body = self.stmts(&with.body)?;
                self.scope.close();
                Stmt::With { assignments, body }
            }
            ast::Stmt::Set(set) => {
                let value = self.expr(&set.expr)?;
                Stmt::Set { target: self.target(&set.target)?, value }
            }
            ast::Stmt::SetBlock(set) => {
                let body = self.scoped(&set.body)?;
                let filter = set.filter.as_ref().map(|filter| self.expr(filter)).transpose()?;
                Stmt::SetBlock { target: self.target(&set.target)?, filter, body }
            }
            ast::Stmt::FilterBlock(block) => {
                Stmt::FilterBlock { filter: self.expr(&block.filter)?, body: self.scoped(&block.body)? }
            }
            ast::Stmt::Do(call) => {
                let offset = call.call.span().start_offset as usize;
                Stmt::Do(Expr { offset, kind: self.call(&call.call)? })
            }
            ast::Stmt::AutoEscape(block) => {
                let offset = block.span().start_offset as usize;
                return self
                    .error(offset, "cells are never escaped; remove `autoescape`, or use the filter `e`");
            }
            // Parts of minijinja that a feature may add: they make files of templates, a cell has none.
            _ => {
                return self
                    .error(0, "templates of cells know only `for`, `if`, `with`, `set`, `filter` and `do`");
            }
        })
    }

    /// Declares what an assignment assigns, and prints it.
    fn target(&mut self, target: &ast::Expr<'_>) -> Result<String> {
        match target {
            ast::Expr::Var(var) if var.id.starts_with(RESERVED) => self.error(
                var.span().start_offset as usize,
                format!("names that start with `{RESERVED}` are reserved"),
            ),
            ast::Expr::Var(var) => {
                self.scope.declare(var.id);
                Ok(var.id.to_owned())
            }
            ast::Expr::List(list) => {
                let items: Result<Vec<String>> = list.items.iter().map(|item| self.target(item)).collect();
                Ok(format!("({},)", items?.join(", ")))
            }
            ast::Expr::GetAttr(attribute) => match &attribute.expr {
                ast::Expr::Var(var) if self.scope.owner(var.id) == Owner::Template => {
                    Ok(format!("{}.{}", var.id, attribute.name))
                }
                _ => self.error(
                    target.span().start_offset as usize,
                    "only attributes of a `namespace()` can be set",
                ),
            },
            _ => self.error(target.span().start_offset as usize, "this cannot be assigned to"),
        }
    }
}
