//! Brevo's API: requests as they are put together, replies as they are read. The host sends them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use usher_sdk::{
    Http, Reply, RequestBuilder, Secret,
    abi::{Error, ErrorClass},
};

use crate::{limits, options::Options};

/// More than any reply that is read has.
pub(crate) const REPLY_BYTES: usize = 1 << 20;

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: String,
    key: Secret,
    /// Names the account in the ledger and among rate limits; the key is not to be had from it.
    pub(crate) account: String,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Self {
        let print = options.api_key.fingerprint();
        Self {
            base: options.api_base.clone(),
            key: options.api_key.clone(),
            account: format!("key {}", &print[..8]),
        }
    }

    pub(crate) fn get(&self, http: &Http, path: &str) -> RequestBuilder {
        self.signed(path, http.get(format!("{}{path}", self.base)))
    }

    pub(crate) fn post(&self, http: &Http, path: &str) -> RequestBuilder {
        self.signed(path, http.post(format!("{}{path}", self.base)))
    }

    fn signed(&self, path: &str, request: RequestBuilder) -> RequestBuilder {
        let limit = if path.starts_with("/contacts") { limits::CONTACTS } else { limits::OTHERS };
        request.credential("api-key", &self.key).limit(limit).account(&self.account)
    }
}

/// A contact as an import takes it (IMPORT). Its members stand in this order in every build: the same row must be the
/// same bytes in every attempt, or the ledger does not find it again.
#[derive(Serialize)]
pub(crate) struct Contact<'a> {
    pub(crate) email: &'a str,
    pub(crate) attributes: BTreeMap<&'a str, &'a str>,
}

impl Contact<'_> {
    /// As a line of JSON.
    pub(crate) fn line(&self) -> Result<String, Error> {
        let line = serde_json::to_string(self).map_err(|e| Error::bug("brevo.json", e.to_string()))?;
        Ok(line + "\n")
    }
}

/// What stands before and behind the contacts of an import.
pub(crate) fn frame(options: &Options) -> (String, &'static str) {
    let (lists, update) = (&options.lists, options.update_existing);
    (format!("{{\"listIds\":{lists:?},\"updateExistingContacts\":{update},\"jsonBody\":["), "]}")
}

/// The body of an import: rows are lines of JSON, so each line end is a comma but the last.
pub(crate) fn body(options: &Options, records: &[u8]) -> Vec<u8> {
    let (before, behind) = frame(options);
    let mut body = before.into_bytes();
    body.extend(records.trim_ascii_end().iter().map(|byte| if *byte == b'\n' { b',' } else { *byte }));
    body.extend_from_slice(behind.as_bytes());
    body
}

/// The reply to an import that was begun (IMPORT).
#[derive(Deserialize)]
pub(crate) struct Begun {
    #[serde(rename = "processId")]
    pub(crate) process: u64,
}

/// How far an import is (PROCESS).
#[derive(Deserialize)]
pub(crate) struct Process {
    pub(crate) status: String,
    info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    /// Links to lists of rows that there was something about, by what it was; null where there is none. Brevo's own
    /// library for Node has numbers of rows there (NODE).
    import: Option<BTreeMap<String, Value>>,
}

impl Process {
    /// The names of the lists that there are; `None` when the reply does not say whether there are any.
    pub(crate) fn lists(&self) -> Option<Vec<&str>> {
        let import = self.info.as_ref()?.import.as_ref()?;
        let filled = import.iter().filter(|(_, list)| !list.is_null() && *list != "" && *list != 0);
        Some(filled.map(|(name, _)| name.as_str()).collect())
    }
}

/// The account's attributes (ATTRIBUTES).
#[derive(Deserialize)]
pub(crate) struct Attributes {
    pub(crate) attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
pub(crate) struct Attribute {
    pub(crate) name: String,
}

/// A refusal in Brevo's own words: a code and a sentence (IMPORT, PROCESS).
pub(crate) fn refusal(reply: Reply) -> Result<Error, Error> {
    #[derive(Deserialize)]
    struct Words {
        code: String,
        message: String,
    }
    let status = reply.status();
    let class = if matches!(status, 401 | 403) { ErrorClass::AUTH } else { ErrorClass::PERMANENT };
    let text = String::from_utf8_lossy(&reply.bytes(REPLY_BYTES)?).into_owned();
    let said = match serde_json::from_str::<Words>(&text) {
        Ok(words) => format!("{} (`{}`)", words.message, words.code),
        Err(_) => "no reason that could be read".to_owned(),
    };
    Ok(Error::new(class, "brevo.refused", format!("Brevo answered {status}: {said}")))
}

/// Milliseconds until a limit that is used up is free again, in Brevo's own header (HEADERS).
pub(crate) fn reset_ms(reply: &Reply) -> u64 {
    let seconds = reply.header("x-sib-ratelimit-reset").and_then(|text| text.parse().ok());
    seconds.unwrap_or(60_u64).saturating_mul(1_000)
}
