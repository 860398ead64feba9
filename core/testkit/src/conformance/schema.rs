//! Is a schema of options one that the host can read?

use serde_json::Value;

const TYPES: [&str; 7] = ["null", "boolean", "object", "array", "number", "integer", "string"];

/// Keywords that hold one schema, a list of them, or a table of them.
const ONE: [&str; 2] = ["items", "additionalProperties"];
const LISTS: [&str; 4] = ["oneOf", "anyOf", "allOf", "prefixItems"];
const TABLES: [&str; 2] = ["properties", "$defs"];

/// What is wrong with a schema, with the JSON pointer of the place.
pub(super) fn check(root: &Value) -> Result<(), String> {
    part(root, root, "")
}

fn part(root: &Value, schema: &Value, at: &str) -> Result<(), String> {
    let object = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(object) => object,
        other => return Err(format!("`{at}` is no schema but {other}")),
    };
    for (key, value) in object {
        let at = format!("{at}/{key}");
        match key.as_str() {
            "type" => types(value, &at)?,
            "$ref" => {
                let target = value.as_str().and_then(|r| root.pointer(r.strip_prefix('#')?));
                if target.is_none() {
                    return Err(format!("`{at}` points at {value}, which is not there"));
                }
            }
            "required" => required(schema, value, &at)?,
            "enum" if value.as_array().is_none_or(Vec::is_empty) => {
                return Err(format!("`{at}` lists no value"));
            }
            key if ONE.contains(&key) => part(root, value, &at)?,
            key if LISTS.contains(&key) => {
                let items = value.as_array().filter(|items| !items.is_empty());
                for (i, item) in
                    items.ok_or_else(|| format!("`{at}` is no list of schemas"))?.iter().enumerate()
                {
                    part(root, item, &format!("{at}/{i}"))?;
                }
            }
            key if TABLES.contains(&key) => {
                for (name, item) in
                    value.as_object().ok_or_else(|| format!("`{at}` is no table of schemas"))?
                {
                    part(root, item, &format!("{at}/{name}"))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn types(value: &Value, at: &str) -> Result<(), String> {
    let one = std::slice::from_ref(value);
    for name in value.as_array().map_or(one, Vec::as_slice) {
        if !name.as_str().is_some_and(|name| TYPES.contains(&name)) {
            return Err(format!("`{at}` is {name}, which is no type of JSON Schema"));
        }
    }
    Ok(())
}

/// What is required must be described, or nobody can know what to give.
fn required(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let names = value.as_array().ok_or_else(|| format!("`{at}` is no list"))?;
    let described = |name: &Value| schema.get("properties")?.get(name.as_str()?);
    match names.iter().find(|name| described(name).is_none()) {
        Some(name) => Err(format!("`{at}` requires {name}, which is no property")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn a_schema_is_read_to_its_last_part() {
        let good = json!({
            "type": "object", "required": ["a"], "additionalProperties": false,
            "properties": { "a": { "type": ["string", "null"] }, "b": { "$ref": "#/$defs/B" } },
            "$defs": { "B": { "oneOf": [{ "const": 1 }] } },
        });
        assert_eq!(check(&good), Ok(()));
        for (schema, said) in [
            (json!({ "properties": { "a": { "type": "text" } } }), "`/properties/a/type` is \"text\""),
            (json!({ "properties": { "a": 1 } }), "`/properties/a` is no schema but 1"),
            (json!({ "items": { "$ref": "#/$defs/B" } }), "`/items/$ref` points at \"#/$defs/B\""),
            (json!({ "required": ["a"] }), "`/required` requires \"a\""),
            (json!({ "anyOf": [] }), "`/anyOf` is no list of schemas"),
            (json!({ "enum": [] }), "`/enum` lists no value"),
        ] {
            assert!(check(&schema).unwrap_err().starts_with(said), "{schema}");
        }
    }
}
