//! `[connectors.<name>]`.

use serde_json::{Map, Number, Value};

use super::{
    model::{Connector, Field},
    place::KeyPath,
    read::Reader,
    secrets::Resolver,
    tree::{Kind, Node},
};

pub(super) const KEYS: [&str; 15] = [
    "plugin",
    "component",
    "options",
    "fields",
    "where",
    "unique",
    "max_rejects",
    "allow_empty",
    "hosts",
    "store",
    "isolation",
    "jail",
    "sync",
    "on_missing",
    "max_missing",
];

/// Folders that a run has of its own.
const RESERVED: [&str; 2] = ["inputs", "held-back"];

impl<'a> Reader<'a> {
    /// The connector; `None` if it has no plugin or is no table.
    pub(super) fn connector(
        &mut self,
        name: &str,
        node: &'a Node,
        secrets: &mut Resolver<'_>,
    ) -> Option<Connector> {
        let path = KeyPath::from(["connectors", name]);
        self.name(name, &path);
        if RESERVED.contains(&name) {
            let message = format!(
                "`{name}` is the name of a folder of each run, where a connector's files cannot be, too"
            );
            self.error_at_key(&path, message, Some("choose another name"));
        }
        let entries = self.table(node, &path, &format!("[connectors.{name}]"))?;
        self.known_keys(entries, &path, &KEYS, "; what the plugin itself takes goes into `options`");
        let plugin = match node.get("plugin") {
            Some(plugin) => self.string(plugin, &path.child("plugin")),
            None => {
                self.missing(&path, "plugin", "plugin = \"csv\"");
                None
            }
        };
        let at = |key: &str| (node.get(key), path.child(key));
        let (component, component_at) = at("component");
        let (options, options_at) = at("options");
        let (fields, fields_at) = at("fields");
        let (condition, where_at) = at("where");
        let (unique, unique_at) = at("unique");
        let (rejects, rejects_at) = at("max_rejects");
        let (empty, empty_at) = at("allow_empty");
        let (hosts, hosts_at) = at("hosts");
        let (store, store_at) = at("store");
        let component = component.and_then(|node| self.string(node, &component_at));
        let problems = self.problems.len();
        let options = options.and_then(|node| self.options(node, &options_at, secrets)).unwrap_or_default();
        let options_read = self.problems.len() == problems;
        let fields = fields.and_then(|node| self.fields(node, &fields_at)).unwrap_or_default();
        let where_ = condition.and_then(|node| self.text(node, &where_at));
        let unique = unique.and_then(|node| self.unique(node, &unique_at));
        let max_rejects = rejects.and_then(|node| self.max_rejects(node, &rejects_at));
        let allow_empty = empty.and_then(|node| self.boolean(node, &empty_at));
        let hosts = hosts.and_then(|node| self.strings(node, &hosts_at));
        let store = store.and_then(|node| self.boolean(node, &store_at)).unwrap_or(true);
        let jail = self.jail(node, &path);
        let changed_only = self.changed_only(node, &path);
        let span = self.source.locate_key(&path).span;
        let options = Value::Object(options);
        let name = name.to_owned();
        Some(Connector {
            name,
            plugin: plugin?,
            component,
            options,
            options_read,
            fields,
            where_,
            unique,
            max_rejects,
            allow_empty,
            hosts,
            store,
            jail,
            changed_only,
            span,
        })
    }

    fn fields(&mut self, node: &'a Node, path: &KeyPath) -> Option<Vec<Field>> {
        let entries = self.table(node, path, "fields = { column = \"expression\" }")?;
        let mut fields = Vec::with_capacity(entries.len());
        for (column, node) in entries {
            let path = path.child(column);
            let expression = match &node.kind {
                Kind::String(text) => text.clone(),
                Kind::Boolean(value) => value.to_string(),
                Kind::Integer(value) => value.to_string(),
                Kind::Float(value) if value.is_finite() => format!("{value:?}"),
                Kind::Float(_) | Kind::Date(_) => {
                    let help = "text in an expression has quotes of its own: `\"'2024-01-31'\"`";
                    self.wrong_type(&path, node, "an expression", Some(help));
                    continue;
                }
                Kind::List(_) | Kind::Table(_) => {
                    let help = "write a string with an expression or a template, for a name with dots in quotes: \
                                `\"custom_fields.plan\" = \"plan\"`";
                    self.wrong_type(&path, node, "an expression", Some(help));
                    continue;
                }
            };
            fields.push(Field { column: column.clone(), expression, span: self.span(&path) });
        }
        Some(fields)
    }

    fn options(
        &mut self,
        node: &'a Node,
        path: &KeyPath,
        secrets: &mut Resolver<'_>,
    ) -> Option<Map<String, Value>> {
        let entries = self.table(node, path, "options = { … }")?;
        let mut options = Map::with_capacity(entries.len());
        for (key, node) in entries {
            if let Some(value) = self.json(node, &path.child(key), secrets) {
                options.insert(key.clone(), value);
            }
        }
        Some(options)
    }

    fn json(&mut self, node: &'a Node, path: &KeyPath, secrets: &mut Resolver<'_>) -> Option<Value> {
        Some(match &node.kind {
            Kind::String(text) => match secrets.resolve(text) {
                Ok(text) => Value::String(text),
                Err(problems) => {
                    for problem in problems {
                        self.error(path, problem.message, problem.help.as_deref());
                    }
                    return None;
                }
            },
            Kind::Integer(value) => Value::from(*value),
            Kind::Float(value) => match Number::from_f64(*value) {
                Some(number) => Value::Number(number),
                None => {
                    self.error(path, "expected a finite number", None);
                    return None;
                }
            },
            Kind::Boolean(value) => Value::Bool(*value),
            Kind::Date(text) => Value::String(text.clone()),
            Kind::List(items) => {
                let items = items.iter().enumerate();
                Value::Array(items.filter_map(|(i, item)| self.json(item, &path.child(i), secrets)).collect())
            }
            Kind::Table(_) => Value::Object(self.options(node, path, secrets)?),
        })
    }
}
