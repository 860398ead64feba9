//! One exchange on the wire. The only file that talks to `ureq`'s agents.

use std::{
    io::{self, ErrorKind, Read},
    time::Duration,
};

use ureq::{
    Agent, SendBody, Timeout,
    config::{AutoHeaderValue, Config},
    http,
};
use usher_abi::{Error, ErrorClass};

use super::{proxy::Proxies, redirect::Hop, request::carries_a_body};

/// The largest head of a reply, in bytes.
const MOST_HEAD: usize = 64 << 10;
/// The most headers of a reply.
const MOST_HEADERS: usize = 100;

/// What sends.
#[derive(Debug)]
pub(super) struct Wire {
    direct: Agent,
    proxied: Option<Result<Agent, String>>,
    proxies: Proxies,
    connect: Duration,
}

/// A reply whose body is still to be read.
pub(super) struct Received {
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Box<dyn Read + Send>,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Missed {
    /// The request never left.
    Unsent(String),
    /// It may have left; nothing came in time.
    TimedOut(String),
    /// It may have left; the connection broke.
    Lost(String),
    /// The other side could not show that it is who it should be, or the proxy refused.
    Untrusted(String),
    /// What came is no reply.
    Unreadable(String),
}

impl Wire {
    /// Connections are to be there in `connect`.
    pub(super) fn new(proxies: Proxies, connect: Duration) -> Self {
        let config = || {
            Config::builder()
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .max_response_header_size(MOST_HEAD)
                .accept_encoding(AutoHeaderValue::None)
                .proxy(None)
        };
        let proxied = proxies
            .https
            .clone()
            .map(|proxy| proxy.map(|proxy| Agent::new_with_config(config().proxy(Some(proxy)).build())));
        Self { direct: Agent::new_with_config(config().build()), proxied, proxies, connect }
    }

    /// Sends a request and reads the head of its reply. `timeout` is for each step of it and for each silence within
    /// the body that follows.
    pub(super) fn exchange(&self, hop: &Hop<'_>, timeout: Duration) -> Result<Received, Missed> {
        let agent = self.agent(&hop.uri)?;
        let (connect, step) = (Some(self.connect.min(timeout)), Some(timeout));
        let mut request = http::Request::builder().method(hop.method.clone()).uri(hop.uri.clone());
        let carries = carries_a_body(&hop.method);
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&hop.headers);
            if carries {
                headers.insert(http::header::CONTENT_LENGTH, hop.body.len().into());
            }
        }
        let mut body = Watched { left: hop.body, begun: false };
        let unreadable = |e: http::Error| Missed::Unreadable(e.to_string());
        // A macro, as the two requests are of different types.
        macro_rules! run {
            ($body:expr) => {{
                let request = agent.configure_request(request.body($body).map_err(unreadable)?);
                let request = request.timeout_resolve(connect).timeout_connect(connect);
                let request = request.timeout_send_request(step).timeout_send_body(step);
                agent.run(request.timeout_recv_response(step).timeout_per_read(step).build())
            }};
        }
        let result = if carries { run!(SendBody::from_reader(&mut body)) } else { run!(()) };
        // The errors of a network that goes away are the same before and after a connection was made.
        let begun = body.begun;
        let missed = |error| if begun { missed(error).not_known() } else { missed(error) };
        let (parts, body) = result.map_err(missed)?.into_parts();
        if parts.headers.len() > MOST_HEADERS {
            return Err(Missed::Unreadable(format!("more than {MOST_HEADERS} headers")));
        }
        let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
        let headers =
            parts.headers.iter().filter_map(|(n, v)| Some((n.as_str().to_owned(), text(v)?))).collect();
        Ok(Received { status: parts.status.as_u16(), headers, body: Box::new(body.into_reader()) })
    }

    fn agent(&self, uri: &http::Uri) -> Result<&Agent, Missed> {
        let secure = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        match &self.proxied {
            Some(proxied) if secure && !self.proxies.go_past(uri.host().unwrap_or_default()) => {
                proxied.as_ref().map_err(|why| Missed::Untrusted(why.clone()))
            }
            _ => Ok(&self.direct),
        }
    }
}

