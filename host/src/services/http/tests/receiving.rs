//! What comes back.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use usher_abi::{ErrorClass, service::InputService};

use super::{server::reply, *};
use crate::services::{InputOptions, InputRegistry};

/// Large enough for several slabs, and telling where it is wrong.
fn large() -> Vec<u8> {
    (0..200_000u32).flat_map(|n| format!("{n}\n").into_bytes()).collect()
}

#[test]
fn a_body_comes_slab_by_slab() {
    let server = Server::new(|_, _| reply(200, &[], large()));
    assert!(send(&http(), &get(server.url("/")), b"").unwrap().1 == large());
}

#[test]
fn a_body_in_chunks_and_one_that_ends_with_the_connection() {
    let server = Server::new(|seen, _| match seen.line.as_str() {
        "GET /chunks" => {
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n".to_vec()
        }
        _ => b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde".to_vec(),
    });
    for path in ["/chunks", "/close"] {
        assert_eq!(send(&http(), &get(server.url(path)), b"").unwrap().1, b"abcde", "{path}");
    }
}

#[test]
fn a_cut_body_is_an_error_and_no_end() {
    let server = Server::new(|_, _| {
        let mut bytes = reply(200, &[], large());
        bytes.truncate(bytes.len() - 100);
        bytes
    });
    let http = http();
    let ticket = begin(&http, &get(server.url("/")), b"").unwrap();
    assert_eq!(wait(&http, ticket).unwrap().status, 200);
    let error = rest(&http, ticket).unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::TRANSIENT, "http.lost"));
    assert_eq!(rest(&http, ticket).unwrap_err().code, "http.lost", "it stays");
}

#[test]
fn a_body_has_a_bound() {
    let server = Server::new(|_, _| reply(200, &[], large()));
    let http = network(&Cancel::new(), |options| options.most_body = 1_000_000).service(connector().0);
    let error = send(&http, &get(server.url("/")), b"").unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::DATA, "http.too-large"));
}

#[test]
fn so_have_headers() {
    let server = Server::new(|seen, _| {
        let many: Vec<(String, String)> = match seen.line.as_str() {
            "GET /many" => (0..150).map(|n| (format!("X-{n}"), "x".to_owned())).collect(),
            _ => vec![("X-Large".to_owned(), "x".repeat(100_000))],
        };
        let headers: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        reply(200, &headers, "")
    });
    for path in ["/many", "/large"] {
        let error = send(&http(), &get(server.url(path)), b"").unwrap_err();
        assert_eq!(
            (error.class, error.code.as_str()),
            (ErrorClass::DATA, "http.unreadable"),
            "{path}: {error}"
        );
    }
}

#[test]
fn what_is_no_http_is_named() {
    let server = Server::new(|_, _| b"SSH-2.0-OpenSSH\r\n\r\n".to_vec());
    assert_eq!(send(&http(), &get(server.url("/")), b"").unwrap_err().code, "http.unreadable");
}

#[test]
fn a_packed_body_is_unpacked_where_that_was_asked_for() {
    let packed = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&large()).unwrap();
        encoder.finish().unwrap()
    };
    let server = Server::new(move |_, _| reply(200, &[("Content-Encoding", "gzip")], packed()));
    let asked = HttpRequest { gzip: true, ..get(server.url("/")) };
    let (head, body) = send(&http(), &asked, b"").unwrap();
    assert!(body == large());
    assert!(!head.headers.iter().any(|(name, _)| name.starts_with("content-")), "{head:?}");
    let (head, body) = send(&http(), &get(server.url("/")), b"").unwrap();
    assert!(
        body.starts_with(&[0x1f, 0x8b]) && head.headers.iter().any(|(name, _)| name == "content-encoding")
    );
    let sent: Vec<_> = server.seen().iter().map(|s| s.header("accept-encoding").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("gzip".to_owned()), Some("identity".to_owned())]);
    let bomb = network(&Cancel::new(), |options| options.most_body = 100_000).service(connector().0);
    assert_eq!(send(&bomb, &asked, b"").unwrap_err().code, "http.too-large", "counted as it is unpacked");
}

