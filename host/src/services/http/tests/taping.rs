//! Exchanges on record.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{server::reply, *};
use crate::services::http::Tape;

fn with_tape(tape: Tape) -> Http {
    network(&Cancel::new(), |options| options.tape = Some(tape)).service(connector().0)
}

fn recording(folder: &Path) -> Http {
    with_tape(Tape::Record { folder: folder.to_owned(), masked: false })
}

fn replaying(folder: &Path) -> Http {
    with_tape(Tape::Replay(folder.to_owned()))
}

/// A request with a secret in every place that can hold one.
fn secretive(url: String) -> (HttpRequest, Vec<u8>) {
    let headers = [
        ("Authorization", "Bearer abc123"),
        ("X-Key", "abc123"),
        ("X-Note", "it is hunter2"),
        ("Content-Type", "application/json"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let request = HttpRequest { headers, credentials: vec!["X-Key".to_owned()], ..request("POST", url) };
    (request, br#"{"user":"ada","password":"abc123","note":"hunter2"}"#.to_vec())
}

#[test]
fn what_was_recorded_is_answered_without_a_network() {
    let server = Server::new(|seen, _| match seen.line.as_str() {
        "GET /bytes" => reply(200, &[], [0xff, 0x00, 0x01]),
        "GET /missing" => reply(404, &[], "no such job"),
        "GET /cut" => Vec::new(),
        _ => reply(200, &[("Content-Type", "text/plain"), ("Set-Cookie", "abc123")], "fine"),
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("tape");
    let requests: Vec<HttpRequest> = ["/text", "/bytes", "/missing", "/cut"]
        .map(|path| HttpRequest { max_attempts: 1, ..get(server.url(path)) })
        .to_vec();
    let all = |http: &Http| requests.iter().map(|request| send(http, request, b"")).collect::<Vec<_>>();
    let mut first = all(&recording(&folder));
    let asked = server.seen().len();
    let again = all(&replaying(&folder));
    assert_eq!(server.seen().len(), asked, "nothing was sent");
    let (head, _) = first[0].as_mut().unwrap();
    for (name, value) in &mut head.headers {
        if name == "set-cookie" {
            *value = "[secret]".to_owned();
        }
    }
    assert_eq!(again, first);
    assert_eq!(again[1].as_ref().unwrap().1, [0xff, 0x00, 0x01]);
    assert_eq!(again[2].as_ref().unwrap().0.status, 404);
    assert_eq!(again[3].as_ref().unwrap_err().code, "http.lost");
}

#[test]
fn a_record_holds_no_secret_and_is_its_owners() {
    let server = Server::new(|_, _| {
        reply(
            200,
            &[("X-Echo", "hunter2")],
            r#"{"access_token":"abc123","link":"https://a.example/?signature=abc123"}"#,
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("tape");
    let (request, body) = secretive(server.url("/hunter2?token=abc123"));
    let sent = send(&recording(&folder), &request, &body).unwrap();
    assert!(String::from_utf8_lossy(&sent.1).contains("abc123"), "the connector gets what came");
    let file = folder.join("people-0001.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("hunter2") && !text.contains("abc123"), "{text}");
    assert!(text.contains("/[secret]?token=[secret]") && text.contains("\"user\\\":\\\"ada\\\""), "{text}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));
    let (_, again) = send(&replaying(&folder), &request, &body).unwrap();
    assert_eq!(again, br#"{"access_token":"[secret]","link":"https://a.example/?signature=[secret]"}"#);
}

#[test]
fn a_request_that_differs_is_told_and_never_sent() {
    let server = Server::new(|_, _| reply(200, &[], "fine"));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("tape");
    let post = request("POST", server.url("/a"));
    send(&recording(&folder), &post, b"one").unwrap();
    let told = |request: &HttpRequest, body: &[u8]| {
        let error = send(&replaying(&folder), request, body).unwrap_err();
        assert_eq!((error.class.name(), error.code.as_str()), ("config", "http.replay"));
        error.to_string()
    };
    let header = vec![("X-A".to_owned(), "1".to_owned())];
    for (request, body, why) in [
        (request("PUT", server.url("/a")), b"one", "its method is `PUT`, was `POST`"),
        (request("POST", server.url("/b")), b"one", "/b`, was `http"),
        (HttpRequest { headers: header, ..post.clone() }, b"one", "its list of headers is `x-a: 1`, was ``"),
        (post.clone(), b"two", "its body is another"),
    ] {
        let text = told(&request, body);
        assert!(text.starts_with("request 1 of `people`") && text.contains(why), "{text}");
        assert!(text.ends_with("record it anew with `usher run --record`"), "{text}");
    }
    let http = replaying(&folder);
    send(&http, &post, b"one").unwrap();
    let text = send(&http, &post, b"one").unwrap_err().to_string();
    assert!(text.starts_with("request 2 of `people`") && text.contains("it cannot be read"), "{text}");
    assert_eq!(server.seen().len(), 1);
    let error = send(&recording(&folder), &post, b"one").unwrap_err();
    assert_eq!(error.code, "http.recorded", "a record is not overwritten: {error}");
}
