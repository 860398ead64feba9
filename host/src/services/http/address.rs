//! Where requests may go: https to the hosts that the plugin's file names, narrowed by the manifest; http to this
//! machine only.

use std::net::IpAddr;

use ureq::http::{Uri, uri::Scheme};
use usher_abi::Error;

use crate::report::list;

/// The hosts that one connector may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    /// Those of the plugin's preamble, or, when the manifest names some, these alone. `*.example.com` is every host
    /// below `example.com`, at any depth, but not that one itself. Beside hosts of the plugin the manifest may name
    /// this machine (`127.0.0.1:8080`), where a stand-in for the vendor may run.
    ///
    /// # Errors
    ///
    /// What is wrong with an entry of the manifest, by its place in the list.
    pub fn new(plugin: &[String], manifest: Option<&[String]>) -> Result<Self, Vec<(usize, String)>> {
        let Some(manifest) = manifest else { return Ok(Self(plugin.to_vec())) };
        let mut problems = Vec::new();
        for (i, entry) in manifest.iter().enumerate() {
            let inside = plugin.iter().any(|pattern| {
                covers(pattern, entry) || entry.strip_prefix("*.").is_some_and(|base| below(pattern, base))
            });
            if !inside && !is_this_machine(split_port(entry).0) {
                problems.push((
                    i,
                    match plugin {
                        [] => "the plugin asks for no network host, so there is nothing to narrow".to_owned(),
                        some => {
                            format!("the plugin does not ask for the host `{entry}`, only for {}", list(some))
                        }
                    },
                ));
            }
        }
        if problems.is_empty() { Ok(Self(manifest.to_vec())) } else { Err(problems) }
    }

    /// The URL, if a request may go there.
    pub(super) fn check(&self, url: &str) -> Result<Uri, Error> {
        let shown = shown(url);
        let bad = |why: &str| Error::config("http.url", format!("`{shown}` {why}"));
        let uri: Uri = url.parse().map_err(|e| bad(&format!("is no URL ({e}); look at the options")))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(bad("is no whole URL; it begins with `https://`"));
        };
        if authority.as_str().contains('@') {
            return Err(bad("holds a user's name; credentials go into a header"));
        }
        let host = authority.host();
        let secure = *scheme == Scheme::HTTPS;
        let stays_here = *scheme == Scheme::HTTP && is_this_machine(host);
        if !(secure || stays_here) {
            return Err(bad("is not encrypted; write `https://` (`http://` is for this machine only)"));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let fits = |entry: &String| {
            let (pattern, only) = split_port(entry);
            covers(pattern, host) && only.is_none_or(|only| only == port)
        };
        if self.0.iter().any(fits) {
            return Ok(uri);
        }
        let known = match self.0.as_slice() {
            [] => "it names none".to_owned(),
            some => list(some),
        };
        Err(Error::config(
            "http.host-not-allowed",
            format!(
                "`{shown}` is not at a host that this connector may reach ({known}); the plugin's file names them, \
                 `hosts` in the manifest narrows them"
            ),
        ))
    }
}

/// Whether a pattern stands for a host.
fn covers(pattern: &str, host: &str) -> bool {
    pattern.eq_ignore_ascii_case(host)
        || pattern.strip_prefix("*.").is_some_and(|base| {
            let place = host.len().checked_sub(base.len());
            place.and_then(|at| host.split_at_checked(at)).is_some_and(|(front, rest)| {
                rest.eq_ignore_ascii_case(base) && front.len() > 1 && front.ends_with('.')
            })
        })
}

/// Whether everything below `base` is below what the pattern stands for.
fn below(pattern: &str, base: &str) -> bool {
    pattern.strip_prefix("*.").is_some_and(|outer| outer.eq_ignore_ascii_case(base)) || covers(pattern, base)
}

/// An entry without its port, and the port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let split = entry.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    split.map_or((entry, None), |(host, port)| (host, Some(port)))
}

