//! A request as it came, and a reply as it will go.

use serde_json::Value;

use crate::text;

/// A request as it reached a simulator.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, percent-encoding and all.
    pub path: String,
    /// Parameters of the URL, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Headers, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Asked {
    /// `POST /api/v2/users/create_many`
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first URL parameter of a name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as fields of a form.
    pub fn form(&self) -> Vec<(String, String)> {
        text::pairs(&String::from_utf8_lossy(&self.body))
    }
}

/// A reply as it leaves a simulator.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP's status.
    pub status: u16,
    /// Headers beside the length.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json; charset=utf-8", body.to_string().into_bytes())
    }

    /// A reply in plain text.
    pub fn text(status: u16, body: &str) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", body.as_bytes().to_vec())
    }

    /// A page, as gateways answer.
    pub fn html(status: u16, title: &str) -> Self {
        let page = format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
        Self::bytes(status, "text/html", page.into_bytes())
    }

    /// A reply of a content type.
    pub fn bytes(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body }
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}
