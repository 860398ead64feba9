//! Exchanges on record: `usher run --record DIR` writes them, `--replay DIR` answers from them without a network.
//!
//! An exchange is a file, `<connector>-0001.json`, numbered in the order in which the connector begins its requests:
//! the request, and its reply with the body, or the error that came instead. What is secret was masked before.

use std::{collections::HashMap, io::Write, path::PathBuf, sync::Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use usher_abi::{Error, ErrorClass, HttpReply};

use super::{
    mask::{MASKED, Mask},
    request::Request,
    values,
};
use crate::services::private::{create_private_file, create_private_folder, disk_error, lock};

/// Where exchanges are written, or come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tape {
    /// Each is written into a folder, which must hold none yet.
    Record {
        /// That.
        folder: PathBuf,
        /// Without values of people.
        masked: bool,
    },
    /// Each is answered from this folder; nothing is sent.
    Replay(PathBuf),
}

/// A tape and how far each connector is on it.
#[derive(Debug)]
pub(super) struct Deck {
    tape: Tape,
    begun: Mutex<HashMap<String, u64>>,
}

/// The file of one exchange.
#[derive(Clone, Debug)]
pub(super) struct Track {
    path: PathBuf,
    connector: String,
    number: u64,
    /// Written without values of people.
    masked: bool,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Exchange {
    /// Values of people were taken out: requests are compared without theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
    request: Asked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply: Option<HttpReply>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    body: Content,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Failed>,
}

/// What two requests are told apart by.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Asked {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    body: Content,
}

/// Bytes, as people can read them if they are text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    Text(String),
    Base64(String),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Failed {
    class: u32,
    code: String,
    message: String,
    #[serde(default)]
    retry_after_ms: u64,
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    fn new(bytes: &[u8], mask: &Mask<'_>) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(mask.body(text)),
            Err(_) => Self::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }

    /// Without values, by what takes them out of texts.
    fn hidden(self, hide: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Text(text) => Self::Text(hide(&text)),
            Self::Base64(_) => Self::Text(values::HIDDEN.to_owned()),
        }
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Base64(text) => BASE64_STANDARD.decode(text).map_err(|e| e.to_string()),
        }
    }
}

impl Asked {
    fn new(request: &Request, mask: &Mask<'_>) -> Self {
        let head = &request.head;
        let headers = head.headers.iter().map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let secret = request.credentials.iter().any(|credential| credential.as_str() == name);
            let value = if secret { MASKED.to_owned() } else { mask.text(value) };
            (name, value)
        });
        Self {
            method: head.method.clone(),
            url: mask.url(&head.url),
            headers: headers.collect(),
            body: Content::new(&request.body, mask),
        }
    }

    /// Without values of people.
    fn hidden(self) -> Self {
        Self {
            url: values::text(&self.url),
            headers: self.headers.into_iter().map(|(name, value)| (name, values::text(&value))).collect(),
            body: self.body.hidden(values::request),
            ..self
        }
    }

    /// The first thing in which another request differs, for people.
    fn difference(&self, other: &Self) -> Option<String> {
        let differ =
            |what: &str, recorded: &str, now: &str| format!("its {what} is `{now}`, was `{recorded}`");
        if self.method != other.method {
            return Some(differ("method", &self.method, &other.method));
        }
        if self.url != other.url {
            return Some(differ("URL", &self.url, &other.url));
        }
        if self.headers != other.headers {
            let text = |headers: &[(String, String)]| {
                let lines: Vec<String> =
                    headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                lines.join(", ")
            };
            return Some(differ("list of headers", &text(&self.headers), &text(&other.headers)));
        }
        (self.body != other.body).then(|| "its body is another".to_owned())
    }
}

impl Deck {
    pub(super) fn new(tape: Tape) -> Self {
        Self { tape, begun: Mutex::default() }
    }

    /// Whether nothing is sent.
    pub(super) fn replays(&self) -> bool {
        matches!(self.tape, Tape::Replay(_))
    }

