//! Where a reply leads, if it leads anywhere.

use fluent_uri::{Uri as Absolute, UriRef};
use ureq::http::{HeaderMap, HeaderName, Method, Uri, uri::Scheme};
use usher_abi::Error;

use super::{
    address::{AllowedHosts, shown},
    request::carries_a_body,
};

/// The most redirects that are followed.
pub(super) const MOST: usize = 5;

/// One request on the wire; a request with its redirects is several.
#[derive(Clone, Debug)]
pub(super) struct Hop<'a> {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: &'a [u8],
}

/// The request that a reply with this status and `Location` asks for instead; none when it is the answer itself.
/// `credentials` are left behind when it is for another host, port or scheme.
pub(super) fn follow<'a>(
    hop: &Hop<'a>,
    status: u16,
    location: Option<&str>,
    credentials: &[HeaderName],
    hosts: &AllowedHosts,
) -> Result<Option<Hop<'a>>, Error> {
    let (true, Some(location)) = (matches!(status, 301 | 302 | 303 | 307 | 308), location) else {
        return Ok(None);
    };
    let from = shown(&hop.uri.to_string());
    let refused = |why: String| Error::permanent("http.redirect", format!("`{from}` {why}"));
    let target = resolve(&hop.uri, location)
        .ok_or_else(|| refused("leads to what is no URL; look at the address in the options".to_owned()))?;
    let uri = hosts.check(&target).map_err(|error| error.context(format!("`{from}` leads elsewhere")))?;
    let mut next = Hop { uri, ..hop.clone() };
    // As browsers do it: 301 and 302 make a POST a GET, 303 makes everything one, 307 and 308 change nothing.
    let becomes_get = match status {
        303 => hop.method != Method::HEAD,
        301 | 302 => hop.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        (next.method, next.body) = (Method::GET, &[]);
    }
    if !carries_a_body(&next.method) {
        let about_the_body = |name: &HeaderName| name.as_str().starts_with("content-");
        let names: Vec<HeaderName> =
            next.headers.keys().filter(|name| about_the_body(name)).cloned().collect();
        names.iter().for_each(|name| drop(next.headers.remove(name)));
    }
    if hop.uri.scheme() == Some(&Scheme::HTTPS) && next.uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(refused("leads from https to http; look at the address in the options".to_owned()));
    }
    if (hop.uri.scheme(), hop.uri.authority()) != (next.uri.scheme(), next.uri.authority()) {
        if !next.body.is_empty() {
            let to = shown(&target);
            return Err(refused(format!(
                "would have the request's body sent to `{to}`; name that one in the options"
            )));
        }
        for name in credentials {
            next.headers.remove(name);
        }
    }
    Ok(Some(next))
}

/// A reference against the URL in which it stands (RFC 3986); without its fragment, which is never sent.
fn resolve(base: &Uri, reference: &str) -> Option<String> {
    let base = base.to_string();
    let base = Absolute::parse(base.as_str()).ok()?;
    let reference = reference.split('#').next().unwrap_or_default();
    let resolved = UriRef::parse(reference).ok()?.resolve_against(&base).ok()?;
    Some(resolved.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    const BASE: &str = "https://api.acme.example/v2/users?page=1";

    fn hop(method: Method, body: &[u8]) -> Hop<'_> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer t"),
            ("x-api-key", "k"),
            ("content-type", "text/csv"),
            ("accept", "*/*"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Hop { method, uri: BASE.parse().unwrap(), headers, body }
    }

    fn next<'a>(hop: &Hop<'a>, status: u16, location: &str) -> Result<Option<Hop<'a>>, Error> {
        let hosts = ["*.acme.example".to_owned(), "127.0.0.1".to_owned()];
        let hosts = AllowedHosts::new(&hosts, None).unwrap();
        let credentials = ["authorization", "cookie", "x-api-key"].map(HeaderName::from_static);
        follow(hop, status, Some(location), &credentials, &hosts)
    }

    #[test]
    fn methods_and_bodies_by_status() {
        let body = &b"x"[..];
        for (status, method, expected, keeps) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (303, Method::POST, Method::GET, false),
            (307, Method::POST, Method::POST, true),
            (308, Method::POST, Method::POST, true),
            (301, Method::PUT, Method::PUT, true),
            (302, Method::PATCH, Method::PATCH, true),
            (303, Method::PUT, Method::GET, false),
            (303, Method::HEAD, Method::HEAD, false),
            (301, Method::DELETE, Method::DELETE, false),
        ] {
            let next = next(&hop(method.clone(), body), status, "/v3").unwrap().unwrap();
            assert_eq!(next.method, expected, "{status} {method}");
            if carries_a_body(&next.method) {
                assert_eq!(!next.body.is_empty(), keeps, "{status} {method}");
            }
            assert_eq!(next.headers.contains_key("content-type"), keeps, "{status} {method}");
        }
    }

    #[test]
    fn other_statuses_are_the_answer() {
        for status in [200, 300, 304, 305, 306, 404] {
            assert!(next(&hop(Method::GET, &[]), status, "/v3").unwrap().is_none(), "{status}");
        }
        let hosts = AllowedHosts::new(&[], None).unwrap();
        assert!(follow(&hop(Method::GET, &[]), 302, None, &[], &hosts).unwrap().is_none(), "no Location");
    }

    #[test]
    fn locations_are_relative_to_where_they_stand() {
        for (location, expected) in [
            ("/v3/users", "https://api.acme.example/v3/users"),
            ("items", "https://api.acme.example/v2/items"),
            ("../x#part", "https://api.acme.example/x"),
            ("?page=2", "https://api.acme.example/v2/users?page=2"),
            ("//files.acme.example/x", "https://files.acme.example/x"),
        ] {
            let next = next(&hop(Method::GET, &[]), 302, location).unwrap().unwrap();
            assert_eq!(next.uri.to_string(), expected, "{location}");
        }
    }

    #[test]
    fn credentials_stay_with_their_host() {
        let kept = |location: &str| {
            let next = next(&hop(Method::GET, &[]), 302, location).unwrap().unwrap();
            assert!(next.headers.contains_key("accept"));
            ["authorization", "x-api-key"].map(|name| next.headers.contains_key(name))
        };
        assert_eq!(kept("/v3"), [true, true]);
        assert_eq!(kept("https://api.acme.example/v3"), [true, true]);
        assert_eq!(kept("https://files.acme.example/v3"), [false, false]);
        assert_eq!(kept("https://api.acme.example:8443/v3"), [false, false]);
    }

    #[test]
    fn what_must_not_be_followed_is_refused() {
        for (location, body, code) in [
            ("https://evil.org/", &b""[..], "http.host-not-allowed"),
            ("http://api.acme.example/", b"", "http.url"),
            ("http://127.0.0.1/", b"", "http.redirect"),
            ("https://files.acme.example/", b"x", "http.redirect"),
            ("https://a b/", b"", "http.redirect"),
            ("file:///etc/passwd", b"", "http.url"),
        ] {
            let error = next(&hop(Method::POST, body), 307, location).unwrap_err();
            assert_eq!(error.code, code, "{location}: {error}");
        }
    }
}
