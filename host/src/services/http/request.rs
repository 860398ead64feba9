//! A request, checked before anything is sent.

use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use usher_abi::{Error, HttpRequest, RateLimit};

use super::address::{AllowedHosts, shown};

/// Headers that say how a request is sent, which is the host's affair.
const RESERVED: [&str; 12] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
];

/// A request that may be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// The headers that do not go on to another host.
    pub(super) credentials: Vec<HeaderName>,
    pub(super) body: Vec<u8>,
    /// The limits that it counts against.
    pub(super) limits: Vec<RateLimit>,
    pub(super) head: HttpRequest,
}

impl Request {
    /// Reads and checks a request.
    pub(super) fn new(
        head: &str,
        body: &[u8],
        hosts: &AllowedHosts,
        declared: &[RateLimit],
        agent: &str,
    ) -> Result<Self, Error> {
        let head: HttpRequest = serde_json::from_str(head)
            .map_err(|e| Error::bug("abi.json", format!("the connector sent an unreadable request: {e}")))?;
        let method = method(&head, body)?;
        let uri = hosts.check(&head.url)?;
        let named =
            ["authorization", "cookie"].into_iter().chain(head.credentials.iter().map(String::as_str));
        let credentials: Vec<HeaderName> =
            named.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in &head.headers {
            let (name, mut value) = header(name, value)?;
            value.set_sensitive(credentials.contains(&name));
            headers.append(name, value);
        }
        if !headers.contains_key("user-agent") {
            headers.extend(HeaderValue::from_str(agent).ok().map(|agent| (USER_AGENT, agent)));
        }
        let packing = HeaderValue::from_static(if head.gzip { "gzip" } else { "identity" });
        headers.insert(ACCEPT_ENCODING, packing);
        let limits = head.limits.iter().map(|name| limit(declared, name)).collect::<Result<_, _>>()?;
        Ok(Self { method, uri, headers, credentials, body: body.to_vec(), limits, head })
    }

    /// Method and URL, as messages name it.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.head.method, shown(&self.head.url))
    }
}

const USER_AGENT: HeaderName = HeaderName::from_static("user-agent");
const ACCEPT_ENCODING: HeaderName = HeaderName::from_static("accept-encoding");

fn method(head: &HttpRequest, body: &[u8]) -> Result<Method, Error> {
    let method = match head.method.as_str() {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        other => {
            return Err(Error::bug(
                "http.method",
                format!("`{other}` is no method; there are GET, HEAD, POST, PUT, PATCH, DELETE"),
            ));
        }
    };
    if !body.is_empty() && !carries_a_body(&method) {
        return Err(Error::bug("http.method", format!("a {method} request has no body; take it out")));
    }
    Ok(method)
}

/// Whether requests of this method have a body.
pub(super) fn carries_a_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(Error::bug(
            "http.header",
            format!("the header `{name}` is set by the host; take it out"),
        ));
    }
    // The value is not shown: it may be a credential.
    let bad =
        || Error::bug("http.header", format!("the header `{name}` has a name or value that cannot be sent"));
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    Ok((name, HeaderValue::from_str(value).map_err(|_| bad())?))
}

fn limit(declared: &[RateLimit], name: &str) -> Result<RateLimit, Error> {
    declared.iter().find(|limit| limit.name == *name).cloned().ok_or_else(|| {
        let known: Vec<&str> = declared.iter().map(|limit| limit.name.as_str()).collect();
        Error::bug(
            "http.unknown-limit",
            format!("the component declares no rate limit `{name}`, only [{}]", known.join(", ")),
        )
    })
}