/// A request's body, and whether any of it went out.
struct Watched<'a> {
    left: &'a [u8],
    begun: bool,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.begun = true;
        self.left.read(buffer)
    }
}

fn missed(error: ureq::Error) -> Missed {
    use ureq::Error as E;
    match error {
        E::HostNotFound => Missed::Unsent("its name is not known to the network".to_owned()),
        E::ConnectionFailed => Missed::Unsent("no connection".to_owned()),
        E::Timeout(Timeout::Resolve | Timeout::Connect) => Missed::Unsent("no connection in time".to_owned()),
        E::Timeout(_) => Missed::TimedOut("no reply in time".to_owned()),
        E::Io(error) => missed_io(&error),
        // The proxy has no way through for now; what it forbids (a 4xx) it forbids later as well.
        E::ConnectProxyFailed(why) if !why.contains("responded 4") => Missed::Unsent(why),
        E::Tls(_)
        | E::Rustls(_)
        | E::Pem(_)
        | E::TlsRequired
        | E::ConnectProxyFailed(_)
        | E::InvalidProxyUrl => Missed::Untrusted(error.to_string()),
        other => Missed::Unreadable(other.to_string()),
    }
}

fn missed_io(error: &io::Error) -> Missed {
    match error.kind() {
        ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::AddrNotAvailable
        | ErrorKind::PermissionDenied => Missed::Unsent(error.to_string()),
        // So the TLS library says that it does not believe the other side.
        ErrorKind::InvalidData => Missed::Untrusted(error.to_string()),
        _ => match error.to_string() {
            // The standard library has no other sign for a name that could not be looked up.
            text if text.starts_with("failed to lookup address") => Missed::Unsent(text),
            text => Missed::Lost(text),
        },
    }
}

/// Why a body does not go on.
pub(super) fn missed_body(error: io::Error) -> Missed {
    match ureq::Error::from(error) {
        ureq::Error::Timeout(_) => Missed::TimedOut("the reply stopped coming".to_owned()),
        error => Missed::Lost(format!("the reply was cut: {error}")),
    }
}

impl Missed {
    /// For a request that was on its way already: it is not known to have gone nowhere.
    pub(super) fn not_known(self) -> Self {
        match self {
            Self::Unsent(why) => Self::Lost(why),
            other => other,
        }
    }

    /// What happened, to be read after the request's name.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Unsent(why) => format!("cannot be reached ({why})"),
            Self::TimedOut(why) => format!("took too long ({why})"),
            Self::Lost(why) => format!("lost the connection ({why})"),
            Self::Untrusted(why) => format!("has no safe connection ({why})"),
            Self::Unreadable(why) => format!("answered with what is no HTTP reply ({why})"),
        }
    }

    /// The error that the connector sees; `after` says what was tried.
    pub(super) fn error(&self, name: &str, after: &str) -> Error {
        let (class, code, help) = match self {
            Self::Unsent(_) => (
                ErrorClass::TRANSIENT,
                "http.unreachable",
                "look at the network and the proxy, and run again",
            ),
            Self::TimedOut(_) => (ErrorClass::TIMEOUT, "http.timeout", "run again later"),
            Self::Lost(_) => (
                ErrorClass::TRANSIENT,
                "http.lost",
                "whether the request had its effect is not known; run again",
            ),
            Self::Untrusted(_) => (
                ErrorClass::PERMANENT,
                "http.untrusted",
                "look at the certificate of the other side and at the proxy",
            ),
            Self::Unreadable(_) => {
                (ErrorClass::DATA, "http.unreadable", "look at the address in the options")
            }
        };
        Error::new(class, code, format!("{name} {}{after}; {help}", self.why()))
    }
}
