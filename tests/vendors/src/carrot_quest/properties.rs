//! Properties and the operations on them.

use serde_json::{Value, json};

use super::{
    account::Account,
    calls::{Parameters, known},
    envelope,
};
use crate::message::Reply;

/// Characters of a text.
pub(crate) const LONGEST_TEXT: usize = 255;
/// Elements of a list.
const LONGEST_LIST: usize = 30;
/// Operations of a call.
const MOST_OPERATIONS: usize = 250;
/// ±2^53.
const LARGEST_NUMBER: i64 = 1 << 53;

/// System properties that may be written; the others are the system's own.
const SYSTEM: [&str; 17] = [
    "$user_id",
    "$email",
    "$name",
    "$phone",
    "$cart_amount",
    "$viewed_products",
    "$cart_items",
    "$last_order_status",
    "$last_payment",
    "$revenue",
    "$profit",
    "$group",
    "$discount",
    "$orders_count",
    "$ordered_items",
    "$ordered_categories",
    "$viewed_categories",
];

/// Whether a name that begins with `$` is one that may be written.
pub(crate) fn is_known(name: &str) -> bool {
    SYSTEM.contains(&name)
}

/// A text by what it looks like: an integer in range, a boolean, or itself.
pub(crate) fn guessed(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.abs() <= LARGEST_NUMBER => json!(number),
        _ if text.eq_ignore_ascii_case("true") => json!(true),
        _ if text.eq_ignore_ascii_case("false") => json!(false),
        _ => json!(text),
    }
}

impl Account {
    /// `POST /users/{id}/props`: what is wrong is passed over and told, the rest is done.
    pub(crate) fn push(&mut self, id: &str, parameters: &Parameters) -> Result<Reply, Reply> {
        let operations = parameters.get("operations").unwrap_or_default();
        let operations: Vec<Value> = serde_json::from_str(operations)
            .map_err(|_| envelope::invalid("operations", "an array of operations is required"))?;
        if operations.len() > MOST_OPERATIONS {
            return Err(envelope::invalid("operations", "no more than 250 properties in a request"));
        }
        let found = known(self, id, parameters);
        let id = match found {
            Some(id) => id,
            None if parameters.flag("by_user_id", false) => {
                let new = self.create();
                self.write(new, "$user_id", Some(json!(id)));
                new
            }
            None => return Err(envelope::lookup("there is no such user")),
        };
        let parses = parameters.flag("parse_custom_props_type", true);
        let (mut affected, mut unchanged, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
        for operation in &operations {
            match self.operate(id, operation, parses) {
                Ok(true) => affected.push(operation["key"].clone()),
                Ok(false) => unchanged.push(operation["key"].clone()),
                Err(reason) => ignored.push(json!({ "operation": operation, "reason": reason })),
            }
        }
        let user = self.users.get_mut(&id).expect("it is there");
        user.deliveries += 1;
        if parameters.flag("double_subscribe", false)
            && user.is_unsubscribed
            && affected.contains(&json!("$email"))
        {
            user.is_unsubscribed = false;
            self.resubscribed.push(id);
        }
        self.pushes += 1;
        let meta = json!({ "status": 200, "affected_props": affected, "not_changed_props": unchanged,
                           "ignored_operations": ignored });
        Ok(Reply::json(200, &json!({ "meta": meta, "data": {} })))
    }

    /// Whether it changed anything, or why it was passed over.
    fn operate(&mut self, id: u64, operation: &Value, parses: bool) -> Result<bool, &'static str> {
        let key = operation["key"].as_str().filter(|key| !key.is_empty()).ok_or("no key")?;
        if key.starts_with('$') && !is_known(key) || key == "$user_id" {
            return Err("reserved");
        }
        let value = match &operation["value"] {
            Value::String(text) if parses && !key.starts_with('$') => guessed(text),
            value => value.clone(),
        };
        let old = self.users[&id].properties.get(key).cloned();
        let op = operation["op"].as_str().unwrap_or_default();
        let new = changed(op, old.clone(), &value)?;
        if let Some(new) = &new {
            fits(new)?;
        }
        let is_changed = new != old;
        if is_changed {
            self.write(id, key, new);
        }
        Ok(is_changed)
    }
}

/// The property after an operation.
fn changed(op: &str, old: Option<Value>, value: &Value) -> Result<Option<Value>, &'static str> {
    let elements = || old.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let given = || value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    Ok(match op {
        "delete" => None,
        _ if value.is_null() || value.as_str() == Some("") => return Err("no value"),
        "update_or_create" => Some(value.clone()),
        "set_once" => Some(old.unwrap_or_else(|| value.clone())),
        "add" => {
            let sum =
                old.as_ref().and_then(Value::as_i64).unwrap_or(0) + value.as_i64().ok_or("no number")?;
            Some(json!(sum))
        }
        "append" => Some(json!([elements(), given()].concat())),
        "union" => {
            let mut all = elements();
            let more: Vec<Value> = given().into_iter().filter(|new| !all.contains(new)).collect();
            all.extend(more);
            Some(json!(all))
        }
        "exclude" => {
            let out = given();
            Some(json!(elements().into_iter().filter(|e| !out.contains(e)).collect::<Vec<Value>>()))
        }
        _ => return Err("unknown operation"),
    })
}

fn fits(value: &Value) -> Result<(), &'static str> {
    let is_text = |value: &Value| value.as_str().is_some_and(|t| t.chars().count() <= LONGEST_TEXT);
    let fits = match value {
        Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|n| n.abs() <= LARGEST_NUMBER),
        Value::Array(list) => list.len() <= LONGEST_LIST && list.iter().all(is_text),
        other => is_text(other),
    };
    if fits { Ok(()) } else { Err("not a value of any type") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_run_on_what_is_there() {
        let list = || Some(json!(["a", "b"]));
        assert_eq!(changed("union", list(), &json!(["b", "c"])), Ok(Some(json!(["a", "b", "c"]))));
        assert_eq!(changed("append", list(), &json!("b")), Ok(Some(json!(["a", "b", "b"]))));
        assert_eq!(changed("exclude", list(), &json!("a")), Ok(Some(json!(["b"]))));
        assert_eq!(changed("add", Some(json!(2)), &json!(3)), Ok(Some(json!(5))));
        assert_eq!(changed("set_once", Some(json!(2)), &json!(3)), Ok(Some(json!(2))));
        assert_eq!(changed("delete", Some(json!(2)), &json!(3)), Ok(None));
        assert!(changed("update_or_create", None, &json!("")).is_err());
    }

    #[test]
    fn types_are_guessed_from_text() {
        assert_eq!(
            [guessed("00123"), guessed("TRUE"), guessed("1.5")],
            [json!(123), json!(true), json!("1.5")]
        );
        assert_eq!(guessed("9007199254740993"), json!("9007199254740993"));
    }
}
