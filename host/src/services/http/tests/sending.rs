//! When requests are sent, and when again.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use usher_abi::RateLimit;

use super::{
    server::{free_port, reply},
    *,
};

/// Answers once, then with 200.
fn once(first: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Server {
    Server::new(move |_, nth| if nth == 0 { first() } else { reply(200, &[], "at last") })
}

#[test]
fn retry_after_is_kept_to_before_any_other_hint() {
    for (headers, waited) in [
        (&[("Retry-After", "7"), ("X-RateLimit-Reset", "60")][..], 7_000),
        (&[("Retry-After", "Sun, 22 Nov 2026 12:01:30 GMT")], 90_000),
        (&[("X-RateLimit-Reset", "12")], 12_000),
        (&[("X-RateLimit-Reset", "1795348805")], 5_000),
    ] {
        for status in [429, 503] {
            let server = once(move || reply(status, headers, ""));
            let network = network(&Cancel::new(), |_| {});
            let (head, body) = send(&network.service(connector().0), &get(server.url("/")), b"").unwrap();
            assert_eq!((head.status, head.attempts, body.as_slice()), (200, 2, &b"at last"[..]));
            assert_eq!(passed(&network), waited, "{status} {headers:?}");
        }
    }
}

#[test]
fn too_many_requests_is_tried_again_even_where_it_writes() {
    let server = once(|| reply(429, &[("Retry-After", "2")], ""));
    assert_eq!(send(&http(), &request("POST", server.url("/")), b"x").unwrap().0.attempts, 2);
    assert_eq!(server.seen()[1].body, b"x");
}

#[test]
fn trouble_of_the_other_side_is_tried_again_only_where_it_is_safe() {
    let server = Server::new(|_, _| reply(503, &[("Retry-After", "30")], "down"));
    let post = request("POST", server.url("/"));
    let (head, body) = send(&http(), &post, b"x").unwrap();
    assert_eq!((head.status, head.attempts, head.retry_after_ms), (503, 1, Some(30_000)));
    assert_eq!(body, b"down", "the reply itself, for whoever can read it");
    let network = network(&Cancel::new(), |_| {});
    let again = HttpRequest { idempotent: true, ..post };
    let (head, _) = send(&network.service(connector().0), &again, b"x").unwrap();
    assert_eq!((head.status, head.attempts), (503, 5));
    assert_eq!(passed(&network), 4 * 30_000);
}

#[test]
fn a_hint_that_takes_too_long_is_left_to_the_connector() {
    let server = Server::new(|_, _| reply(429, &[("Retry-After", "86400")], ""));
    let (head, _) = send(&http(), &get(server.url("/")), b"").unwrap();
    assert_eq!((head.status, head.attempts, head.retry_after_ms), (429, 1, Some(86_400_000)));
}

#[test]
fn what_never_left_is_tried_again_whatever_it_does() {
    let network = network(&Cancel::new(), |_| {});
    let (connector, log) = connector();
    let url = format!("http://127.0.0.1:{}/users?key=k", free_port());
    let error = send(&network.service(connector), &request("POST", &url), b"x").unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("transient", "http.unreachable"));
    assert!((600_000..=900_000).contains(&passed(&network)), "{}", passed(&network));
    let text = error.to_string();
    assert!(text.contains("/users cannot be reached (") && text.contains(" attempts in 1"), "{text}");
    assert!(!text.contains("key=k"), "{text}");
    let lines = lock(&log.lines);
    assert!(lines.len() == 1 && lines[0].ends_with(" and trying for 15 min in all"), "told once: {lines:?}");
}

#[test]
fn a_lost_connection_is_tried_again_only_where_it_is_safe() {
    let server = Server::new(|_, _| Vec::new());
    let error = send(&http(), &request("POST", server.url("/")), b"x").unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("transient", "http.lost"));
    assert_eq!(server.seen().len(), 1);
    let error = send(&http(), &get(server.url("/")), b"").unwrap_err();
    assert_eq!(error.code, "http.lost");
    assert_eq!(server.seen().len(), 1 + 5);
}

#[test]
fn a_cut_reply_is_tried_again_while_nobody_has_seen_it() {
    let server = once(|| {
        let mut bytes = reply(200, &[], "at last");
        bytes.truncate(bytes.len() - 3);
        bytes
    });
    let (head, body) = send(&http(), &get(server.url("/")), b"").unwrap();
    assert_eq!((head.attempts, body.as_slice()), (2, &b"at last"[..]));
}

#[test]
fn a_request_may_ask_for_one_attempt() {
    let server = Server::new(|_, _| reply(429, &[("Retry-After", "1")], ""));
    let request = HttpRequest { max_attempts: 1, ..get(server.url("/")) };
    assert_eq!(send(&http(), &request, b"").unwrap().0.attempts, 1);
}

