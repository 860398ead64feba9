//! Our own parsed form: what `convert.rs` makes of minijinja's, with names, conditions and chains resolved.

use super::cell::Cell;
use super::name::NamePath;

/// An expression and the byte of the text where it starts.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) offset: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Const(Const),
    /// A value of the row.
    Path(NamePath),
    /// A name the template gave itself (`for`, `set`, `with`), or a function of minijinja.
    Local(String),
    Attribute(Box<Expr>, String),
    Item(Box<Expr>, Box<Expr>),
    /// Start, stop and step.
    Slice(Box<Expr>, [Option<Box<Expr>>; 3]),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    /// Two or more operands, each a condition.
    And(Vec<Expr>),
    /// Two or more operands, each a condition.
    Or(Vec<Expr>),
    /// Two or more operands, each printed.
    Concat(Vec<Expr>),
    Arithmetic(&'static str, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// The input is missing only inside `filter` blocks and `set` blocks.
    Filter(String, Option<Box<Expr>>, Vec<Argument>),
    Test(String, Box<Expr>, Vec<Argument>),
    Call(Box<Expr>, Vec<Argument>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

#[derive(Debug, Clone)]
pub(super) enum Argument {
    Positional(Expr),
    Named(String, Expr),
    Splat(Expr),
    NamedSplat(Expr),
}

/// A constant of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Const {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

impl Const {
    pub(super) fn cell(&self) -> Cell<'_> {
        match self {
            Const::Null => Cell::Null,
            Const::Bool(value) => Cell::Bool(*value),
            Const::Integer(value) => Cell::Integer(*value),
            Const::Float(value) => Cell::Float(*value),
            Const::Text(value) => Cell::Text(value),
        }
    }
}

/// A comparison; the name of the filter that does it in minijinja is `__` and the variant in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

impl Comparison {
    pub(super) const ALL: [Comparison; 7] = [
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::LessEqual,
        Comparison::Greater,
        Comparison::GreaterEqual,
        Comparison::In,
    ];

    /// How it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::Unequal => "!=",
            Comparison::Less => "<",
            Comparison::LessEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterEqual => ">=",
            Comparison::In => "in",
        }
    }

    /// The filter that stands for it in minijinja.
    pub(super) fn filter(self) -> &'static str {
        match self {
            Comparison::Equal => "__equal",
            Comparison::Unequal => "__unequal",
            Comparison::Less => "__less",
            Comparison::LessEqual => "__less_equal",
            Comparison::Greater => "__greater",
            Comparison::GreaterEqual => "__greater_equal",
            Comparison::In => "__in",
        }
    }

    /// The tests of minijinja that mean the same: `x is eq(1)`, `select("gt", 3)`.
    pub(super) fn tests(self) -> &'static [&'static str] {
        match self {
            Comparison::Equal => &["eq", "equalto", "=="],
            Comparison::Unequal => &["ne", "!="],
            Comparison::Less => &["lt", "lessthan", "<"],
            Comparison::LessEqual => &["le", "<="],
            Comparison::Greater => &["gt", "greaterthan", ">"],
            Comparison::GreaterEqual => &["ge", ">="],
            Comparison::In => &["in"],
        }
    }
}

/// A statement of a template.
#[derive(Debug, Clone)]
pub(super) enum Stmt {
    Text(String),
    Emit(Expr),
    For {
        target: String,
        iter: Expr,
        test: Option<Expr>,
        recursive: bool,
        body: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    If {
        test: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    With {
        assignments: Vec<(String, Expr)>,
        body: Vec<Stmt>,
    },
    Set {
        target: String,
        value: Expr,
    },
    SetBlock {
        target: String,
        filter: Option<Expr>,
        body: Vec<Stmt>,
    },
    FilterBlock {
        filter: Expr,
        body: Vec<Stmt>,
    },
    Do(Expr),
}

impl Stmt {
    /// The word that starts the statement.
    pub(super) fn keyword(&self) -> &'static str {
        match self {
            Stmt::Text(_) | Stmt::Emit(_) => "{{",
            Stmt::For { .. } => "for",
            Stmt::If { .. } => "if",
            Stmt::With { .. } => "with",
            Stmt::Set { .. } | Stmt::SetBlock { .. } => "set",
            Stmt::FilterBlock { .. } => "filter",
            Stmt::Do(_) => "do",
        }
    }
}

/// A whole parsed text.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Expression(Expr),
    Template(Vec<Stmt>),
}
