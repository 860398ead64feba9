//! A plain client: no retries, no opinions, ten seconds at most.

use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::{Agent, http::Request};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.text()))
    }
}

pub(crate) struct Client {
    agent: Agent,
    base: String,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(base: String, headers: &[(&str, &str)]) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Self { agent: config.into(), base, headers }
    }

    /// The reply, or why there was none.
    pub(crate) fn send(&self, line: &str, kind: &str, body: &[u8]) -> Result<Got, ureq::Error> {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut reply = self.agent.run(request)?;
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Got {
            status: reply.status().as_u16(),
            headers: reply.headers().iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
            body: reply.body_mut().with_config().limit(1 << 30).read_to_vec()?,
        })
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Got {
        self.send(&format!("GET {path}"), "", b"").unwrap()
    }

    #[track_caller]
    pub(crate) fn ask(&self, line: &str, body: &Value) -> Got {
        self.send(line, "application/json", body.to_string().as_bytes()).unwrap()
    }
}

/// Asks until an answer is there.
#[track_caller]
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "it did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A body of several parts.
pub(crate) struct Form(Vec<u8>);

const BOUNDARY: &str = "7d9f0c2b";

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    pub(crate) fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        self.part(&format!("name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: text/csv"), content)
    }

    fn part(mut self, head: &str, content: &[u8]) -> Self {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn kind(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        [self.0.as_slice(), format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }
}
