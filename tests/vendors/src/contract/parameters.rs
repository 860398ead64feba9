//! Parameters of the URL, of the path and of forms against their descriptions.

use serde_json::{Value, json};

use super::{
    document::{Document, Operation},
    schema::Way,
};
use crate::{message::Asked, multipart};

impl Document {
    /// Where the parameters of a request depart; `ours` are names that the vendor's own links bring.
    pub(crate) fn check_parameters(
        &self,
        operation: &Operation<'_>,
        asked: &Asked,
        ours: &[&str],
    ) -> Vec<String> {
        let mut found = Vec::new();
        let described = self.parameters(operation);
        let named = |place: &'static str| described.iter().filter(move |parameter| parameter["in"] == place);
        for (name, value) in &asked.query {
            match named("query").find(|parameter| parameter["name"] == *name) {
                Some(parameter) => found.extend(self.parameter(parameter, value)),
                None if ours.contains(&name.as_str()) => {}
                None => found.push(format!("parameter {name} is not described")),
            }
        }
        for parameter in named("query").filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if asked.parameter(name).is_none() {
                found.push(format!("parameter {name} is missing"));
            }
        }
        for (name, value) in &operation.path_values {
            for parameter in named("path").filter(|parameter| parameter["name"] == *name) {
                found.extend(self.parameter(parameter, value));
            }
        }
        let form: Vec<&&Value> = named("formData").collect();
        if !form.is_empty() {
            found.extend(self.check_parts(&form, asked));
        }
        found
    }

    /// A value on the wire is text; its description says what it stands for.
    fn parameter(&self, parameter: &Value, text: &str) -> Vec<String> {
        // OpenAPI has a schema inside, Swagger is one itself.
        let schema =
            if parameter["schema"].is_null() { parameter } else { self.resolved(&parameter["schema"]) };
        let value = match schema["type"].as_str().unwrap_or_default() {
            "integer" | "number" | "boolean" => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            "array" => Value::Array(text.split(',').map(|item| json!(item)).collect()),
            _ => json!(text),
        };
        let name = parameter["name"].as_str().unwrap_or_default();
        let found = self.departures(schema, &value, Way::Request).into_iter();
        let mut found: Vec<String> = found.map(|what| format!("parameter {name} {what}")).collect();
        // A list in one text, as Swagger 2 has it.
        let count = text.split(',').count() as u64;
        if schema["format"] == "csv" && schema["maxItems"].as_u64().is_some_and(|most| count > most) {
            found.push(format!("parameter {name} has {count} items"));
        }
        found
    }

    fn check_parts(&self, described: &[&&Value], asked: &Asked) -> Vec<String> {
        let kind = asked.header("content-type").unwrap_or_default();
        let parts = match multipart::parts(kind, &asked.body) {
            Ok(parts) => parts,
            Err(reason) => return vec![format!("the body is no form: {reason}")],
        };
        let mut found = Vec::new();
        for part in &parts {
            let same = parts.iter().filter(|other| other.name == part.name).count();
            match described.iter().find(|parameter| parameter["name"] == part.name) {
                None => found.push(format!("part {} is not described", part.name)),
                Some(_) if same > 1 => found.push(format!("part {} comes {same} times", part.name)),
                Some(parameter) if parameter["type"] == "file" => {
                    if part.file_name.is_none() {
                        found.push(format!("part {} has no file name", part.name));
                    }
                }
                Some(parameter) => found.extend(self.parameter(parameter, &part.text())),
            }
        }
        for parameter in described.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !parts.iter().any(|part| part.name == name) {
                found.push(format!("part {name} is missing"));
            }
        }
        found
    }
}
