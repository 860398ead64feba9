//! Where requests go, and what they carry there.

use super::{
    server::{free_port, reply},
    *,
};

#[test]
fn a_request_arrives_as_it_was_made() {
    let server = Server::new(|_, _| reply(201, &[("X-Job", "7"), ("Set-Cookie", "a=1")], "made"));
    let headers = vec![
        ("Content-Type".to_owned(), "text/csv".to_owned()),
        ("Authorization".to_owned(), "Bearer t".to_owned()),
    ];
    let request = HttpRequest { headers, ..request("POST", server.url("/users?x=1#part")) };
    let (head, body) = send(&http(), &request, b"a,b\n").unwrap();
    assert_eq!((head.status, head.attempts, body.as_slice()), (201, 1, &b"made"[..]));
    assert_eq!(head.url, server.url("/users?x=1"));
    assert!(head.headers.contains(&("x-job".to_owned(), "7".to_owned())), "{head:?}");
    let seen = &server.seen()[0];
    assert_eq!((seen.line.as_str(), seen.body.as_slice()), ("POST /users?x=1", &b"a,b\n"[..]));
    assert_eq!(seen.header("authorization"), Some("Bearer t"));
    assert_eq!(seen.header("content-type"), Some("text/csv"));
    assert_eq!(seen.header("content-length"), Some("4"));
    assert_eq!(seen.header("accept-encoding"), Some("identity"));
    assert_eq!(
        seen.header("user-agent"),
        Some(format!("usher/{} (acme)", env!("CARGO_PKG_VERSION")).as_str())
    );
}

#[test]
fn every_method_and_an_empty_body() {
    let server = Server::new(|_, _| reply(200, &[], ""));
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        send(&http(), &request(method, server.url("/")), b"").unwrap();
    }
    let lines = ["GET /", "HEAD /", "POST /", "PUT /", "PATCH /", "DELETE /"];
    assert_eq!(server.lines(), lines);
    let lengths: Vec<Option<String>> =
        server.seen().iter().map(|seen| seen.header("content-length").map(str::to_owned)).collect();
    let zero = Some("0".to_owned());
    assert_eq!(lengths, [None, None, zero.clone(), zero.clone(), zero, None]);
}

#[test]
fn what_is_not_allowed_opens_no_socket() {
    let server = Server::new(|_, _| reply(200, &[], ""));
    let (mut connector, _) = connector();
    connector.hosts = AllowedHosts::new(&["*.acme.example".to_owned()], None).unwrap();
    let http = network(&Cancel::new(), |_| {}).service(connector);
    let error = begin(&http, &get(server.url("/?key=hunter2")), b"").unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("config", "http.host-not-allowed"));
    assert_eq!(
        error.to_string(),
        format!(
            "`http://127.0.0.1:{}/` is not at a host that this connector may reach (`*.acme.example`); the plugin's \
             file names them, `hosts` in the manifest narrows them",
            server.port()
        )
    );
    assert!(server.seen().is_empty());
}

