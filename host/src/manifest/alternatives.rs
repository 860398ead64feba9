//! `oneOf` and `anyOf`: which branch was meant, and what is wrong with it.

use serde_json::{Map, Value};

use super::{
    expected,
    schema::{
        Broken, Checker, SchemaProblem, child, is_secret, not_listed, resolve, unknown_key, wrong_type,
    },
};
use crate::report::list;

impl<'s> Checker<'s> {
    /// Nothing if a branch fits; else what is wrong with the branch that is nearest.
    pub(super) fn alternatives(
        &self,
        branches: &'s [Value],
        value: &Value,
        pointer: &str,
        depth: usize,
        out: &mut Vec<SchemaProblem>,
    ) {
        let mut attempts = Vec::with_capacity(branches.len());
        for branch in branches {
            let mut problems = Vec::new();
            self.check(branch, value, pointer, depth + 1, &mut problems);
            if problems.is_empty() {
                return;
            }
            attempts.push((branch, problems));
        }
        let literals: Vec<&Value> = branches.iter().flat_map(|branch| self.literals(branch, 0)).collect();
        let of_type = |problem: &SchemaProblem| problem.kind == Broken::Type && problem.pointer == pointer;
        let listed = |problem: &SchemaProblem| problem.kind == Broken::Value && problem.pointer == pointer;
        attempts.retain(|(_, problems)| !problems.iter().any(of_type));
        let literal = literals.iter().any(|one| expected::name(one) == expected::name(value));
        if literal && attempts.iter().all(|(_, problems)| problems.iter().any(listed)) {
            let secret = branches.iter().filter_map(Value::as_object).any(is_secret);
            out.push(not_listed(pointer, value, &literals, secret));
            return;
        }
        let objects: Vec<&'s Map<String, Value>> =
            attempts.iter().filter_map(|(branch, _)| self.object_branch(branch)).collect();
        if let Value::Object(object) = value
            && objects.len() == attempts.len()
            && objects.len() > 1
        {
            if self.tag(&objects, object, pointer, &mut attempts, out) {
                return;
            }
            if single_keys(&objects, object, pointer, out) {
                return;
            }
        }
        match attempts.into_iter().map(|(_, problems)| problems).min_by_key(Vec::len) {
            Some(problems) => out.extend(problems),
            None => {
                let mut types = Vec::new();
                branches.iter().for_each(|branch| expected::of_schema(self.root, branch, 0, &mut types));
                out.push(wrong_type(pointer, &types, value));
            }
        }
    }

    /// Enums with a tag (`type = "…"`): reports a tag that no branch has, else keeps the branches of the tag.
    fn tag(
        &self,
        objects: &[&'s Map<String, Value>],
        object: &Map<String, Value>,
        pointer: &str,
        attempts: &mut Vec<(&'s Value, Vec<SchemaProblem>)>,
        out: &mut Vec<SchemaProblem>,
    ) -> bool {
        let constants = |schema: &'s Map<String, Value>| {
            let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            properties.filter_map(|(key, property)| Some((key, property.get("const")?)))
        };
        let Some((tag, _)) = objects.first().and_then(|first| {
            constants(first)
                .find(|(key, _)| objects.iter().all(|o| constants(o).any(|(other, _)| other == *key)))
        }) else {
            return false;
        };
        let of = |schema| constants(schema).find(|(key, _)| *key == tag).map(|(_, value)| value);
        let values: Vec<&Value> = objects.iter().filter_map(|schema| of(schema)).collect();
        let at = child(pointer, tag);
        match object.get(tag) {
            Some(given) if values.contains(&given) => {
                let mut keep = objects.iter().map(|schema| of(schema) == Some(given));
                attempts.retain(|_| keep.next().unwrap_or(false));
                false
            }
            Some(given) => {
                out.push(not_listed(&at, given, &values, false));
                true
            }
            None => {
                let help = not_listed(&at, &Value::Null, &values, false).help;
                out.push(SchemaProblem {
                    pointer: at,
                    message: "missing".to_owned(),
                    help,
                    kind: Broken::Missing,
                });
                true
            }
        }
    }

    /// The values of a branch that is nothing but a list of them.
    fn literals(&self, branch: &'s Value, depth: usize) -> Vec<&'s Value> {
        let Value::Object(schema) = branch else { return Vec::new() };
        if depth > 6 {
            return Vec::new();
        }
        if let Some(one) = schema.get("const") {
            return vec![one];
        }
        if let Some(Value::Array(many)) = schema.get("enum") {
            return many.iter().collect();
        }
        let mut nested: Vec<&'s Value> = Vec::new();
        nested.extend(resolve(self.root, schema));
        for word in ["oneOf", "anyOf"] {
            nested.extend(schema.get(word).and_then(Value::as_array).into_iter().flatten());
        }
        nested.into_iter().flat_map(|branch| self.literals(branch, depth + 1)).collect()
    }

    /// The branch as a schema of tables, references followed.
    fn object_branch(&self, branch: &'s Value) -> Option<&'s Map<String, Value>> {
        let schema = branch.as_object()?;
        if schema.contains_key("properties") { Some(schema) } else { resolve(self.root, schema)?.as_object() }
    }
}

/// Enums without a tag, `{ variant = … }`: every branch has one key of its own. Reports the key that none has.
fn single_keys(
    objects: &[&Map<String, Value>],
    object: &Map<String, Value>,
    pointer: &str,
    out: &mut Vec<SchemaProblem>,
) -> bool {
    let only = |schema: &Map<String, Value>| {
        let mut keys = schema.get("properties")?.as_object()?.keys();
        let key = keys.next()?.clone();
        keys.next().is_none().then_some(key)
    };
    let Some(keys) = objects.iter().map(|schema| only(schema)).collect::<Option<Vec<String>>>() else {
        return false;
    };
    let known = || keys.iter().map(String::as_str);
    let mut unknown = object.keys().filter(|key| !keys.contains(key)).peekable();
    if object.is_empty() {
        let message = format!("empty, expected one of {}", list(known()));
        out.push(SchemaProblem { pointer: pointer.to_owned(), message, help: None, kind: Broken::Missing });
        return true;
    }
    if unknown.peek().is_none() {
        return false;
    }
    out.extend(unknown.map(|key| unknown_key(child(pointer, key), key, known(), known()).0));
    true
}
