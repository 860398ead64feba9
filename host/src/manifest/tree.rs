//! The TOML as a plain tree in which every key and value knows its bytes. Headers, inline tables and dotted keys
//! all become the same table, in the order of the text.

use std::str::FromStr as _;

use toml_edit::{Document, Item, Key, TableLike, Value};

use super::{
    diagnostic::Diagnostic,
    place::{KeyPath, Location, Span},
};

/// A value.
#[derive(Clone)]
pub(super) struct Node {
    /// The key's bytes; `None` for items of lists and for what did not come from the text.
    pub(super) key_span: Option<Span>,
    /// The value's bytes; `None` for tables with a header and for what did not come from the text.
    pub(super) span: Option<Span>,
    /// The value.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Kind {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// A date, a time or both, as written.
    Date(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    /// The value, as messages call it.
    pub(super) fn what(&self) -> &'static str {
        match self.kind {
            Kind::String(_) => "a string",
            Kind::Integer(_) => "an integer",
            Kind::Float(_) => "a number",
            Kind::Boolean(true) => "`true`",
            Kind::Boolean(false) => "`false`",
            Kind::Date(_) => "a date",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
        }
    }

    /// A table without entries and without a place.
    pub(super) fn empty_table() -> Self {
        Self { key_span: None, span: None, kind: Kind::Table(Vec::new()) }
    }

    /// The entry or item of that name.
    pub(super) fn get(&self, segment: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Table(entries) => entries.iter().find(|(key, _)| key == segment).map(|(_, node)| node),
            Kind::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// The entries, if it is a table.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Table(entries) => entries,
            _ => &[],
        }
    }
}

/// The tree of a manifest's text; the first error if it is no TOML.
pub(super) fn parse(text: &str) -> Result<Node, Diagnostic> {
    match Document::parse(text) {
        Ok(document) => Ok(Node { key_span: None, span: None, kind: table(document.as_table()) }),
        Err(error) => {
            let span = error.span().map_or(Span::default(), Span::from);
            let message = error.message().trim().replace('\n', "; ");
            Err(Diagnostic::error(format!("broken TOML: {}", lower_first(&message)))
                .at(Location::of(text, span))
                .help("mend this first; the rest is checked once the file can be read"))
        }
    }
}

/// The value of `--set key=value`: TOML if it is TOML, else a string.
pub(super) fn parse_value(text: &str) -> Node {
    value(&toml_value(text), None)
}

/// The same, to be written.
pub(super) fn toml_value(text: &str) -> Value {
    Value::from_str(text.trim()).unwrap_or_else(|_| Value::from(text))
}

/// The segments of a dotted key (`connectors.users.fields."First Name"`).
pub(super) fn parse_key(text: &str) -> Option<KeyPath> {
    let keys = Key::parse(text).ok()?;
    Some(KeyPath::new(keys.iter().map(Key::get)))
}

fn table(table: &dyn TableLike) -> Kind {
    let entry = |(name, item): (&str, &Item)| {
        let key_span = table.key(name).and_then(Key::span).map(Span::from);
        node(item, key_span).map(|node| (name.to_owned(), node))
    };
    Kind::Table(table.iter().filter_map(entry).collect())
}

fn node(item: &Item, key_span: Option<Span>) -> Option<Node> {
    match item {
        Item::None => None,
        Item::Value(v) => Some(value(v, key_span)),
        Item::Table(t) => Some(Node { key_span, span: None, kind: table(t) }),
        Item::ArrayOfTables(tables) => {
            let items = tables.iter().map(|t| Node {
                key_span: None,
                span: t.span().map(Span::from),
                kind: table(t),
            });
            Some(Node { key_span, span: None, kind: Kind::List(items.collect()) })
        }
    }
}

fn value(value: &Value, key_span: Option<Span>) -> Node {
    let kind = match value {
        Value::String(v) => Kind::String(v.value().clone()),
        Value::Integer(v) => Kind::Integer(*v.value()),
        Value::Float(v) => Kind::Float(*v.value()),
        Value::Boolean(v) => Kind::Boolean(*v.value()),
        Value::Datetime(v) => Kind::Date(v.value().to_string()),
        Value::Array(items) => Kind::List(items.iter().map(|item| self::value(item, None)).collect()),
        Value::InlineTable(t) => table(t),
    };
    Node { key_span, span: value.span().map(Span::from), kind }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // `TOML` and other capitals stay.
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