#[test]
fn what_cannot_be_sent_is_told_at_once() {
    let http = http();
    let url = "http://127.0.0.1/";
    let with_header = |name: &str, value: &str| HttpRequest {
        headers: vec![(name.to_owned(), value.to_owned())],
        ..get(url)
    };
    for (request, body, code) in [
        (request("BREW", url), &b""[..], "http.method"),
        (request("GET", url), b"x", "http.method"),
        (with_header("Content-Length", "1"), b"", "http.header"),
        (with_header("Host", "evil.org"), b"", "http.header"),
        (with_header("X-A", "hunter2\r\nX-B: 1"), b"", "http.header"),
        (with_header("X A", "hunter2"), b"", "http.header"),
        (HttpRequest { limits: vec!["imports".to_owned()], ..get(url) }, b"", "http.unknown-limit"),
    ] {
        let error = begin(&http, &request, body).unwrap_err();
        assert_eq!(error.code, code);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(http.begin("{", b"").unwrap_err().code, "abi.json");
}

#[test]
fn credentials_do_not_follow_to_another_host() {
    let server = Server::writing(|seen, _, stream| {
        let host = seen.header("host").unwrap().replace("127.0.0.1", "localhost");
        let bytes = match seen.line.as_str() {
            "GET /same" => reply(302, &[("Location", "/start")], ""),
            "GET /start" => reply(302, &[("Location", &format!("http://{host}/other"))], ""),
            "GET /other" => reply(
                307,
                &[("Location", &format!("http://{}/back", host.replace("localhost", "127.0.0.1")))],
                "",
            ),
            _ => reply(200, &[], "here"),
        };
        std::io::Write::write_all(stream, &bytes).unwrap();
    });
    let headers = [("Authorization", "Bearer t"), ("Cookie", "a=1"), ("X-Key", "k"), ("X-Plain", "p")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let request = HttpRequest { headers, credentials: vec!["x-key".to_owned()], ..get(server.url("/same")) };
    let (head, body) = send(&http(), &request, b"").unwrap();
    assert_eq!((head.url, body.as_slice()), (server.url("/back"), &b"here"[..]));
    assert_eq!(server.lines(), ["GET /same", "GET /start", "GET /other", "GET /back"]);
    for (seen, sent) in server.seen().iter().zip([true, true, false, false]) {
        for name in ["authorization", "cookie", "x-key"] {
            assert_eq!(seen.header(name).is_some(), sent, "{name} at {}", seen.line);
        }
        assert_eq!(seen.header("x-plain"), Some("p"), "at {}", seen.line);
    }
}

#[test]
fn a_redirect_keeps_to_the_allowed_hosts() {
    let elsewhere = Server::new(|_, _| reply(200, &[], ""));
    let port = elsewhere.port();
    let server = Server::new(move |_, _| {
        reply(302, &[("Location", &format!("http://localhost:{port}/?s=hunter2"))], "")
    });
    let (mut connector, _) = connector();
    connector.hosts = AllowedHosts::new(&["127.0.0.1".to_owned()], None).unwrap();
    let http = network(&Cancel::new(), |_| {}).service(connector);
    let error = send(&http, &get(server.url("/")), b"").unwrap_err();
    assert_eq!(error.code, "http.host-not-allowed");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn methods_change_with_redirects_and_bodies_with_them() {
    let server = Server::new(|seen, _| match seen.line.as_str() {
        "POST /303" => reply(303, &[("Location", "/job")], ""),
        "POST /307" => reply(307, &[("Location", "/users")], ""),
        _ => reply(200, &[], ""),
    });
    send(&http(), &request("POST", server.url("/303")), b"x").unwrap();
    send(&http(), &request("POST", server.url("/307")), b"y").unwrap();
    assert_eq!(server.lines(), ["POST /303", "GET /job", "POST /307", "POST /users"]);
    assert_eq!(server.seen()[1].body, b"");
    assert_eq!(server.seen()[3].body, b"y");
}

#[test]
fn redirects_have_an_end() {
    let server = Server::new(|seen, _| {
        let n: u32 = seen.line.trim_start_matches("GET /").parse().unwrap();
        if n == 0 {
            reply(200, &[], "there")
        } else {
            reply(302, &[("Location", &format!("/{}", n - 1))], "")
        }
    });
    assert_eq!(send(&http(), &get(server.url("/5")), b"").unwrap().1, b"there");
    let error = send(&http(), &get(server.url("/6")), b"").unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("permanent", "http.redirect"));
    assert!(error.to_string().contains("more than 5 times"), "{error}");
}

#[test]
fn https_goes_through_the_proxy_and_some_hosts_past_it() {
    let proxy = Server::new(|_, _| reply(403, &[], "no"));
    let port = proxy.port();
    let reach = |past: &'static str, url: &str| {
        let network = network(&Cancel::new(), |options| {
            options.patience_ms = 0;
            options.variable = Box::new(move |name| match name {
                "HTTPS_PROXY" => Some(format!("http://user:hunter2@127.0.0.1:{port}")),
                "NO_PROXY" => Some(past.to_owned()),
                _ => None,
            });
        });
        let (mut connector, _) = connector();
        let hosts = ["*.acme.invalid".to_owned(), "127.0.0.1".to_owned()];
        connector.hosts = AllowedHosts::new(&hosts, None).unwrap();
        send(&network.service(connector), &get(url), b"").unwrap_err()
    };
    let error = reach("", "https://api.acme.invalid/users");
    assert_eq!(proxy.lines(), ["CONNECT api.acme.invalid:443"]);
    assert_eq!(error.code, "http.untrusted", "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(reach("acme.invalid", "https://api.acme.invalid/users").code, "http.unreachable");
    let closed = format!("http://127.0.0.1:{}/", free_port());
    assert_eq!(reach("", &closed).code, "http.unreachable", "this machine is never reached through it");
    assert_eq!(proxy.seen().len(), 1);
}

#[test]
fn a_proxy_that_is_none_is_named() {
    let network = network(&Cancel::new(), |options| {
        options.variable = Box::new(|name| (name == "HTTPS_PROXY").then(|| "ftp://x".to_owned()));
    });
    let (mut connector, _) = connector();
    connector.hosts = AllowedHosts::new(&["api.acme.invalid".to_owned()], None).unwrap();
    let error = send(&network.service(connector), &get("https://api.acme.invalid/"), b"").unwrap_err();
    assert!(error.to_string().contains("`HTTPS_PROXY`"), "{error}");
}
