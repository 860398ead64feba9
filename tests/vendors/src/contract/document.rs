//! A description (OpenAPI 3 or Swagger 2), and the operation of a request in it.

use serde_json::Value;

use crate::text;

/// A description, read.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) root: Value,
    /// Its file's name, without the ending.
    name: &'static str,
    /// What stands before its paths on the wire.
    prefix: &'static str,
}

/// An operation, and what stood in the place of its path's parameters.
#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) described: &'a Value,
    pub(crate) path_values: Vec<(String, String)>,
    /// Parameters that all operations of the path share.
    shared: &'a Value,
}

impl Document {
    /// # Panics
    /// When the text is no JSON: it is a file of this crate.
    pub(crate) fn new(name: &'static str, prefix: &'static str, text: &str) -> Self {
        Self { root: serde_json::from_str(text).expect("a description in JSON"), name, prefix }
    }

    /// The operation of a request; `None` when the path is not described, and `Err` when the method is not.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Result<Operation<'_>, String>> {
        let (template, item, rest) = self.fitting(path)?;
        let described = &item[method.to_lowercase()];
        if described.is_null() {
            return Some(Err(format!("there is no {method} here")));
        }
        let path_values = fits(template, rest)?;
        Some(Ok(Operation { described, path_values, shared: &item["parameters"] }))
    }

    /// Where a path stands: this document's name, the template, and the path as this document has it.
    pub(crate) fn place<'a>(&'a self, path: &'a str) -> Option<(&'static str, &'a str, &'a str)> {
        let (template, _, rest) = self.fitting(path)?;
        Some((self.name, template, rest))
    }

    /// The template that a path fits, what stands there, and the path without the prefix.
    fn fitting<'a, 'p>(&'a self, path: &'p str) -> Option<(&'a str, &'a Value, &'p str)> {
        let rest = path.strip_prefix(self.prefix)?;
        let found = self.root["paths"]
            .as_object()?
            .iter()
            .filter_map(|(template, item)| Some((template, item, fits(template, rest)?.len())));
        // `/jobs/show_many` fits `/jobs/{id}`, too: the fewest parameters win.
        let (template, item, _) = found.min_by_key(|(_, _, values)| *values)?;
        Some((template, item, rest))
    }

    /// What a `$ref` leads to, or the value itself.
    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        while let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').unwrap_or_default();
            value = self.root.pointer(pointer).unwrap_or(&Value::Null);
        }
        value
    }

    /// All parameters of an operation.
    pub(crate) fn parameters<'a>(&'a self, operation: &Operation<'a>) -> Vec<&'a Value> {
        let lists = [operation.shared, &operation.described["parameters"]];
        lists.into_iter().filter_map(Value::as_array).flatten().map(|value| self.resolved(value)).collect()
    }
}

/// The values of a template's parameters, if a path has its form.
fn fits(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    if wanted.len() != given.len() {
        return None;
    }
    let mut values = Vec::new();
    for (wanted, given) in wanted.into_iter().zip(given) {
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !given.is_empty() => values.push((name.to_owned(), text::decoded(given, false))),
            _ if wanted == given => {}
            _ => return None,
        }
    }
    Some(values)
}