#[test]
fn silence_and_dripping_have_their_time() {
    let server = Server::writing(|seen, _, stream| match seen.line.as_str() {
        "GET /silent" => std::thread::sleep(Duration::from_secs(2)),
        _ => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            for _ in 0..40 {
                std::thread::sleep(Duration::from_millis(50));
                if stream.write_all(b"x").is_err() {
                    return;
                }
            }
        }
    });
    for path in ["/silent", "/drip"] {
        let started = Instant::now();
        let request = HttpRequest { timeout_ms: 300, max_attempts: 1, ..get(server.url(path)) };
        let error = send(&http(), &request, b"").unwrap_err();
        assert_eq!(
            (error.class, error.code.as_str()),
            (ErrorClass::TIMEOUT, "http.timeout"),
            "{path}: {error}"
        );
        assert!(started.elapsed() < Duration::from_millis(1_800), "{path}");
    }
}

#[test]
fn a_cancelled_run_waits_for_nothing() {
    let server = Server::writing(|_, _, _| std::thread::sleep(Duration::from_secs(3)));
    let cancel = Cancel::new();
    let http = network(&cancel, |_| {}).service(connector().0);
    let ticket = begin(&http, &get(server.url("/")), b"").unwrap();
    let started = Instant::now();
    let error = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait(&http, ticket).unwrap_err());
        std::thread::sleep(Duration::from_millis(50));
        cancel.cancel();
        waiting.join().unwrap()
    });
    assert_eq!(error.class, ErrorClass::CANCELLED);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(begin(&http, &get(server.url("/")), b"").unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn a_closed_ticket_is_gone_and_makes_room() {
    let server = Server::new(|seen, _| match seen.line.as_str() {
        "GET /large" => reply(200, &[], vec![b'x'; 8 << 20]),
        _ => reply(200, &[], "small"),
    });
    let http = network(&Cancel::new(), |options| options.at_once = 1).service(connector().0);
    let ticket = begin(&http, &get(server.url("/large")), b"").unwrap();
    assert_eq!(wait(&http, ticket).unwrap().status, 200);
    let second = begin(&http, &get(server.url("/small")), b"").unwrap();
    http.close(ticket);
    assert_eq!(rest(&http, second).unwrap(), b"small", "the only place is free again");
    assert_eq!(http.next(ticket).map(|_| ()).unwrap_err().code, "http.unknown-ticket");
    http.close(ticket);
}

#[test]
fn a_reply_becomes_an_input() {
    let server = Server::new(|_, _| reply(200, &[], large()));
    let folder = tempfile::tempdir().unwrap();
    let registry = InputRegistry::new(InputOptions::new(folder.path(), folder.path(), Cancel::new()));
    let inputs = Arc::new(registry.view(&serde_json::json!({})));
    let (connector, _) = connector();
    let connector = ConnectorNetwork { inputs: Some(inputs.clone()), ..connector };
    let http = network(&Cancel::new(), |_| {}).service(connector);
    let ticket = begin(&http, &get(server.url("/")), b"").unwrap();
    let kept = http.keep(ticket, "users.json").unwrap();
    http.close(ticket);
    assert_eq!((kept.name.as_str(), kept.size.into_option()), ("users.json", Some(large().len() as u64)));
    for start in [0, 4_000] {
        let reader = inputs.reader(kept.id, start, u64::MAX).unwrap();
        let mut bytes = Vec::new();
        while let Some(slab) = inputs.next(reader).unwrap() {
            bytes.extend_from_slice(slab.bytes());
        }
        assert!(bytes == large()[start as usize..]);
    }
    assert_eq!(registry.inputs()[0].name, "users.json");
    let others = registry.view(&serde_json::json!({}));
    assert_eq!(others.reader(kept.id, 0, 1).unwrap_err().code, "input.unknown", "another connector's");
}

#[test]
fn a_reply_that_is_cut_becomes_no_input() {
    let server = Server::new(|_, _| {
        let mut bytes = reply(200, &[], large());
        bytes.truncate(bytes.len() - 100);
        bytes
    });
    let folder = tempfile::tempdir().unwrap();
    let registry = InputRegistry::new(InputOptions::new(folder.path(), folder.path(), Cancel::new()));
    let (connector, _) = connector();
    let inputs = Some(Arc::new(registry.view(&serde_json::json!({}))));
    let http = network(&Cancel::new(), |_| {}).service(ConnectorNetwork { inputs, ..connector });
    let ticket = begin(&http, &get(server.url("/")), b"").unwrap();
    assert_eq!(http.keep(ticket, "users.json").unwrap_err().code, "http.lost");
    assert!(registry.inputs().is_empty());
    let without = super::http();
    let ticket = begin(&without, &get(server.url("/")), b"").unwrap();
    assert_eq!(without.keep(ticket, "x").unwrap_err().code, "http.keep");
}
