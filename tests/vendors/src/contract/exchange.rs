//! A whole exchange: the request, and the reply to it.

use serde_json::{Map, Value, json};

use super::{
    document::{Document, Operation},
    schema::Way,
};
use crate::message::{Asked, Reply};

/// Where reality differs from a description, by the sheets.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    /// How the line of the request begins (`GET /api/v2/users/me`); empty for all.
    pub line: &'static str,
    /// What a departure's text holds.
    pub holds: &'static str,
    /// Why it is none.
    pub reason: &'static str,
}

/// What a vendor has published of its API.
#[derive(Debug)]
pub struct Contract {
    pub(crate) documents: Vec<Document>,
    /// Paths that no description speaks of, and need not.
    pub(crate) outside: &'static [&'static str],
    /// URL parameters that the vendor's own links bring.
    pub(crate) in_links: &'static [&'static str],
    /// An ending of paths that does not matter.
    pub(crate) ending: &'static str,
    /// Where replies differ.
    pub(crate) exceptions: &'static [Exception],
}

impl Contract {
    /// Where a request, or the reply to it, departs from the description.
    pub(crate) fn check(&self, asked: &Asked, reply: &Reply) -> Vec<String> {
        if self.outside.iter().any(|begin| asked.path.starts_with(begin)) {
            return Vec::new();
        }
        let line = asked.line();
        let path = self.plain(&asked.path);
        let found = self
            .documents
            .iter()
            .find_map(|document| Some((document, document.operation(&asked.method, path)?)));
        let (document, operation) = match found {
            None => return vec![format!("{line}: there is no such path")],
            Some((_, Err(what))) => return vec![format!("{line}: {what}")],
            Some((document, Ok(operation))) => (document, operation),
        };
        let mut of_request = document.check_parameters(&operation, asked, self.in_links);
        of_request.extend(document.check_body(&operation, asked));
        let of_request = of_request.into_iter().map(|what| format!("{line}: request: {what}"));
        let of_reply = document.check_reply(&operation, reply).into_iter();
        let is_real = |what: &String| {
            !self.exceptions.iter().any(|e| line.starts_with(e.line) && what.contains(e.holds))
        };
        let of_reply = of_reply.filter(is_real).map(|what| format!("{line}: reply {}: {what}", reply.status));
        // A request that is refused for its faults has them told once, not for every row.
        of_request.chain(of_reply).take(20).collect()
    }

    /// Where a request stands: the description's name, the template of its path, and the path as described. None for
    /// those that no description speaks of.
    pub(crate) fn place<'a>(&'a self, asked: &'a Asked) -> Option<(&'static str, &'a str, &'a str)> {
        self.documents.iter().find_map(|document| document.place(self.plain(&asked.path)))
    }

    /// A path without the ending that does not matter.
    fn plain<'a>(&self, path: &'a str) -> &'a str {
        path.strip_suffix(self.ending).filter(|_| !self.ending.is_empty()).unwrap_or(path)
    }
}

impl Document {
    fn check_body(&self, operation: &Operation<'_>, asked: &Asked) -> Vec<String> {
        let body = &operation.described["requestBody"];
        let kind =
            asked.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if body.is_object() {
            if asked.body.is_empty() {
                return if body["required"] == true {
                    vec!["the body is missing".to_owned()]
                } else {
                    Vec::new()
                };
            }
            let schema = &body["content"][kind]["schema"];
            if schema.is_null() {
                return vec![format!("{kind} is not described")];
            }
            return self.check_value(schema, kind, asked);
        }
        let parameters = self.parameters(operation);
        let Some(parameter) = parameters.into_iter().find(|parameter| parameter["in"] == "body") else {
            return Vec::new();
        };
        let consumes = &operation.described["consumes"];
        if !consumes.as_array().is_none_or(|kinds| kinds.iter().any(|known| known == kind)) {
            return vec![format!("{kind} is not described")];
        }
        self.check_value(&parameter["schema"], kind, asked)
    }

    fn check_value(&self, schema: &Value, kind: &str, asked: &Asked) -> Vec<String> {
        let value = if kind == "application/x-www-form-urlencoded" {
            Some(Value::Object(
                asked.form().into_iter().map(|(name, value)| (name, json!(value))).collect::<Map<_, _>>(),
            ))
        } else {
            asked.json()
        };
        match value {
            Some(value) => self.departures(schema, &value, Way::Request),
            None => vec!["the body is no JSON".to_owned()],
        }
    }

    fn check_reply(&self, operation: &Operation<'_>, reply: &Reply) -> Vec<String> {
        let responses = &operation.described["responses"];
        let response = match &responses[reply.status.to_string()] {
            Value::Null => &responses["default"],
            response => response,
        };
        if response.is_null() {
            return vec![format!("status {} is not described", reply.status)];
        }
        let response = self.resolved(response);
        // OpenAPI sorts schemas by content type, Swagger has one.
        let content = response["content"].as_object();
        let schema = match content {
            Some(content) => content.get("application/json").map(|content| &content["schema"]),
            None => response.get("schema"),
        };
        let Some(schema) = schema.filter(|_| reply.status != 204) else { return Vec::new() };
        match serde_json::from_slice(&reply.body) {
            Ok(value) => self.departures(schema, &value, Way::Reply),
            Err(error) => vec![format!("the body is no JSON: {error}")],
        }
    }
}
