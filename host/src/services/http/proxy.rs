//! `HTTPS_PROXY` and `NO_PROXY`. `HTTP_PROXY` has no part in it: plain http goes to this machine only, and never
//! through a proxy.

use ureq::Proxy;

/// The proxy of https requests, and who goes past it.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    /// The proxy; an error when what the variable says is none.
    pub(super) https: Option<Result<Proxy, String>>,
    past: Vec<String>,
}

impl Proxies {
    /// What the variables say, by either case of their names; `ALL_PROXY` where `HTTPS_PROXY` is not set.
    pub(super) fn new(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| {
            let found = variable(name).or_else(|| variable(&name.to_ascii_lowercase()));
            found.filter(|value| !value.trim().is_empty())
        };
        let named = ["HTTPS_PROXY", "ALL_PROXY"].into_iter().find_map(|name| Some((name, value(name)?)));
        // Its text is not shown: it may hold a password.
        let https = named.map(|(name, url)| {
            Proxy::new(url.trim()).map_err(|e| format!("the environment variable `{name}` names no proxy ({e}); set it to `http://host:port`, or unset it"))
        });
        let past = value("NO_PROXY").unwrap_or_default();
        let past = past.split(',').map(|entry| entry.trim().to_ascii_lowercase());
        Self { https, past: past.filter(|entry| !entry.is_empty()).collect() }
    }

    /// Whether requests to a host go past the proxy: an entry stands for a host and all below it, `*` for all.
    pub(super) fn go_past(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.past.iter().any(|entry| {
            let base = entry.trim_start_matches('*').trim_start_matches('.');
            base.is_empty()
                || host == base
                || host.strip_suffix(base).is_some_and(|front| front.ends_with('.'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::new(&|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_variables_are_read_in_order() {
        let host = |variables: &[(&str, &str)]| {
            proxies(variables).https.map(|proxy| proxy.map(|proxy| proxy.host().to_owned()))
        };
        assert_eq!(
            host(&[("HTTPS_PROXY", "http://p:1"), ("ALL_PROXY", "http://q:1")]),
            Some(Ok("p".to_owned()))
        );
        assert_eq!(host(&[("all_proxy", "http://q:1")]), Some(Ok("q".to_owned())));
        assert_eq!(host(&[("HTTPS_PROXY", " "), ("HTTP_PROXY", "http://p:1")]), None);
        let error = host(&[("HTTPS_PROXY", "ftp://user:secret@p")]).unwrap().unwrap_err();
        assert!(error.contains("HTTPS_PROXY") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn some_go_past_it() {
        let proxies = proxies(&[("NO_PROXY", "internal.example, .Corp.example,*.x.example")]);
        for host in
            ["internal.example", "a.internal.example", "a.corp.example", "CORP.example", "a.x.example"]
        {
            assert!(proxies.go_past(host), "{host}");
        }
        for host in ["example", "notinternal.example", "internal.example.org"] {
            assert!(!proxies.go_past(host), "{host}");
        }
        assert!(super::Proxies::new(&|name| (name == "no_proxy").then(|| "*".to_owned())).go_past("any"));
    }
}