/// `localhost` and the loopback addresses.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A URL without its parameters, which may hold secrets, and without a user's name.
pub(super) fn shown(url: &str) -> String {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|p| (*p).to_owned()).collect()
    }

    #[test]
    fn a_pattern_stands_for_all_hosts_below_it() {
        for host in ["acme.zendesk.com", "ACME.Zendesk.Com", "a.b.zendesk.com"] {
            assert!(covers("*.zendesk.com", host), "{host}");
        }
        for host in
            ["zendesk.com", ".zendesk.com", "evilzendesk.com", "zendesk.com.evil.org", "acme.zendesk.com."]
        {
            assert!(!covers("*.zendesk.com", host), "{host}");
        }
        assert!(covers("api.cc.email", "api.cc.email"));
        assert!(!covers("api.cc.email", "x.api.cc.email"));
    }

    #[test]
    fn only_encrypted_urls_of_allowed_hosts_pass() {
        let allowed = AllowedHosts::new(&hosts(&["*.zendesk.com"]), None).unwrap();
        for url in ["https://acme.zendesk.com/api?x=1", "https://acme.zendesk.com:8443/"] {
            allowed.check(url).unwrap();
        }
        for (url, code) in [
            ("https://evil.org/?to=acme.zendesk.com", "http.host-not-allowed"),
            ("https://acme.zendesk.com.evil.org/", "http.host-not-allowed"),
            ("https://acme.zendesk.com@evil.org/", "http.url"),
            ("https://user:secret@acme.zendesk.com/", "http.url"),
            ("https://evil.org\\@acme.zendesk.com/", "http.url"),
            ("https://127.0.0.1/", "http.host-not-allowed"),
            ("http://acme.zendesk.com/", "http.url"),
            ("ftp://acme.zendesk.com/", "http.url"),
            ("file:///etc/passwd", "http.url"),
            ("/api/v2/users.json", "http.url"),
            ("acme.zendesk.com", "http.url"),
            ("https://acme.zendesk.com/a b", "http.url"),
            ("", "http.url"),
        ] {
            let error = allowed.check(url).unwrap_err();
            assert_eq!(error.code, code, "{url}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_manifest_narrows_and_does_not_widen() {
        let plugin = hosts(&["*.zendesk.com", "*.eu.auth0.com"]);
        let narrowed = hosts(&["acme.zendesk.com"]);
        let allowed = AllowedHosts::new(&plugin, Some(&narrowed)).unwrap();
        allowed.check("https://acme.zendesk.com/").unwrap();
        assert_eq!(allowed.check("https://other.zendesk.com/").unwrap_err().code, "http.host-not-allowed");
        for good in ["*.zendesk.com", "*.acme.zendesk.com", "127.0.0.1:8080", "localhost:1", "[::1]:8080"] {
            AllowedHosts::new(&plugin, Some(&hosts(&[good]))).unwrap();
        }
        for bad in ["evil.org", "*.com", "zendesk.com", "*.auth0.com", "10.0.0.1", "*"] {
            let problems = AllowedHosts::new(&plugin, Some(&hosts(&["acme.zendesk.com", bad]))).unwrap_err();
            assert_eq!(problems.len(), 1, "{bad}");
            assert_eq!(problems[0].0, 1, "its place in the list");
        }
        let none = AllowedHosts::new(&[], Some(&hosts(&["evil.org"]))).unwrap_err();
        assert!(none[0].1.contains("no network host"), "{}", none[0].1);
    }

    #[test]
    fn this_machine_is_reached_where_the_manifest_names_it() {
        let plugin = hosts(&["*.zendesk.com"]);
        let allowed = AllowedHosts::new(&plugin, Some(&hosts(&["127.0.0.1:8080", "[::1]:9"]))).unwrap();
        allowed.check("http://127.0.0.1:8080/api").unwrap();
        allowed.check("http://[::1]:9/api").unwrap();
        for url in ["http://127.0.0.1:8081/api", "http://127.0.0.1/api", "https://acme.zendesk.com/"] {
            assert_eq!(allowed.check(url).unwrap_err().code, "http.host-not-allowed", "{url}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        assert_eq!(shown("https://u:p@a.example:1/x/y?sig=s#f"), "https://a.example:1/x/y");
        assert_eq!(shown("https://a.example?sig=s"), "https://a.example");
        assert_eq!(shown("nonsense?sig=s"), "nonsense");
    }
}