#[test]
fn rate_limits_are_shared_by_plugin_and_account() {
    let server = Server::new(|_, _| reply(200, &[], ""));
    let network = network(&Cancel::new(), |_| {});
    let limit = RateLimit { name: "api".to_owned(), requests: 2, per_seconds: 10, ..RateLimit::default() };
    let service = |plugin: &str| {
        let connector = connector().0;
        let rate_limits = vec![limit.clone()];
        network.service(ConnectorNetwork { plugin: plugin.to_owned(), rate_limits, ..connector })
    };
    let (first, second, other) = (service("acme"), service("acme"), service("other"));
    let request = |account: &str| HttpRequest {
        limits: vec!["api".to_owned()],
        account: account.to_owned(),
        ..get(server.url("/"))
    };
    for http in [&first, &second, &first, &second, &first] {
        send(http, &request("a"), b"").unwrap();
    }
    assert_eq!(passed(&network), 20_080);
    send(&first, &request("b"), b"").unwrap();
    send(&other, &request("a"), b"").unwrap();
    assert_eq!(passed(&network), 20_080);
}

#[test]
fn a_pause_that_the_vendor_asks_for_holds_all_requests_to_it() {
    let server = Server::new(|seen, nth| match (seen.line.as_str(), nth) {
        ("GET /busy", 0) => reply(429, &[("Retry-After", "9")], ""),
        _ => reply(200, &[], ""),
    });
    let network = network(&Cancel::new(), |_| {});
    let http = network.service(connector().0);
    let busy = HttpRequest { max_attempts: 1, ..get(server.url("/busy")) };
    assert_eq!(send(&http, &busy, b"").unwrap().0.status, 429);
    assert_eq!(passed(&network), 0);
    send(&http, &get(server.url("/other")), b"").unwrap();
    assert_eq!(passed(&network), 9_000);
}

#[test]
fn so_many_are_under_way_at_once() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = most.clone();
    let server = Server::new(move |_, _| {
        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(40));
        running.fetch_sub(1, Ordering::SeqCst);
        reply(200, &[], "")
    });
    let http = network(&Cancel::new(), |options| options.at_once = 3).service(connector().0);
    let tickets: Vec<u64> = (0..12).map(|_| begin(&http, &get(server.url("/")), b"").unwrap()).collect();
    for ticket in tickets.into_iter().rev() {
        assert_eq!(wait(&http, ticket).unwrap().status, 200);
    }
    let peak = peak.load(Ordering::SeqCst);
    assert!((2..=3).contains(&peak), "{peak} at once");
}

#[test]
fn a_dry_run_checks_and_counts_what_it_does_not_send() {
    let server = Server::new(|_, _| reply(200, &[], ""));
    let service = |sending: Sending| {
        let (connector, log) = connector();
        let sending = Gate::new(sending);
        (network(&Cancel::new(), |_| {}).service(ConnectorNetwork { sending, ..connector }), log)
    };
    let (http, log) = service(Sending::Reads);
    send(&http, &get(server.url("/")), b"").unwrap();
    let error = begin(&http, &request("POST", server.url("/users")), b"x").unwrap_err();
    assert_eq!((error.class.name(), error.code.as_str()), ("unsupported", "http.dry-run"));
    assert_eq!(
        begin(&http, &request("POST", "https://evil.org"), b"x").unwrap_err().code,
        "http.host-not-allowed"
    );
    assert_eq!(*lock(&log.metrics), ["http.requests 1", "http.not-sent 1"]);
    let (http, _) = service(Sending::Held);
    send(&http, &get(server.url("/")), b"").unwrap();
    let early = begin(&http, &request("POST", server.url("/users")), b"x").unwrap_err();
    assert_eq!((early.class.name(), early.code.as_str()), ("bug", "http.too-early"));
    let (http, log) = service(Sending::Nothing);
    assert_eq!(begin(&http, &get(server.url("/")), b"").unwrap_err().code, "http.dry-run");
    assert_eq!(*lock(&log.metrics), ["http.not-sent 1"]);
    assert_eq!(server.lines(), ["GET /", "GET /"]);
}

#[test]
fn secrets_stay_out_of_errors() {
    let url = format!("http://127.0.0.1:{}/keys/hunter2/users", free_port());
    let http = network(&Cancel::new(), |options| options.patience_ms = 0).service(connector().0);
    let error = send(&http, &get(url), b"").unwrap_err();
    let text = error.to_string();
    assert!(text.contains("/keys/[secret]/users") && !text.contains("hunter2"), "{text}");
}