    /// The place of a connector's next request.
    pub(super) fn track(&self, connector: &str) -> Track {
        let (Tape::Record { folder, .. } | Tape::Replay(folder)) = &self.tape;
        let mut begun = lock(&self.begun);
        let number = begun.entry(connector.to_owned()).or_default();
        *number += 1;
        let path = folder.join(format!("{connector}-{number:04}.json"));
        let masked = matches!(self.tape, Tape::Record { masked: true, .. });
        Track { path, connector: connector.to_owned(), number: *number, masked }
    }
}

impl Track {
    /// Writes an exchange that came to its end.
    pub(super) fn record(
        &self,
        request: &Request,
        outcome: Result<(&HttpReply, &[u8]), &Error>,
        mask: &Mask<'_>,
    ) -> Result<(), Error> {
        let (reply, body, error) = match outcome {
            Ok((reply, body)) => (Some(masked(reply, mask)), Content::new(body, mask), None),
            Err(error) => {
                let failed = Failed {
                    class: error.class.0,
                    code: error.code.to_string(),
                    message: mask.text(&error.to_string()),
                    retry_after_ms: error.retry_after_ms,
                };
                (None, Content::default(), Some(failed))
            }
        };
        let mut exchange =
            Exchange { masked: self.masked, request: Asked::new(request, mask), reply, body, error };
        if self.masked {
            exchange = exchange.hidden();
        }
        let text =
            serde_json::to_string_pretty(&exchange).map_err(|e| Error::bug("host.json", e.to_string()))?;
        if let Some(folder) = self.path.parent() {
            create_private_folder(folder).map_err(|e| disk_error("http", folder, &e))?;
        }
        let write = || create_private_file(&self.path)?.write_all((text + "\n").as_bytes());
        write().map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Error::config(
                "http.recorded",
                format!("`{}` is there already; record into another folder", self.path.display()),
            ),
            _ => disk_error("http", &self.path, &e),
        })
    }

    /// The recorded end of a request that is the same.
    pub(super) fn replay(&self, request: &Request, mask: &Mask<'_>) -> Result<(HttpReply, Vec<u8>), Error> {
        let Self { path, connector, number, .. } = self;
        let shown = path.display();
        let unfit = |why: String| {
            let text = format!(
                "request {number} of `{connector}` ({}) is not the one on record in `{shown}`: {why}; record it anew \
                 with `usher run --record`",
                request.name()
            );
            Error::config("http.replay", text)
        };
        let text = std::fs::read_to_string(path).map_err(|e| unfit(format!("it cannot be read ({e})")))?;
        let exchange: Exchange =
            serde_json::from_str(&text).map_err(|e| unfit(format!("it is no record ({e})")))?;
        let asked = Asked::new(request, mask);
        let asked = if exchange.masked { asked.hidden() } else { asked };
        if let Some(difference) = exchange.request.difference(&asked) {
            return Err(unfit(difference));
        }
        match (exchange.reply, exchange.error) {
            (Some(reply), _) => Ok((reply, exchange.body.bytes().map_err(unfit)?)),
            (None, Some(failed)) => {
                let mut error = Error::new(ErrorClass(failed.class), failed.code, failed.message);
                error.retry_after_ms = failed.retry_after_ms;
                Err(error)
            }
            (None, None) => Err(unfit("it has no reply".to_owned())),
        }
    }
}

impl Exchange {
    /// Without values of people.
    fn hidden(self) -> Self {
        let asked = match &self.request.body {
            Content::Text(text) => text.clone(),
            Content::Base64(_) => String::new(),
        };
        let reply = self.reply.map(|reply| HttpReply {
            url: values::text(&reply.url),
            headers: reply.headers.into_iter().map(|(name, value)| (name, values::text(&value))).collect(),
            ..reply
        });
        let error = self.error.map(|error| Failed { message: values::text(&error.message), ..error });
        Self {
            request: self.request.hidden(),
            reply,
            body: self.body.hidden(|text| values::reply(text, &asked)),
            error,
            ..self
        }
    }
}

fn masked(reply: &HttpReply, mask: &Mask<'_>) -> HttpReply {
    let headers = reply.headers.iter().map(|(name, value)| {
        let value = if name == "set-cookie" { MASKED.to_owned() } else { mask.url(value) };
        (name.clone(), value)
    });
    HttpReply { headers: headers.collect(), url: mask.url(&reply.url), ..reply.clone() }
}
