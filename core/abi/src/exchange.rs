//! What crosses as JSON in `usher.http/1`: the head of a request and of its reply. Bodies cross as bytes.

use serde::{Deserialize, Serialize};

/// The head of a request; see [`HttpTable::begin`](crate::service::HttpTable::begin).
///
/// `Host`, `Content-Length`, `Transfer-Encoding` and the like are the host's own and are refused among the headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The whole URL, without credentials in it. `https`, or `http` to this machine.
    pub url: String,
    /// Names and values, in the order in which they are sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Names of headers that hold a credential, beside `Authorization` and `Cookie`, which always do: they are not
    /// sent on when a redirect leads to another host, and are in no log and no recording.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// Sent twice, it does what it does once: the host may send it again when it does not know whether it arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idempotent: bool,
    /// Changes nothing at the other side: it is sent in dry runs, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reads: bool,
    /// The rate limits that it counts against, by the names in [`Component::rate_limits`](crate::Component).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<String>,
    /// Whose limits these are: the account or key at the vendor, as something that is no secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Milliseconds until one attempt must have its reply, and the longest silence within the reply's body; 0: as
    /// the host thinks good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timeout_ms: u64,
    /// The most attempts, the first one counted; 0: as the host thinks good.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_attempts: u64,
    /// 429 is answered as it came, and not tried again: for vendors whose 429 has more than one meaning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused_once: bool,
    /// Asks for a body packed with gzip, which the host unpacks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gzip: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The head of a reply; see [`HttpTable::wait`](crate::service::HttpTable::wait).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpReply {
    /// The status (200).
    pub status: u16,
    /// Names in lower case, and values, in the order in which they came. What is no text is left out.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Where it came from, redirects followed.
    pub url: String,
    /// How many requests it took, redirects not counted.
    #[serde(default)]
    pub attempts: u64,
    /// How long the other side asked to wait before the next request, in milliseconds, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_side_may_say_more_and_an_older_one_less() {
        let request: HttpRequest =
            serde_json::from_str(r#"{"method":"GET","url":"https://a.example","http3":true}"#).unwrap();
        let least =
            HttpRequest { method: "GET".into(), url: "https://a.example".into(), ..HttpRequest::default() };
        assert_eq!(request, least);
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"method":"GET","url":"https://a.example"}"#);
        let reply: HttpReply =
            serde_json::from_str(r#"{"status":200,"url":"https://a.example","protocol":"h2"}"#).unwrap();
        assert_eq!((reply.status, reply.attempts, reply.retry_after_ms), (200, 0, None));
    }

    #[test]
    fn headers_are_pairs() {
        let headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        let request = HttpRequest { headers, reads: true, ..HttpRequest::default() };
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"method":"","url":"","headers":[["Accept","application/json"]],"reads":true}"#
        );
    }
}
